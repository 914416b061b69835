import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { sql } from '../../kernel/sql.ts'
import { beijing, custodyStage } from '../../testing/custody.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { endGuarantee, enterBalance, enterGuarantee } from '../compliance/enter-cover.ts'
import { readPrepaidAt } from '../compliance/read-prepaid.ts'
import { readBrands } from '../catalog/read-template.ts'
import { account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'
import { writeStatements } from './write-statements.ts'

interface Row {
  readonly day: string
  readonly begin: number
  readonly cards: number
  readonly issued: number
  readonly redeemed: number
  readonly refunded: number
  readonly balance: number
  readonly quarter: number
  readonly required: number
  readonly confirmed: number | null
  readonly shortfall: number
}

onBothDatabases('custody statements', (database) => {
  const rows = async (brandId: string): Promise<Row[]> => {
    const text =
      `select day, begin_fen as "begin", issued_cards as cards, issued_fen as issued, redeemed_fen as redeemed,
        refunded_fen as refunded, balance_fen as balance, quarter_fen as quarter, required_fen as required,
        confirmed_fen as confirmed, shortfall_fen as shortfall
      from custody_statement where brand_id = ? order by day`.replace('"begin"', 'begins')
    const found = await database.tx((tx) => sql<Record<string, unknown>>(tx.em, text, [brandId]))
    return found.map(({ day, begins, confirmed, ...more }) => ({
      ...(Object.fromEntries(Object.entries(more).map(([name, value]) => [name, Number(value)])) as unknown as Row),
      day: String(day),
      begin: Number(begins),
      confirmed: confirmed === null ? null : Number(confirmed),
    }))
  }
  const alarms = () =>
    database.tx((tx) =>
      sql<{ fen: unknown; ended: unknown }>(
        tx.em,
        'select shortfall_fen as fen, ended_at_ms as ended from custody_alarm order by id',
      ),
    )

  test('a card belongs to the day of Beijing and to the quarter in which it was made, to the millisecond', async () => {
    const stage = await custodyStage(database)
    const brand = await stage.brand(beijing('2026-03-30 09:00:00'), { class: 'group' })
    await stage.issue(brand, beijing('2026-03-31 23:59:59.999'), 10_001)
    await stage.issue(brand, beijing('2026-04-01 00:00:00.000'), 50_000, 2)
    await writeStatements(stage.system(beijing('2026-04-03 02:40:00')))
    const written = await rows(brand.id)
    expect(
      written.map(({ day, begin, cards, issued, balance, quarter, required }) => [
        day,
        begin,
        cards,
        issued,
        balance,
        quarter,
        required,
      ]),
    ).toEqual([
      ['2026-03-30', 0, 0, 0, 0, 0, 0],
      ['2026-03-31', 0, 1, 10_001, 10_001, 0, 0],
      // 30 % of 100.01 yuan is 30.003: the odd fen goes up.
      ['2026-04-01', 10_001, 2, 100_000, 110_001, 10_001, 3_001],
      ['2026-04-02', 110_001, 0, 0, 110_001, 10_001, 3_001],
    ])
  })

  test('a day is not written before a quarter of an hour has passed since it ended', async () => {
    const stage = await custodyStage(database)
    const brand = await stage.brand(beijing('2026-05-05 09:00:00'), {})
    expect(await writeStatements(stage.system(beijing('2026-05-06 00:14:59.999')))).toBe(0)
    expect(await writeStatements(stage.system(beijing('2026-05-06 00:15:00')))).toBe(1)
    expect((await rows(brand.id)).map((row) => row.day)).toEqual(['2026-05-05'])
  })

  test('what was missed is caught up, and what is rolled forward is the whole account', async () => {
    const stage = await custodyStage(database)
    const brand = await stage.brand(beijing('2026-01-05 09:00:00'), { class: 'brand' })
    const later = await stage.brand(beijing('2026-01-09 23:59:59.999'), { class: 'other' })
    const orderId = await stage.issue(brand, beijing('2026-01-05 10:00:00'), 20_000, 5)
    await writeStatements(stage.system(beijing('2026-01-06 02:40:00')))
    await stage.refund(orderId, beijing('2026-01-07 12:00:00'), 2)
    await stage.redeem(brand, orderId, beijing('2026-01-08 12:00:00'), 700)
    await stage.issue(later, beijing('2026-01-10 12:00:00'), 30_000)
    await writeStatements(stage.system(beijing('2026-01-12 02:40:00')))
    await writeStatements(stage.system(beijing('2026-01-12 03:40:00')))
    const written = await rows(brand.id)
    expect(written.map((row) => row.day.slice(8))).toEqual(['05', '06', '07', '08', '09', '10', '11'])
    expect(written.map((row) => row.balance)).toEqual([100_000, 100_000, 60_000, 59_300, 59_300, 59_300, 59_300])
    expect(written[2]).toMatchObject({ refunded: 40_000, redeemed: 0 })
    expect(written[3]).toMatchObject({ refunded: 0, redeemed: 700 })
    expect((await rows(later.id)).map((row) => [row.day.slice(8), row.balance])).toEqual([
      ['09', 0],
      ['10', 30_000],
      ['11', 30_000],
    ])
    const whole = await database.tx((tx) => readBalance(tx, 'VALUE', account.cards(brand.id)))
    const now = await stage
      .system(beijing('2026-01-12 12:00:00'))
      .read(async (tx) => readPrepaidAt(tx, await readBrands(tx, [brand.id]), tx.clock.now()))
    expect([whole, now.get(brand.id)]).toEqual([59_300, 59_300])
  })

  test('two workers at once write each statement once and raise one alarm', async () => {
    const stage = await custodyStage(database)
    const brand = await stage.brand(beijing('2026-06-29 09:00:00'), { class: 'scale' })
    await stage.issue(brand, beijing('2026-06-30 10:00:00'), 100_000)
    const edge = stage.system(beijing('2026-07-05 02:40:00'))
    await Promise.all([writeStatements(edge), writeStatements(edge), writeStatements(edge)])
    expect((await rows(brand.id)).map((row) => row.day)).toEqual([
      '2026-06-29',
      '2026-06-30',
      '2026-07-01',
      '2026-07-02',
      '2026-07-03',
      '2026-07-04',
    ])
    expect((await alarms()).map((row) => Number(row.fen))).toEqual([20_000])
  })

  test('a shortfall is alarmed about once, until custody covers it again', async () => {
    const stage = await custodyStage(database)
    const brand = await stage.brand(beijing('2026-03-31 09:00:00'), { class: 'brand' })
    await stage.issue(brand, beijing('2026-03-31 10:00:00'), 100_000)
    const on = (wall: string) => stage.system(beijing(wall))
    const confirm = (wall: string, day: string, amount: number) =>
      on(wall).tx((tx) => enterBalance(tx, { brandId: brand.id, day, fen: fen(amount), document: `回单 ${wall}` }))
    await confirm('2026-04-01 10:00:00', '2026-03-31', 39_999)
    expect(await alarms()).toHaveLength(1)
    await writeStatements(on('2026-04-02 02:40:00'))
    await writeStatements(on('2026-04-03 02:40:00'))
    expect(
      (await rows(brand.id)).map(({ required, confirmed, shortfall }) => [required, confirmed, shortfall]),
    ).toEqual([
      [0, 39_999, 0],
      [40_000, 39_999, 1],
      [40_000, 39_999, 1],
    ])
    expect((await alarms()).map((row) => [Number(row.fen), row.ended])).toEqual([[1, null]])
    await confirm('2026-04-03 10:00:00', '2026-04-02', 40_000)
    expect((await alarms()).map((row) => row.ended === null)).toEqual([false])
    await writeStatements(on('2026-04-04 02:40:00'))
    expect(await alarms()).toHaveLength(1)
    await confirm('2026-04-04 10:00:00', '2026-04-03', 0)
    expect((await alarms()).map((row) => [Number(row.fen), row.ended === null])).toEqual([
      [1, false],
      [40_000, true],
    ])
  })

  test('a guarantee counts from its first day to its last, or to the day on which it was ended', async () => {
    const stage = await custodyStage(database)
    const brand = await stage.brand(beijing('2026-03-31 09:00:00'), { class: 'scale' })
    await stage.issue(brand, beijing('2026-03-31 10:00:00'), 100_000)
    const span = { fromDay: '2026-04-02', toDay: '2026-04-30', document: '保函 1' }
    const id = await stage
      .system(beijing('2026-04-01 10:00:00'))
      .tx((tx) => enterGuarantee(tx, { brandId: brand.id, kind: 'bank_guarantee', fen: fen(15_000), ...span }))
    const end = () => stage.system(beijing('2026-04-04 10:00:00')).tx((tx) => endGuarantee(tx, id, '2026-04-03'))
    expect([await end(), await end()]).toEqual(['2026-04-03', '2026-04-03'])
    await writeStatements(stage.system(beijing('2026-04-05 02:40:00')))
    expect((await rows(brand.id)).map((row) => [row.day.slice(5), row.shortfall])).toEqual([
      ['03-31', 0],
      ['04-01', 20_000],
      ['04-02', 5_000],
      ['04-03', 5_000],
      ['04-04', 20_000],
    ])
  })
})
