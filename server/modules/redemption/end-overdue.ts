import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { timeOut } from './decide-act.ts'
import { openTillBooks } from './open-till-books.ts'
import { writeTillBooks } from './write-till-books.ts'

/** Purchases ended in one transaction: their cards are held for some milliseconds at most. */
const MOST = 200

/**
 * Gives back to their cards what tills set aside and never came back for. Until it runs, value that is overdue cannot be
 * taken any more (decide-act.ts), it only is not free yet. Returns how many; call again until it is 0.
 */
export async function endOverdue(tx: Tx): Promise<number> {
  const due = await sql<{ id: Id<'redemption'> }>(
    tx.em,
    `select id from redemption where state in ('held', 'opened') and ends_at_ms <= ? order by ends_at_ms limit ${MOST}`,
    [tx.clock.now()],
  )
  if (due.length === 0) return 0
  const nothing = { shiftIds: [], undoIds: [], shown: [], brandIds: [] }
  const books = await openTillBooks(tx, { ...nothing, redemptionIds: due.map(({ id }) => id) })
  const ended = [...books.redemptions.values()].filter((one) => timeOut(books, one))
  await writeTillBooks(tx, books)
  return ended.length
}
