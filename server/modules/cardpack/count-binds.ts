import type { HolderId } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, dialectOf } from '../../kernel/sql.ts'
import { readGuesses } from '../contact/count-guesses.ts'

/** Who tries to bind a card; device and network as fingerprints. */
export interface Binder {
  readonly holderId: HolderId
  readonly deviceIndex: string
  readonly networkIndex: string
}

const HOUR_MS = 3_600_000
/** Wrong attempts of a person or a device in an hour: nobody mistypes a printed card more often. */
const OWN = 10
/** Wrong attempts behind one address in an hour: an office that gets its cards on the same day mistypes fewer. */
const NETWORK = 200
/**
 * What a person may still try behind an address that is over its count. People cannot be made at will, they stand on staff
 * lists or have an account of WeChat: so a guesser next door uses the address up, and never what is left to the one who holds the card.
 */
const OWN_BESIDE_GUESSERS = 3

const windowOf = (tx: Tx): number => tx.clock.now() - (tx.clock.now() % HOUR_MS)
const namesOf = ({ holderId, deviceIndex, networkIndex }: Binder) => ({
  holder: `bind.holder:${holderId}`,
  device: `bind.device:${deviceIndex}`,
  network: `bind.network:${networkIndex}`,
})

/** Whether one more attempt would be one too many; counts nothing, so that a guesser who is over costs no write. */
export async function isOverdone(tx: Tx, binder: Binder): Promise<boolean> {
  const { own, allowed } = await readAttempts(tx, binder)
  return own >= allowed
}

/**
 * Counts an attempt by person, device and network before anything is looked up, so that attempts at once are counted one
 * by one; never by card, so nobody can lock a card. False when it is one too many.
 */
export async function countAttempt(tx: Tx, binder: Binder): Promise<boolean> {
  await countAll(tx, Object.values(namesOf(binder)), 1)
  const { own, allowed } = await readAttempts(tx, binder)
  return own <= allowed
}

async function readAttempts(tx: Tx, binder: Binder): Promise<{ readonly own: number; readonly allowed: number }> {
  const names = namesOf(binder)
  const counts = await readGuesses(tx, Object.values(names), windowOf(tx))
  const countOf = (name: string): number => counts.get(name) ?? 0
  const own = Math.max(countOf(names.holder), countOf(names.device))
  return { own, allowed: countOf(names.network) > NETWORK ? OWN_BESIDE_GUESSERS : OWN }
}

/** It was no guess: it is not counted. */
export async function uncountAttempt(tx: Tx, binder: Binder): Promise<void> {
  await countAll(tx, Object.values(namesOf(binder)), -1)
}

/**
 * Counts each name, in their order. One statement makes or moves a row: an insert that passes over the row, then an update,
 * is a deadlock of two callers.
 */
async function countAll(tx: Tx, names: readonly string[], by: 1 | -1): Promise<void> {
  const taken =
    dialectOf(tx.em) === 'mysql' ? 'on duplicate key update' : 'on conflict (name, window_at_ms) do update set'
  for (const name of [...names].sort())
    await change(
      tx.em,
      `insert into shared_count (name, window_at_ms, count) values (?, ?, ?) ${taken} count = shared_count.count + ?`,
      [name, windowOf(tx), by, by],
    )
}
