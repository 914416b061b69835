import { vi } from 'vitest'
import type { TestDatabase } from './databases.ts'

/** The statements that went to the driver while `work` ran, in order. */
export async function statementsOf<T>(
  database: TestDatabase,
  work: () => Promise<T>,
): Promise<{ result: T; texts: string[] }> {
  const client = (database.store.orm.em.getConnection() as unknown as { getClient: () => Kysely }).getClient()
  const driver = vi.spyOn(Object.getPrototypeOf(client.getExecutor()) as Executor, 'executeQuery')
  const result = await work()
  const texts = driver.mock.calls.map(([query]) => query.sql)
  driver.mockRestore()
  return { result, texts }
}
interface Executor {
  executeQuery: (query: { readonly sql: string }) => Promise<unknown>
}
interface Kysely {
  getExecutor: () => Executor
}
