import { z } from 'zod'
import { available, availableOf, happenAfter, move, newNumber, rulesOf, settleDue } from './accounts.ts'
import { readBody, sortedText } from './body.ts'
import { reject } from './gate.ts'
import type { Answer } from './gate.ts'
import { announceReturn } from './money-notices.ts'
import { DAY_MS } from './money-state.ts'
import type { ReturnFailure, Share, ShareReturn, ShareRow } from './money-state.ts'
import { findShare } from './sharing.ts'
import { chinaTime, note } from './state.ts'
import type { Merchant, World } from './state.ts'

/** Returns per sharing order, days since it was carried out, and how long one is PROCESSING (protocol sheet 0.8, 5.5). */
export const MOST_RETURNS = 50
const MOST_DAYS = 180
const WAIT_MS = 5 * DAY_MS

const text = (max: number): z.ZodString => z.string().min(1).max(max)
const returnBody = z
  .strictObject({
    order_id: text(64).optional(),
    out_order_no: text(64).optional(),
    out_return_no: z.string().regex(/^[0-9A-Za-z_*@-]{1,64}$/),
    return_mchid: text(32),
    amount: z.int().min(1),
    description: text(80),
  })
  .refine((body) => (body.order_id === undefined) !== (body.out_order_no === undefined), {
    path: ['out_order_no'],
    message: 'exactly one of order_id and out_order_no',
  })
type ReturnBody = z.infer<typeof returnBody>

const invalid = (message: string): Answer => reject(400, 'INVALID_REQUEST', message)
const keyOf = (mchid: string, no: string): string => `${mchid} ${no}`

/** POST /v3/profitsharing/return-orders: often over at once, else PROCESSING for up to 5 days. */
export function requestReturn(world: World, merchant: Merchant, raw: Buffer): Answer {
  settleDue(world)
  const read = readBody(returnBody, raw)
  if ('refusal' in read) return read.refusal
  const body = read.value
  if (!rulesOf(world, merchant.mchid).mayShare) return reject(403, 'NO_AUTH', '商户未开通分账权限')
  const parameters = sortedText(body)
  const first = world.money.returns.get(keyOf(merchant.mchid, body.out_return_no))
  if (first) return first.parameters === parameters ? told(first) : invalid('请求参数与首次请求不一致')
  const share =
    body.out_order_no === undefined
      ? world.money.sharesById.get(body.order_id ?? '')
      : findShare(world, merchant.mchid, body.out_order_no)
  if (share?.mchid !== merchant.mchid) return reject(404, 'RESOURCE_NOT_EXISTS', '分账单不存在')
  const row = rowOf(share, body.return_mchid)
  if (!row) return invalid('回退方不是该分账单的接收方')
  const refusal = refuseReturn(world, share, row, body)
  return refusal ?? accept(world, share, row, { body, parameters })
}

/** What a merchant got of a sharing order. Persons give nothing back. */
function rowOf(share: Share, mchid: string): ShareRow | undefined {
  return share.rows.find((one) => one.type === 'MERCHANT_ID' && one.account === mchid && !one.unfreezes)
}

function refuseReturn(world: World, share: Share, row: ShareRow, body: ReturnBody): Answer | null {
  if (share.state !== 'FINISHED') return invalid('分账单处理中，暂时无法回退，请稍后再试')
  if (row.result !== 'SUCCESS') return invalid('该接收方分账未成功，无法回退')
  if (body.return_mchid !== share.mchid && !rulesOf(world, body.return_mchid).acceptReturns) {
    return reject(403, 'NO_AUTH', '接收方未开通分账回退功能')
  }
  if (world.now() > (share.finishedAtMs ?? 0) + MOST_DAYS * DAY_MS) return invalid('分账单超过可回退期限')
  if (share.returnRequests >= MOST_RETURNS) return invalid('分账回退次数超过上限')
  if (body.amount > row.amount - row.returned - row.returning) return reject(403, 'NOT_ENOUGH', '可回退金额不足')
  return null
}

/** GET /v3/profitsharing/return-orders/{out_return_no}?out_order_no= */
export function queryReturn(world: World, merchant: Merchant, no: string, outOrderNo: string): Answer {
  settleDue(world)
  if (outOrderNo === '') return reject(400, 'PARAM_ERROR', '参数错误', { location: 'query', field: '/out_order_no' })
  const found = world.money.returns.get(keyOf(merchant.mchid, no))
  return found?.outOrderNo === outOrderNo ? told(found) : reject(404, 'RESOURCE_NOT_EXISTS', '回退单不存在')
}

type NewReturn = Pick<ShareReturn, 'parameters'> & { readonly body: ReturnBody }

function accept(world: World, share: Share, row: ShareRow, { body, parameters }: NewReturn): Answer {
  const one: ShareReturn = {
    mchid: share.mchid,
    outOrderNo: share.outOrderNo,
    orderId: share.orderId,
    outReturnNo: body.out_return_no,
    returnId: newNumber(world, '3108450740'),
    returnMchid: body.return_mchid,
    amount: body.amount,
    description: body.description,
    parameters,
    createdAtMs: world.now(),
    result: 'PROCESSING',
    failReason: null,
    finishedAtMs: null,
  }
  world.money.returns.set(keyOf(one.mchid, one.outReturnNo), one)
  share.returnRequests += 1
  row.returning += one.amount
  const latencyMs = rulesOf(world, one.returnMchid).returnLatencyMs
  if (latencyMs === 0) finishReturn(world, one, world.now())
  else happenAfter(world, latencyMs, (atMs) => finishReturn(world, one, atMs))
  if (one.result === 'PROCESSING') happenAfter(world, WAIT_MS, (atMs) => end(world, one, atMs, 'TIME_OUT_CLOSED'))
  return told(one)
}

/** Carries out a return, or fails it as dialled, or leaves it to wait for the receiver's money. */
export function finishReturn(world: World, one: ShareReturn, atMs: number): void {
  if (one.result !== 'PROCESSING') return
  const { returnOutcomes, waiting } = world.money
  const dialled = returnOutcomes.find((outcome) => outcome.account === one.returnMchid)
  if (dialled) {
    dialled.times -= 1
    if (dialled.times <= 0) returnOutcomes.splice(returnOutcomes.indexOf(dialled), 1)
    return end(world, one, atMs, dialled.failReason)
  }
  if (availableOf(world, one.returnMchid) >= one.amount) return end(world, one, atMs, null)
  if (rulesOf(world, one.returnMchid).poorReturn === 'fail') return end(world, one, atMs, 'BALANCE_NOT_ENOUGH')
  waiting.add((now) => {
    if (one.result === 'PROCESSING' && availableOf(world, one.returnMchid) >= one.amount) end(world, one, now, null)
    return one.result !== 'PROCESSING'
  })
}

/** Brings a return to its end: paid to what the sharing merchant can spend, or failed. Nothing happens the second time. */
function end(world: World, one: ShareReturn, atMs: number, failReason: ReturnFailure | null): void {
  const share = findShare(world, one.mchid, one.outOrderNo)
  const row = share && rowOf(share, one.returnMchid)
  if (!share || !row || one.result !== 'PROCESSING') return
  one.finishedAtMs = atMs
  one.failReason = failReason
  one.result = failReason === null ? 'SUCCESS' : 'FAILED'
  row.returning -= one.amount
  note(world, { kind: 'return', outReturnNo: one.outReturnNo, state: one.result })
  if (failReason !== null) return
  row.returned += one.amount
  const cause = { atMs, transactionId: share.transactionId, outNo: one.outReturnNo, voucher: one.returnId }
  const from = available(one.returnMchid)
  move(world, from, available(one.mchid), one.amount, { ...cause, out: 'return_out', in: 'return_in' })
  announceReturn(world, share, one, atMs)
}

/** A return as its answer and its query tell it. */
function told(one: ShareReturn): Answer {
  return {
    status: 200,
    body: {
      order_id: one.orderId,
      out_order_no: one.outOrderNo,
      out_return_no: one.outReturnNo,
      return_id: one.returnId,
      return_mchid: one.returnMchid,
      amount: one.amount,
      description: one.description,
      result: one.result,
      ...(one.failReason === null ? {} : { fail_reason: one.failReason }),
      create_time: chinaTime(one.createdAtMs),
      finish_time: chinaTime(one.finishedAtMs ?? 0),
    },
  }
}
