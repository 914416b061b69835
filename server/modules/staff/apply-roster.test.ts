import { expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { applyRoster } from '../../../jobs/apply-roster.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anUpload, hrOf, noPorts } from '../../testing/uploads.ts'
import { startApplying } from './apply-roster.ts'
import { findPersonByUserId, isPersonActive } from './find-person.ts'
import { readChanges } from './read-changes.ts'
import { countPeople, openPeople, searchPeople } from './read-people.ts'
import { readRecipients } from './read-recipients.ts'

const header = '工号,姓名,手机,部门,企业微信账号,金额\n'
const first = `${header}1,甲一,13800000001,行政,JiaYi,100\n2,乙二,13800000002,行政,,200\n3,丙三,13800000003,生产,,300\n4,丁四,13800000004,生产,,400\n`

onBothDatabases('applying a staff list', (database) => {
  const apply = async (company: TestCompany, id: Id<'roster'>, markLeavers = true, leaveOutFaulty = true) => {
    await hrOf(database, company).tx((tx) => startApplying(tx, { id, markLeavers, leaveOutFaulty }))
    await applyRoster(database.edge(noPorts), id)
  }
  const recipientsOf = (company: TestCompany, rosterId: Id<'roster'>) =>
    database.tx((tx) => readRecipients(tx, { companyId: company.id, rosterId, selection: { kind: 'all' } }))

  test('a second list shows joiners, leavers and changes before it is applied, and brings just these', async () => {
    const company = await aCompany(database)
    const one = await anUpload(database, company, first)
    expect(await readChanges(hrOf(database, company), one)).toMatchObject({ joiners: 4, leavers: 0, changed: 0 })
    await apply(company, one)
    const before = await recipientsOf(company, one)
    expect(before.map((row) => row.amountFen)).toEqual([10_000, 20_000, 30_000, 40_000])
    const two = await anUpload(
      database,
      company,
      `${header},甲一,13800000001,财务,jiayi,100\n2,乙二,13800000002,,,200\n3,丙三,13800000003,生产,,不详\n5,戊五,13800000005,生产,,500\n`,
    )
    const changes = await readChanges(hrOf(database, company), two)
    expect(changes).toMatchObject({ joiners: 1, leavers: 1, changed: 1, unchanged: 1, faulty: 1 })
    expect(changes.examples).toEqual([
      {
        kind: 'changed',
        name: '甲一',
        department: '财务',
        fields: [{ field: 'department', before: '行政', after: '财务' }],
      },
      { kind: 'joiner', name: '戊五', department: '生产', fields: [] },
      { kind: 'leaver', name: '丁四', department: '生产', fields: [] },
    ])
    expect(await database.tx((tx) => countPeople(tx, company.id))).toBe(4)
    await apply(company, two)
    expect(await database.tx((tx) => countPeople(tx, company.id))).toBe(4)
    const after = await recipientsOf(company, two)
    expect(after.slice(0, 2).map((row) => row.personId)).toEqual(before.slice(0, 2).map((row) => row.personId))
    const [jia, yi] = await database.tx((tx) =>
      openPeople(
        tx,
        after.map((row) => row.personId),
      ),
    )
    expect(jia).toMatchObject({ staffNo: '1', department: '财务', userid: 'jiayi', matched: 'listed' })
    expect(yi).toMatchObject({ name: '乙二', department: '行政', userid: null, matched: 'unknown' })
    const ding = before[3]!.personId
    expect(await database.tx((tx) => isPersonActive(tx, ding))).toBe(false)
    expect(await database.tx((tx) => isPersonActive(tx, before[2]!.personId))).toBe(true)
    expect((await recipientsOf(company, one)).map((row) => row.personId)).not.toContain(ding)
    const three = await anUpload(database, company, first)
    expect(await readChanges(hrOf(database, company), three)).toMatchObject({ joiners: 1, leavers: 1, changed: 1 })
    await apply(company, three, false)
    expect((await recipientsOf(company, three)).map((row) => row.personId)).toEqual(before.map((row) => row.personId))
  })

  test('leavers are found page by page, wherever they stand, and each is marked once', async () => {
    const company = await aCompany(database)
    const lines = Array.from({ length: 2100 }, (_, index) => `,员工${index},${13_900_000_000 + index},,,1`)
    await apply(company, await anUpload(database, company, header + lines.join('\n')))
    const stay = lines.filter((_line, index) => index > 5 && index % 700 !== 0 && index !== 2099)
    const two = await anUpload(database, company, header + stay.join('\n'))
    const changes = await readChanges(hrOf(database, company), two)
    expect(changes).toMatchObject({ joiners: 0, leavers: 9, changed: 0, unchanged: 2091 })
    expect(changes.examples.map((one) => one.name)).toEqual(
      [0, 1, 2, 3, 4, 5, 700, 1400, 2099].map((index) => `员工${index}`),
    )
    await apply(company, two)
    expect(await database.tx((tx) => countPeople(tx, company.id))).toBe(2091)
  })

  test('a phone that went to somebody new does not make them the person who had it', async () => {
    const company = await aCompany(database)
    await apply(
      company,
      await anUpload(database, company, `${header}1,甲一,13800000001,,jia,1\n2,乙二,13800000002,,,1\n`),
    )
    const second = await anUpload(
      database,
      company,
      `${header}9,新人,13800000001,,xin,1\n,乙二,13800000009,,,1\n2,乙二,13800000002,,yi,1\n1,甲一,13800000008,,jia,1\n`,
    )
    expect(await readChanges(hrOf(database, company), second)).toMatchObject({ joiners: 2, changed: 2, leavers: 0 })
    await apply(company, second)
    expect(await database.tx((tx) => countPeople(tx, company.id))).toBe(4)
    const found = await database.tx((tx) => findPersonByUserId(tx, company.id, 'JIA'))
    const [jia] = await database.tx((tx) => openPeople(tx, [found!.id]))
    expect(jia).toMatchObject({ name: '甲一', phone: '13800000008' })
  })

  test('a list with faults waits unless they are left out; a used list, a second start and a stranger are refused', async () => {
    const company = await aCompany(database)
    const other = await aCompany(database)
    const id = await anUpload(database, company, `${header}1,甲一,13800000001,,,1\n2,乙二,1,,,1\n`)
    const start = (who: TestCompany, leaveOutFaulty: boolean) =>
      hrOf(database, who).tx((tx) => startApplying(tx, { id, leaveOutFaulty, markLeavers: false }))
    await expect(start(company, false)).rejects.toMatchObject({ code: 'roster_not_ready' })
    await expect(start(other, true)).rejects.toMatchObject({ code: 'not_found' })
    await expect(recipientsOf(company, id)).rejects.toMatchObject({ code: 'roster_not_ready' })
    const starts = await Promise.allSettled([start(company, true), start(company, true)])
    expect(starts.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected'])
    const two = await anUpload(database, company, first)
    await expect(
      hrOf(database, company).tx((tx) => startApplying(tx, { id: two, leaveOutFaulty: true, markLeavers: true })),
    ).rejects.toMatchObject({ code: 'state_conflict' })
    await applyRoster(database.edge(noPorts), id)
    await expect(start(company, true)).rejects.toMatchObject({ code: 'state_conflict' })
    expect(await recipientsOf(company, id)).toHaveLength(1)
    await expect(recipientsOf(other, id)).rejects.toMatchObject({ code: 'not_found' })
  })

  test('people are found by what is exactly theirs, in their own company only', async () => {
    const [company, other] = [await aCompany(database), await aCompany(database)]
    await apply(company, await anUpload(database, company, first))
    const find = async (who: TestCompany, text: string) =>
      (await hrOf(database, who).read((tx) => searchPeople(tx, text))).map((person) => person.name)
    for (const text of ['甲一', '13800000001', '1', 'JIAYI', '0001'])
      expect(await find(company, text)).toEqual(['甲一'])
    expect(await find(company, '甲')).toEqual([])
    expect(await find(other, '甲一')).toEqual([])
  })

  test('departments and rows choose recipients', async () => {
    const company = await aCompany(database)
    const rosterId = await anUpload(database, company, `${first}5,戊五,13800000005,,,500\n`)
    await apply(company, rosterId)
    const all = await recipientsOf(company, rosterId)
    const choose = (selection: Parameters<typeof readRecipients>[1]['selection']) =>
      database.tx((tx) => readRecipients(tx, { companyId: company.id, rosterId, selection }))
    expect(await choose({ kind: 'departments', departments: ['生产', ''] })).toEqual(all.slice(2))
    const rows = await database.tx((tx) =>
      sql<{ id: Id<'rosterRow'> }>(tx.em, 'select id from roster_row where roster_id = ? order by row_no', [rosterId]),
    )
    expect(await choose({ kind: 'rows', rowIds: [rows[3]!.id, rows[0]!.id] })).toEqual([all[0], all[3]])
    const people = [all[3]!, all[0]!].map((one) => one.personId)
    const chosen = await choose({ kind: 'people', personIds: [...people, people[0]!] })
    expect(chosen).toEqual([all[0], all[3]].map((one) => ({ ...one, amountFen: null })))
    const other = await aCompany(database)
    const wish = { companyId: other.id, rosterId: null, selection: { kind: 'people' as const, personIds: people } }
    expect(await database.tx((tx) => readRecipients(tx, wish))).toEqual([])
  })
})
