import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { refundMoves, refundPartMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { sql } from '../../kernel/sql.ts'
import { endRefunding } from '../funding/book-refund.ts'
import { countWaitingRefund, endFlight } from '../funding/take-flight.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post, type Line } from '../ledger/post.ts'
import { endTakingBack } from '../order/take-back.ts'
import { readOrder } from '../order/read-order.ts'
import { settleDifference } from '../settlement/settle-difference.ts'
import { refundJob } from './part-jobs.ts'
import { isBusy } from './rules.ts'
import { Refund, type RefundPartRow } from './tables.ts'

/**
 * Ends a part whose money is back with its payer: posts it, gives the transaction free, and ends the refund, the payment
 * and the order where it was the last. `lines` say which accounts paid it; they credit the part's whole fen. False when
 * the part is not where it was read (any more): somebody else ended it. The caller holds the order.
 */
export async function finishPart(
  tx: Tx,
  part: RefundPartRow,
  lines: readonly Line[],
  set: Readonly<Record<string, string | number | null>> = {},
): Promise<boolean> {
  const more = { ...set, reason: null, next_at_ms: null, done_at_ms: tx.clock.now() }
  const step = { table: 'refund_part', id: part.id, from: part.state, to: 'done', moves: refundPartMoves, set: more }
  if (!(await move(tx, step))) return false
  const paid = [debit(account.refundPayable(part.refundId), part.fen), ...lines]
  await post(tx, [{ kind: 'refunded', ref: part.id, lines: paid.filter((line) => line.amount !== 0) }])
  await releaseTransaction(tx, part)
  await settleRefund(tx, part.refundId)
  return true
}

/** What pays a part that WeChat Pay gave back: what it collected, and the brand for what had been freed to it before. */
export function linesOfWechat(part: RefundPartRow, mchid: string, brandId: Id<'brand'> | null): Line[] {
  const collected = fen(part.fen - part.ownFen)
  if (part.ownFen > 0 && !brandId) throw new Error(`refund part ${part.id}: no brand can have paid it`)
  const own = brandId && part.ownFen > 0 ? [credit(account.brandPayable(brandId), part.ownFen)] : []
  return [credit(account.collected(mchid), collected), ...own]
}

/**
 * The part, as it was read before it moved on, needs its transaction no more: the next refund that waits for it, and
 * sharing, may go on. The payment is not `refunding` any more where nothing else of it is under way.
 */
export async function releaseTransaction(tx: Tx, part: RefundPartRow): Promise<void> {
  if (part.route === 'wechat' && isBusy(part.state)) {
    await endFlight(tx, part.paymentId, part.id)
    await countWaitingRefund(tx, part.paymentId, -1)
    const waiting = await sql<{ id: Id<'refundPart'> }>(
      tx.em,
      `select refund_part.id as id from refund_part join refund on refund.id = refund_part.refund_id
        where refund_part.payment_id = ? and refund_part.state = 'waiting' and refund_part.route = 'wechat'
          and refund.state = 'accepted' and refund_part.id <> ? order by refund_part.id`,
      [part.paymentId, part.id],
    )
    await enqueue(
      tx,
      waiting.map(({ id }) => refundJob(tx, id, tx.clock.now())),
    )
  }
  // A transfer is under way until its debit is seen; what is paid out in place of WeChat Pay is the payment's no more.
  const open = await count(
    tx,
    `select count(*) as count from refund_part join payment on payment.id = refund_part.payment_id
      where payment_id = ? and refund_part.state <> 'done'
        and (refund_part.state <> 'paying_out' or payment.source = 'bank_transfer')`,
    part.paymentId,
  )
  if (open === 0) await endRefunding(tx, part.paymentId)
}

/** accepted -> done once all of its parts are; then the order that waits for the last of its money, too. */
export async function settleRefund(tx: Tx, refundId: Id<'refund'>): Promise<void> {
  const refund = await tx.em.findOneOrFail(Refund, { id: refundId }, { disableIdentityMap: true })
  const open = await count(
    tx,
    "select count(*) as count from refund_part where refund_id = ? and state <> 'done'",
    refundId,
  )
  if (refund.state !== 'accepted' || open > 0) return
  const set = { done_at_ms: tx.clock.now() }
  await move(tx, { table: 'refund', id: refundId, from: 'accepted', to: 'done', moves: refundMoves, set })
  await settleDifference(tx, refund.orderId)
  await enqueue(tx, [
    { kind: 'invoice.reverse', key: `invoice.reverse:${refundId}`, args: { orderId: refund.orderId } },
  ])
  const order = await readOrder(tx, refund.orderId)
  const others = "select count(*) as count from refund where order_id = ? and state in ('requested', 'accepted')"
  if (order?.state === 'refunding' && (await count(tx, others, refund.orderId)) === 0)
    await endTakingBack(tx, refund.orderId)
}

async function count(tx: Tx, text: string, id: string): Promise<number> {
  const [row] = await sql<{ count: unknown }>(tx.em, text, [id])
  return Number(row?.count ?? 0)
}
