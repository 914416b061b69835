import { readFileSync } from 'node:fs'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Proof } from '../contract/operator/platform.ts'
import type { Id } from '../contract/ids.ts'
import type { RedemptionView } from '../contract/till.ts'
import { offerDemoTills } from '../server/demo-shops.ts'
import { readSum } from '../server/kernel/columns.ts'
import { change, sql } from '../server/kernel/sql.ts'
import { createTerminal } from '../server/modules/merchant/create-terminal.ts'
import { readNewKey } from '../server/modules/merchant/read-terminals.ts'
import { askPos, type PosKey } from '../server/testing/pos.ts'
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
import { dialectsHere, openStage, type OpenStage } from './stage.ts'
import * as step from './steps.ts'

const YUAN = 100
const FACE = 200 * YUAN
const wxwork = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile MicroMessenger/8.0 wxwork/4.1'
const aDesk = { viewport: desktopSize }
const aPhone = { viewport: phoneSize, isMobile: true, hasTouch: true, userAgent: wxwork }

// The whole life of a card as people see it, in Chromium: HR pays, the card is pushed, half of it is spent at a till and half
// by a cash register, the second half comes back, the card ends and is made valid again, and HR's report says the same.
describe.skipIf(chromiumPath === null).each(dialectsHere())('a card is spent (%s)', (dialect) => {
  let stage: OpenStage
  let browser: Browser
  let register: PosKey
  const at = {} as { hr: Page; phone: Page; till: Page; campaign: string; order: string; card: string; name: string }
  const watched: string[][] = []

  const open = async (how: BrowserContextOptions): Promise<Page> => {
    const page = await (await browser.newContext({ locale: 'zh-CN', reducedMotion: 'reduce', ...how })).newPage()
    page.setDefaultTimeout(SLOW.timeout)
    watched.push(watch(page, [stage.serverUrl, stage.wecomUrl, stage.payUrl]))
    return page
  }
  const look = (page: Page, name: string) => takePicture(page, `spending-${dialect}-${name}`)
  const edge = () => stage.running.open.edgeFor({ kind: 'system', name: 'walk' })
  const rows = (text: string, values: readonly unknown[] = []) =>
    edge().read((tx) => sql<Record<string, unknown>>(tx.em, text, values))
  /** The digits that the phone shows to a till: what it asked for as the page came. */
  async function showCode(): Promise<string> {
    const asked = at.phone.waitForResponse((answer) => answer.url().endsWith('/pay-code') && answer.ok(), SLOW)
    await at.phone.goto(`${stage.serverUrl}/pack/cards/${at.card}/pay`)
    const { code } = (await (await asked).json()) as { code: string }
    await at.phone.getByLabel('付款二维码').or(at.phone.getByAltText('付款二维码')).first().waitFor(SLOW)
    return code
  }

  beforeAll(async () => {
    browser = await openBrowser()
    stage = await openStage(dialect)
    const [hr, approver, finance] = await Promise.all(
      ['linxiao', 'zhoumin', 'chenli'].map((userid) => step.memberOf(stage, userid)),
    )
    const list = readFileSync(new URL('../samples/rosters/clean-200.xlsx', import.meta.url))
    const rosterId = await step.uploadRoster(hr!, 'clean-200.xlsx', list)
    await step.waitRoster(hr!, rosterId, ['ready'])
    await step.applyRoster(hr!, rosterId)
    await step.transfer(stage, (await step.readWallet(finance!)).reference, 200 * FACE)
    await step.importStatement(stage, await step.operatorOf(stage))
    at.campaign = await step.draftCampaign(hr!, { rosterId, title: '中秋礼遇', amountFrom: 'same', faceFen: FACE })
    at.order = (await step.submitAndApprove(hr!, approver!, at.campaign)).orderId
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await stage.close()
  })
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return
    for (const [name, page] of Object.entries({ hr: at.hr, phone: at.phone, till: at.till }))
      if (page !== undefined) await takePicture(page, `spending-failed-${dialect}-${name}`)
  })

  test('HR pays, and the cards are made and pushed', async () => {
    at.hr = await open(aDesk)
    await signInAt(at.hr, stage.serverUrl, 'chenli')
    await at.hr.goto(`${stage.serverUrl}/console/orders/${at.order}`)
    await at.hr.locator('.source .name', { hasText: '企业余额' }).click()
    await fill(at.hr, '这笔付多少（元）', String((200 * FACE) / YUAN))
    await press(at.hr, /^用余额支付/)
    await shows(at.hr, '已全部到账')
    const hr = await step.memberOf(stage, 'linxiao')
    await step.waitDelivered(hr, at.campaign)
    const people = await hr.call<{ people: { name: string }[] }>(`/hr/campaigns/${at.campaign}/people?limit=1`)
    at.name = people.people[0]!.name
  })

  test('the employee taps the message, turns the cover and finds the card', async () => {
    at.phone = await open(aPhone)
    await at.phone.goto(`${stage.wecomUrl}/phone/${stage.corp.corpId}`)
    await fill(at.phone, '搜索成员', at.name)
    await press(at.phone, '搜索')
    await at.phone
      .getByRole('link', { name: new RegExp(at.name) })
      .first()
      .click()
    await at.phone.locator('.chats .people a').first().click()
    await at.phone.locator('a[href*="/open"]').first().click()
    await at.phone.waitForURL(/\/pack\//, SLOW)
    await press(at.phone, '打开')
    await shows(at.phone, /¥\s*200/)
    await look(at.phone, 'card')
    const claimed = () =>
      rows(
        `select card.id as id from card join delivery on delivery.person_id = card.holder_id
          where delivery.campaign_id = ? and delivery.state = 'claimed'`,
        [at.campaign],
      )
    // The cover turns at the touch, and the answer comes when it comes.
    await expect.poll(claimed, SLOW).toHaveLength(1)
    at.card = String((await claimed())[0]!['id'])
    // The demo's cards have three hours of cooling-off: here they are over.
    await edge().tx((tx) => change(tx.em, 'update card set locked_until_ms = issued_at_ms'))
  })

  test('half of it is spent at a clerk’s till; the phone shows the receipt', async () => {
    at.till = await open({ ...aPhone, userAgent: wxwork })
    await at.till.goto((await offerDemoTills(edge()))!.clerk)
    await press(at.till, '登录收银台')
    await press(at.till, /^开班$/)
    await at.till.locator('#till-code').fill(await showCode())
    await at.till.locator('#till-code').press('Enter')
    for (const key of '100') await at.till.locator('.keys').getByRole('button', { name: key, exact: true }).click()
    await at.till.locator('.keys .go').click()
    await shows(at.till, '收款成功')
    await look(at.till, 'paid')
    await shows(at.phone, '已付款')
    await look(at.phone, 'receipt')
  })

  test('the other half by the POS API of a cash register, and half of that comes back', async () => {
    const [shop] = await rows('select shop_id as id from redemption')
    register = await edge().tx(async (tx) => {
      const terminalId = await createTerminal(tx, { shopId: shop!['id'] as Id<'shop'>, name: '收款机 1' })
      const secret = await readNewKey(tx, terminalId, { version: 1, atMs: tx.clock.now() })
      return { base: stage.serverUrl, terminalId, secret: secret!, now: Date.now }
    })
    const path = '/pos/v1/authorisations'
    const bill = { codes: [await showCode()], billFen: 100 * YUAN, capture: true }
    const paid = (await (await askPos(register, 'POST', path, bill)).json()) as RedemptionView
    expect(paid).toMatchObject({ state: 'captured', capturedFen: 100 * YUAN, cards: [{ balanceFen: 0 }] })
    await shows(at.phone, '已付款')
    const again = await askPos(register, 'POST', path, bill)
    expect([again.status, ((await again.json()) as { code: string }).code]).toEqual([409, 'pay_code_used'])
    const back = await askPos(register, 'POST', `${path}/${paid.id}/refunds`, { amountFen: 60 * YUAN })
    expect(await back.json()).toMatchObject({ state: 'part_refunded', cards: [{ balanceFen: 60 * YUAN }] })
    await at.phone.goto(`${stage.serverUrl}/pack/cards/${at.card}`)
    await shows(at.phone, '消费退款')
    await shows(at.phone, '¥60.00')
    await look(at.phone, 'refunded')
  })

  test('the card ends with money on it; its holder makes it valid again', async () => {
    await edge().tx((tx) => change(tx.em, 'update card set expires_at_ms = ? where id = ?', [Date.now() - 1, at.card]))
    await at.phone.goto(`${stage.serverUrl}/pack/cards/${at.card}`)
    await shows(at.phone, '这张卡已过有效期')
    await look(at.phone, 'expired')
    await at.phone.getByRole('link', { name: '更多' }).click()
    await press(at.phone, '延长有效期')
    await at.phone.getByRole('button', { name: '延长有效期' }).last().click()
    await shows(at.phone, '有效期已延长，可以继续使用')
    await look(at.phone, 'extended')
    const [card] = await rows('select expires_at_ms as endMs from card where id = ?', [at.card])
    expect(Number(card!['endMs'])).toBeGreaterThan(Date.now() + 360 * 86_400_000)
  })

  test('HR’s report says what was spent, and its rows do', async () => {
    await at.hr.goto(`${stage.serverUrl}/console/report`)
    const tile = (name: string) => at.hr.locator('.tiles button').filter({ hasText: name })
    await tile('¥140').filter({ hasText: '已消费' }).waitFor(SLOW)
    await look(at.hr, 'report')
    await tile('已消费').click()
    const rows = at.hr.getByRole('dialog').filter({ visible: true })
    await rows.getByText('¥140.00').waitFor(SLOW)
    expect(await rows.locator('tbody tr').count()).toBe(1)
    await look(at.hr, 'report-rows')
  })

  test('the books tie, and nothing on the way went wrong on a page', async () => {
    const spent = readSum(
      (await rows("select sum(amount) as fen from posting where account like 'redeemed:%'"))[0]!['fen'],
    )
    expect(spent).toBe(140 * YUAN)
    const proof: Proof = await step.proveBooks(await step.operatorOf(stage))
    expect(proof.findings).toEqual([])
    expect(watched.flat()).toEqual([])
  })
})
