import { z } from 'zod'
import { fen, type Fen } from '../../../contract/fen.ts'
import type { ShareFacts, ShareReceiver, ShareWish, UnfreezeWish, WechatPayMerchant } from '../wechatpay-port.ts'
import { malformed, readJson } from './answer.ts'
import { ask, look, part, type Caller } from './call.ts'
import { time } from './trade.ts'

const PATH = '/v3/profitsharing'
/** One call takes so many receivers (protocols wechat-pay 5.2). */
const MOST_RECEIVERS = 50

const receiver = z
  .object({
    account: z.string().min(1).max(64),
    amount: z.int().nonnegative(),
    description: z.string().default(''),
    result: z.enum(['PENDING', 'SUCCESS', 'CLOSED']),
    fail_reason: z.string().max(64).nullish(),
    detail_id: z.string().max(64).nullish(),
    finish_time: time.nullish(),
  })
  .transform((told): ShareFacts['receivers'][number] => ({
    account: told.account,
    amount: fen(told.amount),
    description: told.description,
    result: told.result,
    failReason: told.fail_reason || null,
    detailId: told.detail_id || null,
    finishedAtMs: finishedAt(told.finish_time),
  }))
const answer = z
  .object({
    transaction_id: z.string().min(1).max(32),
    out_order_no: z.string().min(1).max(64),
    order_id: z.string().min(1).max(64),
    state: z.enum(['PROCESSING', 'FINISHED']),
    receivers: z.array(receiver).max(1000).default([]),
  })
  .transform((told) => ({
    transactionId: told.transaction_id,
    facts: {
      outOrderNo: told.out_order_no,
      orderId: told.order_id,
      state: told.state,
      receivers: told.receivers,
    } satisfies ShareFacts,
  }))
/** Of a body that was made here: what its answer must repeat. */
const sentBody = z.object({ out_order_no: z.string(), transaction_id: z.string() })
const remaining = z.object({ transaction_id: z.string(), unsplit_amount: z.int().nonnegative() })
const ratio = z.object({ sub_mchid: z.string(), max_ratio: z.int().min(0).max(10_000) })

/** WeChat Pay says 1970 of what has not happened (protocols wechat-pay 5.2). */
export function finishedAt(told: string | null | undefined): number | null {
  const ms = told ? Date.parse(told) : 0
  return ms > 0 ? ms : null
}

/** Adds a merchant to those who may be given shares; again is no error and changes nothing. */
export async function addReceiver(
  caller: Caller,
  merchant: WechatPayMerchant,
  { account, relation }: ShareReceiver,
): Promise<void> {
  const body = { appid: merchant.appid, type: 'MERCHANT_ID', account, relation_type: relation }
  await changeReceiver(caller, merchant, 'add', body)
}

/** Takes a merchant off the list; what it was given can still be taken back. */
export async function deleteReceiver(caller: Caller, merchant: WechatPayMerchant, account: string): Promise<void> {
  const body = { appid: merchant.appid, type: 'MERCHANT_ID', account }
  await changeReceiver(caller, merchant, 'delete', body)
}

async function changeReceiver(
  caller: Caller,
  merchant: WechatPayMerchant,
  change: 'add' | 'delete',
  body: { readonly account: string },
): Promise<void> {
  const path = `${PATH}/receivers/${change}`
  const call = { merchant, path, body: JSON.stringify(body) }
  const { account } = await ask(caller, call, z.object({ account: z.string() }))
  if (account !== body.account) throw malformed()
}

/** The body of a call of profit sharing; throws an Error for receivers that are none, too many or twice there. */
export function shareBody(wish: ShareWish): string {
  const accounts = new Set(wish.receivers.map(({ account }) => account))
  if (accounts.size === 0 || accounts.size > MOST_RECEIVERS || accounts.size !== wish.receivers.length)
    throw new Error(`a call of profit sharing has 1 to ${MOST_RECEIVERS} receivers, each once`)
  return JSON.stringify({
    transaction_id: wish.transactionId,
    out_order_no: wish.outOrderNo,
    receivers: wish.receivers.map(({ account, amount, description }) => {
      return { type: 'MERCHANT_ID', account, amount, description }
    }),
    unfreeze_unsplit: wish.unfreezeRest,
  })
}

/** Shares. What became of it stands at each receiver, later. */
export function share(caller: Caller, merchant: WechatPayMerchant, body: string): Promise<ShareFacts> {
  return split(caller, merchant, `${PATH}/orders`, body)
}

/** The body of an unfreeze. */
export function unfreezeBody(wish: UnfreezeWish): string {
  const { transactionId, outOrderNo, description } = wish
  return JSON.stringify({ transaction_id: transactionId, out_order_no: outOrderNo, description })
}

/** Gives the rest back to who collected. */
export function unfreeze(caller: Caller, merchant: WechatPayMerchant, body: string): Promise<ShareFacts> {
  return split(caller, merchant, `${PATH}/orders/unfreeze`, body)
}

async function split(caller: Caller, merchant: WechatPayMerchant, path: string, body: string): Promise<ShareFacts> {
  const sent = sentBody.parse(readJson(body))
  const { transactionId, facts } = await ask(caller, { merchant, path, body, area: 'share' }, answer)
  if (facts.outOrderNo !== sent.out_order_no || transactionId !== sent.transaction_id) throw malformed()
  return facts
}

/** A call of sharing or of unfreezing as it stands; null where it never arrived. */
export async function queryShare(
  caller: Caller,
  merchant: WechatPayMerchant,
  transactionId: string,
  outOrderNo: string,
): Promise<ShareFacts | null> {
  const path = `${PATH}/orders/${part(outOrderNo)}?transaction_id=${part(transactionId)}`
  const found = await look(caller, { merchant, path, area: 'share' }, answer)
  if (found === null) return null
  if (found.facts.outOrderNo !== outOrderNo || found.transactionId !== transactionId) throw malformed()
  return found.facts
}

/** What can still be shared of a transaction. */
export async function unsplitAmount(caller: Caller, merchant: WechatPayMerchant, transactionId: string): Promise<Fen> {
  const path = `${PATH}/transactions/${part(transactionId)}/amounts`
  const told = await ask(caller, { merchant, path, area: 'share' }, remaining)
  if (told.transaction_id !== transactionId) throw malformed()
  return fen(told.unsplit_amount)
}

/** The highest ratio of a sub-merchant; told in ten-thousandths, which are basis points. */
export async function maxRatioBp(caller: Caller, merchant: WechatPayMerchant, subMchid: string): Promise<number> {
  const path = `${PATH}/merchant-configs/${part(subMchid)}`
  const told = await ask(caller, { merchant, path, area: 'share' }, ratio)
  if (told.sub_mchid !== subMchid) throw malformed()
  return told.max_ratio
}
