import type { EntityManager } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sql'
import { CompiledQuery, type Kysely, type QueryResult } from 'kysely'

/** The two dialects that the house speaks. */
export type Dialect = 'sqlite' | 'mysql'

export function dialectOf(em: EntityManager): Dialect {
  return em.getPlatform().constructor.name.startsWith('MySql') ? 'mysql' : 'sqlite'
}

/** Runs one statement of plain portable SQL on the scope's connection and transaction. */
export async function sql<T>(em: EntityManager, text: string, values: readonly unknown[] = []): Promise<T[]> {
  return (em as SqlEntityManager).execute<T[]>(text, [...values], 'all')
}

/** Runs a guarded update and says how many rows it changed. The statement must change what it matches. */
export async function change(em: EntityManager, text: string, values: readonly unknown[] = []): Promise<number> {
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
  await runBound(em, CompiledQuery.raw(`${verb} into ${table} (${columns.join(',')}) ${given.text}`, given.bound))
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
