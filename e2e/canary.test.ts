import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from './canary-walk.ts'
import { walkWithCanaries, type Walked } from './canary-walk.ts'
import { canaries, sightings, type Place } from './canaries.ts'
import { entities } from '../server/db/orm.ts'
import { SealBroken } from '../server/kernel/seal.ts'
import { sql } from '../server/kernel/sql.ts'
import { dialectsHere } from './stage.ts'

const run = promisify(execFile)

/** Every column of every row, each under its name. */
async function cellsOf({ stage }: Walked): Promise<Place[]> {
  const tables = entities.map((entity) => entity.meta.tableName)
  return stage.running.open.store.read(async (em) => {
    const places: Place[] = []
    for (const table of tables) {
      const columns = new Map<string, Buffer[]>()
      for (const row of await sql<Record<string, unknown>>(em, `select * from ${table}`))
        for (const [name, value] of Object.entries(row)) {
          const bytes = value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value), 'utf8')
          columns.set(name, [...(columns.get(name) ?? []), bytes, Buffer.from('\n')])
        }
      for (const [name, all] of columns) places.push({ place: `${table}.${name}`, bytes: Buffer.concat(all) })
    }
    return places
  })
}

/** The keys of tables whose rows have no id of their own and belong to more or to less than a company. */
const rowKeys: Readonly<Record<string, readonly string[]>> = {
  roster_chunk: ['roster_id', 'seq'],
  wecom_suite: ['suite_id'],
  shared_value: ['name'],
  store_order: ['order_id'],
}

/** What a row is called where its columns are sealed. */
function rowIdOf(table: string, row: Readonly<Record<string, unknown>>): string {
  const keys = rowKeys[table] ?? ('id' in row ? ['id'] : ['company_id'])
  return keys.map((key) => String(row[key])).join(':')
}

/** The database as somebody would carry it away: the dump, or the file with its log. */
async function dumpOf({ stage }: Walked): Promise<Place[]> {
  if (!stage.databaseUrl.startsWith('mysql:'))
    return ['', '-wal', '-shm']
      .map((end) => `${stage.databaseUrl}${end}`)
      .filter((path) => existsSync(path))
      .map((path) => ({ place: path, bytes: readFileSync(path) }))
  const at = new URL(stage.databaseUrl)
  const login = ['-h', at.hostname, '-P', at.port || '3306', '-u', decodeURIComponent(at.username)]
  const { stdout } = await run('mariadb-dump', [...login, '--single-transaction', at.pathname.slice(1)], {
    env: { ...process.env, MYSQL_PWD: decodeURIComponent(at.password) },
    encoding: 'buffer',
    maxBuffer: 256 * 1024 * 1024,
  })
  return [{ place: 'mariadb-dump', bytes: stdout }]
}

// Personal data and secrets go in by the product's own doors, the main job is walked, and then they are looked for.
describe.each(dialectsHere())('canaries (%s)', (dialect) => {
  let walked: Walked
  let planted: Readonly<Record<string, string>>
  beforeAll(async () => {
    walked = await walkWithCanaries(dialect)
    const secrets = walked.cardSecrets.map((secret, at) => [`cardSecret${at}`, secret] as const)
    const cookies = walked.wire.cookies.map((cookie, at) => [`cookie${at}`, cookie] as const)
    planted = { ...canaries, ...walked.tokens, ...Object.fromEntries([...secrets, ...cookies]) }
    expect(secrets.length).toBeGreaterThan(0)
    expect(cookies.length).toBeGreaterThan(0)
  }, 300_000)
  afterAll(() => walked.close())

  test('the walk was a real one: people see what was planted', () => {
    const shown = JSON.stringify(walked.shown satisfies Json)
    const seen = [
      'name',
      'greeting',
      'memberName',
      'payerName',
      'operatorName',
      'clerkName',
      'secondName',
      'fileName',
      'giftGreeting',
      'thanks',
      'buyerGreeting',
      'buyerGiftGreeting',
      'buyerThanks',
      'invoiceTitle',
    ] as const
    for (const name of seen) expect(shown, name).toContain(canaries[name])
  })

  test('none stands in a column', async () => {
    expect(sightings(planted, await cellsOf(walked))).toEqual([])
  })

  test('every sealed value opens at its own table, column and row, and nowhere else', async () => {
    const { house, store } = walked.stage.running.open
    let opened = 0
    for (const { meta } of entities) {
      const rows = await store.read((em) => sql<Record<string, unknown>>(em, `select * from ${meta.tableName}`))
      for (const row of rows)
        for (const [column, value] of Object.entries(row)) {
          if (!(value instanceof Uint8Array)) continue
          const rowId = rowIdOf(meta.tableName, row)
          const place = { table: meta.tableName, column, rowId }
          expect(house.seal.open(place, value).length, `${place.table}.${column}`).toBeGreaterThan(0)
          for (const other of [{ rowId: `${rowId}x` }, { column: 'other' }, { table: 'other' }])
            expect(() => house.seal.open({ ...place, ...other }, value)).toThrow(SealBroken)
          opened += 1
        }
    }
    expect(opened).toBeGreaterThan(20)
  })

  test('none stands in a dump, or in the file of the database and its log', async () => {
    expect(sightings(planted, await dumpOf(walked))).toEqual([])
  })

  test('none stands in the log, at its most talkative', () => {
    expect(walked.lines.length).toBeGreaterThan(50)
    expect(
      sightings(
        planted,
        walked.lines.map((line) => ({ place: line, bytes: Buffer.from(line) })),
      ),
    ).toEqual([])
  })

  test('none stands in an address that was asked for or pointed to', () => {
    const urls = [...new Set(walked.wire.urls)]
    expect(urls.length).toBeGreaterThan(20)
    // Four are addresses: whoever has the link is let in by it, once.
    const { giftToken: _gift, friendToken: _friend, deviceToken: _device, clerkLink: _clerk, ...others } = planted
    expect(
      sightings(
        others,
        urls.map((url) => ({ place: url, bytes: Buffer.from(url) })),
      ),
    ).toEqual([])
  })

  test('no secret, no clerk and no words of a gift stand in what HR and a till carry away', () => {
    expect(walked.exported).toContain(canaries.name)
    const { giftGreeting, thanks, clerkName } = canaries
    const secrets = Object.fromEntries(walked.cardSecrets.map((secret, at) => [`cardSecret${at}`, secret]))
    const places = [{ place: 'files', bytes: Buffer.from(walked.exported) }]
    expect(sightings({ ...secrets, ...walked.tokens, giftGreeting, thanks, clerkName }, places)).toEqual([])
  })

  test('none stands in an error answer, or among the metrics', () => {
    expect(walked.errors.length).toBeGreaterThan(5)
    const places = [...walked.errors, walked.metrics].map((text) => ({ place: text, bytes: Buffer.from(text) }))
    expect(sightings(planted, places)).toEqual([])
  })
})
