// npm run migration -- NAME: writes the difference between the tables and the migrations so far, for both databases.
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readDifference } from '../server/db/difference.ts'
import { openStore } from '../server/db/orm.ts'
import { freshMysqlUrl } from '../server/testing/databases.ts'
import { provideMariadb } from './mariadb.ts'

const name = process.argv[2]
if (!name || !/^[a-z0-9-]+$/.test(name)) throw new Error('usage: npm run migration -- what-it-does')
const mariadb = await provideMariadb()
if (!mariadb) throw new Error('a MariaDB is needed to write its migration')
const scratch = await freshMysqlUrl(mariadb.url)
const targets = [
  ['sqlite', join(mkdtempSync(join(tmpdir(), 'fulika-')), 'schema.sqlite')],
  ['mysql', scratch.url],
] as const
for (const [dialect, url] of targets) {
  const store = await openStore(url)
  const difference = (await readDifference(store)).join('\n')
  await store.close()
  const folder = join(import.meta.dirname, '../server/db/migrations', dialect)
  const number = String(readdirSync(folder).length + 1).padStart(4, '0')
  if (difference !== '') writeFileSync(join(folder, `${number}-${name}.sql`), `${difference}\n`)
  console.log(`${dialect}: ${difference === '' ? 'no difference' : `${number}-${name}.sql`}`)
}
await scratch.drop()
await mariadb.stop()
