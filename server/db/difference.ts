import { sql } from '../kernel/sql.ts'
import type { Store } from './orm.ts'

/**
 * The statements that would bring the database in line with the tables; empty when the migrations are complete.
 * MariaDB tells a default as its text (NULL, or the value in quotes), which the schema generator takes for a change: such
 * a statement is left out, but only after the database itself says that type, nullability and default already agree.
 */
export async function readDifference(store: Store): Promise<string[]> {
  const text = await store.orm.schema.getUpdateSchemaSQL({ wrap: false })
  const statements = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const needed = await Promise.all(statements.map(async (line) => !(await isDefaultOnly(store, line))))
  return statements.filter((_line, index) => needed[index])
}

async function isDefaultOnly(store: Store, statement: string): Promise<boolean> {
  const found = /^alter table `(\w+)` modify `(\w+)` (.+?) (null|not null default '(.*)');$/.exec(statement)
  if (!found) return false
  const [, table, column, type = '', end, value] = found
  const [known] = await store.read((em) =>
    sql<{ type: string; nullable: string; preset: string | null }>(
      em,
      'select column_type as type, is_nullable as nullable, column_default as preset from information_schema.columns where table_schema = database() and table_name = ? and column_name = ?',
      [table, column],
    ),
  )
  if (!known || bare(known.type) !== bare(type)) return false
  if (end === 'null') return known.nullable === 'YES'
  return known.nullable === 'NO' && (known.preset === value || known.preset === `'${value}'`)
}

/** MariaDB shows integer types with a display width that nobody wrote. */
const bare = (type: string): string => type.replace(/^(bigint|int|smallint|tinyint)\(\d+\)/, '$1')
