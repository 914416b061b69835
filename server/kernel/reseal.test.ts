import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { resealAll, queueReseal, readKeyUse } from './reseal.ts'
import { sealWith, type KeyRing } from './seal.ts'
import { sealedColumns } from './sealed-columns.ts'
import { insertRows, sql } from './sql.ts'
import type { Id } from '../../contract/ids.ts'
import type { Ports } from '../channels/ports.ts'
import { freezeLost, reissueCard } from '../modules/card/report-lost.ts'
import { nextNumber } from '../modules/issuance/next-number.ts'
import { writeRosterFile } from '../modules/staff/roster-file.ts'
import { anIssuedCampaign, somePeople } from '../testing/campaigns.ts'
import { aCompany } from '../testing/companies.ts'
import { onBothDatabases, type TestDatabase } from '../testing/databases.ts'
import { statementsOf } from '../testing/statements.ts'

const keys = { k1: randomBytes(32), k2: randomBytes(32) }
const indexKeys = { i1: randomBytes(32) }
const ringOf = (current: 'k1' | 'k2', known: Readonly<Record<string, Buffer>> = keys): KeyRing => ({
  current,
  keys: known,
  indexKeyId: 'i1',
  indexKeys,
})
const useRing = (database: TestDatabase, ring: KeyRing): void => {
  database.house = { ...database.house, seal: sealWith(ring, randomBytes) }
}

onBothDatabases('sealing anew under another key', (database) => {
  const HOUR_MS = 3_600_000
  let nowMs = Date.now()
  const edge = () => database.edge({} as Ports, undefined, () => nowMs)

  async function aHouse(people: number) {
    useRing(database, ringOf('k1', { k1: keys.k1 }))
    await database.tx((tx) => insertRows(tx.em, 'key_use', [{ key_id: 'seal:k1', proof: 'x', first_used_at_ms: 1 }]))
    const company = await aCompany(database)
    const names = Array.from({ length: people }, (_, index) => ({ name: `员工${index}` }))
    const personIds = await somePeople(database, company.id, names)
    await anIssuedCampaign(database, company, personIds)
    const cards = await database.tx((tx) =>
      sql<{ id: Id<'card'>; holderId: Id<'person'>; brandId: Id<'brand'> }>(
        tx.em,
        'select id, holder_id as holderId, brand_id as brandId from card order by id',
      ),
    )
    return { company, cards }
  }
  /** Each value of the house, and by which key it is sealed. */
  async function everyValue(): Promise<Map<string, string>> {
    const found = new Map<string, string>()
    for (const { table, column, key } of sealedColumns) {
      const rows = await database.tx((tx) =>
        sql<Record<string, unknown>>(tx.em, `select ${key.join(', ')}, ${column} as sealed from ${table}`),
      )
      for (const row of rows)
        if (row['sealed'] !== null && (row['sealed'] as Uint8Array).length > 0)
          found.set(
            `${table}.${column} ${key.map((part) => String(row[part])).join(':')}`,
            database.house.seal.keyIdOf(row['sealed'] as Uint8Array),
          )
    }
    return found
  }
  /** Each card's secret as it opens, which must be what its fingerprint says. */
  async function secrets(): Promise<Map<string, string>> {
    const rows = await database.tx((tx) =>
      sql<{ id: string; sealed: Uint8Array; fingerprint: string }>(
        tx.em,
        'select id, secret_sealed as sealed, secret_index as fingerprint from card',
      ),
    )
    return new Map(
      rows.map(({ id, sealed, fingerprint }) => {
        const secret = database.house.seal.open({ table: 'card', column: 'secret_sealed', rowId: id }, sealed)
        expect(database.house.seal.blindIndex('card.secret', secret)).toBe(fingerprint)
        return [id, secret]
      }),
    )
  }
  /** Does the jobs of the walk, an hour apart where they say so; how many it were. */
  async function walk(slow = false): Promise<number> {
    const seen = new Set<string>()
    for (;;) {
      const jobs = await database.tx((tx) =>
        sql<{ id: string; args: string; at: unknown }>(
          tx.em,
          "select id, args, ready_at_ms as at from job where kind = 'keys.reseal' order by id",
        ),
      )
      const next = jobs.find(({ id }) => !seen.has(id))
      if (next === undefined) return seen.size
      seen.add(next.id)
      nowMs = Math.max(nowMs, Number(next.at))
      const one = edge()
      // Where each look at the clock takes a minute, every slice is a job of its own.
      const clock = { now: () => (slow ? (nowMs += 60_000) : nowMs) }
      await resealAll({ ...one, clock }, JSON.parse(next.args) as Record<string, string>)
    }
  }

  /** An edge that keeps what is told as an error. */
  function loudEdge() {
    const errors: unknown[] = []
    const own = edge()
    const log = { ...own.log, error: (facts: object) => void errors.push(facts) }
    const tx = <T>(work: Parameters<typeof own.tx<T>>[0]) => own.tx<T>((inner) => work({ ...inner, log }))
    return { errors, loud: { ...own, log, tx } }
  }

  const lastRound = { walk: 'x', round: 3, at: 0, after: '', moved: 0, left: '[]' }

  test('everything opens under the new key alone when the walk is over, and the old one is struck off', async () => {
    const { company } = await aHouse(230)
    await writeRosterFile(edge(), 'ros_0000000000001' as Id<'roster'>, randomBytes(5 * 1024 * 1024 + 7))
    const before = await secrets()
    await edge().tx(queueReseal)
    expect(await walk()).toBe(0)
    useRing(database, ringOf('k2'))
    const told = await readKeyUse(edge())
    expect(told).toMatchObject({ current: 'k2', others: [{ keyId: 'k1' }] })
    expect(told.others[0]?.waiting).toContainEqual({ column: 'card.secret_sealed', rows: 230 })
    expect(told.others[0]?.waiting).toContainEqual({ column: 'roster_chunk.bytes_sealed', rows: 6 })
    await edge().tx(queueReseal)
    await edge().tx(queueReseal)
    const jobs = await walk(true)
    expect(jobs).toBeGreaterThan(sealedColumns.length)
    expect(new Set((await everyValue()).values())).toEqual(new Set(['k2']))
    expect(await readKeyUse(edge())).toEqual({ current: 'k2', others: [] })
    useRing(database, ringOf('k2', { k2: keys.k2 }))
    expect(await secrets()).toEqual(before)
    expect((await everyValue()).size).toBeGreaterThan(230 * 2)
    expect(company.id).toMatch(/^com_/)
  })

  test('while people replace their cards and processes still have the old ring, nobody’s change is lost', async () => {
    const { company, cards } = await aHouse(120)
    const old = database.house
    useRing(database, ringOf('k2'))
    await edge().tx(queueReseal)
    const replace = async (index: number): Promise<void> => {
      const { id, holderId, brandId } = cards[index]!
      const holder = { companyId: company.id, holderId }
      const own = edge()
      // Every second one by a process that does not know the new key yet.
      const asked =
        index % 2 === 0
          ? own
          : {
              ...own,
              house: old,
              tx: <T>(work: Parameters<typeof own.tx<T>>[0]) => own.tx<T>((tx) => work({ ...tx, house: old })),
            }
      const number = await nextNumber(asked, brandId)
      await asked.tx(async (tx) => {
        await freezeLost(tx, holder, id)
        await reissueCard(tx, holder, id, () => number)
      })
    }
    const before = await secrets()
    await Promise.all([walk(), ...cards.map((_, index) => replace(index))])
    const after = await secrets()
    for (const [id, secret] of before) expect(after.get(id)).not.toBe(secret)
    // The walk's second round, an hour later, found what the old process sealed during the first.
    await edge().tx(queueReseal)
    nowMs += 24 * HOUR_MS
    await edge().tx(queueReseal)
    await walk()
    expect(new Set((await everyValue()).values())).toEqual(new Set(['k2']))
    expect(await secrets()).toEqual(after)
  })

  test('a value that no key opens is told, stays, and keeps its key on the list', async () => {
    const { cards } = await aHouse(2)
    useRing(database, ringOf('k2'))
    const [one, other] = cards
    await database.tx((tx) =>
      sql(
        tx.em,
        'update card set secret_sealed = (select sealed from (select secret_sealed as sealed from card where id = ?) as x) where id = ?',
        [one!.id, other!.id],
      ),
    )
    const { errors, loud } = loudEdge()
    await resealAll(loud, lastRound)
    expect(errors).toEqual([{ table: 'card', column: 'secret_sealed', reason: 'not_authentic' }])
    expect(await readKeyUse(edge())).toEqual({
      current: 'k2',
      others: [{ keyId: 'k1', waiting: [{ column: 'card.secret_sealed', rows: 1 }] }],
    })
  })

  test('a value that is no sealed value at all is told, stops nothing, and keeps the old key on the list', async () => {
    const { cards } = await aHouse(3)
    useRing(database, ringOf('k2'))
    await database.tx((tx) => sql(tx.em, "update card set secret_sealed = x'07' where id = ?", [cards[1]!.id]))
    const { errors, loud } = loudEdge()
    await resealAll(loud, { ...lastRound, round: 1 })
    expect(errors).toEqual([{ table: 'card', column: 'secret_sealed', reason: 'malformed' }])
    await resealAll(loud, lastRound)
    expect(await readKeyUse(edge())).toEqual({
      current: 'k2',
      others: [{ keyId: 'k1', waiting: [{ column: 'card.secret_sealed', rows: 1 }] }],
    })
  })

  test('all columns are looked through in reads; what is written in the end is the list of keys alone', async () => {
    await aHouse(3)
    useRing(database, ringOf('k2'))
    await resealAll(edge(), { ...lastRound, round: 1 })
    const own = edge()
    const asked: string[] = []
    const tx = <T>(work: Parameters<typeof own.tx<T>>[0]) =>
      own.tx<T>(async (inner) => {
        const { result, texts } = await statementsOf(database, () => work(inner))
        asked.push(...texts)
        return result
      })
    await resealAll({ ...own, tx }, lastRound)
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.filter((text) => !text.includes('key_use'))).toEqual([])
    expect(await readKeyUse(edge())).toEqual({ current: 'k2', others: [] })
  })

  test('a key stays while something is still sealed under it from one round to the next', async () => {
    const { cards } = await aHouse(2)
    const old = database.house.seal
    useRing(database, ringOf('k2'))
    await resealAll(edge(), { ...lastRound, round: 1 })
    const place = { table: 'card', column: 'secret_sealed', rowId: cards[0]!.id }
    // A process that was not restarted yet.
    await database.tx((tx) =>
      sql(tx.em, 'update card set secret_sealed = ? where id = ?', [old.seal(place, 'x'), cards[0]!.id]),
    )
    await resealAll(edge(), { ...lastRound, round: 2 })
    expect(await readKeyUse(edge())).toEqual({ current: 'k2', others: [{ keyId: 'k1', waiting: [] }] })
    await resealAll(edge(), lastRound)
    expect(await readKeyUse(edge())).toEqual({ current: 'k2', others: [] })
  })
})
