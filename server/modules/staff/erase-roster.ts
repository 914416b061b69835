import { ID_LENGTH } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'

/** Chunks erased in one transaction: 1 MiB each. */
const AT_MOST = 200
/** A file whose list was never written (the upload stopped) is left alone for a day: it may still be arriving. */
const ORPHAN_MS = 86_400_000

/**
 * Erases uploaded bytes whose term is over, with the sample values of their columns, and those that a stopped upload
 * left behind. Returns how many chunks went: call it again until that is 0.
 */
export async function eraseRosterChunks(tx: Tx): Promise<number> {
  const now = tx.clock.now()
  const oldest = tx.newId('roster')
  const over = await sql<{ roster_id: string; seq: number; known: string | null }>(
    tx.em,
    `select c.roster_id, c.seq, r.id as known from roster_chunk c left join roster r on r.id = c.roster_id
     where r.erase_at_ms <= ? or (r.id is null and c.roster_id < ?) limit ?`,
    [now, idBefore(oldest, ORPHAN_MS), AT_MOST],
  )
  const known = [...new Set(over.flatMap((chunk) => chunk.known ?? []))]
  for (const id of known) await change(tx.em, 'update roster set samples_sealed = null where id = ?', [id])
  for (const chunk of over)
    await change(tx.em, 'delete from roster_chunk where roster_id = ? and seq = ?', [chunk.roster_id, chunk.seq])
  return over.length
}

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Milliseconds stand above the 22 lower bits of an id. */
const BELOW_MS = 22n

/** The text that sorts before every id made less than `ms` before the given one. */
function idBefore(id: string, ms: number): string {
  const [prefix = '', text = ''] = id.split('_')
  let value = 0n
  for (const sign of text) value = value * 32n + BigInt(ALPHABET.indexOf(sign))
  let rest = value - (BigInt(ms) << BELOW_MS)
  let before = ''
  while (before.length < ID_LENGTH - prefix.length - 1) {
    before = ALPHABET[Number(rest & 31n)]! + before
    rest >>= 5n
  }
  return `${prefix}_${before}`
}
