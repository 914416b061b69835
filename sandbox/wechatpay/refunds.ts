import { z } from 'zod'
import { findHolding, newNumber, noteOverlap, rulesOf, settleDue } from './accounts.ts'
import { readBody, sortedText } from './body.ts'
import { reject } from './gate.ts'
import type { Answer } from './gate.ts'
import { DAY_MS } from './money-state.ts'
import type { Holding, NextRefund, Refund } from './money-state.ts'
import { openField, undecipherable } from './receivers.ts'
import { chooseSource } from './refund-source.ts'
import type { Source } from './refund-source.ts'
import { handleAbnormal, startRefund } from './run-refund.ts'
import { chinaTime, findTrade } from './state.ts'
import type { Merchant, World } from './state.ts'

/** Refunds per order; days after payment; failing and accepted calls per second and merchant (protocol sheet 4.3). */
export const MOST_REFUNDS = 50
const MOST_DAYS = 365
const MOST_FAILING = 6
const MOST_ACCEPTED = 150

const text = (max: number): z.ZodString => z.string().min(1).max(max)
const outRefundNo = z.string().regex(/^[0-9A-Za-z_\-|*@]{1,64}$/)
const refundBody = z
  .strictObject({
    transaction_id: text(32).optional(),
    out_trade_no: text(32).optional(),
    out_refund_no: outRefundNo,
    reason: text(80).optional(),
    notify_url: z
      .url({ protocol: /^https?$/ })
      .max(256)
      .optional(),
    funds_account: z.enum(['AVAILABLE', 'UNSETTLED']).optional(),
    amount: z.strictObject({
      refund: z.int().min(1),
      total: z.int().min(1),
      currency: z.literal('CNY'),
      from: z
        .array(z.strictObject({ account: z.enum(['AVAILABLE', 'UNAVAILABLE']), amount: z.int().min(1) }))
        .min(1)
        .max(2)
        .optional(),
    }),
    goods_detail: z.array(z.record(z.string(), z.unknown())).optional(),
  })
  .refine((body) => (body.transaction_id === undefined) !== (body.out_trade_no === undefined), {
    path: ['transaction_id'],
    message: 'exactly one of transaction_id and out_trade_no',
  })
type RefundBody = z.infer<typeof refundBody>

const abnormalBody = z.discriminatedUnion('type', [
  z.strictObject({ out_refund_no: outRefundNo, type: z.literal('MERCHANT_BANK_CARD') }),
  z.strictObject({
    out_refund_no: outRefundNo,
    type: z.literal('USER_BANK_CARD'),
    bank_type: text(16),
    bank_account: text(1024),
    real_name: text(1024),
  }),
])

const invalid = (message: string): Answer => reject(400, 'INVALID_REQUEST', message)
const limited = reject(429, 'FREQUENCY_LIMITED', '频率限制，请稍后用相同参数重试')
const keyOf = (mchid: string, no: string): string => `${mchid} ${no}`

/** POST /v3/refund/domestic/refunds: 200 says accepted, no more. The same number with the same body pays once. */
export function applyRefund(world: World, merchant: Merchant, raw: Buffer): Answer {
  settleDue(world)
  if (crowded(world, `failing ${merchant.mchid}`, MOST_FAILING)) return limited
  if (crowded(world, `accepted ${merchant.mchid}`, MOST_ACCEPTED)) return limited
  const answer = tryRefund(world, merchant, raw)
  count(world, `${answer.status < 300 ? 'accepted' : 'failing'} ${merchant.mchid}`)
  return answer
}

/** GET /v3/refund/domestic/refunds/{out_refund_no}: of any age. */
export function queryRefund(world: World, merchant: Merchant, no: string): Answer {
  settleDue(world)
  const refund = world.money.refunds.get(keyOf(merchant.mchid, no))
  return refund ? told(refund) : reject(404, 'RESOURCE_NOT_EXISTS', '退款单不存在')
}

/** POST …/{refund_id}/apply-abnormal-refund: the money goes to another card; `serial` names the key of its fields. */
export function applyAbnormalRefund(world: World, merchant: Merchant, id: string, raw: Buffer, serial: string): Answer {
  settleDue(world)
  const read = readBody(abnormalBody, raw)
  if ('refusal' in read) return read.refusal
  const body = read.value
  if (body.type === 'USER_BANK_CARD') {
    const fields = [body.bank_account, body.real_name]
    if (fields.some((one) => openField(world, merchant, one, serial) === null)) return undecipherable
  }
  const refund = world.money.refundsById.get(id)
  if (refund?.mchid !== merchant.mchid || refund.outRefundNo !== body.out_refund_no) {
    return reject(404, 'RESOURCE_NOT_EXISTS', '退款单不存在')
  }
  const wanted = body.type === 'MERCHANT_BANK_CARD' ? 'merchant_card' : 'payer_card'
  if (refund.received === wanted && refund.status !== 'ABNORMAL') return told(refund)
  if (refund.status !== 'ABNORMAL') return invalid('退款单状态不是退款异常')
  handleAbnormal(world, refund, wanted)
  return told(refund)
}

function tryRefund(world: World, merchant: Merchant, raw: Buffer): Answer {
  const read = readBody(refundBody, raw)
  if ('refusal' in read) return read.refusal
  const body = read.value
  if (!rulesOf(world, merchant.mchid).mayRefund) return reject(403, 'NO_AUTH', '商户无退款权限')
  const parameters = sortedText(body)
  const first = world.money.refunds.get(keyOf(merchant.mchid, body.out_refund_no))
  if (first)
    return first.parameters === parameters ? told(first) : invalid('订单金额或退款金额与之前请求不一致，请核实后再试')
  const id = body.transaction_id ?? findTrade(world, merchant.mchid, body.out_trade_no ?? '')?.transactionId ?? ''
  const holding = findHolding(world, merchant.mchid, id)
  if (!holding) return reject(404, 'RESOURCE_NOT_EXISTS', '订单不存在')
  noteOverlap(world, holding, 'refund', body.out_refund_no)
  const refusal = refuseRefund(world, holding, body)
  if (refusal) return refusal
  const next = nextOutcome(world, merchant.mchid)
  if (next === 'user_abnormal') return reject(403, 'USER_ACCOUNT_ABNORMAL', '用户账户异常或已注销')
  const source = chooseSource(world, holding, body.amount.refund, body.amount.from, body.funds_account)
  if ('status' in source) return source
  return accept(world, merchant, holding, { body, parameters, source, outcome: next })
}

/** The rules of protocol sheet 4.3 and 4.4 that do not concern where the money comes from. */
function refuseRefund(world: World, holding: Holding, body: RefundBody): Answer | null {
  const now = world.now()
  const { refund, total } = body.amount
  if (total !== holding.paid) return invalid('订单金额与原订单不一致')
  if (now > holding.paidAtMs + MOST_DAYS * DAY_MS) return reject(400, 'TRADE_OVERDUE', '订单已经超过可退款的最大期限')
  if (holding.refunded + refund > holding.paid) return invalid('申请退款金额超过订单可退金额')
  if (holding.refundRequests >= MOST_REFUNDS) return invalid('部分退款次数超过上限')
  const last = holding.lastRefundMs
  if (last !== null && now - last < rulesOf(world, holding.mchid).refundIntervalMs) return limited
  if (holding.reserved > 0) return invalid('订单正在分账，请稍后再试')
  return null
}

/** What tests ordered for the next refund, else success. */
function nextOutcome(world: World, mchid: string): NextRefund['outcome'] {
  const { nextRefunds } = world.money
  const next = nextRefunds.find((one) => one.mchid === null || one.mchid === mchid)
  if (!next) return 'success'
  next.times -= 1
  if (next.times <= 0) nextRefunds.splice(nextRefunds.indexOf(next), 1)
  return next.outcome
}

interface Accepted {
  readonly body: RefundBody
  readonly parameters: string
  readonly source: Source
  readonly outcome: Refund['outcome']
}

function accept(world: World, merchant: Merchant, holding: Holding, given: Accepted): Answer {
  const { body, source } = given
  const trade = findTrade(world, holding.mchid, holding.outTradeNo)
  const refund: Refund = {
    mchid: merchant.mchid,
    appid: trade?.appid ?? merchant.appid,
    transactionId: holding.transactionId,
    outTradeNo: holding.outTradeNo,
    outRefundNo: body.out_refund_no,
    refundId: newNumber(world, '50000000381'),
    amount: body.amount.refund,
    total: holding.paid,
    notifyUrl: body.notify_url ?? null,
    parameters: given.parameters,
    createdAtMs: world.now(),
    from: body.amount.from ?? [],
    outcome: given.outcome,
    status: 'PROCESSING',
    takenFrozen: 0,
    takenAvailable: 0,
    feeBack: 0,
    successAtMs: null,
    received: 'payer',
  }
  world.money.refunds.set(keyOf(refund.mchid, refund.outRefundNo), refund)
  world.money.refundsById.set(refund.refundId, refund)
  holding.refunded += refund.amount
  holding.refundRequests += 1
  holding.refundsUnderWay += 1
  holding.lastRefundMs = world.now()
  if (trade) trade.refundAsked = true
  startRefund(world, holding, refund, source)
  return told(refund)
}

/** Calls of the last second. */
function crowded(world: World, key: string, most: number): boolean {
  const recent = (world.money.recentCalls.get(key) ?? []).filter((atMs) => world.now() - atMs < 1000)
  world.money.recentCalls.set(key, recent)
  return recent.length >= most
}

function count(world: World, key: string): void {
  world.money.recentCalls.get(key)?.push(world.now())
}

const receivedBy = { payer: '支付用户零钱', payer_card: '用户银行卡', merchant_card: '商户银行卡' }
const channels = { payer: 'ORIGINAL', payer_card: 'OTHER_BANKCARD', merchant_card: 'OTHER_BANKCARD' }

/** A refund as its answer and its query tell it. */
function told(refund: Refund): Answer {
  const { total, amount } = refund
  return {
    status: 200,
    body: {
      refund_id: refund.refundId,
      out_refund_no: refund.outRefundNo,
      transaction_id: refund.transactionId,
      out_trade_no: refund.outTradeNo,
      channel: channels[refund.received],
      user_received_account: receivedBy[refund.received],
      ...(refund.successAtMs === null ? {} : { success_time: chinaTime(refund.successAtMs) }),
      create_time: chinaTime(refund.createdAtMs),
      status: refund.status,
      funds_account: refund.takenFrozen > 0 ? 'UNAVAILABLE' : 'AVAILABLE',
      amount: {
        total,
        refund: amount,
        from: refund.from,
        payer_total: total,
        payer_refund: amount,
        settlement_refund: amount,
        settlement_total: total,
        discount_refund: 0,
        currency: 'CNY',
        refund_fee: refund.feeBack,
      },
      promotion_detail: [],
    },
  }
}
