import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Pack, ShownPayCode } from '../contract/employee/pack.ts'
import { change } from '../server/kernel/sql.ts'
import { askPos, codeOfAnswer } from '../server/testing/pos.ts'
import { chromiumPath, desktopSize, openBrowser, phoneSize, press, shows, SLOW, takePicture, watch } from './browser.ts'
import { dialectsHere, openStage, type OpenStage } from './stage.ts'
import * as step from './steps.ts'
import { Visitor } from './visitor.ts'

const FACE = 20_000

// A cash register as a vendor would write it, over the POS API of the whole product: its network goes away, it asks again, and
// its day has no difference; the merchant is told by webhooks; the operator hands out keys and sends events again.
describe.skipIf(chromiumPath === null).each(dialectsHere())('the POS API (%s)', (dialect) => {
  let stage: OpenStage
  let browser: Browser
  let phone: Visitor
  let card: string
  const at = {} as { till: Page; ops: Page }
  const watched: string[][] = []

  const open = async (how: BrowserContextOptions): Promise<Page> => {
    const page = await (await browser.newContext({ locale: 'zh-CN', reducedMotion: 'reduce', ...how })).newPage()
    page.setDefaultTimeout(SLOW.timeout)
    watched.push(watch(page, [stage.serverUrl, stage.wecomUrl, stage.payUrl]))
    return page
  }
  const look = (page: Page, name: string) => takePicture(page, `pos-${dialect}-${name}`)
  const showCode = async (): Promise<string> =>
    (await phone.call<ShownPayCode>(`/employee/cards/${card}/pay-code`, { json: {} })).code
  const sell = async (yuan: string, how: string): Promise<void> => {
    await at.till.locator('textarea[name=codes]').fill(await showCode())
    await at.till.locator('section:has(textarea) input[name=yuan]').fill(yuan)
    await press(at.till, how)
  }
  const cutNetwork = async (cut: string): Promise<void> => {
    await at.till.locator('select[name=cut]').selectOption(cut)
    await press(at.till, '断网')
    await shows(at.till, '已断网')
  }
  const asksAgain = async (): Promise<void> => {
    await shows(at.till, '没有收到应答')
    await press(at.till, /^向平台问清/)
    await shows(at.till, '都问清了')
  }
  /** Of the newest sale. */
  const doWith = async (yuan: string, act: string): Promise<void> => {
    const row = at.till.locator('tbody tr').first()
    await row.locator('input[name=yuan]').fill(yuan)
    await row.getByRole('button', { name: act }).click()
  }

  beforeAll(async () => {
    browser = await openBrowser()
    stage = await openStage(dialect)
    const [hr, approver, finance] = await Promise.all(
      ['linxiao', 'zhoumin', 'chenli'].map((userid) => step.memberOf(stage, userid)),
    )
    const list = Buffer.from('姓名,企业微信账号\n林晓,linxiao\n周敏,zhoumin\n', 'utf8')
    const rosterId = await step.uploadRoster(hr!, 'two.csv', list)
    await step.waitRoster(hr!, rosterId, ['ready'])
    await step.applyRoster(hr!, rosterId)
    await step.transfer(stage, (await step.readWallet(finance!)).reference, 2 * FACE)
    await step.importStatement(stage, await step.operatorOf(stage))
    const campaign = await step.draftCampaign(hr!, { rosterId, title: '中秋', amountFrom: 'same', faceFen: FACE })
    const { orderId } = await step.submitAndApprove(hr!, approver!, campaign)
    await step.openPayment(finance!, orderId, 'wallet', 2 * FACE)
    await step.waitDelivered(hr!, campaign)
    await step.openPack(stage, 'linxiao', campaign)
    phone = new Visitor(stage.serverUrl, 'Mozilla/5.0 (iPhone) MicroMessenger/8.0 wxwork/4.1')
    await phone.signIn('employee', 'demo', 'linxiao')
    card = (await phone.call<Pack>('/employee/pack')).cards[0]!.id
    // The demo's cards have three hours of cooling-off: here they are over.
    const edge = stage.running.open.edgeFor({ kind: 'system', name: 'walk' })
    await edge.tx((tx) => change(tx.em, 'update card set locked_until_ms = issued_at_ms'))
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await stage.close()
  })
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return
    for (const [name, page] of Object.entries(at)) await look(page, `failed-${name}`)
  })

  test('the demo’s till is connected, and sets value aside; the network goes away while it takes and gives back', async () => {
    at.till = await open({ viewport: desktopSize })
    await at.till.goto(`${stage.payUrl}/till`)
    await shows(at.till, '已接入')
    await sell('50', '预授权')
    await shows(at.till, '成功：预留 50.00')
    await doWith('20', '扣一部分')
    await shows(at.till, '已扣 20.00')
    await cutNetwork('answer_lost')
    await doWith('15', '扣款并结束')
    await asksAgain()
    await cutNetwork('answer_cut')
    await doWith('5', '退款')
    await asksAgain()
    await shows(at.till, '部分退款')
    await cutNetwork('request_cut')
    await sell('10', '直接扣款')
    await asksAgain()
    await cutNetwork('request_lost')
    await sell('8', '预授权')
    await shows(at.till, '没有收到应答')
    await look(at.till, 'unknown')
    await asksAgain()
    await press(at.till, '撤销')
    await shows(at.till, '已撤销')
    await sell('1000', '直接扣款')
    await shows(at.till, /被拒绝：.*160/)
  })

  test('the day has no difference, on both sides of it', async () => {
    await press(at.till, '下载并对账')
    await shows(at.till, '对账完成，零差异')
    await shows(at.till, '4 笔，扣款 45.00 元，退款 5.00 元')
    await look(at.till, 'day')
    await at.till.setViewportSize(phoneSize)
    await look(at.till, 'day-phone')
    await at.till.setViewportSize(desktopSize)
    const pack = await phone.call<Pack>('/employee/pack')
    expect(pack.cards[0]).toMatchObject({ balanceFen: FACE - 4_000 })
  })

  test('the merchant is told of each movement, signed', async () => {
    await expect
      .poll(async () => {
        await at.till.reload()
        return at.till.getByText('redemption.').count()
      }, SLOW)
      .toBeGreaterThanOrEqual(5)
    await shows(at.till, 'redemption.voided')
    expect(await at.till.getByText('不正确').count()).toBe(0)
    await look(at.till, 'told')
  })

  test('the operator sees what was sent and sends it again', async () => {
    at.ops = await open({ viewport: desktopSize })
    const headers = { origin: stage.serverUrl }
    const post = at.ops
      .context()
      .request.post(`${stage.serverUrl}/operator/session`, { headers, data: { key: stage.operatorKey } })
    expect((await post).status()).toBe(200)
    await at.ops.goto(`${stage.serverUrl}/ops/merchants`)
    await at.ops
      .getByRole('link', { name: /青禾优选直营/ })
      .first()
      .click()
    await shows(at.ops, '沙箱收银机')
    await shows(at.ops, '已送达')
    await look(at.ops, 'operator')
    await at.ops
      .getByRole('button', { name: /^重发 whd_/ })
      .first()
      .click()
    await shows(at.ops, '1 条已重新发送')
    await at.ops.setViewportSize(phoneSize)
    await look(at.ops, 'operator-phone')
    await at.ops.setViewportSize(desktopSize)
  })

  test('a terminal’s key is shown once; another opens beside it until it is used; revoked, none opens', async () => {
    await press(at.ops, '新增终端')
    await at.ops.getByLabel('终端名称').fill('二号机')
    await press(at.ops, /^新增$/)
    await shows(at.ops, '密钥只显示这一次')
    await look(at.ops, 'key')
    const read = async () => ({
      base: stage.serverUrl,
      terminalId: await at.ops.locator('input[name=key-id]').inputValue(),
      secret: await at.ops.locator('input[name=key-secret]').inputValue(),
      now: Date.now,
    })
    const asked = async (key: Awaited<ReturnType<typeof read>>) =>
      codeOfAnswer(await askPos(key, 'GET', '/pos/v1/authorisations?ref=none'))
    const first = await read()
    expect(await asked(first)).toEqual([200, ''])
    await at.ops.keyboard.press('Escape')
    await press(at.ops, /^换密钥 二号机/)
    await press(at.ops, /^换密钥$/)
    await shows(at.ops, '密钥只显示这一次')
    const second = await read()
    expect(second.secret).not.toBe(first.secret)
    expect(await asked(first)).toEqual([200, ''])
    expect(await asked(second)).toEqual([200, ''])
    expect(await asked(first)).toEqual([401, 'pos_signature_invalid'])
    await at.ops.keyboard.press('Escape')
    await press(at.ops, /^停用 二号机/)
    await press(at.ops, /^停用$/)
    await shows(at.ops, '终端已停用')
    expect(await asked(second)).toEqual([403, 'terminal_off'])
  })

  test('the books tie, and nothing on the way went wrong on a page', async () => {
    expect((await step.proveBooks(await step.operatorOf(stage))).findings).toEqual([])
    expect(watched.flat()).toEqual([])
  })
})
