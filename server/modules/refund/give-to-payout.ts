import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { RefundPartReason } from '../../../contract/refunds.ts'
import { refundPartMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { keepOnPayment } from '../funding/book-refund.ts'
import { keepReturnsOf } from '../settlement/keep-returns.ts'
import { settleDifference } from '../settlement/settle-difference.ts'
import { releaseTransaction } from './finish-part.ts'
import { addRefundToPayout } from './pay-out.ts'
import { holdPart } from './read-part.ts'

/**
 * A part that WeChat Pay cannot give back goes on a payout instead: the payment keeps its money, which the brand then owes,
 * with what receivers of shares gave back for it, and the payer's company gets it from custody. False when the part is not in a state from which that is allowed: while
 * WeChat Pay may still refund it, nobody pays it a second time.
 */
export async function giveToPayout(tx: Tx, partId: Id<'refundPart'>, reason: RefundPartReason): Promise<boolean> {
  const facts = await holdPart(tx, partId)
  if (!facts || facts.part.route !== 'wechat') return false
  const { part } = facts
  if (!(refundPartMoves[part.state] as readonly string[]).includes('paying_out')) return false
  const set = { reason, route: 'bank', own_fen: 0, next_at_ms: null }
  if (
    !(await move(tx, {
      table: 'refund_part',
      id: partId,
      from: part.state,
      to: 'paying_out',
      moves: refundPartMoves,
      set,
    }))
  )
    return false
  await keepOnPayment(tx, part.paymentId, part.fen)
  await keepReturnsOf(tx, part.paymentId, partId)
  await releaseTransaction(tx, part)
  await settleDifference(tx, part.orderId)
  await addRefundToPayout(tx, { ...part, route: 'bank', ownFen: fen(0) })
  return true
}
