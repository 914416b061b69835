import { expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import type { RosterField } from '../../../contract/roster-row.ts'
import { importRoster } from '../../../jobs/import-roster.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anUpload, hrOf, noPorts } from '../../testing/uploads.ts'
import { mapColumns } from './map-columns.ts'
import { mendRows, removeRows, replaceTexts } from './mend-rows.ts'
import { readRosterDetail, readRosterRows } from './read-roster.ts'

const header = '工号,姓名,手机,部门,企业微信账号,金额\n'

onBothDatabases('mending a staff list', (database) => {
  const rowsOf = (company: TestCompany, id: Id<'roster'>, more: object = {}) =>
    hrOf(database, company).read((tx) =>
      readRosterRows(tx, { id, faulty: false, after: 0, offset: 0, limit: 500, ...more }, 'zh'),
    )
  const detailOf = (company: TestCompany, id: Id<'roster'>) =>
    hrOf(database, company).read((tx) => readRosterDetail(tx, id, 'zh'))
  /** Row number -> its faults, in short. */
  const faultsOf = async (company: TestCompany, id: Id<'roster'>) => {
    const { rows } = await rowsOf(company, id)
    return Object.fromEntries(
      rows.flatMap((row) =>
        row.faults.length === 0
          ? []
          : [[row.row, row.faults.map((one) => `${one.code}${one.firstRow === null ? '' : `>${one.firstRow}`}`)]],
      ),
    )
  }
  const mend = async (
    company: TestCompany,
    id: Id<'roster'>,
    row: number,
    cells: Partial<Record<RosterField, string>>,
  ) => {
    const { rows } = await rowsOf(company, id)
    const rowId = rows.find((one) => one.row === row)!.id
    return hrOf(database, company).tx((tx) => mendRows(tx, { id, rows: [{ id: rowId, cells }] }, 'zh'))
  }

  test('only the first of equal values is free of fault, whatever is edited', async () => {
    const company = await aCompany(database)
    const list = `${header}1,甲一,13800000001,行政,a1,100\n2,乙二,13800000001,行政,A1,100\n3,丙三,13800000001,行政,,100\n4,丁四,13800000004,行政,,0\n`
    const id = await anUpload(database, company, list)
    expect(await faultsOf(company, id)).toEqual({
      3: ['phone-duplicate>2', 'userid-duplicate>2'],
      4: ['phone-duplicate>2'],
      5: ['amount-not-positive'],
    })
    const first = await mend(company, id, 2, { phone: '13800000009', wecomUserId: 'b9' })
    expect(first.rows.map((row) => [row.row, row.faults.length])).toEqual([
      [2, 0],
      [3, 0],
      [4, 1],
    ])
    expect(await faultsOf(company, id)).toEqual({ 4: ['phone-duplicate>3'], 5: ['amount-not-positive'] })
    await mend(company, id, 2, { phone: ' 138 0000 0001 ' })
    expect(await faultsOf(company, id)).toMatchObject({ 3: ['phone-duplicate>2'], 4: ['phone-duplicate>2'] })
    const { rows } = await rowsOf(company, id)
    const byRow = (row: number) => rows.find((one) => one.row === row)!.id
    const removed = await hrOf(database, company).tx((tx) => removeRows(tx, { id, rowIds: [byRow(2), byRow(4)] }, 'zh'))
    expect(removed).toMatchObject({ faultyCount: 1, state: 'needs_mending' })
    expect((await detailOf(company, id)).removedCount).toBe(2)
    expect(await mend(company, id, 5, { amount: '¥200' })).toMatchObject({ faultyCount: 0, state: 'ready' })
    expect(await detailOf(company, id)).toMatchObject({ rowCount: 2, faultyCount: 0, state: 'ready', faultKinds: [] })
    expect(await mend(company, id, 5, { name: ' ' })).toMatchObject({ faultyCount: 1, state: 'needs_mending' })
  })

  test('an edit of another cell leaves the fault of a twin, and its place, alone', async () => {
    const company = await aCompany(database)
    const list = `${header}1,甲一,13800000001,,a1,1\n2,乙二,13800000001,,A1,不详\n3,丙三,13800000001,,,1\n`
    const id = await anUpload(database, company, list)
    expect(await faultsOf(company, id)).toMatchObject({ 4: ['phone-duplicate>2'] })
    await mend(company, id, 3, { amount: '5', department: '行政' })
    await mend(company, id, 2, { name: '甲' })
    expect(await faultsOf(company, id)).toEqual({
      3: ['phone-duplicate>2', 'userid-duplicate>2'],
      4: ['phone-duplicate>2'],
    })
    await mend(company, id, 3, { phone: '110' })
    expect(await faultsOf(company, id)).toEqual({
      3: ['phone-invalid', 'userid-duplicate>2'],
      4: ['phone-duplicate>2'],
    })
  })

  test('two edits at once, each making the twin of the other, leave one fault', async () => {
    const company = await aCompany(database)
    const id = await anUpload(database, company, `${header}1,甲一,13800000001,,,1\n2,乙二,13800000002,,,1\n`)
    await Promise.all([mend(company, id, 2, { phone: '13800000007' }), mend(company, id, 3, { phone: '13800000007' })])
    expect(await faultsOf(company, id)).toEqual({ 3: ['phone-duplicate>2'] })
    expect(await detailOf(company, id)).toMatchObject({ state: 'needs_mending', faultyCount: 1 })
  })

  test('a repeated slip is replaced everywhere, across slices, and checked again', async () => {
    const company = await aCompany(database)
    const lines = Array.from(
      { length: 2300 },
      (_, i) => `${i},员工${i},1390000${String(i).padStart(4, '0')},总装,,五百`,
    )
    const id = await anUpload(database, company, `${header}x,好的,13800000000,总装,,500\n${lines.join('\n')}`)
    expect(await detailOf(company, id)).toMatchObject({ state: 'needs_mending', faultyCount: 2300 })
    const wish = { id, field: 'amount' as const, from: '五百', to: '500' }
    expect(await replaceTexts(hrOf(database, company), wish)).toEqual({ changed: 2300, faultyCount: 0, state: 'ready' })
    expect(await replaceTexts(hrOf(database, company), wish)).toMatchObject({ changed: 0, state: 'ready' })
    expect(await detailOf(company, id)).toMatchObject({
      withAmount: 2301,
      departments: [{ name: '总装', heads: 2301 }],
    })
  })

  test('rows are found by name, phone, number and account, by kind of fault, and by page', async () => {
    const company = await aCompany(database)
    const list = `${header}A1,甲一,13800000001,行政,ZhangSan,100\nA2,乙二,123,行政,b2,100\nA3,丙三,13800000003,,,9999\n`
    const id = await anUpload(database, company, list)
    for (const query of ['甲一', '138-0000-0001', 'A1', 'zhangsan']) {
      expect((await rowsOf(company, id, { query })).rows.map((row) => row.row)).toEqual([2])
    }
    expect(await rowsOf(company, id, { query: '甲' })).toEqual({ total: 0, rows: [] })
    expect((await rowsOf(company, id, { faulty: true })).total).toBe(2)
    const [over] = (await rowsOf(company, id, { code: 'amount-over-limit' })).rows
    expect(over).toMatchObject({ row: 4, cells: { amount: '9999', name: '丙三' } })
    expect((await rowsOf(company, id, { offset: 1, limit: 1 })).rows.map((row) => row.row)).toEqual([3])
    expect((await rowsOf(company, id, { after: 3 })).rows.map((row) => row.row)).toEqual([4])
  })

  test('corrected columns are read anew without losing or doubling rows; a correction that cannot be is given up', async () => {
    const company = await aCompany(database)
    const id = await anUpload(
      database,
      company,
      '姓名,手机,座机电话\n甲一,13800000001,13900000001\n乙二,123,13900000002\n',
    )
    expect((await detailOf(company, id)).columns).toEqual([
      { letter: 'A', header: '姓名', field: 'name', samples: ['甲一', '乙二'] },
      { letter: 'B', header: '手机', field: 'phone', samples: ['13800000001', '123'] },
      { letter: 'C', header: '座机电话', field: null, samples: ['13900000001', '13900000002'] },
    ])
    const map = (columns: Partial<Record<RosterField, string>>) =>
      hrOf(database, company).tx((tx) => mapColumns(tx, { id, columns }))
    await expect(map({ name: 'A' })).rejects.toMatchObject({ code: 'malformed_request' })
    await expect(map({ name: 'A', phone: 'A' })).rejects.toMatchObject({ code: 'malformed_request' })
    await map({ name: 'A', phone: 'C' })
    await expect(map({ name: 'A', phone: 'B' })).rejects.toMatchObject({ code: 'state_conflict' })
    await importRoster(database.edge(noPorts), id)
    expect(await detailOf(company, id)).toMatchObject({ state: 'ready', rowCount: 2, rowsRead: 2 })
    expect((await rowsOf(company, id)).rows.map((row) => row.cells.phone)).toEqual(['13900000001', '13900000002'])
    await map({ name: 'B', phone: 'A' })
    await importRoster(database.edge(noPorts), id)
    await importRoster(database.edge(noPorts), id)
    const given = await detailOf(company, id)
    expect(given).toMatchObject({ state: 'needs_mending', rowCount: 2, faultyCount: 1 })
    expect(given.warnings[0]).toContain('列的更正没有采用')
  })
})
