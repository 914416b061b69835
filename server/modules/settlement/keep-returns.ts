import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { Split, type SplitRow } from './tables.ts'

/**
 * Marks what receivers gave back of a split that ends as left to who collected, but for what the refund will take that
 * waits for this very end. Gives how much that is, for the caller to post.
 */
export const keepReturns = (tx: Tx, split: Pick<SplitRow, 'id' | 'unfreezeFor'>): Promise<Fen> =>
  mark(tx, 'split_id = ? and refund_part_id <> ?', [split.id, split.unfreezeFor ?? ''])

/**
 * What receivers gave back for a refund part that WeChat Pay will not pay: where the transaction is freed already, it lies
 * with who collected it, and a brand has it as it has what was freed. Posted once; what the brand owes for it is in its
 * next payout (settle-difference.ts). Before the end of the split nothing is done: the end keeps it. The caller holds the
 * order.
 */
export async function keepReturnsOf(tx: Tx, paymentId: Id<'payment'>, partId: Id<'refundPart'>): Promise<void> {
  const split = await tx.em.findOne(Split, { paymentId }, { disableIdentityMap: true })
  if (split?.state !== 'finished') return
  const kept = await mark(tx, 'split_id = ? and refund_part_id = ?', [split.id, partId])
  if (kept === 0) return
  await change(tx.em, 'update split set kept_fen = kept_fen + ?, version = version + 1 where id = ?', [kept, split.id])
  if (split.collector !== 'brand') return
  const lines = [debit(account.brandPayable(split.brandId), kept), credit(account.collected(split.mchid), kept)]
  await post(tx, [{ kind: 'returns_kept', ref: split.id, lines }])
}

async function mark(tx: Tx, which: string, values: readonly string[]): Promise<Fen> {
  const where = `${which} and state = 'done' and kept_at_ms is null`
  const [row] = await sql<{ total: unknown }>(
    tx.em,
    `select sum(amount_fen) as total from split_return where ${where}`,
    values,
  )
  await change(tx.em, `update split_return set kept_at_ms = ? where ${where}`, [tx.clock.now(), ...values])
  return fen(readSum(row?.total))
}
