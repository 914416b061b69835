import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest'
import type { Ports } from '../channels/ports.ts'
import type { Actor, Edge, Scope, Tx } from '../kernel/context.ts'
import { openStore, type Store } from '../db/orm.ts'
import { idSource } from '../kernel/new-ids.ts'
import { systemClock } from '../kernel/outbox.ts'
import { testHouse } from './house.ts'
import type { House } from '../kernel/house.ts'
import { proveBooks } from '../modules/analytics/prove-books.ts'

/** A database under test: the store, and scopes that commit. */
export interface TestDatabase {
  readonly dialect: 'sqlite' | 'mysql'
  store: Store
  house: House
  /** Runs work in a transaction of its own and commits. */
  tx: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>
  /** A scope of the outside with these ports, acting as somebody; `now` moves its clock. */
  edge: (ports: Ports, actor?: Actor, now?: () => number) => Edge
}

/** Makes an empty database on the server behind `serverUrl`; the caller drops it. */
export async function freshMysqlUrl(serverUrl: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `fulika_test_${randomBytes(6).toString('hex')}`
  const run = async (statement: string) => {
    const connection = await createConnection(serverUrl)
    await connection.query(statement)
    await connection.end()
  }
  await run(`create database ${name} character set utf8mb4 collate utf8mb4_bin`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return { url: url.toString(), drop: () => run(`drop database ${name}`) }
}

/**
 * Runs the same tests on SQLite and on MariaDB, each test on an empty database, and proves the books after each.
 * Without a MariaDB the half is skipped aloud; in CI that is a failure.
 */
export function onBothDatabases(name: string, tests: (database: TestDatabase) => void): void {
  onOne('sqlite', name, tests, sqliteSource)
  const server = process.env['TEST_MYSQL_URL']
  if (server) onOne('mysql', name, tests, () => mysqlSource(server))
  else if (process.env['CI'] === 'true') throw new Error('no MariaDB: in CI this is a failure')
  else describe.skip(`${name} (mysql: no MariaDB found)`, () => undefined)
}

/** Where the tests of one file take their empty databases from. */
interface Source {
  readonly take: () => Promise<{ url: string; giveBack: () => Promise<void> }>
  readonly end: () => Promise<void>
}

/** A file that is brought up to date once, and copied for each test. */
async function sqliteSource(): Promise<Source> {
  const folder = mkdtempSync(join(tmpdir(), 'fulika-'))
  const empty = join(folder, 'empty.sqlite')
  await (await openStore(empty)).close()
  const take = async () => {
    const own = mkdtempSync(join(folder, 'test-'))
    const url = join(own, 'test.sqlite')
    copyFileSync(empty, url)
    return { url, giveBack: async () => rmSync(own, { recursive: true }) }
  }
  return { take, end: async () => rmSync(folder, { recursive: true }) }
}

/** One database that is emptied after each test: making its tables takes 0.7 s, emptying them a tenth of it. */
async function mysqlSource(server: string): Promise<Source> {
  const { url, drop } = await freshMysqlUrl(server)
  return { take: async () => ({ url, giveBack: () => emptyTables(url) }), end: drop }
}

async function emptyTables(url: string): Promise<void> {
  const connection = await createConnection(url)
  const rows = async (text: string) => (await connection.query<({ name: string } & RowDataPacket)[]>(text))[0]
  const names = await rows(
    "select table_name as name from information_schema.tables where table_schema = database() and table_name <> 'mikro_orm_migrations'",
  )
  const filled = names.map(({ name }) => `select '${name}' as name where exists (select 1 from ${name})`)
  for (const { name } of filled.length === 0 ? [] : await rows(filled.join(' union all ')))
    await connection.query(`delete from ${name}`)
  await connection.end()
}

function onOne(
  dialect: 'sqlite' | 'mysql',
  name: string,
  tests: (database: TestDatabase) => void,
  openSource: () => Promise<Source>,
): void {
  describe(`${name} (${dialect})`, () => {
    const database = { dialect } as TestDatabase
    let source: Source
    let giveBack: () => Promise<void>
    beforeAll(async () => {
      source = await openSource()
    })
    beforeEach(async () => {
      const taken = await source.take()
      giveBack = taken.giveBack
      await fill(database, taken.url)
    })
    afterEach(async () => {
      const findings = await database.tx(proveBooks)
      await database.store.close()
      await giveBack()
      expect(findings).toEqual([])
    })
    afterAll(() => source.end())
    tests(database)
  })
}

/** Opens a database under test outside of these, brought up to date; the caller closes its store. */
export async function openTestDatabase(
  dialect: TestDatabase['dialect'],
  url: string,
  worker = 1,
): Promise<TestDatabase> {
  const database = { dialect } as TestDatabase
  await fill(database, url, worker)
  return database
}

/** A MariaDB as another process of the same house sees it: nothing shared but the tables. The caller closes its store. */
export async function asAnotherProcess(database: TestDatabase): Promise<TestDatabase> {
  const url = database.store.orm.config.getAll().clientUrl
  if (url === undefined) throw new Error('SQLite has one process')
  return Object.assign(await openTestDatabase('mysql', url, 2), { house: { ...database.house } })
}

async function fill(database: TestDatabase, url: string, worker = 1): Promise<void> {
  database.store = await openStore(url)
  database.house = testHouse()
  const newId = idSource(worker, systemClock)
  const scope = () => testScope(newId, database.house)
  database.tx = (work) => database.store.write((em) => work({ ...scope(), em }))
  database.edge = (ports, actor = system, now = Date.now) => {
    const outer = { ...scope(), actor, clock: { now } }
    return {
      ...outer,
      ports,
      tx: (work) => database.store.write((em) => work({ ...outer, em })),
      read: (work) => database.store.read((em) => work({ ...outer, em })),
    }
  }
}

const system: Actor = { kind: 'system', name: 'test' }

function testScope(newId: Tx['newId'], house: House): Scope {
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
  return { newId, house, actor: system, clock: systemClock, random: randomBytes, log: quiet }
}
