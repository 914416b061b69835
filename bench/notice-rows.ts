import Database from 'better-sqlite3'
import { createConnection, type Connection } from 'mysql2/promise'

type Cell = string | number | Buffer | null
type Row = Readonly<Record<string, Cell>>

/** Rows of one table that taking a payment wrote: inserted, or changed by `id` in the named columns. */
interface Table {
  readonly name: string
  readonly columns: readonly string[]
  readonly changed: boolean
}
const tables: readonly Table[] = [
  {
    name: 'payment',
    columns: ['id', 'state', 'paid_fen', 'outcome', 'paid_at_ms', 'transaction_id', 'bank_type', 'payer_sealed'],
    changed: true,
  },
  { name: 'entry', columns: ['id', 'kind', 'ref', 'corrects_id', 'at_ms'], changed: false },
  { name: 'posting', columns: ['entry_id', 'line', 'unit', 'account', 'amount'], changed: false },
  {
    name: 'trail',
    columns: ['id', 'object_id', 'act', 'from_state', 'to_state', 'actor', 'note', 'at_ms'],
    changed: false,
  },
  { name: 'orders', columns: ['id', 'state', 'secured_fen'], changed: true },
  {
    name: 'job',
    columns: ['id', 'kind', 'job_key', 'lane', 'args', 'state', 'attempts', 'ready_at_ms', 'created_at_ms'],
    changed: false,
  },
]

/** Writes, by the driver alone, what the service wrote for payments; a payment that was written before is passed over. */
export interface RawStore {
  /** Reads what the service wrote until now. */
  readonly load: () => Promise<void>
  readonly write: (numbers: readonly string[]) => Promise<void>
}

/**
 * Reads the rows of payments out of the service's database and writes them into the other, in so many transactions side
 * by side where the database has more than one writer.
 */
export async function openRawStore(rawUrl: string, serviceUrl: string, atOnce: number): Promise<RawStore> {
  const known = new Set<string>()
  const written = new Map<string, Row[][]>()
  const insert = rawUrl.startsWith('mysql:') ? await mysqlWriter(rawUrl, atOnce) : sqliteWriter(rawUrl)
  return {
    load: async () => {
      const rows = rawUrl.startsWith('mysql:') ? await readMysql(serviceUrl) : readSqlite(serviceUrl)
      for (const [number, own] of byPayment(rows)) if (!known.has(number)) written.set(number, own)
      for (const number of written.keys()) known.add(number)
    },
    write: (numbers) => {
      const mine = [...new Set(numbers)].map((number) => written.get(number)).filter((one) => one !== undefined)
      for (const number of numbers) written.delete(number)
      return insert(tables.map((_, index) => mine.flatMap((one) => one[index]!)))
    },
  }
}

const queries = [
  "select id, order_id, out_trade_no, 'paid' as state, paid_fen, outcome, paid_at_ms, transaction_id, bank_type, payer_sealed from payment where state = 'paid'",
  "select id, kind, ref, corrects_id, at_ms from entry where kind = 'funds_received'",
  "select posting.* from posting join entry on entry.id = posting.entry_id where entry.kind = 'funds_received'",
  "select * from trail where act in ('payment.paid', 'orders.funded')",
  "select id, 'funded' as state, secured_fen from orders",
  "select id, kind, job_key, lane, args, 'ready' as state, 0 as attempts, created_at_ms as ready_at_ms, created_at_ms from job where kind = 'order.issue'",
]

async function readMysql(url: string): Promise<Row[][]> {
  const connection = await createConnection(url)
  const found: Row[][] = []
  for (const query of queries) found.push((await connection.query(query))[0] as Row[])
  await connection.end()
  return found
}

function readSqlite(url: string): Row[][] {
  const file = new Database(url, { readonly: true })
  const found = queries.map((query) => file.prepare(query).all() as Row[])
  file.close()
  return found
}

/** The rows of each payment by its number, a list a table. */
function byPayment([payments, entries, postings, trails, orders, jobs]: Row[][]): Map<string, Row[][]> {
  const entryOf = new Map(entries!.map((row) => [row['ref'], row]))
  const postingsOf = Map.groupBy(postings!, (row) => row['entry_id'])
  const trailOf = Map.groupBy(trails!, (row) => row['object_id'])
  const orderOf = new Map(orders!.map((row) => [row['id'], row]))
  const jobOf = new Map(jobs!.map((row) => [row['job_key'], row]))
  const some = <T>(row: T | undefined): T[] => (row === undefined ? [] : [row])
  return new Map(
    payments!.map((payment) => {
      const { id, order_id: orderId } = payment
      const entry = entryOf.get(id!)
      return [
        String(payment['out_trade_no']),
        [
          [payment],
          some(entry),
          postingsOf.get(entry?.['id'] ?? null) ?? [],
          [...(trailOf.get(id!) ?? []), ...(trailOf.get(orderId!) ?? [])],
          some(orderOf.get(orderId!)),
          some(jobOf.get(`order.issue:${String(orderId)}`)),
        ],
      ]
    }),
  )
}

type Write = (rows: readonly (readonly Row[])[]) => Promise<void>

async function mysqlWriter(url: string, atOnce: number): Promise<Write> {
  const free: Connection[] = []
  for (let n = 0; n < atOnce; n += 1) {
    const connection = await createConnection(url)
    await connection.query('set session transaction isolation level read committed')
    free.push(connection)
  }
  return async (rows) => {
    const connection = free.pop()
    if (!connection) throw new Error(`more than ${atOnce} transactions at once`)
    await connection.query('begin')
    for (const [index, table] of tables.entries())
      if (rows[index]!.length > 0) await writeMysql(connection, table, rows[index]!)
    await connection.query('commit')
    free.push(connection)
  }
}

async function writeMysql(connection: Connection, table: Table, rows: readonly Row[]): Promise<void> {
  const { name, columns, changed } = table
  const cells = rows.map((row) => columns.map((column) => row[column] ?? null))
  if (!changed) return void (await connection.query(`insert into ${name} (${columns.join(',')}) values ?`, [cells]))
  const sets = columns.slice(1).map((column) => `${name}.${column} = given.new_${column}`)
  const given = `with given (${columns.map((column) => `new_${column}`).join(',')}) as (values ${rows.map(() => '(?)').join(',')})`
  await connection.query(
    `update (${given} select * from given) as given straight_join ${name} force index (primary) on ${name}.id = given.new_id set ${name}.version = ${name}.version + 1, ${sets.join(',')}`,
    cells,
  )
}

function sqliteWriter(url: string): Write {
  const file = new Database(url)
  file.pragma('journal_mode = WAL')
  file.pragma('synchronous = FULL')
  const statements = tables.map(({ name, columns, changed }) => {
    const slots = columns.map((column) => `@${column}`).join(',')
    const sets = columns.slice(1).map((column) => `${column} = @${column}`)
    return file.prepare(
      changed
        ? `update ${name} set version = version + 1, ${sets.join(',')} where id = @id`
        : `insert into ${name} (${columns.join(',')}) values (${slots})`,
    )
  })
  return async (rows) => {
    file.exec('begin immediate')
    rows.forEach((some, index) => some.forEach((row) => statements[index]!.run(row)))
    file.exec('commit')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
