import { readFileSync } from 'node:fs'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Id } from '../contract/ids.ts'
import { change, sql } from '../server/kernel/sql.ts'
import {
  chromiumPath,
  desktopSize,
  fill,
  openBrowser,
  phoneSize,
  press,
  shows,
  signInAt,
  SLOW,
  takePicture,
  watch,
} from './browser.ts'
import { makeSettlement } from './pages-settlement.ts'
import { openStage, type OpenStage } from './stage.ts'
import * as step from './steps.ts'
import type { Visitor } from './visitor.ts'

const YUAN = 100
const sample = (name: string): Uint8Array => readFileSync(new URL(`../samples/rosters/${name}`, import.meta.url))

const dialogOf = (page: Page): Locator => page.getByRole('dialog').filter({ visible: true }).last()
/** Presses what confirms a dialog, and waits until it is gone. */
async function confirm(page: Page, name: string | RegExp): Promise<void> {
  const dialog = dialogOf(page)
  await dialog.getByRole('button', { name, disabled: false }).last().click(SLOW)
  await dialog.waitFor({ state: 'hidden', ...SLOW })
}

// Every dialog by which money moves is filled in and sent off once, by finance of a company and of the platform, in Chromium.
// On SQLite only: what each write does to the books is tested beside its command on both databases; here it is the pages.
describe.skipIf(chromiumPath === null)('the money pages', () => {
  let stage: OpenStage
  let browser: Browser
  let hr: Visitor
  let approver: Visitor
  let finance: Visitor
  let operator: Visitor
  const at = {} as { page: Page; ops: Page; roster: string; campaign: string; order: string; brand: string }
  const watched: string[][] = []
  let serials = 0

  const open = async (): Promise<Page> => {
    const context = await browser.newContext({ locale: 'zh-CN', reducedMotion: 'reduce', viewport: desktopSize })
    const page = await context.newPage()
    page.setDefaultTimeout(SLOW.timeout)
    watched.push(watch(page, [stage.serverUrl, stage.wecomUrl, stage.payUrl]))
    return page
  }
  const goto = (page: Page, path: string) => page.goto(`${stage.serverUrl}${path}`)
  /** Takes a statement over on the page, as it is chosen from a disk. */
  async function importThere(name: string, buffer: Buffer): Promise<void> {
    await goto(at.ops, '/ops/statements')
    await at.ops.locator('#statement-file').setInputFiles({ name, mimeType: 'text/csv', buffer })
    await shows(at.ops, `${name} 已导入`)
  }
  /** Says of a payer's unmatched line that it is a top-up, on the page that shows it. */
  async function assignToWallet(payer: string): Promise<void> {
    const row = at.ops.getByRole('row').filter({ hasText: payer })
    await press(row, '认领或退回')
    const dialog = dialogOf(at.ops)
    await dialog.getByText('别的付款或企业余额').click()
    await fill(dialog, '参考号', (await step.readWallet(finance)).reference)
    await press(dialog, '记到这里')
    await dialog.waitFor({ state: 'hidden', ...SLOW })
    await row.waitFor({ state: 'hidden', ...SLOW })
  }
  async function importBank(): Promise<void> {
    const statement = await fetch(`${stage.payUrl}/__ctl/bank/statement.csv`)
    await importThere(`bank-${(serials += 1)}.csv`, Buffer.from(await statement.arrayBuffer()))
  }
  /** A statement on which money left the account. */
  function outgoing(memo: string, fen: number): Buffer {
    const yuan = (fen / 100).toFixed(2)
    const line = `OUT${(serials += 1)},2026-09-01,,${yuan},收款人有限公司,6222020200077777777,${memo}`
    return Buffer.from(`流水号,日期,收入金额,支出金额,对方户名,对方账号,附言\n${line}`)
  }

  beforeAll(async () => {
    browser = await openBrowser()
    stage = await openStage('sqlite')
    ;[hr, approver, finance] = (await Promise.all(
      ['linxiao', 'zhoumin', 'chenli'].map((userid) => step.memberOf(stage, userid)),
    )) as [Visitor, Visitor, Visitor]
    operator = await step.operatorOf(stage)
    at.roster = await step.uploadRoster(hr, 'clean-200.xlsx', sample('clean-200.xlsx'))
    await step.waitRoster(hr, at.roster, ['ready'])
    await step.applyRoster(hr, at.roster)
    at.page = await open()
    await signInAt(at.page, stage.serverUrl, 'chenli')
    at.ops = await open()
    await goto(at.ops, '/ops/sign-in')
    await at.ops.locator('input').first().fill(stage.operatorKey)
    await press(at.ops, '登录')
    await at.ops.waitForURL(`${stage.serverUrl}/ops/`)
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await stage.close()
  })
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return
    for (const [name, page] of Object.entries({ hr: at.page, ops: at.ops }))
      if (page !== undefined) await takePicture(page, `money-failed-${name}`)
  })

  test('a top-up: where to transfer to is told, and the money is there once the statement is', async () => {
    const { reference, bankAccount } = await step.readWallet(finance)
    await goto(at.page, '/console/funds')
    await shows(at.page, reference)
    await shows(at.page, bankAccount.number)
    await step.transfer(stage, reference, 60_000 * YUAN)
    await importBank()
    await shows(at.ops, '记为充值')
    await at.page.reload()
    await shows(at.page, '¥60,000.00')
  })

  test('a department’s budget is set', async () => {
    await goto(at.page, '/console/funds?view=budgets')
    await press(at.page, '新增预算')
    const dialog = dialogOf(at.page)
    await dialog.getByLabel('部门').first().fill('访客接待组')
    await at.page.locator('.t-select-option').filter({ hasText: '访客接待组' }).first().click()
    await press(dialog, '今年')
    await fill(dialog, '预算金额（元）', '12345.67')
    await confirm(at.page, '保存预算')
    await shows(at.page, '访客接待组')
    await shows(at.page, '¥12,345.67')
  })

  test('an order is paid from three sources, one of them in pieces after the bank said no', async () => {
    const wish = { rosterId: at.roster, title: '中秋礼遇', amountFrom: 'same', faceFen: 100 * YUAN } as const
    at.campaign = await step.draftCampaign(hr, wish)
    at.order = (await step.submitAndApprove(hr, approver, at.campaign)).orderId
    const { page } = at
    await goto(page, `/console/orders/${at.order}`)
    const pay = async (source: string, left: string, yuan: string, button: RegExp) => {
      // What was paid before makes the page above longer: nobody hits what is moving.
      await shows(page, `付剩下的 ¥${left}`)
      await page.locator('.source .name', { hasText: source }).click()
      await fill(page, '这笔付多少（元）', yuan)
      await press(page, button)
    }
    await pay('企业余额', '20,000.00', '5000', /^用余额支付 ¥5,000/)
    await shows(page, '余额已支付 ¥5,000')
    await pay('微信扫码', '15,000.00', '6000', /^生成 ¥6,000.00 的收款码/)
    await press(page, '银行限额？分成几笔付')
    await fill(dialogOf(page), '每笔最多付多少（元）', '3000')
    await confirm(page, '换成 2 个收款码')
    await expect.poll(() => page.getByAltText('微信付款二维码').count(), SLOW).toBe(2)
    const { payments } = await step.readOrder(finance, at.order)
    for (const one of payments.filter(({ source, state }) => source === 'wechat_pay' && state === 'opened'))
      await step.payByScan(stage, one)
    await expect.poll(() => page.getByText('已付 ¥3,000.00').count(), SLOW).toBe(2)
    await pay('对公转账', '9,000.00', '9000', /^获取 ¥9,000.00 的转账信息/)
    await shows(page, '请转账 ¥9,000.00')
    const bank = (await step.readOrder(finance, at.order)).payments.find((one) => one.source === 'bank_transfer')
    await step.transfer(stage, bank?.reference ?? '', 9_088 * YUAN)
    await importBank()
    await shows(page, '已全部到账')
    await shows(page, '多付的款')
  })

  test('what was paid too much goes back: the way is told before, the progress after', async () => {
    await press(at.page, '退回多付的 ¥88.00')
    const dialog = dialogOf(at.page)
    await shows(dialog, '汇款退回')
    await shows(dialog, '¥88.00')
    await confirm(at.page, '退回多付的款')
    await shows(at.page, '平台将汇款退回')
    await at.page.getByRole('heading', { name: '多付的款' }).waitFor({ state: 'hidden', ...SLOW })
  })

  test('chosen cards: a used one is told with what was spent and left out; the others go back by source', async () => {
    await step.waitDelivered(hr, at.campaign)
    const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
    const { people } = await hr.call<{ people: { cardId: Id<'card'> }[] }>(
      `/hr/campaigns/${at.campaign}/people?limit=2`,
    )
    const used = people[0]!.cardId
    // Nobody can spend yet: as a capture will write it, and put right below, so that the books of this test add up.
    const setBalance = (fen: number) =>
      edge.tx((tx) => change(tx.em, 'update card set balance_fen = ? where id = ?', [fen, used]))
    await setBalance(100 * YUAN - 1_234)
    await goto(at.page, `/console/campaigns/${at.campaign}`)
    const boxes = at.page.locator('tbody .t-checkbox')
    await boxes.nth(0).click()
    await boxes.nth(1).click()
    await press(at.page, '退回所选的 2 张卡')
    const dialog = dialogOf(at.page)
    await shows(dialog, '已使用 ¥12.34')
    await expect.poll(() => dialog.getByRole('button', { name: '退回 2 张卡' }).isDisabled()).toBe(true)
    await press(dialog, '去掉这 1 张，退其余的')
    await shows(dialog, '1 张卡作废，¥100.00 退回付款来源')
    for (const way of ['企业余额', '微信支付原路退回', '汇款退回']) await shows(dialog, way)
    await takePicture(at.page, 'money-refund-cards', false)
    await confirm(at.page, '退回 1 张卡')
    await setBalance(100 * YUAN)
    await shows(at.page.locator('.refunds'), '退回 1 张卡')
    await shows(at.page.locator('tbody'), '卡已退回')
    const states = await edge.read((tx) =>
      sql<{ state: string }>(tx.em, "select state from card where state = 'refunded'"),
    )
    expect(states).toHaveLength(1)
  })

  test('a campaign’s unopened cards are taken back', async () => {
    await press(at.page, '追回未打开的卡')
    const dialog = dialogOf(at.page)
    await shows(dialog, '199 张卡还没有人打开')
    await shows(dialog, '汇款退回')
    await confirm(at.page, '追回 199 张卡')
    await shows(at.page.locator('.refunds'), '追回 199 张未打开的卡')
    await shows(at.page.locator('.refunds'), /已退回企业余额/)
  })

  describe('after more was sold and shared', () => {
    beforeAll(async () => {
      const people = { hr, approver, finance, operator, rosterId: at.roster }
      at.brand = (await makeSettlement(stage, people)).brand
    }, 60_000)

    test('terms: a share over the cap is refused, one within it is saved', async () => {
      await goto(at.ops, `/ops/brands/${at.brand}`)
      await at.ops.locator('input[name=platform]').fill('29.99')
      await at.ops.locator('aside .t-alert').waitFor()
      expect(await at.ops.getByRole('button', { name: '保存条款' }).isDisabled()).toBe(true)
      await at.ops.locator('input[name=platform]').fill('4.2')
      await press(at.ops, '保存条款')
      await shows(at.ops, '条款已保存')
      await at.ops.reload()
      expect(await at.ops.locator('input[name=platform]').inputValue()).toBe('4.2')
    })

    test('an incoming transfer that nobody could match is assigned by hand', async () => {
      const before = (await step.readWallet(finance)).balanceFen
      await step.transfer(stage, '货款', 321 * YUAN, '远山物流有限公司', '6222020200099999999')
      await importBank()
      await assignToWallet('远山物流有限公司')
      expect((await step.readWallet(finance)).balanceFen).toBe(before + 321 * YUAN)
    })

    test('what was assigned to the wrong place is taken back, and assigned anew', async () => {
      const before = (await step.readWallet(finance)).balanceFen
      const row = at.ops.getByRole('row').filter({ hasText: '远山物流有限公司' })
      await at.ops.locator('.filter').getByText('充值').click()
      await press(row, '撤销认领')
      await at.ops.setViewportSize(phoneSize)
      await shows(dialogOf(at.ops), '撤销 ¥321.00 的认领')
      await takePicture(at.ops, 'money-undo-phone', false)
      await at.ops.setViewportSize(desktopSize)
      await confirm(at.ops, '撤销认领')
      await row.waitFor({ state: 'hidden', ...SLOW })
      expect((await step.readWallet(finance)).balanceFen).toBe(before - 321 * YUAN)
      await at.ops.locator('.filter').getByText('未认领').click()
      await assignToWallet('远山物流有限公司')
      expect((await step.readWallet(finance)).balanceFen).toBe(before)
    })

    test('a split that is stuck: the rest is left to payout', async () => {
      await goto(at.ops, '/ops/settlement?state=stuck')
      await press(at.ops, /^查看 /)
      await press(at.ops, '改为出款')
      await press(at.ops, '确认改为出款')
      await shows(dialogOf(at.ops), /解冻中|已完成|改走出款的接收方/)
    })

    test('a refund that hangs is decided', async () => {
      await goto(at.ops, '/ops/refunds')
      await press(at.ops, /退到商户银行卡|改为银行汇款/)
      await confirm(at.ops, /退到商户银行卡|改为银行汇款/)
      await shows(at.ops, '没有等您处理的退款')
    })

    test('payouts: drafted, given an account, written into a file for the bank, and seen on its statement', async () => {
      const { ops } = at
      await goto(ops, '/ops/payouts')
      await press(ops, '生成出款单')
      await shows(ops, /已生成 \d+ 张出款单/)
      const rows = ops.getByRole('row').filter({ hasText: '没有登记银行账户' })
      await press(rows.first(), /^查看 /)
      const drawer = dialogOf(ops)
      await fill(drawer, '户名', '收款人有限公司')
      await fill(drawer, '账号', '6222020200077777777')
      await fill(drawer, '开户行', '中国工商银行苏州分行')
      await press(drawer, '保存银行账户')
      await shows(drawer, '修改银行账户')
      const id = (await drawer.locator('code').first().textContent()) ?? ''
      await ops.keyboard.press('Escape')
      await drawer.waitFor({ state: 'hidden', ...SLOW })
      await press(ops, '导出付款文件')
      const [file] = await Promise.all([
        ops.waitForEvent('download'),
        ops.getByText('下载付款文件').first().click(SLOW),
      ])
      expect(readFileSync(await file.path(), 'utf8')).toContain(id)
      const { amountFen } = await operator.call<{ amountFen: number }>(`/operator/payouts/${id}`)
      await importThere('paid.csv', outgoing(id, amountFen))
      await expect
        .poll(async () => (await operator.call<{ state: string }>(`/operator/payouts/${id}`)).state, SLOW)
        .toBe('paid')
      await goto(ops, `/ops/payouts?payout=${id}`)
      await shows(dialogOf(ops), '银行流水已显示这笔支出')
    })

    test('a payout that the bank refused is said so, and paid out again', async () => {
      const { ops } = at
      await goto(ops, '/ops/payouts?state=exported')
      await press(ops, /^查看 /)
      const drawer = dialogOf(ops)
      await drawer.getByText('被退回').first().click()
      await drawer.getByText('账号不对').click()
      await press(drawer, '记为被退回')
      await shows(drawer, '银行没有付出')
      await press(drawer, '重新出款')
      await shows(drawer, '等待写入付款文件')
    })

    test('a difference between bill and books is closed with what was found', async () => {
      const note = '商户在别处收的款，已和商户财务确认。'
      await goto(at.ops, '/ops/reconciliation')
      await shows(at.ops, /\d+ 笔差异待查清/)
      await press(at.ops, '关闭差异')
      await fill(dialogOf(at.ops), '查明的原因', note)
      await confirm(at.ops, '关闭差异')
      await goto(at.ops, '/ops/reconciliation?view=closed')
      await shows(at.ops, note)
    })

    test('an invoice is requested, issued, and its PDF is downloaded', async () => {
      const { page } = at
      await requestInvoice('1000')
      await shows(page, '已开具')
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: '下载青禾制造（深圳）有限公司的发票 PDF' }).first().click(SLOW),
      ])
      expect(
        readFileSync(await file.path())
          .subarray(0, 5)
          .toString(),
      ).toBe('%PDF-')
    })

    test('an invoice that the service refused hangs with the platform, which submits it again', async () => {
      await step.control(`${stage.payUrl}/__ctl/invoices/faults`, { kind: 'refuse_title' })
      await requestInvoice('500')
      await expect.poll(() => invoiceStates(), SLOW).toContain('rejected')
      await goto(at.ops, '/ops/invoices')
      await shows(at.ops, '开票服务不接受这个抬头或税号')
      await press(at.ops, /^重新提交/)
      await confirm(at.ops, '重新提交')
      await shows(at.ops, '没有等您处理的发票')
      await expect.poll(() => invoiceStates(), SLOW).toEqual(['issued', 'issued'])
    })
  })

  async function requestInvoice(yuan: string): Promise<void> {
    await goto(at.page, '/console/funds?view=invoices')
    await press(at.page, '申请开票')
    const dialog = dialogOf(at.page)
    await fill(dialog, '发票抬头', '青禾制造（深圳）有限公司')
    await fill(dialog, '税号', '9144030071526726XG')
    await fill(dialog, '开票金额（元）', yuan)
    await shows(dialog, '发票内容')
    await confirm(at.page, '提交申请')
    for (let looks = 0; looks < 20; looks += 1) {
      if (!(await invoiceStates()).some((state) => state === 'requested' || state === 'issuing')) break
      await at.page.waitForTimeout(250)
    }
    await at.page.reload()
  }
  const invoiceStates = async () =>
    (await finance.call<{ invoices: { state: string }[] }>('/hr/invoices')).invoices.map((one) => one.state)

  test('the books add up, and no page has thrown or called anywhere else', async () => {
    await goto(at.ops, '/ops/proof')
    await press(at.ops, '开始核对')
    await shows(at.ops, '账目平')
    expect((await step.proveBooks(operator)).findings).toEqual([])
    expect(watched.flat()).toEqual([])
  })
})
