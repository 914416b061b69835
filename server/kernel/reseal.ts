import { readSum } from './columns.ts'
import type { Edge, Tx } from './context.ts'
import { enqueue } from './outbox.ts'
import { SealBroken } from './seal.ts'
import { sealedColumns, type SealedColumn } from './sealed-columns.ts'
import { change, sql } from './sql.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** A job's lease is a minute: after this long the rest goes to a job of its own. */
const WORK_MS = 40_000
const AT_ONCE = 100
const LARGE_AT_ONCE = 4
/** Rows that one read looks at: however long a table, nobody waits for a look. */
const LOOK_AT_ONCE = 2000
/** The second round finds what processes that still had the old ring sealed during the first. */
const ROUNDS = 2

type Key = readonly (string | number)[]

/** Where a walk through all sealed columns stands. */
interface Standing {
  readonly round: number
  readonly at: number
  /** The key of the last row that was looked at; null: none yet. */
  readonly after: Key | null
  /** Values that this round sealed anew. */
  readonly moved: number
  /** The keys of values that this round could not seal anew; '' for one that does not say its key. */
  readonly left: readonly string[]
}

const beginOf = (round: number): Standing => ({ round, at: 0, after: null, moved: 0, left: [] })

/** Queues the walk when this database holds what another key than the present one sealed; a day's starts queue one. */
export async function queueReseal(tx: Tx): Promise<void> {
  if ((await otherKeys(tx)).length === 0) return
  const day = Math.floor(tx.clock.now() / DAY_MS)
  await enqueue(tx, [jobOf(tx, `${day}`, beginOf(1), tx.clock.now())])
}

/**
 * Job `keys.reseal`: seals anew, under the present key, whatever another key of the ring sealed: row by row while the
 * house runs, and only where a value is still the one that was read, so that nobody's change is lost. Walks all columns
 * again, an hour later each time, until a round after the first finds nothing to seal anew; hands on after 40 seconds,
 * and may be killed and run again. Then keys that sealed nothing any more are struck off the database's list: then, and
 * not before, they may leave the ring.
 */
export async function resealAll(edge: Edge, args: Readonly<Record<string, string | number>>): Promise<void> {
  const until = edge.clock.now() + WORK_MS
  const walk = String(args['walk'])
  let standing = standingOf(args)
  for (;;) {
    const column = sealedColumns[standing.at]
    if (column === undefined) break
    standing = await resealSome(edge, column, standing)
    if (edge.clock.now() < until) continue
    edge.log.info({ resealed: standing.moved, column: `${column.table}.${column.column}` }, 'sealing anew goes on')
    return edge.tx((tx) => enqueue(tx, [jobOf(tx, walk, standing, tx.clock.now())]))
  }
  const { round, moved, left } = standing
  edge.log.info({ resealed: moved, round }, 'sealed anew')
  if (round >= ROUNDS && moved === 0) return edge.tx((tx) => strikeUnused(tx, left))
  return edge.tx((tx) => enqueue(tx, [jobOf(tx, walk, beginOf(round + 1), tx.clock.now() + HOUR_MS)]))
}

const standingOf = (args: Readonly<Record<string, string | number>>): Standing => ({
  round: Number(args['round']),
  at: Number(args['at']),
  after: args['after'] === '' ? null : (JSON.parse(String(args['after'])) as Key),
  moved: Number(args['moved']),
  left: JSON.parse(String(args['left'])) as string[],
})

function jobOf(tx: Tx, walk: string, { round, at, after, moved, left }: Standing, readyAtMs: number) {
  const from = after === null ? '' : JSON.stringify(after)
  const key = `keys.reseal:${tx.house.seal.keyId}:${walk}:${round}:${at}:${from}`
  const args = { walk, round, at, after: from, moved, left: JSON.stringify(left) }
  return { kind: 'keys.reseal', key, args, lane: 'bulk' as const, readyAtMs }
}

/** Some rows of a column; where the walk stands then. */
async function resealSome(edge: Edge, column: SealedColumn, standing: Standing): Promise<Standing> {
  const { keys, last } = await edge.read((tx) => readStale(tx, column, standing.after))
  const left = new Set(standing.left)
  let { moved } = standing
  if (keys.length > 0) {
    const became = await edge.tx(async (tx) => {
      const all: Became[] = []
      for (const key of keys) all.push(await resealRow(tx, column, key))
      return all
    })
    for (const one of became)
      if (one === 'moved') moved += 1
      else if (one !== 'gone') left.add(one.left)
  }
  const at = last === null ? standing.at + 1 : standing.at
  return { ...standing, at, after: last, moved, left: [...left] }
}

/** The rows that follow one, by primary key: a condition that finds them. `last`: the key of the last; null: no more follow. */
interface Stretch {
  readonly where: string
  readonly values: readonly (string | number)[]
  readonly last: Key | null
}

async function readStretch(tx: Tx, { table, key, large }: SealedColumn, after: Key | null): Promise<Stretch> {
  const [names, marks] = [key.join(', '), key.map(() => '?').join(', ')]
  const beyond = after === null ? '1 = 1' : `(${names}) > (${marks})`
  const rows = large === true ? LARGE_AT_ONCE : LOOK_AT_ONCE
  const [row] = await sql<Record<string, string | number>>(
    tx.em,
    `select ${names} from ${table} where ${beyond} order by ${names} limit 1 offset ${rows - 1}`,
    after ?? [],
  )
  if (row === undefined) return { where: beyond, values: after ?? [], last: null }
  const last = key.map((part) => row[part]!)
  return { where: `${beyond} and (${names}) <= (${marks})`, values: [...(after ?? []), ...last], last }
}

/** Rows that another key sealed, by their primary key, and how far was looked; an emptied value is nobody's. */
async function readStale(
  tx: Tx,
  stale: SealedColumn,
  after: Key | null,
): Promise<{ readonly keys: readonly Key[]; readonly last: Key | null }> {
  const { table, column, key, large } = stale
  const header = tx.house.seal.headerOf(tx.house.seal.keyId)
  const { where, values, last } = await readStretch(tx, stale, after)
  const limit = large === true ? LARGE_AT_ONCE : AT_ONCE
  const rows = await sql<Record<string, string | number>>(
    tx.em,
    `select ${key.join(', ')} from ${table} where ${where} and length(${column}) > 0
        and substr(${column}, 1, ${header.length}) <> ? order by ${key.join(', ')} limit ${limit}`,
    [...values, header],
  )
  const keys = rows.map((row) => key.map((part) => row[part]!))
  return { keys, last: keys.length === limit ? keys.at(-1)! : last }
}

/** What became of a value: sealed anew; another by now, or gone; or left, because the ring does not open it. */
type Became = 'moved' | 'gone' | { readonly left: string }

async function resealRow(tx: Tx, column: SealedColumn, key: Key): Promise<Became> {
  const where = column.key.map((part) => `${part} = ?`).join(' and ')
  const [row] = await sql<{ sealed: Uint8Array | null }>(
    tx.em,
    `select ${column.column} as sealed from ${column.table} where ${where}`,
    key,
  )
  if (!row?.sealed || row.sealed.length === 0) return 'gone'
  const old = Buffer.from(row.sealed)
  const { seal } = tx.house
  const place = { table: column.table, column: column.column, rowId: key.join(':') }
  let left = ''
  try {
    left = seal.keyIdOf(old)
    if (left === seal.keyId) return 'gone'
    const changed = await change(
      tx.em,
      `update ${column.table} set ${column.column} = ? where ${where} and ${column.column} = ?`,
      [seal.seal(place, seal.open(place, old)), ...key, old],
    )
    return changed === 1 ? 'moved' : 'gone'
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error
    tx.log.error({ table: column.table, column: column.column, reason: error.reason }, 'a value cannot be sealed anew')
    return { left }
  }
}

/** Keys beside the present one under which this database may hold values. */
async function otherKeys(tx: Tx): Promise<string[]> {
  const rows = await sql<{ id: string }>(tx.em, "select key_id as id from key_use where key_id like 'seal:%'")
  return rows.map(({ id }) => id.slice('seal:'.length)).filter((id) => id !== tx.house.seal.keyId)
}

/**
 * Strikes the keys of which a round, in reads of its own, found nothing. Only a process that was started with an old
 * `current` may seal under such a key meanwhile; no look can rule that out, under a lock or not, since it may seal a moment
 * after. So a key goes only once nothing was sealed under it for a whole round, an hour after the round before; a process
 * that starts with it as its `current` puts it back on the list, and then the next start of another walks again. A value
 * that says no known key may be of any: then none goes.
 */
async function strikeUnused(tx: Tx, left: readonly string[]): Promise<void> {
  const others = await otherKeys(tx)
  const unknown = left.some((keyId) => !others.includes(keyId))
  for (const keyId of others)
    if (unknown || left.includes(keyId)) tx.log.warn({ keyId }, 'a key still seals values')
    else await change(tx.em, 'delete from key_use where key_id = ?', [`seal:${keyId}`])
}

/**
 * How many values of each column wait for a key: what it sealed, and what no known key did, which may be its own. Columns
 * without any are left out.
 */
async function countUnder(edge: Edge, keyId: string, known: readonly string[]): Promise<Waiting[]> {
  const counts: Waiting[] = []
  const headers = known.filter((id) => id !== keyId).map((id) => edge.house.seal.headerOf(id))
  for (const one of sealedColumns) {
    const under = headers.map((header) => `and substr(${one.column}, 1, ${header.length}) <> ?`).join(' ')
    let rows = 0
    let after: Key | null = null
    do {
      const from: Key | null = after
      after = await edge.read(async (tx) => {
        const { where, values, last } = await readStretch(tx, one, from)
        const [row] = await sql<{ total: unknown }>(
          tx.em,
          `select count(*) as total from ${one.table} where ${where} and length(${one.column}) > 0 ${under}`,
          [...values, ...headers],
        )
        rows += readSum(row?.total)
        return last
      })
    } while (after !== null)
    if (rows > 0) counts.push({ column: `${one.table}.${one.column}`, rows })
  }
  return counts
}

interface Waiting {
  readonly column: string
  readonly rows: number
}

/**
 * The present key, and of each other that this database may hold values of, how many wait to be sealed anew. Counted in
 * many short reads: nobody else waits for it.
 */
export async function readKeyUse(edge: Edge) {
  const current = edge.house.seal.keyId
  const ids = await edge.read(otherKeys)
  const others: { keyId: string; waiting: Waiting[] }[] = []
  for (const keyId of ids) others.push({ keyId, waiting: await countUnder(edge, keyId, [current, ...ids]) })
  return { current, others }
}
