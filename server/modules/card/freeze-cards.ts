import { sumFen, type Fen, fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { cardMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change, sql } from '../../kernel/sql.ts'

export interface Frozen {
  readonly cards: number
  readonly fen: Fen
}

/**
 * Freezes those of these cards that nobody has used: active, with their whole face on them and nothing held. The balance
 * stays where it is. Returns how many were frozen and what lies on them; the others are passed over.
 */
export async function freezeUnused(tx: Tx, cardIds: readonly Id<'card'>[], note: string): Promise<Frozen> {
  const frozen: Fen[] = []
  for (const id of [...cardIds].sort()) {
    // A write that changes nothing holds the row: nobody spends from the card between our look and our move.
    await change(tx.em, 'update card set held_fen = held_fen where id = ?', [id])
    const [card] = await sql<{ balance: unknown }>(
      tx.em,
      "select balance_fen as balance from card where id = ? and state = 'active' and balance_fen = face_fen and held_fen = 0",
      [id],
    )
    if (!card) continue
    if (await move(tx, { table: 'card', id, from: 'active', to: 'frozen', moves: cardMoves, note }))
      frozen.push(fen(Number(card.balance)))
  }
  return { cards: frozen.length, fen: sumFen(frozen) }
}
