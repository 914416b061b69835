import type { Fen } from '../../../contract/fen.ts'
import { isId, type Id } from '../../../contract/ids.ts'
import { refundPartMoves } from '../../../contract/states.ts'
import type { RefundWish, WechatPayPort } from '../../channels/wechatpay-port.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change } from '../../kernel/sql.ts'
import type { PartFacts } from './read-part.ts'

/** Makes the exact text of a refund's call: pure, so that it can be written down in the transaction. */
export type BodyOf = WechatPayPort['refundBody']

/** What the payer reads beside the money. */
const REASON = '福利卡退款'

/**
 * Writes down number and body of a refund before its first call, with what it takes from whom. A number that WeChat Pay may
 * know never changes, nor does its body; only after it closed one, a person's retry takes the next.
 */
export async function writeCall(
  tx: Tx,
  { part, payment }: PartFacts,
  bodyOf: BodyOf,
  from: { readonly returnedFen: Fen; readonly ownFen: Fen },
): Promise<boolean> {
  if (!payment.transactionId || payment.paidFen == null) throw new Error(`payment ${payment.id} has no transaction`)
  const outRefundNo = numberOf(part.id, part.retries)
  const { transactionId, paidFen: total } = payment
  const wish: RefundWish = { transactionId, outRefundNo, reason: REASON, refund: part.fen, total }
  const kept = part.body !== null && part.outRefundNo === outRefundNo
  const call = kept ? {} : { out_refund_no: outRefundNo, body: bodyOf(wish), calls: 0, looks: 0 }
  const set = { ...call, returned_fen: from.returnedFen, own_fen: from.ownFen, next_at_ms: null, reason: null }
  return move(tx, { table: 'refund_part', id: part.id, from: part.state, to: 'sent', moves: refundPartMoves, set })
}

const numberOf = (partId: string, retries: number): string =>
  retries === 0 ? `FLKR${partId.slice(4)}` : `FLKR${partId.slice(4)}_${retries}`

/** Which part a number is of, and with which of its calls; null where it is none of ours. */
export function readNumber(
  outRefundNo: string,
): { readonly partId: Id<'refundPart'>; readonly retries: number } | null {
  const [, id, retries = '0'] = /^FLKR([0-9A-Z]+)(?:_(\d+))?$/.exec(outRefundNo) ?? []
  const partId = `rfp_${id}`
  return isId('refundPart', partId) ? { partId, retries: Number(retries) } : null
}

/** The next call takes a new number: WeChat Pay closed the last one for good. */
export const takeNextNumber = (tx: Tx, partId: string): Promise<number> =>
  change(
    tx.em,
    `update refund_part set retries = retries + 1, out_refund_no = null, body = null, provider_refund_id = null, calls = 0,
      first_call_at_ms = null, taken_at_ms = null, looks = 0, version = version + 1 where id = ?`,
    [partId],
  )
