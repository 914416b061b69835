import exceljs from 'exceljs'
import type { FilingClass } from '../../../contract/operator/filing.ts'
import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { viewFiling } from '../catalog/read-filing.ts'
import { daysOfQuarter } from '../compliance/custody-rules.ts'
import { readCovers } from '../compliance/read-standing.ts'
import { safeCell } from '../settlement/rules.ts'

/** What a brand's quarter comes to, added up from its daily statements. begin + issued − redeemed − refunded = end. */
export interface QuarterOfBrand {
  readonly brandId: Id<'brand'>
  readonly brandName: string
  readonly class: FilingClass | null
  readonly days: number
  readonly beginFen: Fen
  readonly issuedCards: number
  readonly issuedFen: Fen
  readonly redeemedFen: number
  readonly refundedFen: Fen
  readonly endFen: Fen
  /** As the last statement of the quarter said it. */
  readonly requiredFen: Fen
  readonly shortDays: number
  /** What the bank confirmed for the end, or the newest before, as it is known now. */
  readonly confirmedFen: Fen | null
  readonly confirmedDay: string | null
  readonly guaranteeFen: Fen
}

/**
 * Every brand's quarter, by name: sums over its statements; the first and the last of them give begin and end. Refuses
 * with `custody_quarter_open` while the last day of the quarter has no statement of some brand that was there.
 */
export async function readQuarter(tx: Tx, quarter: string): Promise<QuarterOfBrand[]> {
  const { fromDay, toDay } = daysOfQuarter(quarter)
  const rows = await sql<Record<string, unknown> & { brandId: Id<'brand'>; brandName: string }>(
    tx.em,
    `select brand.id as brandId, brand.name as brandName, last.class as class, first.begin_fen as beginFen,
        last.balance_fen as endFen, last.required_fen as requiredFen, sums.days as days, sums.cards as issuedCards,
        sums.issued as issuedFen, sums.redeemed as redeemedFen, sums.refunded as refundedFen, sums.short as shortDays,
        sums.to_day as toDay
      from (select brand_id, min(day) as from_day, max(day) as to_day, count(*) as days, sum(issued_cards) as cards,
          sum(issued_fen) as issued, sum(redeemed_fen) as redeemed, sum(refunded_fen) as refunded,
          sum(case when shortfall_fen > 0 then 1 else 0 end) as short
        from custody_statement where day >= ? and day <= ? group by brand_id) as sums
      join custody_statement as first on first.brand_id = sums.brand_id and first.day = sums.from_day
      join custody_statement as last on last.brand_id = sums.brand_id and last.day = sums.to_day
      join brand on brand.id = sums.brand_id order by brand.name, brand.id`,
    [fromDay, toDay],
  )
  if (rows.length === 0 || rows.some((row) => row['toDay'] !== toDay))
    refuse('custody_quarter_open', { field: 'quarter' })
  const covers = await readCovers(
    tx,
    rows.map((row) => row.brandId),
    toDay,
  )
  return rows.map(({ brandId, brandName, ...row }) => ({
    brandId,
    brandName,
    class: row['class'] as FilingClass | null,
    ...covers(brandId),
    days: Number(row['days']),
    shortDays: readSum(row['shortDays']),
    issuedCards: readSum(row['issuedCards']),
    beginFen: fen(readSum(row['beginFen'])),
    issuedFen: fen(readSum(row['issuedFen'])),
    redeemedFen: readSum(row['redeemedFen']),
    refundedFen: fen(readSum(row['refundedFen'])),
    endFen: fen(readSum(row['endFen'])),
    requiredFen: fen(readSum(row['requiredFen'])),
  }))
}

const classWords: Readonly<Record<FilingClass, string>> = { scale: '规模', group: '集团', brand: '品牌', other: '其他' }
const amounts = [
  '期初预收资金余额（元）',
  '本季发卡金额（元）',
  '本季兑付金额（元）',
  '本季退卡金额（元）',
  '期末预收资金余额（元）',
  '勾稽差额（元）',
  '期末应存管金额（元）',
  '期末银行确认存管余额（元）',
] as const
const headers = [
  '发卡企业',
  '备案类别',
  '备案编号',
  '备案日期',
  '存管银行',
  '存管账号（末四位）',
  '日报天数',
  '本季发卡数量（张）',
  ...amounts,
  '银行确认余额的日期',
  '保函或保险（元）',
  '日报列示缺口的天数',
] as const
const inYuan: ReadonlySet<string> = new Set([...amounts, '保函或保险（元）'])
const counted: ReadonlySet<string> = new Set(['日报天数', '本季发卡数量（张）', '日报列示缺口的天数'])

/**
 * The quarter's report as xlsx, a row a brand, with the filing that is in force now and the difference of its own sums,
 * which is 0.00. Whoever took it stands in the trail. Refuses as `readQuarter` does.
 */
export async function exportQuarter(tx: Tx, quarter: string): Promise<Buffer> {
  const brands = await readQuarter(tx, quarter)
  const book = new exceljs.Workbook()
  const sheet = book.addWorksheet(quarter, { views: [{ state: 'frozen', ySplit: 1, xSplit: 1 }] })
  sheet.columns = headers.map((header) => ({
    header,
    width: 22,
    style: { numFmt: inYuan.has(header) ? '#,##0.00' : counted.has(header) ? '0' : '@' },
  }))
  sheet.getRow(1).font = { bold: true }
  for (const one of brands) {
    const filing = await viewFiling(tx, one.brandId)
    const { beginFen, issuedFen, redeemedFen, refundedFen, endFen, requiredFen, confirmedFen } = one
    const off = beginFen + issuedFen - redeemedFen - refundedFen - endFen
    const words = [one.brandName, one.class === null ? '未录入' : classWords[one.class]]
    const filed = [filing?.number, filing?.filedDay, filing?.custodyBank, filing?.custodyAccountMasked]
    const money = [beginFen, issuedFen, redeemedFen, refundedFen, endFen, off, requiredFen]
    sheet.addRow([
      ...[...words, ...filed.map((text) => text ?? '')].map(safeCell),
      one.days,
      one.issuedCards,
      ...money.map(yuan),
      confirmedFen === null ? '未确认' : yuan(confirmedFen),
      one.confirmedDay ?? '',
      yuan(one.guaranteeFen),
      one.shortDays,
    ])
    await trail(tx, { objectId: one.brandId, act: 'custody.quarter_taken', note: quarter })
  }
  return Buffer.from(await book.xlsx.writeBuffer())
}

/** Fen as the number that a cell shows with two places; exact up to 90 trillion yuan. */
const yuan = (amount: number): number => amount / 100
