import { expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { applyRoster } from '../../../jobs/apply-roster.ts'
import { sql } from '../../kernel/sql.ts'
import { somePeople } from '../../testing/campaigns.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anUpload, hrOf, noPorts } from '../../testing/uploads.ts'
import { startApplying } from './apply-roster.ts'
import { indexDays } from './index-days.ts'
import { celebratedOn, countWithoutDay, readCelebrated, readYears, yearsOn } from './read-days.ts'
import { readChanges } from './read-changes.ts'

test('29 February is celebrated on the 28th of years without it, and years are full ones', () => {
  expect(celebratedOn('2025-02-28')).toEqual(['02-28', '02-29'])
  expect(celebratedOn('2024-02-28')).toEqual(['02-28'])
  expect(celebratedOn('2024-02-29')).toEqual(['02-29'])
  expect(yearsOn('2020-03-05', '2025-03-05')).toBe(5)
  expect(yearsOn('2020-03-05', '2025-03-04')).toBe(4)
  expect(yearsOn('2020-02-29', '2021-02-28')).toBe(1)
  expect(yearsOn('2020-02-29', '2024-02-28')).toBe(3)
  expect(yearsOn('2025-03-05', '2025-03-05')).toBeNull()
  expect(yearsOn('2026-03-05', '2025-03-05')).toBeNull()
  expect(yearsOn(null, '2025-03-05')).toBeNull()
})

onBothDatabases('who has their day', (database) => {
  const apply = async (company: TestCompany, text: string): Promise<Id<'roster'>> => {
    const id = await anUpload(database, company, text)
    await hrOf(database, company).tx((tx) => startApplying(tx, { id, markLeavers: false, leaveOutFaulty: true }))
    await applyRoster(database.edge(noPorts), id)
    return id
  }
  const on = (company: TestCompany, kind: 'birthday' | 'hireDay', ...days: string[]) =>
    database.tx(async (tx) => {
      const found = await readCelebrated(tx, { companyId: company.id, kind, days })
      return found.map(({ day, years }) => [day, years])
    })

  test('a list brings birthdays and hire days; a list without the column takes none away', async () => {
    const [company, other] = [await aCompany(database), await aCompany(database)]
    const header = '姓名,手机,出生日期,入职日期\n'
    await apply(company, `${header}甲,13800000001,1990-03-05,2020-03-05\n乙,13800000002,3月5日,2024-02-29\n`)
    await apply(other, `${header}丙,13800000003,1991-03-05,2021-03-05\n`)
    expect(await on(company, 'birthday', '2025-03-05', '2025-03-06')).toEqual([
      ['2025-03-05', null],
      ['2025-03-05', null],
    ])
    expect(await on(company, 'hireDay', '2025-03-05', '2025-02-28', '2024-02-29')).toEqual([
      ['2025-02-28', 1],
      ['2025-03-05', 5],
    ])
    const sealed = await database.tx((tx) =>
      sql<{ birthday: string }>(tx.em, 'select birthday_index as birthday from person'),
    )
    expect(sealed.every(({ birthday }) => /^[0-9a-f]{64}$/.test(birthday))).toBe(true)
    const again = await anUpload(database, company, '姓名,手机\n甲,13800000001\n乙,13800000002\n')
    expect(await readChanges(hrOf(database, company), again)).toMatchObject({ changed: 0, unchanged: 2 })
    await apply(company, '姓名,手机,生日\n甲,13800000001,12-31\n')
    expect(await on(company, 'birthday', '2025-03-05', '2025-12-31')).toEqual([
      ['2025-03-05', null],
      ['2025-12-31', null],
    ])
    expect(await database.tx((tx) => countWithoutDay(tx, company.id, 'birthday'))).toBe(0)
  })

  test('people who left have no day, and those of before get their fingerprints, however often it is done', async () => {
    const company = await aCompany(database)
    const people = [
      { name: '甲', hireDate: '2020-06-01', birthday: '06-01' },
      { name: '乙', hireDate: '2020-06-01' },
    ]
    const [, gone] = await somePeople(database, company.id, people)
    await database.tx((tx) => sql(tx.em, "update person set state = 'left' where id = ?", [gone]))
    await database.tx((tx) => sql(tx.em, 'update person set birthday_index = null, hire_day_index = null'))
    expect(await on(company, 'hireDay', '2025-06-01')).toEqual([])
    for (let turn = 0; turn < 2; turn += 1)
      for (let after: string | null = ''; after !== null;) {
        const from: string = after
        after = await database.tx((tx) => indexDays(tx, from))
      }
    expect(await on(company, 'hireDay', '2025-06-01')).toEqual([['2025-06-01', 5]])
    expect(await on(company, 'birthday', '2025-06-01')).toEqual([['2025-06-01', null]])
    expect(await database.tx((tx) => readYears(tx, gone!, '2026-06-01'))).toBe(6)
  })
})
