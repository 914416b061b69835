import type { Id } from '../../../contract/ids.ts'
import { budgetHoldMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change } from '../../kernel/sql.ts'
import { readLiveHolds } from './read-budgets.ts'

/** Turns what a campaign holds of budgets into used: it was approved. A repeat changes nothing. */
export async function useBudgets(tx: Tx, campaignId: Id<'campaign'>): Promise<void> {
  const held = (await readLiveHolds(tx, campaignId)).filter((hold) => hold.state === 'held')
  for (const { id, budgetId, fen } of held) {
    const step = { table: 'budget_hold', id, from: 'held', to: 'used', moves: budgetHoldMoves }
    if (!(await move(tx, { ...step, set: { changed_at_ms: tx.clock.now() } }))) continue
    const turned = await change(
      tx.em,
      'update budget set held_fen = held_fen - ?, used_fen = used_fen + ? where id = ? and held_fen >= ?',
      [fen, fen, budgetId, fen],
    )
    if (turned !== 1) throw new Error(`budget ${budgetId} holds less than its holds say`)
  }
}
