import { z } from 'zod'
import { findHolding, happenAfter, newNumber, noteOverlap, rulesOf, settleDue } from './accounts.ts'
import { readBody, sortedText } from './body.ts'
import { reject } from './gate.ts'
import type { Answer } from './gate.ts'
import type { Holding, Share, ShareRow } from './money-state.ts'
import { openField, receiverKey, undecipherable } from './receivers.ts'
import { finishShare } from './finish-share.ts'
import { chinaTime } from './state.ts'
import type { Merchant, World } from './state.ts'

/** Sharing requests per order, counting those that were accepted and not unfreezing, and receivers per request (protocol sheet 5.3). */
export const MOST_REQUESTS = 50
const MOST_RECEIVERS = 50
/** The description of the extra row of what was unfrozen (protocol sheet 5.2). */
const UNFROZEN = '解冻给分账方'

const text = (max: number): z.ZodString => z.string().min(1).max(max)
const outNo = z.string().regex(/^[0-9A-Za-z_\-|*@]{1,64}$/)
const receiver = z.strictObject({
  type: z.enum(['MERCHANT_ID', 'PERSONAL_OPENID']),
  account: text(64),
  name: text(1024).optional(),
  amount: z.int().min(1),
  description: text(80),
})
const shareBody = z.strictObject({
  appid: text(32).optional(),
  transaction_id: text(32),
  out_order_no: outNo,
  receivers: z.array(receiver).min(1).max(MOST_RECEIVERS),
  unfreeze_unsplit: z.boolean(),
})
type ShareBody = z.infer<typeof shareBody>
const unfreezeBody = z.strictObject({ transaction_id: text(32), out_order_no: outNo, description: text(80) })

const invalid = (message: string): Answer => reject(400, 'INVALID_REQUEST', message)
const inProcess = invalid('订单处理中，暂时无法分账，请稍后再试')
const keyOf = (mchid: string, no: string): string => `${mchid} ${no}`

/**
 * POST /v3/profitsharing/orders: accepted as PROCESSING, settled later. The same number with the same body is the same
 * request; `serial` names the key of encrypted names.
 */
export function requestShare(world: World, merchant: Merchant, raw: Buffer, serial: string): Answer {
  settleDue(world)
  const read = readBody(shareBody, raw)
  if ('refusal' in read) return read.refusal
  const body = read.value
  if (!rulesOf(world, merchant.mchid).mayShare) return reject(403, 'NO_AUTH', '商户未开通分账权限')
  const malformed = wrongReceivers(world, merchant, body, serial)
  if (malformed) return malformed
  const holding = findHolding(world, merchant.mchid, body.transaction_id)
  if (holding && tooOften(world, holding)) return reject(429, 'FREQUENCY_LIMITED', '对同笔订单分账频率过高，请降低频率')
  const parameters = sortedText(body)
  const first = world.money.shares.get(keyOf(merchant.mchid, body.out_order_no))
  if (first) return first.parameters === parameters ? accepted(first) : invalid('分账接收方与原请求不一致')
  if (holding) noteOverlap(world, holding, 'share', body.out_order_no)
  const refusal = holding ? refuseShare(world, holding, body) : invalid('微信订单号不存在')
  if (!holding || refusal) return refusal ?? inProcess
  const amount = sum(body.receivers)
  holding.shareRequests += 1
  holding.reserved += amount
  const rows = body.receivers.map((one) => newRow(world, one))
  if (body.unfreeze_unsplit) {
    const rest = holding.frozen - holding.reserved
    holding.ended = true
    if (rest > 0) rows.push(restRow(world, holding, rest))
  }
  return accept(world, holding, { outOrderNo: body.out_order_no, kind: 'share', parameters, rows })
}

/**
 * POST /v3/profitsharing/orders/unfreeze: gives what is left back to who collected. A number that was used for sharing
 * answers success and does nothing.
 */
export function requestUnfreeze(world: World, merchant: Merchant, raw: Buffer): Answer {
  settleDue(world)
  const read = readBody(unfreezeBody, raw)
  if ('refusal' in read) return read.refusal
  const body = read.value
  if (!rulesOf(world, merchant.mchid).mayShare) return reject(403, 'NO_AUTH', '商户未开通分账权限')
  const holding = findHolding(world, merchant.mchid, body.transaction_id)
  if (holding && tooOften(world, holding)) return reject(429, 'FREQUENCY_LIMITED', '对同笔订单解冻频率过高，请降低频率')
  const parameters = sortedText(body)
  const first = world.money.shares.get(keyOf(merchant.mchid, body.out_order_no))
  if (first && first.transactionId !== body.transaction_id) return invalid('商户分账单号已用于其他订单')
  if (first?.kind === 'share') return accepted(first)
  if (first) return first.parameters === parameters ? accepted(first) : invalid('请求参数与首次请求不一致')
  if (!holding?.flagged) return invalid('非分账订单不支持分账')
  noteOverlap(world, holding, 'unfreeze', body.out_order_no)
  const refusal = tooEarly(world, holding)
  if (refusal) return refusal
  const rest = holding.frozen - holding.reserved
  if (rest === 0) return reject(403, 'NOT_ENOUGH', '没有可解冻的金额')
  holding.ended = true
  const rows = [restRow(world, holding, rest)]
  return accept(world, holding, { outOrderNo: body.out_order_no, kind: 'unfreeze', parameters, rows })
}

/** GET /v3/profitsharing/orders/{out_order_no}?transaction_id=: of sharing and unfreezing alike. */
export function queryShare(world: World, merchant: Merchant, no: string, transactionId: string): Answer {
  settleDue(world)
  if (transactionId === '') {
    return reject(400, 'PARAM_ERROR', '参数错误', { location: 'query', field: '/transaction_id' })
  }
  const share = world.money.shares.get(keyOf(merchant.mchid, no))
  if (share?.transactionId !== transactionId) return reject(404, 'RESOURCE_NOT_EXISTS', '分账单不存在')
  return accepted(share)
}

/** GET /v3/profitsharing/transactions/{transaction_id}/amounts: what is frozen and not promised. */
export function queryUnsplit(world: World, merchant: Merchant, transactionId: string): Answer {
  settleDue(world)
  const holding = findHolding(world, merchant.mchid, transactionId)
  if (!holding) return reject(404, 'RESOURCE_NOT_EXISTS', '订单不存在')
  if (!holding.flagged) return invalid('非分账订单不支持分账')
  return {
    status: 200,
    body: { transaction_id: transactionId, unsplit_amount: holding.frozen - holding.reserved },
  }
}

/** GET /v3/profitsharing/merchant-configs/{sub_mchid}: the ratio in 1/10000. */
export function queryRatio(world: World, subMchid: string): Answer {
  if (!world.merchants.has(subMchid)) return reject(400, 'MCH_NOT_EXISTS', '商户号不存在')
  return { status: 200, body: { sub_mchid: subMchid, max_ratio: rulesOf(world, subMchid).maxRatioBp } }
}

/** Finds a sharing call of a merchant. */
export function findShare(world: World, mchid: string, outOrderNo: string): Share | undefined {
  return world.money.shares.get(keyOf(mchid, outOrderNo))
}

function sum(rows: readonly { readonly amount: number }[]): number {
  return rows.reduce((total, one) => total + one.amount, 0)
}

function wrongReceivers(world: World, merchant: Merchant, body: ShareBody, serial: string): Answer | null {
  const accounts = body.receivers.map((one) => `${one.type} ${one.account}`)
  if (new Set(accounts).size !== accounts.length) {
    return reject(400, 'PARAM_ERROR', '分账接收方重复', { location: 'body', field: '/receivers' })
  }
  const persons = body.receivers.some((one) => one.type === 'PERSONAL_OPENID')
  if (persons && body.appid === undefined) {
    return reject(400, 'PARAM_ERROR', '接收方为个人时appid必填', { location: 'body', field: '/appid' })
  }
  if (body.appid !== undefined && !merchant.appids.includes(body.appid)) return invalid('appid与商户号不匹配')
  for (const { name } of body.receivers) {
    if (name !== undefined && openField(world, merchant, name, serial) === null) return undecipherable
  }
  return null
}

/** About one sharing call per second and order is let through (protocol sheet 5.6). */
function tooOften(world: World, holding: Holding): boolean {
  const now = world.now()
  const last = holding.lastShareCallMs
  if (last !== null && now - last < rulesOf(world, holding.mchid).orderIntervalMs) return true
  holding.lastShareCallMs = now
  return false
}

function tooEarly(world: World, holding: Holding): Answer | null {
  return world.now() < holding.paidAtMs + rulesOf(world, holding.mchid).minShareAgeMs ? inProcess : null
}

/** The rules of protocol sheet 5.2, 5.3 and 5.6, in the order in which they are looked at. */
function refuseShare(world: World, holding: Holding, body: ShareBody): Answer | null {
  const rules = rulesOf(world, holding.mchid)
  if (!holding.flagged) return invalid('非分账订单不支持分账')
  const early = tooEarly(world, holding)
  if (early) return early
  if (holding.ended || holding.refunded === holding.paid) return invalid('订单已完结分账，不能再分账')
  if (holding.refundsUnderWay > 0) return inProcess
  if (holding.shareRequests >= MOST_REQUESTS) return invalid('分账次数超过上限')
  for (const one of body.receivers) {
    if (one.type === 'MERCHANT_ID' && one.account === holding.mchid) continue
    if (!world.money.receivers.has(receiverKey(holding.mchid, one.type, one.account))) {
      return invalid('分账接收方关系不存在，请检查参数中每个接收方的关系。')
    }
  }
  const amount = sum(body.receivers)
  const most = Math.floor(((holding.paid - holding.refunded) * rules.maxRatioBp) / 10_000)
  if (holding.shared + holding.reserved + amount > most) {
    return rules.ratioCode === 'RULE_LIMIT'
      ? reject(403, 'RULE_LIMIT', '超出分账最大比例')
      : invalid('超出分账最大比例')
  }
  if (amount > holding.frozen - holding.reserved) return reject(403, 'NOT_ENOUGH', '分账金额不足')
  return null
}

function newRow(world: World, one: ShareBody['receivers'][number]): ShareRow {
  return {
    type: one.type,
    account: one.account,
    amount: one.amount,
    description: one.description,
    detailId: newNumber(world, '3601111111'),
    createdAtMs: world.now(),
    unfreezes: false,
    result: 'PENDING',
    failReason: null,
    finishedAtMs: null,
    returned: 0,
    returning: 0,
  }
}

function restRow(world: World, holding: Holding, amount: number): ShareRow {
  holding.reserved += amount
  const row = { type: 'MERCHANT_ID', account: holding.mchid, amount, description: UNFROZEN } as const
  return { ...newRow(world, row), unfreezes: true }
}

type NewShare = Pick<Share, 'outOrderNo' | 'kind' | 'parameters' | 'rows'>

function accept(world: World, holding: Holding, given: NewShare): Answer {
  const share: Share = {
    ...given,
    mchid: holding.mchid,
    transactionId: holding.transactionId,
    orderId: newNumber(world, '3008450740'),
    state: 'PROCESSING',
    finishedAtMs: null,
    returnRequests: 0,
  }
  world.money.shares.set(keyOf(share.mchid, share.outOrderNo), share)
  world.money.sharesById.set(share.orderId, share)
  const answer = accepted(share)
  happenAfter(world, rulesOf(world, share.mchid).shareLatencyMs, (atMs) => finishShare(world, share, atMs))
  return answer
}

/** A call as its answer and its query tell it; nothing has finished in 1970. */
function accepted(share: Share): Answer {
  const receivers = share.rows.map((row) => ({
    type: row.type,
    account: row.account,
    amount: row.amount,
    description: row.description,
    result: row.result,
    ...(row.failReason === null ? {} : { fail_reason: row.failReason }),
    detail_id: row.detailId,
    create_time: chinaTime(row.createdAtMs),
    finish_time: chinaTime(row.finishedAtMs ?? 0),
  }))
  return {
    status: 200,
    body: {
      transaction_id: share.transactionId,
      out_order_no: share.outOrderNo,
      order_id: share.orderId,
      state: share.state,
      receivers,
    },
  }
}
