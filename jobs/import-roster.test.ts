import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Id } from '../contract/ids.ts'
import type { Ports } from '../server/channels/ports.ts'
import type { Edge } from '../server/kernel/context.ts'
import { readSum } from '../server/kernel/columns.ts'
import { sql } from '../server/kernel/sql.ts'
import { aCompany, type TestCompany } from '../server/testing/companies.ts'
import { onBothDatabases, type TestDatabase } from '../server/testing/databases.ts'
import { startApplying } from '../server/modules/staff/apply-roster.ts'
import { countPeople } from '../server/modules/staff/read-people.ts'
import { readRecipients } from '../server/modules/staff/read-recipients.ts'
import { receiveRoster } from '../server/modules/staff/receive-roster.ts'
import { applyRoster } from './apply-roster.ts'
import { importRoster } from './import-roster.ts'

interface Expected {
  rows: number
  valid: number
  faults_total: number
  sum_valid_fen?: number
}
const folder = new URL('../samples/rosters/', import.meta.url)
const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<string, Expected>
const noPorts = {} as Ports
let keys = 0

export const hrOf = (database: TestDatabase, company: TestCompany): Edge => database.edge(noPorts, company.as('hr'))

async function upload(database: TestDatabase, company: TestCompany, fileName: string, bytes?: Buffer) {
  const raw = bytes ?? readFileSync(new URL(fileName, folder))
  keys += 1
  const { id } = await receiveRoster(hrOf(database, company), { fileName, again: false, key: `key-${keys}` }, raw)
  return id
}

const rosterOf = async (database: TestDatabase, id: Id<'roster'>) => {
  const [row] = await database.tx((tx) =>
    sql<{ state: string; row_count: number; faulty_count: number; rows_read: number; refusal: string | null }>(
      tx.em,
      'select state, row_count, faulty_count, rows_read, refusal from roster where id = ?',
      [id],
    ),
  )
  return row
}
const count = async (database: TestDatabase, text: string, values: unknown[]): Promise<number> => {
  const [row] = await database.tx((tx) => sql<{ n: unknown }>(tx.em, `select count(*) as n from ${text}`, values))
  return readSum(row?.n)
}

/** An edge whose transactions fail after so many, as when the process is killed there. */
function killedAfter(edge: Edge, transactions: number): Edge {
  let left = transactions
  return {
    ...edge,
    tx: (work) => {
      left -= 1
      return left < 0 ? Promise.reject(new Error('killed')) : edge.tx(work)
    },
  }
}

onBothDatabases('a staff list', (database) => {
  const system = (): Edge => database.edge(noPorts)

  test.each(Object.entries(expected))(
    '%s is received, read and applied with the counts expected',
    async (name, want) => {
      const company = await aCompany(database)
      const id = await upload(database, company, name)
      await importRoster(system(), id)
      const invalid = want.rows - want.valid
      expect(await rosterOf(database, id)).toMatchObject({
        state: invalid === 0 ? 'ready' : 'needs_mending',
        row_count: want.rows,
        rows_read: want.rows,
        faulty_count: invalid,
        refusal: null,
      })
      expect(await count(database, 'roster_fault where roster_id = ?', [id])).toBe(want.faults_total)
      await hrOf(database, company).tx((tx) => startApplying(tx, { id, leaveOutFaulty: true, markLeavers: true }))
      await applyRoster(system(), id)
      expect(await rosterOf(database, id)).toMatchObject({ state: 'used' })
      expect(await database.tx((tx) => countPeople(tx, company.id))).toBe(want.valid)
      const wish = { companyId: company.id, rosterId: id, selection: { kind: 'all' as const } }
      const recipients = await database.tx((tx) => readRecipients(tx, wish))
      expect(recipients).toHaveLength(want.valid)
      expect(new Set(recipients.map((one) => one.personId)).size).toBe(want.valid)
      const sum = recipients.reduce((total, one) => total + (one.amountFen ?? 0), 0)
      expect(sum).toBe(want.sum_valid_fen ?? 0)
    },
  )

  test('killed at any transaction and run again, each row and each person is made once', async () => {
    const company = await aCompany(database)
    const id = await upload(database, company, 'factory-10000.xlsx')
    for (const after of [0, 1, 2, 5, 9]) {
      await expect(importRoster(killedAfter(system(), after), id)).rejects.toThrow('killed')
    }
    await Promise.all([importRoster(system(), id), importRoster(system(), id)])
    await importRoster(system(), id)
    expect(await rosterOf(database, id)).toMatchObject({ state: 'needs_mending', row_count: 10_000, faulty_count: 200 })
    expect(await count(database, 'roster_row where roster_id = ?', [id])).toBe(10_000)
    expect(await count(database, 'roster_fault where roster_id = ?', [id])).toBe(200)
    await hrOf(database, company).tx((tx) => startApplying(tx, { id, leaveOutFaulty: true, markLeavers: false }))
    for (const after of [1, 3, 9]) {
      await expect(applyRoster(killedAfter(system(), after), id)).rejects.toThrow('killed')
    }
    await Promise.all([applyRoster(system(), id), applyRoster(system(), id)])
    expect(await rosterOf(database, id)).toMatchObject({ state: 'used' })
    expect(await database.tx((tx) => countPeople(tx, company.id))).toBe(9800)
    expect(await count(database, 'roster_row where roster_id = ? and person_id is not null', [id])).toBe(9800)
  })

  test('a file that is no list ends as rejected with its code, and leaves no rows', async () => {
    const company = await aCompany(database)
    const cases: [string, string, string][] = [
      ['not.xlsx', 'hello there', 'not_a_spreadsheet'],
      ['plain.csv', '甲,乙\n1,2\n', 'header_missing'],
      ['none.csv', '姓名,手机\n', 'no_rows'],
      ['bad.csv', '姓名,手机\n张三,123\n李四,456\n', 'no_valid_row'],
    ]
    for (const [name, text, code] of cases) {
      const id = await upload(database, company, name, Buffer.from(text))
      await importRoster(system(), id)
      expect(await rosterOf(database, id)).toMatchObject({ state: 'rejected', refusal: code, row_count: 0 })
      expect(await count(database, 'roster_row where roster_id = ?', [id])).toBe(0)
    }
  })
})
