import type { Id } from '../../../contract/ids.ts'
import { refundMoves, refundPartMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { account } from '../ledger/accounts.ts'
import { settleDifference } from '../settlement/settle-difference.ts'
import { creditWallet } from '../wallet/credit-wallet.ts'
import { repayCredit } from '../wallet/repay-credit.ts'
import { finishPart, settleRefund } from './finish-part.ts'
import { refundJob } from './part-jobs.ts'
import { addRefundToPayout } from './pay-out.ts'
import { Refund, RefundPart, type RefundPartRow } from './tables.ts'

/**
 * requested -> accepted: each part sets out on its way. A wallet has its money at once, and what was bought on credit is
 * owed no more; a transfer goes on the next payout; WeChat Pay is a job. Throws when it was accepted before. The caller
 * holds the order and its payments.
 */
export async function startParts(tx: Tx, refundId: Id<'refund'>): Promise<void> {
  const set = { accepted_at_ms: tx.clock.now() }
  if (!(await move(tx, { table: 'refund', id: refundId, from: 'requested', to: 'accepted', moves: refundMoves, set })))
    throw new Error(`refund ${refundId} was accepted before`)
  const parts = await tx.em.find(RefundPart, { refundId }, { orderBy: { id: 'asc' }, disableIdentityMap: true })
  // Wallets last: whoever spends from one holds its order before.
  for (const part of parts.filter(({ route }) => route === 'wechat' || route === 'bank')) await sendOff(tx, part)
  for (const part of parts.filter(({ route }) => route !== 'wechat' && route !== 'bank')) await payAtOnce(tx, part)
  // What the brands have and must not keep goes into their next payout, before any that was not drafted yet.
  const [first] = parts
  if (first) await settleDifference(tx, first.orderId)
  await settleRefund(tx, refundId)
}

async function sendOff(tx: Tx, part: RefundPartRow): Promise<void> {
  if (part.route === 'wechat') return enqueue(tx, [refundJob(tx, part.id, tx.clock.now())])
  await move(tx, { table: 'refund_part', id: part.id, from: 'waiting', to: 'paying_out', moves: refundPartMoves })
  await addRefundToPayout(tx, part)
}

async function payAtOnce(tx: Tx, part: RefundPartRow): Promise<void> {
  const from = account.refundPayable(part.refundId)
  const companyId = part.companyId ?? fail(part)
  const paid = { companyId, ref: part.id, from }
  const { restFen, lines } =
    part.route === 'credit'
      ? await repayCredit(tx, { ...paid, amount: part.fen, kind: 'refunded' })
      : { restFen: part.fen, lines: [] }
  const rest = restFen > 0 ? await creditWallet(tx, { ...paid, amount: restFen }) : []
  // The debit of what is owed for the refund is the part's own line.
  await finishPart(
    tx,
    part,
    [...lines, ...rest].filter((line) => line.account !== from),
  )
}

const fail = (part: RefundPartRow): never => {
  throw new Error(`refund part ${part.id} has no company to credit`)
}

/** The refund as it stands, for whoever works on it under the order's lock. */
export const readHeldRefund = (tx: Tx, id: Id<'refund'>) =>
  tx.em.findOneOrFail(Refund, { id }, { disableIdentityMap: true })
