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

/** Inserts rows and passes over those whose unique key is taken. Never judge by a count: read the rows back. */
export async function insertIgnore(
  em: EntityManager,
  table: string,
  rows: readonly Record<string, unknown>[],
): Promise<void> {
  const first = rows[0]
  if (!first) return
  const columns = Object.keys(first)
  const verb = dialectOf(em) === 'mysql' ? 'insert ignore' : 'insert or ignore'
  const slots = rows.map(() => `(${columns.map(() => '?').join(',')})`).join(',')
  const values = rows.flatMap((row) => columns.map((column) => row[column]))
  await (em as SqlEntityManager).execute(`${verb} into ${table} (${columns.join(',')}) values ${slots}`, values, 'run')
}

/**
 * Inserts many rows by one statement, named by column, all with the columns of the first. The values go to the driver
 * as they are, past the entity mapping: several times as fast, for rows that come by the thousand. Buffers for sealed
 * columns, text, numbers and null only. Throws what the driver throws, in the terms of the entity manager.
 */
export async function insertRows(
  em: EntityManager,
  table: string,
  rows: readonly Readonly<Record<string, string | number | Buffer | null>>[],
): Promise<void> {
  const first = rows[0]
  if (!first) return
  const columns = Object.keys(first)
  const into = `insert into ${table} (${columns.join(',')}) values`
  const cells = rows.map((row) => columns.map((column) => row[column]))
  const slots = `(${columns.map(() => '?').join(',')})`
  const query =
    dialectOf(em) === 'mysql'
      ? CompiledQuery.raw(`${into} ?`, [cells])
      : CompiledQuery.raw(`${into} ${rows.map(() => slots).join(',')}`, cells.flat())
  await runBound(em, query)
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
