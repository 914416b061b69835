import { setTimeout as sleep } from 'node:timers/promises'
import exceljs from 'exceljs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Report } from '../contract/hr/report.ts'
import { fen } from '../contract/fen.ts'
import type { Id } from '../contract/ids.ts'
import { sql } from '../server/kernel/sql.ts'
import { actAtTill } from '../server/modules/redemption/act-at-till.ts'
import { makePayCode } from '../server/modules/redemption/pay-code.ts'
import type { TestDatabase } from '../server/testing/databases.ts'
import { actOf, aTill } from '../server/testing/tills.ts'
import { chromiumPath, desktopSize, openBrowser, phoneSize, signInAt, takePicture, watch } from './browser.ts'
import { faultsOf, focusOf, settle, type PageLang } from './page-faults.ts'
import { openStage, type OpenStage } from './stage.ts'
import * as step from './steps.ts'

const sizes = { wide: desktopSize, middle: { width: 1024, height: 768 }, phone: phoneSize } as const

// On SQLite only: what the report counts is tested on both databases beside its query; here it is the page.
describe.skipIf(chromiumPath === null)('the report page', () => {
  let stage: OpenStage
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
    stage = await openStage('sqlite')
  })
  afterAll(async () => {
    await browser.close()
    await stage.close()
  })

  async function open(who: string, lang: PageLang, size: keyof typeof sizes = 'wide') {
    const locale = { zh: 'zh-CN', en: 'en-GB' }[lang]
    const context = await browser.newContext({ locale, viewport: sizes[size], reducedMotion: 'reduce' })
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    const wrong = watch(page, [stage.serverUrl, stage.wecomUrl])
    await signInAt(page, stage.serverUrl, who)
    await page.goto(`${stage.serverUrl}/console/report`)
    return { page, context, wrong }
  }
  async function shot(page: Page, lang: PageLang, name: string): Promise<void> {
    await settle(page)
    await takePicture(page, `report-${name}-${lang}`)
    expect([name, await faultsOf(page, lang)]).toEqual([name, []])
  }
  const tile = (page: Page, name: string | RegExp) => page.locator('.tiles button').filter({ hasText: name })
  const drawer = (page: Page) => page.getByRole('dialog').filter({ visible: true })
  async function close(page: Page): Promise<void> {
    await page.keyboard.press('Escape')
    await drawer(page).waitFor({ state: 'hidden' })
  }

  test('before the first campaign it says what will stand here', async () => {
    for (const lang of ['zh', 'en'] as const) {
      const { page, context, wrong } = await open('linxiao', lang)
      await page.getByText(/这段时间还没有审批通过的活动|No campaign was approved/).waitFor()
      await shot(page, lang, 'empty')
      expect(wrong).toEqual([])
      await context.close()
    }
  })

  test('every figure opens its rows, and the page, the rows and the file say the same', async () => {
    await giveAndSpend(stage)
    for (const lang of ['zh', 'en'] as const) {
      const { page, context, wrong } = await open('linxiao', lang)
      await tile(page, '¥123.45').waitFor()
      await shot(page, lang, 'campaigns')
      await tile(page, /^(已消费|Spent)/).click()
      await drawer(page).getByText('林晓').waitFor()
      expect(await drawer(page).locator('tbody tr').count()).toBe(1)
      await shot(page, lang, 'rows')
      await close(page)
      // The focus is back on what was pressed.
      expect((await focusOf(page)).text).toMatch(/¥123.45/)
      await tile(page, /^(已到账|Funded)/).click()
      await drawer(page)
        .getByText(/还差 ¥1,800.00|¥1,800.00 missing/)
        .waitFor()
      await shot(page, lang, 'funded')
      await close(page)
      await page.getByText(/^(按部门|By department)$/).click()
      await page.locator('tbody').getByText('研发部').waitFor()
      await shot(page, lang, 'departments')
      await page.getByText(/^(按月份|By month)$/).click()
      await page.locator('tbody th .link').first().click()
      await page.waitForURL(/fromDay=/)
      await shot(page, lang, 'months')
      expect(wrong).toEqual([])
      await context.close()
    }
  })

  test('what is asked stands in the address; the file carries it', async () => {
    const { page, context, wrong } = await open('linxiao', 'zh')
    await page.locator('.filters input').nth(3).click()
    await page.locator('.t-select-option').filter({ hasText: '销售部' }).click()
    await page.waitForURL(/department=/)
    await tile(page, /^预算/).filter({ hasText: '¥800.00' }).waitFor()
    await page.reload()
    await tile(page, /^预算/).filter({ hasText: '¥800.00' }).waitFor()
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByText('导出报表').click()])
    const book = new exceljs.Workbook()
    await book.xlsx.readFile(await file.path())
    expect(book.worksheets.map((sheet) => sheet.name)).toEqual(['汇总', '明细', '查询条件'])
    expect(book.worksheets[0]!.getCell('D2').value).toBe(800)
    expect(book.worksheets[2]!.getCell('B4').value).toBe('销售部')
    await page.getByRole('button', { name: '清除筛选' }).click()
    await tile(page, /^预算/).filter({ hasText: '¥2,400.00' }).waitFor()
    // Another company's campaign and a year too many in the address say what to do.
    await page.goto(`${stage.serverUrl}/console/report?fromDay=2020-01-01&toDay=2026-12-31`)
    await page.getByText('报表的范围太大').waitFor()
    await shot(page, 'zh', 'too-wide')
    expect(wrong).toEqual([])
    await context.close()
  })

  test('a narrow window and a phone; finance sees sums and rows without names', async () => {
    for (const size of ['middle', 'phone'] as const) {
      const { page, context, wrong } = await open('linxiao', 'zh', size)
      await tile(page, '¥123.45').waitFor()
      await shot(page, 'zh', size)
      await tile(page, /^已消费/).click()
      await drawer(page).getByText('林晓').waitFor()
      await shot(page, 'zh', `${size}-rows`)
      await drawer(page).getByRole('button', { name: '关闭' }).click()
      await drawer(page).waitFor({ state: 'hidden' })
      expect(wrong).toEqual([])
      await context.close()
    }
    const { page, context } = await open('chenli', 'en', 'phone')
    await tile(page, /^Spent/).click()
    await drawer(page).getByText('Your role does not show names').waitFor()
    expect(await drawer(page).getByText('林晓').count()).toBe(0)
    await shot(page, 'en', 'phone-finance')
    await context.close()
  })
})

/** Three people have cards of 200 yuan, of which one spends 123.45; another campaign is approved and not paid. */
async function giveAndSpend(stage: OpenStage): Promise<void> {
  const hr = await step.memberOf(stage, 'linxiao')
  const [approver, finance] = [await step.memberOf(stage, 'zhoumin'), await step.memberOf(stage, 'chenli')]
  const people = '林晓,linxiao,研发部\n周敏,zhoumin,销售部\n陈立,chenli,\n'
  const list = Buffer.from(`姓名,企业微信账号,部门\n${people}`, 'utf8')
  const rosterId = await step.uploadRoster(hr, 'report.csv', list)
  await step.waitRoster(hr, rosterId, ['ready'])
  await step.applyRoster(hr, rosterId)
  const wish = { rosterId, amountFrom: 'same' } as const
  const paid = await step.draftCampaign(hr, { ...wish, title: '中秋礼遇', faceFen: 20_000 })
  const { orderId } = await step.submitAndApprove(hr, approver, paid)
  const { totalFen } = await step.readOrder(finance, orderId)
  await step.payByScan(stage, await step.openPayment(finance, orderId, 'wechat_pay', totalFen))
  await step.waitDelivered(hr, paid)
  const unpaid = await step.draftCampaign(hr, { ...wish, title: '司庆', faceFen: 60_000 })
  await step.submitAndApprove(hr, approver, unpaid)
  let pack = await step.openPack(stage, 'linxiao', paid)
  while (pack.cards.length === 0) {
    await sleep(100)
    pack = await step.openPack(stage, 'linxiao', paid)
  }
  const cardId = pack.cards[0]!.id as Id<'card'>
  const edge = stage.running.open.edgeFor({ kind: 'system', name: 'demo' })
  const [card] = await edge.read((tx) =>
    sql<{ brandId: Id<'brand'> }>(tx.em, 'select brand_id as brandId from card where id = ?', [cardId]),
  )
  const till = await aTill({ tx: edge.tx } as TestDatabase, card!.brandId)
  await edge.tx(async (tx) => {
    const { code } = makePayCode(tx, { kind: 'card', cardId })
    const more = { billFen: fen(12_345), capture: true, partial: false, ref: null }
    const [outcome] = await actAtTill(tx, [actOf(till, { kind: 'authorise', on: { codes: [code] }, ...more })])
    expect(outcome).toMatchObject({ ok: true })
  })
  const { total } = await hr.call<Report>('/hr/report')
  expect(total).toMatchObject({ heads: 6, budgetFen: 240_000, fundedFen: 60_000, issued: 3, spentFen: 12_345 })
}
