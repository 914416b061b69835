import type { EntityManager } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sql'
import { CompiledQuery, type Kysely, type QueryResult } from 'kysely'

/** The two dialects that the house speaks. */
export type Dialect = 'sqlite' | 'mysql'

export function dialectOf(em: EntityManager): Dialect {
  return em.getPlatform().constructor.name.startsWith('MySql') ? 'mysql' : 'sqlite'
}

/** Inserts of a transaction that are not sent yet, in their order. */
interface Unsent {
  readonly table: string
  readonly text: string
  readonly bound: readonly unknown[]
}
const unsent = new WeakMap<EntityManager, Unsent[]>()

/**
 * Does a piece of work of a transaction, and sends what it inserts (`insertRows`, `insertIgnore`) at its end, all tables by one
 * compound statement of MariaDB: each would be a way there and back of its own, and in a rush those are what everybody waits for.
 * A statement of this module that names one of these tables sends them first; what is read through the entity manager is not
 * looked at, so the work must not find there what it inserted. A unique key that is taken throws at the end. On SQLite, where
 * there is no way to go, nothing waits.
 */
export async function sendTogether<T>(em: EntityManager, work: () => Promise<T>): Promise<T> {
  if (dialectOf(em) !== 'mysql' || unsent.has(em)) return work()
  unsent.set(em, [])
  try {
    const result = await work()
    await sendUnsent(em)
    return result
  } finally {
    unsent.delete(em)
  }
}

async function sendUnsent(em: EntityManager): Promise<void> {
  const waiting = unsent.get(em)?.splice(0) ?? []
  if (waiting.length === 0) return
  const texts = waiting.map(({ text }) => text)
  const text = texts.length === 1 ? texts[0]! : `begin not atomic ${texts.join('; ')}; end`
  await runBound(
    em,
    CompiledQuery.raw(
      text,
      waiting.flatMap(({ bound }) => bound),
    ),
  )
}

/** Before a statement that may read or change what waits. */
async function sendFirst(em: EntityManager, text: string): Promise<void> {
  const waiting = unsent.get(em)
  if (waiting?.some(({ table }) => text.includes(table)) === true) await sendUnsent(em)
}

/** Runs one statement of plain portable SQL on the scope's connection and transaction. */
export async function sql<T>(em: EntityManager, text: string, values: readonly unknown[] = []): Promise<T[]> {
  await sendFirst(em, text)
  if (dialectOf(em) === 'mysql') return (await runBound(em, CompiledQuery.raw(text, [...values]))).rows as T[]
  return (em as SqlEntityManager).execute<T[]>(text, [...values], 'all')
}

/** Runs a guarded update and says how many rows it changed. The statement must change what it matches. */
export async function change(em: EntityManager, text: string, values: readonly unknown[] = []): Promise<number> {
  await sendFirst(em, text)
  if (dialectOf(em) === 'mysql')
    return Number((await runBound(em, CompiledQuery.raw(text, [...values]))).numAffectedRows ?? 0)
  const result = await (em as SqlEntityManager).execute<{ affectedRows: number }>(text, [...values], 'run')
  return result.affectedRows
}

/** What the bulk statements bind: text, numbers, Buffers for sealed columns, and null. */
export type Cells = Readonly<Record<string, string | number | Buffer | null>>

/** Inserts rows and passes over those whose unique key is taken. Never judge by a count: read the rows back. */
export async function insertIgnore(em: EntityManager, table: string, rows: readonly Cells[]): Promise<void> {
  await insertBy(em, dialectOf(em) === 'mysql' ? 'insert ignore' : 'insert or ignore', table, rows)
}

/**
 * Inserts many rows by one statement, named by column, all with the columns of the first. The values go to the driver
 * as they are, past the entity mapping: several times as fast, for rows that come by the thousand. Throws what the
 * driver throws, in the terms of the entity manager.
 */
export async function insertRows(em: EntityManager, table: string, rows: readonly Cells[]): Promise<void> {
  await insertBy(em, 'insert', table, rows)
}

async function insertBy(em: EntityManager, verb: string, table: string, rows: readonly Cells[]): Promise<void> {
  const first = rows[0]
  if (!first) return
  const columns = Object.keys(first)
  const given = valuesOf(em, rows, columns)
  const text = `${verb} into ${table} (${columns.join(',')}) ${given.text}`
  const waiting = unsent.get(em)
  if (waiting !== undefined) waiting.push({ table, text, bound: given.bound })
  else await runBound(em, CompiledQuery.raw(text, given.bound))
}

/**
 * Changes many rows by one statement, each by its `id` and to values of its own; all rows have the columns of the first.
 * `set` and `where` are SQL in which a row's value of a column is called `new_<column>`. Rows are locked in the order
 * given, by their primary key alone, so give them sorted. Says how many rows it changed; the statement must change what
 * it matches.
 */
export async function updateRows(
  em: EntityManager,
  table: string,
  rows: readonly (Cells & { readonly id: string })[],
  what: { readonly set: string; readonly where: string },
): Promise<number> {
  const first = rows[0]
  if (!first) return 0
  const columns = Object.keys(first)
  const { text, bound } = valuesOf(em, rows, columns)
  const given = `with given (${columns.map((column) => `new_${column}`).join(',')}) as (${text})`
  const statement =
    dialectOf(em) === 'mysql'
      ? `update (${given} select * from given) as given straight_join ${table} force index (primary) on ${table}.id = given.new_id set ${what.set} where ${what.where}`
      : `${given} update ${table} set ${what.set} from given where id = new_id and ${what.where}`
  await sendFirst(em, statement)
  const result = await runBound(em, CompiledQuery.raw(statement, bound))
  return Number(result.numAffectedRows ?? 0)
}

/** `values (…),(…)`, and what is bound to it: the driver of MySQL spreads a row, to SQLite each value is bound. */
function valuesOf(
  em: EntityManager,
  rows: readonly Cells[],
  columns: readonly string[],
): { readonly text: string; readonly bound: unknown[] } {
  const cells = rows.map((row) => columns.map((column) => row[column]))
  return dialectOf(em) === 'mysql'
    ? { text: `values ${rows.map(() => '(?)').join(',')}`, bound: cells }
    : { text: `values ${rows.map(() => `(${columns.map(() => '?').join(',')})`).join(',')}`, bound: cells.flat() }
}

/**
 * Reads by a statement that nearly every request asks: its values are bound, so that its text stays the same and SQLite
 * has it ready. Texts alone are bound: of a number SQLite would have to guess whether it is whole.
 */
export async function readBound<T>(em: EntityManager, text: string, values: readonly string[]): Promise<T[]> {
  await sendFirst(em, text)
  return (await runBound(em, CompiledQuery.raw(text, [...values]))).rows as T[]
}

/** On the scope's connection and transaction. Throws what the driver throws, in the terms of the entity manager. */
async function runBound(em: EntityManager, query: CompiledQuery): Promise<QueryResult<unknown>> {
  const connection = (em as SqlEntityManager).getConnection()
  try {
    return await (em.getTransactionContext<Kysely<unknown>>() ?? connection.getClient()).executeQuery(query)
  } catch (error) {
    throw em
      .getPlatform()
      .getExceptionConverter()
      .convertException(error as Error)
  }
}
