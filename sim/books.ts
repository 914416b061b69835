import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, type Store } from '../server/db/orm.ts'
import { sql } from '../server/kernel/sql.ts'

/** Opened once a process: bringing books up to date and opening them costs more than emptying them. */
let opened: Promise<Store> | undefined
let taken = false

/** Empty books for one story; of one process one at a time. Whoever takes them gives them back. */
export async function takeBooks(): Promise<Store> {
  if (taken) throw new Error('another story has the books')
  taken = true
  return (opened ??= openBooks())
}

/** Empties the books for the next story. */
export async function giveBooksBack(store: Store): Promise<void> {
  await store.write(async (em) => {
    const tables = await sql<{ name: string }>(
      em,
      "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name <> 'mikro_orm_migrations' order by name",
    )
    for (const { name } of tables) await sql(em, `delete from \`${name}\``)
  })
  taken = false
}

async function openBooks(): Promise<Store> {
  const folder = mkdtempSync(join(scratch(), 'fulika-sim-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return openStore(join(folder, 'books.sqlite'))
}

/** Memory where there is some: a story is over when its books are closed. */
const scratch = () => (existsSync('/dev/shm') ? '/dev/shm' : tmpdir())
