import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'
import type { Dialect } from '../kernel/sql.ts'

/**
 * The migrations of a dialect, in order: `migrations/<dialect>/NNNN-what-it-does.sql`, statements that end in a
 * semicolon at the end of a line. `npm run migration -- NAME` writes them from the difference; read them before use.
 */
export function migrationsOf(dialect: Dialect): MigrationObject[] {
  const folder = join(import.meta.dirname, 'migrations', dialect)
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({ name: name.replace(/\.sql$/, ''), class: migrationFrom(statementsOf(join(folder, name))) }))
}

function statementsOf(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

function migrationFrom(statements: readonly string[]) {
  return class SqlMigration extends Migration {
    override up(): void {
      for (const statement of statements) this.addSql(statement)
    }
  }
}
