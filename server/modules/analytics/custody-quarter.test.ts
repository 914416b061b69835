import exceljs from 'exceljs'
import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { beijing, custodyStage } from '../../testing/custody.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { enterBalance } from '../compliance/enter-cover.ts'
import { exportQuarter, readQuarter } from './export-quarter.ts'
import { writeStatements } from './write-statements.ts'

onBothDatabases('the report of a quarter', (database) => {
  test('begin and what moved give the end, brand by brand, and only once the quarter is over', async () => {
    const stage = await custodyStage(database)
    const brand = await stage.brand(beijing('2026-03-30 09:00:00'), { class: 'group', number: '=1+1' })
    const late = await stage.brand(beijing('2026-06-29 09:00:00'), { class: 'other' })
    const orderId = await stage.issue(brand, beijing('2026-03-31 23:59:59.999'), 10_001, 3)
    await stage.issue(brand, beijing('2026-04-01 00:00:00.000'), 20_000, 2)
    await stage.refund(orderId, beijing('2026-05-01 12:00:00'), 1)
    await stage.redeem(brand, orderId, beijing('2026-06-30 23:59:59.999'), 1)
    await stage.issue(late, beijing('2026-07-01 00:00:00.000'), 700)
    const confirm = (day: string, amount: number) =>
      stage
        .system(beijing(`${day} 23:00:00`))
        .tx((tx) => enterBalance(tx, { brandId: brand.id, day, fen: fen(amount), document: day }))
    await confirm('2026-04-03', 9_001)
    const at = (wall: string) => stage.system(beijing(wall))
    await writeStatements(at('2026-06-30 02:40:00'))
    await expect(at('2026-07-01 00:10:00').tx((tx) => exportQuarter(tx, '2026-Q2'))).rejects.toMatchObject({
      code: 'custody_quarter_open',
    })
    await writeStatements(at('2026-07-02 02:40:00'))
    await confirm('2026-06-30', 9_500)
    const quarter = (name: string) => at('2026-07-02 10:00:00').tx((tx) => readQuarter(tx, name))
    const [first, second] = await quarter('2026-Q2')
    expect(first).toMatchObject({
      class: 'group',
      days: 91,
      beginFen: 30003,
      issuedCards: 2,
      issuedFen: 4e4,
      redeemedFen: 1,
      refundedFen: 10001,
      endFen: 60001,
      requiredFen: 9001,
      confirmedFen: 9500,
      confirmedDay: '2026-06-30',
      shortDays: 2,
    })
    expect(second).toMatchObject({ class: 'other', days: 2, beginFen: 0, issuedFen: 0, endFen: 0, confirmedFen: null })
    for (const one of [first!, second!])
      expect(one.beginFen + one.issuedFen - one.redeemedFen - one.refundedFen).toBe(one.endFen)
    expect((await quarter('2026-Q1')).map((one) => [one.beginFen, one.issuedCards, one.endFen])).toEqual([
      [0, 3, 30_003],
    ])

    const book = new exceljs.Workbook()
    const bytes = await at('2026-07-02 10:00:00').tx((tx) => exportQuarter(tx, '2026-Q2'))
    await book.xlsx.load(bytes as unknown as Parameters<typeof book.xlsx.load>[0])
    const sheet = book.worksheets[0]!
    const cells = (row: number) => (sheet.getRow(row).values as unknown[]).slice(1)
    const named = Object.fromEntries(cells(1).map((header, index) => [String(header), cells(2)[index]]))
    expect(named).toMatchObject({
      备案类别: '集团',
      备案编号: "'=1+1",
      '存管账号（末四位）': '**** 2222',
      '本季发卡数量（张）': 2,
      '期初预收资金余额（元）': 300.03,
      '期末预收资金余额（元）': 600.01,
      '勾稽差额（元）': 0,
      '期末应存管金额（元）': 90.01,
      '期末银行确认存管余额（元）': 95,
      日报列示缺口的天数: 2,
    })
    expect(sheet.rowCount).toBe(3)
  })
})
