import { sql } from '../kernel/sql.ts'
import type { Store } from './orm.ts'

/**
 * The statements that would bring the database in line with the tables; empty when the migrations are complete.
 * MariaDB tells the default of a nullable column as the text NULL, which the schema generator takes for a change: such
 * a statement is left out, but only after the database itself says that type and nullability already agree.
 */
export async function readDifference(store: Store): Promise<string[]> {
  const text = await store.orm.schema.getUpdateSchemaSQL({ wrap: false })
  const statements = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const needed = await Promise.all(statements.map(async (line) => !(await isDefaultNullOnly(store, line))))
  return statements.filter((_line, index) => needed[index])
}

async function isDefaultNullOnly(store: Store, statement: string): Promise<boolean> {
  const found = /^alter table `(\w+)` modify `(\w+)` (.+) null;$/.exec(statement)
  if (!found) return false
  const rows = await store.read((em) =>
    sql<{ type: string; nullable: string }>(
      em,
      'select column_type as type, is_nullable as nullable from information_schema.columns where table_schema = database() and table_name = ? and column_name = ?',
      [found[1], found[2]],
    ),
  )
  const column = rows[0]
  return column?.nullable === 'YES' && bare(column.type) === bare(found[3] ?? '')
}

/** MariaDB shows integer types with a display width that nobody wrote. */
const bare = (type: string): string => type.replace(/^(bigint|int|smallint|tinyint)\(\d+\)/, '$1')
