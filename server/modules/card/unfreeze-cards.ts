import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { cardMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { sql } from '../../kernel/sql.ts'
import type { Frozen } from './freeze-cards.ts'

/** Why a card was frozen, and why it is not any more: both stand in its trail. */
interface Thaw {
  readonly frozenFor: string
  readonly note: string
}

/**
 * Makes a holder's cards active again that were frozen for one reason; those frozen for any other stay so. The balance is
 * what it was. Returns how many, and what lies on them. Harmless to repeat.
 */
export async function unfreezeCards(tx: Tx, holderId: string, thaw: Thaw): Promise<Frozen> {
  const cards = await sql<{ id: Id<'card'>; balance: unknown }>(
    tx.em,
    "select id, balance_fen as balance from card where holder_id = ? and state = 'frozen' order by id",
    [holderId],
  )
  const thawed: Fen[] = []
  for (const { id, balance } of cards) {
    const [last] = await sql<{ note: string | null }>(
      tx.em,
      "select note from trail where object_id = ? and act = 'card.frozen' order by id desc limit 1",
      [id],
    )
    if (last?.note !== thaw.frozenFor) continue
    const to = Number(balance) === 0 ? 'exhausted' : 'active'
    const step = { table: 'card', id, from: 'frozen', to, moves: cardMoves, note: thaw.note }
    if (await move(tx, step)) thawed.push(fen(Number(balance)))
  }
  return { cards: thawed.length, fen: sumFen(thawed) }
}
