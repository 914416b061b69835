import { fen, signedFen, type Fen } from '../../../contract/fen.ts'
import { splitMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { endFlight } from '../funding/take-flight.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { keepReturns } from './keep-returns.ts'
import { feeOf } from './rules.ts'
import { settleDifference } from './settle-difference.ts'
import type { SplitRow } from './tables.ts'

/**
 * Ends a split: what WeChat Pay keeps and what went back to who collected are posted, what sharing left over goes to
 * payouts, and the transaction is free for refunds. `freedFen` is what WeChat Pay says of the rest; where it says
 * something else than we reckon, the books keep our figure and the bills of the day will show it.
 */
export async function finishSplit(tx: Tx, split: SplitRow, freedFen: Fen | null): Promise<void> {
  const netFen = fen(split.paidFen - split.refundedFen)
  const feeFen = feeOf(netFen, tx.house.wechatPay.feeBp(split.mchid))
  const restFen = fen(Math.max(0, netFen - split.sharedFen - feeFen))
  if (freedFen !== null && freedFen !== restFen)
    tx.log.warn({ split: split.id, freedFen, restFen }, 'another rest was unfrozen than the books have')
  const keptFen = await keepReturns(tx, split)
  const figures = { unfrozen_fen: restFen, fee_fen: feeFen, kept_fen: keptFen }
  const moved = await move(tx, {
    table: 'split',
    id: split.id,
    from: split.state,
    to: 'finished',
    moves: splitMoves,
    set: { ...figures, finished_at_ms: tx.clock.now(), next_at_ms: null, problem: null },
  })
  if (!moved) return
  split.state = 'finished'
  await postEnd(tx, split, { feeFen, restFen, keptFen })
  if (split.unfreezeFor === null || split.unfreezeFor === undefined) await endFlight(tx, split.paymentId, split.id)
  else await wakeRefund(tx, split.unfreezeFor, `freed:${split.id}`)
  await settleDifference(tx, split.orderId)
}

/** Tells a refund part that what it waited for is there. */
export async function wakeRefund(tx: Tx, partId: NonNullable<SplitRow['unfreezeFor']>, why: string): Promise<void> {
  await enqueue(tx, [{ kind: 'refund.part', key: `refund.part:${partId}:${why}`, args: { partId } }])
}

interface End {
  readonly feeFen: Fen
  readonly restFen: Fen
  readonly keptFen: Fen
}

async function postEnd(tx: Tx, split: SplitRow, end: End): Promise<void> {
  const { mchid } = split
  const [collected, fee] = [account.collected(mchid), account.wechatFee(mchid)]
  const kept = [debit(fee, end.feeFen), credit(collected, end.feeFen)]
  // The brand bears the fee of what its own merchant collects; where we collect, rest and fee are ours.
  const freed = [
    debit(account.brandPayable(split.brandId), fen(end.restFen + end.keptFen + end.feeFen)),
    credit(collected, fen(end.restFen + end.keptFen)),
    credit(fee, end.feeFen),
  ]
  const entries = [
    { kind: 'wechat_fee', ref: split.id, lines: kept },
    ...(split.collector === 'brand' ? [{ kind: 'unfrozen', ref: split.id, lines: freed }] : []),
  ].map((entry) => ({ ...entry, lines: entry.lines.filter((line) => line.amount !== signedFen(0)) }))
  await post(
    tx,
    entries.filter((entry) => entry.lines.length > 0),
  )
}
