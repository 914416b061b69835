import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumArgs } from '../scripts/chromium.ts'
import type { PurchaseDetail } from '../contract/merchant/till.ts'
import { change } from '../server/kernel/sql.ts'
import { chromiumPath, desktopSize } from './browser.ts'
import { amount, begin, openTillWorld, pay, result, shot, tap, type, type TillWorld } from './till-world.ts'

const cameraArgs = ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream']

describe.skipIf(chromiumPath === null)('the till of a shop in trouble', () => {
  let world: TillWorld
  beforeAll(async () => {
    world = await openTillWorld()
  })
  afterAll(() => world.close())

  /** Takes a bill off a card, as far as the result. */
  async function take(page: Page, yuan: string, card = 2): Promise<void> {
    await type(page, await world.codeOf(card))
    await amount(page, yuan)
    await pay(page)
    await page.getByText('收款成功').waitFor()
  }
  /** Opens the newest purchase of the shift. */
  async function openNewest(page: Page): Promise<string> {
    await page.getByRole('link', { name: /^今日$/ }).click()
    await page.locator('main li a').first().click()
    await page.getByText('付款的卡').waitFor()
    return page.url().split('/').at(-1) ?? ''
  }
  async function giveBack(page: Page, yuan: string): Promise<void> {
    await tap(page, /^退款$/)
    await page.getByLabel(/退款金额/).fill(yuan)
    await tap(page, /^退款 ¥/)
  }
  async function read(context: BrowserContext, id: string): Promise<PurchaseDetail> {
    const answer = await context.request.get(`${world.stage.serverUrl}/merchant/purchases/${id}`)
    return (await answer.json()) as PurchaseDetail
  }
  /** A refund that the page knows nothing of. */
  async function giveBackElsewhere(context: BrowserContext, id: string, amountFen: number): Promise<void> {
    const headers = { 'Idempotency-Key': `elsewhere-${id}`, Origin: world.stage.serverUrl }
    const path = `${world.stage.serverUrl}/merchant/purchases/${id}/refund`
    expect((await context.request.post(path, { headers, data: { amountFen } })).status()).toBe(200)
  }
  /** Answers of the desk that are lost on the way to a page. */
  async function lose(page: Page, keys: Set<string> = new Set(), slow: Promise<void> = Promise.resolve()) {
    await page.route('**/refund', async (route) => {
      keys.add(route.request().headers()['idempotency-key'] ?? '')
      await slow
      await route.fetch()
      await route.abort('connectionreset')
    })
  }

  test('a refund without an answer is not walked around by the Back of the browser, and not sent twice', async () => {
    const { page, context } = await world.openTill('manager', 'zh')
    await begin(page)
    await take(page, '10')
    await tap(page, /^完成$/)
    const id = await openNewest(page)
    const [keys, line] = [new Set<string>(), Promise.withResolvers<void>()]
    await lose(page, keys, line.promise)
    await giveBack(page, '3')
    await page.getByText('正在确认').waitFor()
    await page.evaluate('history.back()')
    await page.evaluate('history.back()')
    await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))')
    expect([await page.getByText('正在确认').isVisible(), new URL(page.url()).pathname]).toEqual([true, '/till/'])
    // The line is lost, and Back leads nowhere still; asked again, it is the same refund.
    line.resolve()
    await page.getByText('刚才那一笔还没有结果').waitFor({ timeout: 15_000 })
    await page.evaluate('history.back()')
    await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))')
    expect(await page.getByText('刚才那一笔还没有结果').isVisible()).toBe(true)
    await page.unroute('**/refund')
    await page.getByText('已退款，退回原卡').waitFor({ timeout: 15_000 })
    expect([keys.size, (await read(context, id)).refundedFen]).toEqual([1, 300])
    // What is answered lets go.
    await tap(page, /^完成$/)
    await page.getByRole('link', { name: /^今日$/ }).click()
    await page.locator('main li a').first().waitFor()
    await context.close()
  })

  test('another window of the phone asks first about what has no answer, and forgets only what it was answered', async () => {
    const { page, context } = await world.openTill('manager', 'zh')
    await begin(page)
    await take(page, '10')
    await tap(page, /^完成$/)
    const id = await openNewest(page)
    const other = await context.newPage()
    await other.goto(page.url())
    await other.getByText('付款的卡').waitFor()
    await lose(page)
    await giveBack(page, '3')
    await page.getByText('刚才那一笔还没有结果').waitFor({ timeout: 15_000 })
    await giveBack(other, '4')
    await other.getByText('已退款，退回原卡').waitFor({ timeout: 15_000 })
    expect(await result(other).innerText()).toContain('¥3.00')
    expect((await read(context, id)).refundedFen).toBe(300)
    // The other window goes on and loses an answer too, while the first one still asks for its own.
    await tap(other, /^完成$/)
    await openNewest(other)
    await lose(other)
    await giveBack(other, '4')
    await other.getByText('刚才那一笔还没有结果').waitFor({ timeout: 15_000 })
    await page.unroute('**/refund')
    await page.getByText('已退款，退回原卡').waitFor({ timeout: 15_000 })
    await other.unroute('**/refund')
    await other.reload()
    await other.getByText('已退款，退回原卡').waitFor({ timeout: 15_000 })
    expect(await result(other).innerText()).toContain('¥4.00')
    expect((await read(context, id)).refundedFen).toBe(700)
    await context.close()
  })

  test('an act is asked about only as the clerk who sent it, whoever signs in on the phone meanwhile', async () => {
    const { page, context } = await world.openTill('manager', 'zh')
    await begin(page)
    await take(page, '10')
    await tap(page, /^完成$/)
    const id = await openNewest(page)
    await lose(page)
    await giveBack(page, '3')
    await page.getByText('刚才那一笔还没有结果').waitFor({ timeout: 15_000 })
    const other = await context.newPage()
    await world.signIn(other, 'clerk')
    await page.unroute('**/refund')
    await page.getByText('周小店').waitFor({ timeout: 15_000 })
    await begin(page)
    expect(await page.getByText('没有退款').isVisible()).toBe(false)
    await world.signIn(other, 'manager')
    await other.getByText('已退款，退回原卡').waitFor({ timeout: 15_000 })
    expect((await read(context, id)).refundedFen).toBe(300)
    await context.close()
  })

  test('a refusal says what did not happen; a refund shows its own amount; the rest of a bill stays open', async () => {
    const { page, context, wrong } = await world.openTill('manager', 'zh')
    await begin(page)
    await take(page, '250', 0)
    await page.getByRole('button', { name: /^用另一张卡付 ¥50.00/ }).click()
    await page.getByText('上一笔还差 ¥50.00').waitFor()
    await openNewest(page)
    await giveBack(page, '3')
    await page.getByText('已退款，退回原卡').waitFor()
    expect(await page.locator('.sum').textContent()).toBe('¥3.00')
    await tap(page, /^完成$/)
    await page.getByText('上一笔还差 ¥50.00').waitFor()
    const id = await openNewest(page)
    await giveBack(page, '4')
    await page.getByText('已退款，退回原卡').waitFor()
    expect(await page.locator('.sum').textContent()).toBe('¥4.00')
    await tap(page, /^完成$/)
    await page.getByText('上一笔还差 ¥50.00').waitFor()

    // Somebody else gives the rest of it back meanwhile.
    await openNewest(page)
    await tap(page, /^退款$/)
    await giveBackElsewhere(context, id, 19_300)
    await tap(page, /^退款 ¥193.00$/)
    await page.getByRole('heading', { name: '没有退款' }).waitFor()
    await shot(page, 'zh', 'not-refunded')
    await tap(page, /^完成$/)
    await tap(page, /^不再收$/)

    await take(page, '5')
    await page.getByRole('button', { name: /^撤销这一笔/ }).click()
    await page.route('**/undo', async (route) => {
      await giveBackElsewhere(context, route.request().url().split('/').at(-2) ?? '', 100)
      await route.continue()
    })
    await tap(page, /^确认撤销$/)
    await page.getByRole('heading', { name: '没有撤销，这一笔收款不变' }).waitFor()
    await shot(page, 'zh', 'not-undone')
    expect(wrong).toEqual([])
    await context.close()
  })

  test('the bill outlives a moment without network and a refusal, which says what the card has left', async () => {
    const { page, context } = await world.openTill('manager', 'zh')
    await begin(page)
    await type(page, await world.codeOf(1))
    await amount(page, '180')
    await context.setOffline(true)
    await page.getByText('没有网络，现在不能收卡').waitFor()
    await context.setOffline(false)
    await page.locator('.keys').waitFor({ timeout: 15_000 })
    expect(await page.locator('output.typed').textContent()).toBe('¥180.00')

    // The card pays at another till before this one asks.
    const other = await world.openTill('clerk', 'zh')
    await begin(other.page)
    await take(other.page, '120', 1)
    await other.context.close()
    await pay(page)
    await page.getByRole('heading', { name: '没有收款' }).waitFor()
    await tap(page, /^改金额$/)
    expect(await page.locator('output.typed').textContent()).toBe('¥180.00')
    await page.getByText('福利卡付 ¥80.00，另收现金 ¥100.00').waitFor()
    await pay(page)
    await page.getByText('收款成功').waitFor()
    expect(await page.locator('.sum').textContent()).toBe('¥80.00')
    await context.close()
  })

  test('the time to undo is the desk’s, whatever the phone’s clock shows and whenever the answer comes', async () => {
    const { page, context } = await world.openTill('manager', 'zh')
    await begin(page)
    await page.addInitScript('{ const now = Date.now; Date.now = () => now() + 3_600_000 }')
    await page.reload()
    await begin(page)
    await take(page, '2')
    await page.getByRole('button', { name: /^撤销这一笔.*[45]:\d\d/ }).waitFor()
    await tap(page, /^完成$/)
    const id = await openNewest(page)
    await page.getByRole('button', { name: /^撤销这一笔.*[45]:\d\d/ }).waitFor()

    // The answer of a payment comes three minutes late.
    await page.getByRole('link', { name: /^收款$/ }).click()
    await type(page, await world.codeOf(2))
    await amount(page, '2')
    await page.route('**/redeem', async (route) => {
      await route.fetch()
      await route.abort('connectionreset')
    })
    await pay(page)
    await page.getByText('刚才那一笔还没有结果').waitFor({ timeout: 15_000 })
    const late = "update redemption_movement set at_ms = at_ms - 180000 where kind = 'capture' and redemption_id > ?"
    await world.edge().tx((tx) => change(tx.em, late, [id]))
    await page.unroute('**/redeem')
    await page.reload()
    await page.getByText('收款成功').waitFor({ timeout: 15_000 })
    await page.getByRole('button', { name: /^撤销这一笔.*1:\d\d/ }).waitFor()
    await context.close()
  })

  test('Enter after a mouse on the pad charges, and repeats no digit', async () => {
    const { page, context } = await world.openTill('manager', 'zh', {
      context: { viewport: desktopSize, isMobile: false, hasTouch: false },
    })
    await begin(page)
    await type(page, await world.codeOf(2))
    await amount(page, '3')
    await page.keyboard.press('Enter')
    await result(page).waitFor()
    expect(await page.locator('.sum').textContent()).toBe('¥3.00')
    await page.keyboard.press('Escape')
    await type(page, await world.codeOf(2))
    await page.locator('.keys').getByRole('button', { name: '2', exact: true }).focus()
    await page.keyboard.press('Space')
    await page.keyboard.press('Enter')
    await result(page).waitFor()
    expect(await page.locator('.sum').textContent()).toBe('¥2.00')
    await context.close()
  })

  test('without what reads the picture the camera is off again, and the network is named', async () => {
    const camera = await chromium.launch({ executablePath: chromiumPath ?? '', args: [...chromiumArgs, ...cameraArgs] })
    const { page } = await world.openTill('manager', 'zh', {
      browser: camera,
      link: async (first) => {
        await first.route('**/read-frame*', (route) => route.abort('connectionreset'))
        await first.addInitScript(`{
          const { mediaDevices } = navigator
          const open = mediaDevices?.getUserMedia.bind(mediaDevices)
          window.opened = []
          if (open) mediaDevices.getUserMedia = async (wish) => {
            const stream = await open(wish)
            window.opened.push(stream)
            return stream
          }
        }`)
        await first.reload()
      },
    })
    const open = page.getByRole('button', { name: /^开班$/ })
    await open.or(page.locator('.view')).first().waitFor()
    if (await open.isVisible()) await open.click()
    await page.getByText('识别付款码的程序没有加载').waitFor()
    const ended = `window.opened.flatMap((one) => one.getTracks()).every((one) => one.readyState === 'ended')`
    await expect.poll(() => page.evaluate<boolean>(`window.opened.length > 0 && ${ended}`)).toBe(true)
    await shot(page, 'zh', 'no-reader')
    await page.unroute('**/read-frame*')
    await tap(page, /^重新打开摄像头$/)
    await page.locator('.aim').waitFor()
    await camera.close()
  })

  test('a phone that stores nothing takes cards all the same', async () => {
    const { page, context, wrong } = await world.openTill('manager', 'zh', {
      link: async (first) => {
        await first.addInitScript(
          `Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }`,
        )
        await first.reload()
      },
    })
    await begin(page)
    await take(page, '1')
    expect(wrong).toEqual([])
    await context.close()
  })
})
