import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Progress } from '../contract/hr/delivery.ts'
import { chromiumPath, desktopSize, openBrowser, phoneSize, press, shows, signInAt, SLOW, watch } from './browser.ts'
import { dialectsHere, openStage, type OpenStage } from './stage.ts'
import * as step from './steps.ts'
import { Refused, Visitor } from './visitor.ts'

const sample = fileURLToPath(new URL('../samples/rosters/clean-200.xlsx', import.meta.url))
const FACE = '500'

// The walk of docs/ARCHITECTURE.md, stop by stop, as people do it: in Chromium, over HTTP, with clean-200.xlsx.
describe.skipIf(chromiumPath === null).each(dialectsHere())('the walk (%s)', (dialect) => {
  let stage: OpenStage
  let browser: Browser
  const notes: string[][] = []
  const at = {} as { hr: Page; approver: Page; finance: Page; campaign: string; order: string }

  const open = async (userid: string): Promise<Page> => {
    const context = await browser.newContext({ viewport: desktopSize, locale: 'zh-CN' })
    const page = await context.newPage()
    notes.push(watch(page, [stage.serverUrl, stage.wecomUrl, stage.payUrl]))
    await signInAt(page, stage.serverUrl, userid)
    return page
  }

  beforeAll(async () => {
    browser = await openBrowser()
    stage = await openStage(dialect)
    at.hr = await open('linxiao')
    at.approver = await open('zhoumin')
    at.finance = await open('chenli')
  })
  afterAll(async () => {
    await browser.close()
    await stage.close()
  })

  test('1 HR picks the file', async () => {
    await at.hr.goto(`${stage.serverUrl}/console/rosters`)
    await at.hr.locator('input[type=file]').first().setInputFiles(sample)
  })

  test('2 the roster is received', async () => {
    await at.hr.waitForURL(/\/console\/rosters\/ros_/, SLOW)
    await shows(at.hr, 'clean-200.xlsx')
  })

  test('3 the roster is read, shown against the staff, and applied', async () => {
    await shows(at.hr, '可以应用')
    await press(at.hr, '查看变化并应用')
    await press(at.hr, '应用 200 人')
    await shows(at.hr, '已应用')
  })

  test('4 a campaign is drafted', async () => {
    await at.hr.getByText('用它发福利').click()
    await at.hr.getByRole('textbox', { name: '活动名称' }).fill('中秋礼遇')
    await at.hr.getByRole('textbox', { name: '面额' }).fill(FACE)
    await at.hr.waitForURL(/\/console\/campaigns\/cam_/, SLOW)
    await shows(at.hr, '200 人 · ¥100,000.00')
    at.campaign = at.hr.url().split('/').at(-1) ?? ''
  })

  test('5 it is submitted, and somebody else approves it', async () => {
    await press(at.hr, '提交审批')
    await shows(at.hr, '待审批')
    await at.approver.goto(at.hr.url())
    await press(at.approver, '同意发放')
    await at.approver.locator('.t-dialog').getByRole('button', { name: '同意发放' }).click()
    const pay = at.approver.locator('a[href*="/orders/ord_"]').first()
    at.order = (await pay.getAttribute('href', SLOW))?.split('/').at(-1) ?? ''
    expect(at.order).toMatch(/^ord_/)
  })

  const add = async (source: string, yuan: string, button: RegExp): Promise<void> => {
    const page = at.finance
    await page.locator(`.sources label:has(.name:text-is("${source}"))`).click(SLOW)
    await page.getByRole('textbox', { name: '这笔付多少（元）' }).fill(yuan)
    await press(page, button)
  }

  test('6 three payments are opened', async () => {
    const finance = await step.memberOf(stage, 'chenli')
    await step.transfer(stage, (await step.readWallet(finance)).reference, 3_000_000)
    await at.finance.goto(`${stage.serverUrl}/console/orders/${at.order}`)
    await shows(at.finance, '还差')
    await add('对公转账', '45000', /45,000/)
    await shows(at.finance, /FLK[0-9A-Z]{8}/)
    const { payments } = await step.readOrder(finance, at.order)
    await step.transfer(stage, payments[0]?.reference ?? '', 4_500_000)
    await add('微信扫码', '25000', /25,000.*收款码/)
    await at.finance.locator('canvas, img[src^="data:"], svg.qr, .qr svg').first().waitFor(SLOW)
  })

  test('7 the money arrives, the order is funded exactly once', async () => {
    const finance = await step.memberOf(stage, 'chenli')
    const scan = (await step.readOrder(finance, at.order)).payments.find((one) => one.source === 'wechat_pay')
    const cashier = await browser.newPage({ viewport: phoneSize, locale: 'zh-CN' })
    await cashier.goto(`${stage.payUrl}/scan?${new URLSearchParams({ code_url: scan?.codeUrl ?? '' }).toString()}`)
    await cashier
      .getByRole('button', { name: /支付|付款/ })
      .first()
      .click()
    await step.importStatement(stage, await step.operatorOf(stage))
    await shows(at.finance, '¥70,000.00')
    await at.finance.reload()
    await add('企业余额', '30000', /30,000/)
    const order = await step.waitFunded(finance, at.order)
    expect(order.securedFen).toBe(order.totalFen)
    const paid = order.payments.filter((one) => one.state === 'paid').map((one) => [one.source, one.paidFen] as const)
    expect(new Map(paid)).toEqual(
      new Map<string, number | null>([
        ['bank_transfer', 4_500_000],
        ['wallet', 3_000_000],
        ['wechat_pay', 2_500_000],
      ]),
    )
    expect(paid).toHaveLength(3)
  })

  test('8 cards are issued: one for each head', async () => {
    await at.hr.goto(`${stage.serverUrl}/console/campaigns/${at.campaign}`)
    const progress = await step.waitDelivered(await step.memberOf(stage, 'linxiao'), at.campaign)
    expect([progress.heads, progress.issued]).toEqual([200, 200])
  })

  test('9 cards are pushed: sent and failed add up to the heads, and the page says so without being asked', async () => {
    const hr = await step.memberOf(stage, 'linxiao')
    const { delivery } = await hr.call<Progress>(`/hr/campaigns/${at.campaign}/progress`)
    expect(delivery).toMatchObject({ pending: 0, sent: 200, failed: 0, revoked: 0, opened: 0 })
    await at.hr
      .getByText(/200\s*\/\s*200/)
      .first()
      .waitFor(SLOW)
  })

  test('10 an employee taps the message on the phone and finds the card in the pack', async () => {
    const hr = await step.memberOf(stage, 'linxiao')
    type People = { people: { wecomUserId: string | null }[] }
    const { people } = await hr.call<People>(`/hr/campaigns/${at.campaign}/people?limit=1`)
    const userid = people[0]?.wecomUserId ?? ''
    const inbox = await step.control<unknown[]>(`${stage.wecomUrl}/__ctl/inbox/${stage.corp.corpId}/${userid}`)
    expect(inbox).toHaveLength(1)
    const context = await browser.newContext({ viewport: phoneSize, locale: 'zh-CN', isMobile: true, hasTouch: true })
    const phone = await context.newPage()
    notes.push(watch(phone, [stage.serverUrl, stage.wecomUrl, stage.payUrl]))
    await phone.goto(`${stage.wecomUrl}/phone/${stage.corp.corpId}/${userid}`)
    await phone.locator('a[href*="/open"]').first().click()
    await phone.waitForURL(/\/pack\//, SLOW)
    await phone.getByRole('button', { name: '打开' }).click(SLOW)
    await shows(phone, /¥\s*500/)
    await expect
      .poll(async () => (await hr.call<Progress>(`/hr/campaigns/${at.campaign}/progress`)).delivery.opened, SLOW)
      .toBe(1)
  })

  test('the books are proved, and no page called elsewhere or failed', async () => {
    const proof = await step.proveBooks(await step.operatorOf(stage))
    expect(proof).toMatchObject({ balanced: true, findings: [], cards: 200 })
    expect(notes.flat()).toEqual([])
  })

  test('a person without a sign-in, and one of another role, get nothing', async () => {
    const anybody = new Visitor(stage.serverUrl)
    await expect(anybody.call('/hr/rosters')).rejects.toBeInstanceOf(Refused)
    await expect(anybody.call('/operator/jobs')).rejects.toMatchObject({ status: 401 })
    const finance = await step.memberOf(stage, 'chenli')
    const upload = finance.call('/hr/rosters', { raw: Buffer.from('姓名\n甲\n'), headers: step.fileNamed('a.csv') })
    await expect(upload).rejects.toMatchObject({ status: 403 })
  })
})
