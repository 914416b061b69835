import { buffer } from 'node:stream/consumers'
import exceljs from 'exceljs'
import { beforeEach, expect, test } from 'vitest'
import type { CompanyRole } from '../../../contract/abilities.ts'
import { fen } from '../../../contract/fen.ts'
import {
  rowFigures,
  reportLimits,
  type Report,
  type ReportRow,
  type ReportSums,
  type ReportWish,
  type RowFigure,
} from '../../../contract/hr/report.ts'
import type { Ports } from '../../channels/ports.ts'
import { readSum } from '../../kernel/columns.ts'
import { change, sql } from '../../kernel/sql.ts'
import { anApprovedCampaign, anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aBrand, reportStage } from '../../testing/reporting.ts'
import { openPayment } from '../funding/open-payment.ts'
import { createBudget } from '../wallet/create-budget.ts'
import { exportReport } from './export-report.ts'
import { readReport } from './read-report.ts'
import { readReportRows } from './read-report-rows.ts'
import { readReportScope } from './report-scope.ts'

const DAY = 86_400_000
const FACE = 50_000

onBothDatabases('the report of a company', (database) => {
  let company: TestCompany
  let nowMs: number
  beforeEach(async () => {
    nowMs = Date.now()
    company = await aCompany(database, { name: '青禾信息', walletFen: 1_000_000 })
  })

  const edge = (role: CompanyRole = 'hr', of = company) => database.edge({} as Ports, of.as(role), () => nowMs)
  const report = (wish: ReportWish = {}, of = company): Promise<Report> =>
    edge('hr', of).read(async (tx) => readReport(tx, await readReportScope(tx, wish)))
  const page = (
    figure: RowFigure,
    more: ReportWish & { cursor?: string; limit?: number } = {},
    role: CompanyRole = 'hr',
  ) => {
    const { cursor, limit = 2, ...wish } = more
    return edge(role).read(async (tx) => readReportRows(tx, await readReportScope(tx, wish), { figure, cursor, limit }))
  }
  /** All rows behind a figure, two at a time. */
  async function rowsOf(figure: RowFigure, wish: ReportWish = {}): Promise<ReportRow[]> {
    const rows: ReportRow[] = []
    for (let cursor: string | undefined; ;) {
      const one = await page(figure, { ...wish, ...(cursor === undefined ? {} : { cursor }) })
      rows.push(...one.rows)
      if (one.nextCursor === null) return rows
      cursor = one.nextCursor
    }
  }
  const stage = () => reportStage(database, company)
  const set = (text: string, values: readonly unknown[]) => database.tx((tx) => change(tx.em, text, values))

  const nests = (sums: ReportSums) =>
    expect(sums.spentFen + sums.leftFen + sums.expiredFen + sums.takenBackFen).toBe(sums.issuedFen)
  const added = (parts: readonly { readonly sums: ReportSums }[]) => {
    const total: Record<string, number> = {}
    for (const { sums } of parts)
      for (const [key, value] of Object.entries(sums)) total[key] = (total[key] ?? 0) + value
    return total
  }

  test('campaigns, departments and months each come to the total, and what was spent is what the cards’ own lines say', async () => {
    const lively = await stage().aLivelyCampaign()
    const quiet = await anIssuedCampaign(
      database,
      company,
      await somePeople(database, company.id, [{ name: '孙七', department: '销售部' }]),
      aBrand({ title: '生日' }),
    )
    await stage().spend(quiet, 0, FACE)
    const other = await aCompany(database)
    const theirs = await anIssuedCampaign(
      database,
      other,
      await somePeople(database, other.id, [{ name: '外' }]),
      aBrand(),
    )
    await stage().spend(theirs, 0, 7_777)

    const seen = await report()
    expect(seen.total).toEqual({
      heads: 5,
      budgetFen: 5 * FACE,
      fundedFen: 5 * FACE,
      issued: 5,
      issuedFen: 5 * FACE,
      delivered: 3,
      opened: 3,
      spent: 4,
      spentFen: 12_345 + 15_000 + 10_000 + FACE,
      left: 3,
      leftFen: 37_655 + 35_000 + 40_000,
      expiring: 0,
      expiringFen: 0,
      expired: 0,
      expiredFen: 0,
      takenBack: 1,
      takenBackFen: FACE,
    })
    nests(seen.total)
    for (const parts of [seen.byCampaign, seen.byDepartment, seen.byMonth]) expect(added(parts)).toEqual(seen.total)
    expect(seen.byCampaign.map((one) => [one.campaignId, one.sums.spentFen])).toEqual([
      [quiet.id, FACE],
      [lively.id, 37_345],
    ])
    expect(seen.byDepartment.map((one) => [one.department, one.sums.heads, one.sums.spentFen])).toEqual([
      ['', 1, 10_000],
      ['销售部', 2, FACE],
      ['研发部', 2, 27_345],
    ])
    const lines = async (companyId: string) => {
      const [row] = await database.tx((tx) =>
        sql<{ total: unknown }>(
          tx.em,
          `select sum(activity.amount_fen) as total from activity join card on card.id = activity.card_id
            where card.company_id = ? and activity.kind in ('capture', 'capture_refund', 'capture_undo')`,
          [companyId],
        ),
      )
      return 0 - readSum(row?.total)
    }
    expect(seen.total.spentFen).toBe(await lines(company.id))
    expect((await report({}, other)).total).toMatchObject({ heads: 1, spentFen: await lines(other.id) })
  })

  test('every figure’s rows add up to it, of a department too; names are for those who read the staff', async () => {
    await stage().aLivelyCampaign()
    for (const asked of [{}, { department: '研发部' }, { department: '' }, { department: '没有的部门' }]) {
      const { total } = await report(asked)
      const fens = {
        budget: (row: ReportRow) => row.priceFen,
        issued: (row: ReportRow) => row.faceFen,
        spent: (row: ReportRow) => row.spentFen ?? 0,
        left: (row: ReportRow) => row.balanceFen ?? 0,
        expiring: (row: ReportRow) => row.balanceFen ?? 0,
        expired: (row: ReportRow) => row.balanceFen ?? 0,
        takenBack: (row: ReportRow) => row.faceFen,
        delivered: null,
        opened: null,
      } as const satisfies Record<RowFigure, unknown>
      for (const figure of rowFigures) {
        const rows = await rowsOf(figure, asked)
        expect([figure, rows.length]).toEqual([figure, figure === 'budget' ? total.heads : total[figure]])
        const amount = fens[figure]
        const sum = rows.reduce((all, row) => all + (amount?.(row) ?? 0), 0)
        if (amount !== null) expect([figure, sum]).toEqual([figure, total[`${figure as 'spent'}Fen`]])
      }
    }
    const [gifted] = await rowsOf('spent', { department: '' })
    // The card is somebody else's now, and stays whom it was issued to.
    expect(gifted).toMatchObject({ name: '=赵六', spentFen: 10_000, deliveryState: 'claimed' })
    expect(Object.keys(gifted!)).not.toContain('shop')
    expect(gifted!.cardTail).toMatch(/^\d{4}$/)
    const { rows } = await page('spent', {}, 'finance')
    expect(rows.map((row) => [row.name, row.cardTail])).toEqual([
      [null, null],
      [null, null],
    ])
  })

  test('money that came in part is shared out by budget; what is not paid is not issued; a cancelled order is nothing', async () => {
    const people = await somePeople(database, company.id, [
      { name: '甲', department: '一部' },
      { name: '乙', department: '二部' },
      { name: '丙', department: '三部' },
    ])
    const made = await anApprovedCampaign(database, company, people, aBrand())
    await openPayment(edge(), { orderId: made.orderId, source: 'wallet', amountFen: fen(10_000) }, made.id)
    const gone = await anApprovedCampaign(database, company, people, aBrand())
    await set("update orders set state = 'cancelled' where id = ?", [gone.orderId])
    await set("update campaign set state = 'cancelled' where id = ?", [gone.id])
    const seen = await report()
    expect(seen.total).toMatchObject({ heads: 3, budgetFen: 3 * FACE, fundedFen: 10_000, issued: 0, issuedFen: 0 })
    expect(seen.byDepartment.map((one) => one.sums.fundedFen).toSorted((a, b) => a - b)).toEqual([3_333, 3_333, 3_334])
    expect(seen.choices.campaigns).toHaveLength(1)
    expect(await rowsOf('budget')).toHaveLength(3)
    expect((await rowsOf('budget'))[0]).toMatchObject({ spentFen: null, balanceFen: null, cardState: null })
    // An order whose items are still being written has no sums yet.
    await set("update orders set state = 'placing' where id = ?", [made.orderId])
    expect((await report()).total.heads).toBe(0)
    await set("update orders set state = 'awaiting_funds' where id = ?", [made.orderId])
  })

  test('cards about to end, ended, and within which days, by the company’s own clock', async () => {
    const people = await somePeople(database, company.id, [{ name: '甲' }, { name: '乙' }])
    const made = await anIssuedCampaign(database, company, people, aBrand({ card: { named: false, validDays: 1095 } }))
    await stage().spend(made, 0, 1_000)
    const days = { fromDay: dayIn(nowMs - DAY), toDay: dayIn(nowMs + DAY) }
    const [card] = await database.tx((tx) =>
      sql<{ ends: unknown; made: unknown }>(tx.em, 'select expires_at_ms as ends, issued_at_ms as made from card'),
    )
    const ends = readSum(card!.ends)
    const at = async (ms: number) => {
      nowMs = ms
      const { total } = await report(days)
      nests(total)
      return [total.leftFen, total.expiringFen, total.expiredFen]
    }
    const all = 2 * FACE - 1_000
    expect(await at(ends - 30 * DAY - 1)).toEqual([all, 0, 0])
    expect(await at(ends - 30 * DAY)).toEqual([all, all, 0])
    expect(await at(ends - 1)).toEqual([all, all, 0])
    expect(await at(ends)).toEqual([0, 0, all])
    expect(await rowsOf('expired', days)).toHaveLength(2)
    // The day on which they were made, in China and in New York, and the days around it.
    const midnight = Date.parse('2026-11-01T00:30:00+08:00')
    await set('update card set issued_at_ms = ?', [midnight])
    await set('update orders set created_at_ms = ?', [midnight - 40 * DAY])
    await set('update order_slice set issued_at_ms = ?', [midnight])
    nowMs = midnight + DAY
    const months = async () => (await report()).byMonth.map((one) => [one.month, one.sums.issued])
    expect(await months()).toEqual([['2026-11', 2]])
    expect((await report({ fromDay: '2026-11-01', toDay: '2026-11-01' })).total.heads).toBe(2)
    expect((await report({ fromDay: '2026-10-01', toDay: '2026-10-31' })).total.heads).toBe(0)
    expect(await rowsOf('issued', { fromDay: '2026-10-01', toDay: '2026-10-31' })).toEqual([])
    await set("update company set time_zone = 'America/New_York' where id = ?", [company.id])
    expect(await months()).toEqual([['2026-10', 2]])
    expect((await report({ fromDay: '2026-10-31', toDay: '2026-10-31' })).total.heads).toBe(2)
  })

  test('budgets of departments stand beside what they were for; a department without cards is there too', async () => {
    await anIssuedCampaign(
      database,
      company,
      await somePeople(database, company.id, [{ name: '甲', department: '一部' }]),
      aBrand(),
    )
    const span = { companyId: company.id, fromMs: nowMs - DAY, toMs: nowMs + DAY, grantedFen: fen(88_800) }
    await edge().tx(async (tx) => {
      await createBudget(tx, { ...span, department: '一部' })
      await createBudget(tx, { ...span, department: '二部' })
      await createBudget(tx, { ...span, department: '三部', fromMs: nowMs - 900 * DAY, toMs: nowMs - 800 * DAY })
    })
    const seen = await report()
    expect(seen.byDepartment.map((one) => [one.department, one.grantedFen, one.sums.heads])).toEqual([
      ['二部', 88_800, 0],
      ['一部', 88_800, 1],
    ])
    const [campaign] = seen.byCampaign
    const alone = await report({ campaignId: campaign!.campaignId })
    expect(alone.byDepartment.map((one) => one.grantedFen)).toEqual([null])
  })

  test('refuses what cannot be asked: another’s campaign, reversed or half days, too much, cursors of no page', async () => {
    const own = await anIssuedCampaign(
      database,
      company,
      await somePeople(database, company.id, [{ name: '甲' }]),
      aBrand(),
    )
    const other = await aCompany(database)
    const theirs = await anIssuedCampaign(
      database,
      other,
      await somePeople(database, other.id, [{ name: '外' }]),
      aBrand(),
    )
    await expect(report({ campaignId: theirs.id })).rejects.toMatchObject({ code: 'not_found' })
    await expect(page('spent', { campaignId: theirs.id })).rejects.toMatchObject({ code: 'not_found' })
    await expect(exportReport(edge(), { campaignId: theirs.id }, null, 'zh')).rejects.toMatchObject({
      code: 'not_found',
    })
    for (const days of [{ fromDay: '2026-02-01', toDay: '2026-01-31' }, { fromDay: '2026-02-01' }])
      await expect(report(days)).rejects.toMatchObject({ code: 'malformed_request', more: { field: 'toDay' } })
    await expect(report({ toDay: '2026-02-01' })).rejects.toMatchObject({
      code: 'malformed_request',
      more: { field: 'fromDay' },
    })
    expect((await report({ fromDay: '2025-12-01', toDay: '2026-12-01' })).total.heads).toBe(1)
    await expect(report({ fromDay: '2025-11-30', toDay: '2026-12-01' })).rejects.toMatchObject({
      code: 'report_too_wide',
    })
    for (const cursor of ['', '.', '1', `${theirs.orderId}.0`, `${own.orderId}.-1`, `${own.orderId}.x`, own.orderId])
      await expect(page('budget', { cursor })).rejects.toMatchObject({
        code: 'malformed_request',
        more: { field: 'cursor' },
      })
    await set('update campaign set heads = ? where id = ?', [reportLimits.heads + 1, own.id])
    await expect(report()).rejects.toMatchObject({ code: 'report_too_wide' })
    await set('update campaign set heads = 1 where id = ?', [own.id])
  })

  test('as a file: sums, rows and the query that made them; nothing runs; names for whoever may export people', async () => {
    await stage().aLivelyCampaign()
    const load = async (role: CompanyRole, figure: RowFigure | null) => {
      const bytes = await buffer(await exportReport(edge(role), {}, figure, 'zh'))
      const book = new exceljs.Workbook()
      await book.xlsx.load(bytes as unknown as Parameters<typeof book.xlsx.load>[0])
      const texts = (index: number) => {
        const lines: string[][] = []
        book.worksheets[index]!.eachRow((row) =>
          lines.push(
            Array.from((row.values as (string | number | undefined)[]).slice(1), (cell) => String(cell ?? '')),
          ),
        )
        return lines
      }
      return { names: book.worksheets.map((sheet) => sheet.name), sums: texts(0), rows: texts(1), query: texts(2) }
    }
    const all = await load('hr', null)
    expect(all.names).toEqual(['汇总', '明细', '查询条件'])
    const { total } = await report()
    const column = all.sums[0]!.indexOf('已消费（元）')
    expect(all.sums[1]!.slice(0, 3)).toEqual(['合计', '', '4'])
    expect(Number(all.sums[1]![column])).toBe(total.spentFen / 100)
    expect(all.rows).toHaveLength(1 + 4)
    expect(all.rows.map((row) => row[2])).toEqual(['姓名', '张三', '李四', '王五', "'=赵六"])
    const said = new Map(all.query.map(([key, value]) => [key, value]))
    expect(said.get('日期')).toContain('Asia/Shanghai')
    expect([said.get('公司'), said.get('导出人'), said.get('人数')]).toEqual(['青禾信息', '林人事', '4'])
    expect(said.get('已消费')).toContain('减去商户退回')
    const some = await load('approver', 'takenBack')
    expect(some.rows.slice(1).map((row) => [row[2], row[3], row[9]])).toEqual([['', '', '已退']])
    const kept = await database.tx((tx) =>
      sql<{ actor: string; note: string }>(
        tx.em,
        "select actor, note from trail where act = 'report.exported' order by id",
      ),
    )
    expect(kept.map((row) => [row.actor, row.note.split(' ').slice(2).join(' ')])).toEqual([
      [company.members.hr, 'all 4'],
      [company.members.approver, 'takenBack 4'],
    ])
  })
})

const dayIn = (ms: number): string => new Date(ms + 8 * 3_600_000).toISOString().slice(0, 10)
