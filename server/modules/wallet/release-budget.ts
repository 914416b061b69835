import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { budgetHoldMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change } from '../../kernel/sql.ts'
import { readLiveHolds, type LiveHold } from './read-budgets.ts'

/**
 * Gives back to departments' budgets what a campaign holds or has used of them: all of it, or of each department at most
 * its `share` (cards that were taken back). What a department without a budget gets back belongs to no budget. A repeat
 * without `share` changes nothing; with one, the caller's own guard says that it happens once. In the lock order budgets
 * stand after cards and before wallets.
 */
export async function releaseBudget(
  tx: Tx,
  campaignId: Id<'campaign'>,
  share?: ReadonlyMap<string, Fen>,
): Promise<void> {
  await change(tx.em, 'update budget_hold set version = version where campaign_id = ?', [campaignId])
  for (const hold of await readLiveHolds(tx, campaignId)) {
    const rest = hold.fen - hold.releasedFen
    const amount = share === undefined ? rest : Math.min(rest, share.get(hold.department) ?? 0)
    if (amount > 0) await release(tx, hold, amount)
  }
}

async function release(tx: Tx, hold: LiveHold, amount: number): Promise<void> {
  const { id, budgetId, state, fen, releasedFen } = hold
  const set = { released_fen: releasedFen + amount, changed_at_ms: tx.clock.now() }
  if (releasedFen + amount === fen)
    await move(tx, { table: 'budget_hold', id, from: state, to: 'released', moves: budgetHoldMoves, set })
  else
    await change(
      tx.em,
      'update budget_hold set released_fen = ?, changed_at_ms = ?, version = version + 1 where id = ?',
      [set.released_fen, set.changed_at_ms, id],
    )
  const column = state === 'held' ? 'held_fen' : 'used_fen'
  const given = await change(tx.em, `update budget set ${column} = ${column} - ? where id = ? and ${column} >= ?`, [
    amount,
    budgetId,
    amount,
  ])
  if (given !== 1) throw new Error(`budget ${budgetId}: ${column} is less than its holds say`)
}
