/**
 * The ceiling beside `bench -- issue`: the database driver alone writes the same rows of the same cards (cards,
 * activities, and of each slice its entry, postings, trail and job) with the same transaction size and number of
 * connections into an empty schema of the same shape. Reading them from the first database is not on the clock.
 *   node bench/raw-phase.ts FROM-URL INTO-URL CONNECTIONS
 */
import { performance } from 'node:perf_hooks'
import Database from 'better-sqlite3'
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise'
import { answer, peakRssMiB } from './phases.ts'

/** Slices read before the clock runs for them. */
const READ_AHEAD = 20

/** The rows that issuing one slice inserted, by table. */
type SliceRows = readonly { readonly table: string; readonly columns: readonly string[]; readonly rows: unknown[][] }[]
interface SliceKey {
  readonly id: string
  readonly order_id: string
  readonly from_seq: number
  readonly to_seq: number
}

const itemsOf = 'order_item where order_item.order_id = ? and order_item.seq >= ? and order_item.seq < ?'
const range = (slice: SliceKey) => [slice.order_id, slice.from_seq, slice.to_seq]
const parts: readonly { table: string; query: string; values: (slice: SliceKey) => unknown[] }[] = [
  {
    table: 'card',
    query: `select * from card where order_item_id in (select order_item.id from ${itemsOf})`,
    values: range,
  },
  {
    table: 'activity',
    query: `select * from activity where card_id in (select card.id from card where order_item_id in (select order_item.id from ${itemsOf}))`,
    values: range,
  },
  { table: 'entry', query: 'select * from entry where ref = ?', values: (slice) => [slice.id] },
  {
    table: 'posting',
    query: 'select * from posting where entry_id in (select id from entry where ref = ?)',
    values: (slice) => [slice.id],
  },
  { table: 'trail', query: 'select * from trail where object_id = ?', values: (slice) => [slice.id] },
  { table: 'job', query: 'select * from job where job_key = ?', values: (slice) => [`cards.deliver:${slice.id}`] },
]
const slicesQuery = 'select id, order_id, from_seq, to_seq from order_slice order by order_id, from_seq'

async function rawMysql(from: string, into: string, connections: number): Promise<{ cards: number; seconds: number }> {
  const reader = await createConnection(from)
  const writers = await Promise.all(Array.from({ length: connections }, () => createConnection(into)))
  for (const writer of writers) await writer.query('set session transaction isolation level read committed')
  const [slices] = await reader.query<(RowDataPacket & SliceKey)[]>(slicesQuery)
  let cards = 0
  let seconds = 0
  while (slices.length > 0) {
    const ready: SliceRows[] = []
    for (const slice of slices.splice(0, READ_AHEAD)) ready.push(await readSlice(reader, slice))
    cards += ready.reduce((sum, slice) => sum + slice[0]!.rows.length, 0)
    const began = performance.now()
    await Promise.all(
      writers.map(async (writer) => {
        for (let slice = ready.shift(); slice; slice = ready.shift()) await writeSlice(writer, slice)
      }),
    )
    seconds += (performance.now() - began) / 1000
  }
  for (const connection of [reader, ...writers]) await connection.end()
  return { cards, seconds }
}

async function readSlice(reader: Connection, slice: SliceKey): Promise<SliceRows> {
  const found = []
  for (const part of parts) {
    const [rows, fields] = await reader.query<RowDataPacket[][]>({
      sql: part.query,
      values: part.values(slice),
      rowsAsArray: true,
    })
    found.push({ table: part.table, columns: fields.map((field) => field.name), rows: rows as unknown[][] })
  }
  return found
}

async function writeSlice(writer: Connection, slice: SliceRows): Promise<void> {
  await writer.query('begin')
  for (const { table, columns, rows } of slice)
    await writer.query(`insert into ${table} (${columns.join(',')}) values ?`, [rows])
  await writer.query('commit')
}

function rawSqlite(from: string, into: string): { cards: number; seconds: number } {
  const reader = new Database(from, { readonly: true })
  const writer = new Database(into)
  writer.pragma('journal_mode = WAL')
  writer.pragma('synchronous = FULL')
  writer.pragma('foreign_keys = ON')
  const slices = reader.prepare(slicesQuery).all() as SliceKey[]
  const readers = parts.map((part) => ({ ...part, statement: reader.prepare(part.query).raw() }))
  const writers = readers.map(({ table, statement }) => {
    const columns = statement.columns().map((column) => column.name)
    const slots = columns.map(() => '?').join(',')
    return writer.prepare(`insert into ${table} (${columns.join(',')}) values (${slots})`)
  })
  let cards = 0
  let seconds = 0
  while (slices.length > 0) {
    const ready = slices
      .splice(0, READ_AHEAD)
      .map((slice) => readers.map((part) => part.statement.all(...part.values(slice)) as unknown[][]))
    cards += ready.reduce((sum, slice) => sum + slice[0]!.length, 0)
    const began = performance.now()
    for (const slice of ready) {
      writer.exec('begin immediate')
      slice.forEach((rows, part) => {
        for (const row of rows) writers[part]!.run(...row)
      })
      writer.exec('commit')
    }
    seconds += (performance.now() - began) / 1000
  }
  reader.close()
  writer.close()
  return { cards, seconds }
}

const [from = '', into = '', connections = '1'] = process.argv.slice(2)
const written = from.startsWith('mysql:') ? await rawMysql(from, into, Number(connections)) : rawSqlite(from, into)
answer({ ...written, peakRssMiB: peakRssMiB() })
