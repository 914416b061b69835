import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import JsBarcode from 'jsbarcode'
import QRCode from 'qrcode'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumArgs } from '../scripts/chromium.ts'
import { chromiumPath, desktopSize, phoneSize } from './browser.ts'
import { amount, begin, openTillWorld, pay, result, shot, tap, type, type TillWorld } from './till-world.ts'

/** A camera that nobody has to allow, and that shows a film. */
const cameraArgs = ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream']

describe.skipIf(chromiumPath === null)('the till of a shop', () => {
  let world: TillWorld
  beforeAll(async () => {
    world = await openTillWorld()
  })
  afterAll(() => world.close())

  test.each(['zh', 'en'] as const)('a clerk takes a card, undoes it and ends the shift (%s)', async (lang) => {
    // The one card is spent to its end, so each language has its own.
    const card = lang === 'zh' ? 0 : 1
    const link = (page: Page) => shot(page, lang, 'enter')
    const { page, context, wrong } = await world.openTill('clerk', lang, { link })
    await page.getByRole('button', { name: /^(开班|Open shift)$/ }).waitFor()
    await shot(page, lang, 'no-shift')
    await begin(page)
    await page.locator('#till-code').waitFor()
    await shot(page, lang, 'scan-no-camera')
    await page.locator('#till-code').fill('123')
    await page.locator('#till-code').press('Enter')
    await page.getByRole('alert').waitFor()
    await shot(page, lang, 'scan-bad')

    await type(page, await world.codeOf(card))
    await page.locator('.keys').waitFor()
    await shot(page, lang, 'amount')
    await amount(page, '12.3')
    expect(await page.locator('output.typed').textContent()).toBe('¥12.30')
    await shot(page, lang, 'amount-typed')
    await pay(page)
    await result(page).waitFor()
    await page.getByRole('button', { name: /[45]:\d\d/ }).waitFor()
    await shot(page, lang, 'paid')
    expect(await result(page).innerText()).toContain('¥12.30')
    await tap(page, /^(撤销这一笔|Undo this payment)/)
    await shot(page, lang, 'undo-sure')
    await tap(page, /^(确认撤销|Undo it)$/)
    await page.getByText(/已撤销，退回原卡|Undone, back on the card/).waitFor()
    await shot(page, lang, 'undone')
    await tap(page, /^(完成|Done)$/)

    // The bill is more than the card has: what is cash is said before and after.
    await type(page, await world.codeOf(card))
    await amount(page, '250')
    await page.getByText(/另收现金 ¥50.00|collect ¥50.00 in cash/).waitFor()
    await shot(page, lang, 'part-cash')
    await pay(page)
    await page.getByText(/另收现金 ¥50.00（账单|Collect ¥50.00 in cash/).waitFor()
    await shot(page, lang, 'paid-part')
    await tap(page, /^(用另一张卡付|Pay ¥50.00 with another card)/)
    await page.getByText(/上一笔还差 ¥50.00|¥50.00 of the last bill/).waitFor()
    const spent = await world.codeOf(card)
    await type(page, spent)
    await result(page).waitFor()
    await shot(page, lang, 'refused')
    expect(await result(page).innerText()).toMatch(/已用完|used up/)
    await tap(page, /^(重新扫码|Scan again)$/)

    await page.getByRole('link', { name: /^(今日|Today)$/ }).click()
    await page.locator('main li').nth(1).waitFor()
    await shot(page, lang, 'today')
    await page.locator('main li a').first().click()
    await page.getByText(/^(付款的卡|Cards that paid)$/).waitFor()
    await shot(page, lang, 'purchase')
    await page.getByRole('link', { name: /^(交班|Shift)$/ }).click()
    // Below its own sums the page shows the slips of shifts before, with the same sum.
    await page.getByText('¥212.30').first().waitFor()
    await shot(page, lang, 'shift')
    await tap(page, /^(交班|Close shift)$/)
    await tap(page, /^(确认交班|Close the shift)$/)
    await page.getByRole('button', { name: /^(打印|Print)$/ }).waitFor()
    await shot(page, lang, 'slip')
    await page.emulateMedia({ media: 'print' })
    for (const hidden of ['nav', 'header.top', 'main button'])
      expect(await page.locator(hidden).first().isVisible()).toBe(false)
    expect(await page.locator('.slip').isVisible()).toBe(true)
    await page.emulateMedia({ media: 'screen' })
    await tap(page, /^(返回|Back)$/)
    await page.getByText(/^(以前的班|Earlier shifts)$/).waitFor()
    await shot(page, lang, 'shifts')
    expect(wrong).toEqual([])
    await context.close()
  })

  test('an answer that was lost is asked for again, and nothing else is offered before', async () => {
    const { page, context } = await world.openTill('manager', 'zh')
    await begin(page)
    await type(page, await world.codeOf(2))
    await amount(page, '8')
    const keys: (string | undefined)[] = []
    await page.route('**/redeem', async (route) => {
      keys.push(route.request().headers()['idempotency-key'])
      await route.fetch()
      await route.abort('connectionreset')
    })
    await pay(page)
    await page.getByText('刚才那一笔还没有结果').waitFor({ timeout: 15_000 })
    await shot(page, 'zh', 'unknown')
    expect(await page.getByRole('button').allInnerTexts()).toEqual(['English', '查询结果'])
    // Also a page that is opened anew knows that it has a question open.
    await page.reload()
    await page
      .getByText(/刚才那一笔还没有结果|正在确认/)
      .first()
      .waitFor()
    // It is its sender's question: asked by somebody else it would be another payment.
    await world.signIn(page, 'clerk')
    await page
      .locator('.view')
      .or(page.getByRole('button', { name: /^开班$/ }))
      .first()
      .waitFor()
    await page.unroute('**/redeem')
    await world.signIn(page, 'manager')
    await page.getByText('收款成功').waitFor({ timeout: 15_000 })
    expect(new Set(keys).size).toBe(1)
    expect(await result(page).innerText()).toContain('余额 ¥192.00')
    await tap(page, /^完成$/)

    await context.setOffline(true)
    await page.getByText('没有网络，现在不能收卡').waitFor()
    await shot(page, 'zh', 'offline')
    await context.setOffline(false)
    await page.locator('.view').waitFor({ timeout: 15_000 })

    // A manager refunds a part; the till shows what came of it.
    await page.getByRole('link', { name: /^今日$/ }).click()
    await page.locator('main li a').first().click()
    await tap(page, /^退款$/)
    await page.getByLabel(/退款金额/).fill('9')
    expect(await page.getByRole('button', { name: /^退款/ }).isDisabled()).toBe(true)
    await page.getByLabel(/退款金额/).fill('3.5')
    await shot(page, 'zh', 'refund')
    await tap(page, /^退款 ¥3.50$/)
    await page.getByText('已退款，退回原卡').waitFor()
    await shot(page, 'zh', 'refunded')
    await context.close()
  })

  test('a hand scanner types a code; one that fires at the amount pad charges nothing; keys do the rest', async () => {
    const { page, context, wrong } = await world.openTill('clerk', 'en', {
      context: { viewport: desktopSize, isMobile: false },
    })
    await begin(page)
    await page.evaluate('document.activeElement?.blur()')
    await page.keyboard.type(await world.codeOf(2))
    await page.keyboard.press('Enter')
    await page.locator('.keys').waitFor()
    await page.keyboard.type(await world.codeOf(2))
    await page.keyboard.press('Enter')
    expect(await page.locator('output.typed').textContent()).toBe('¥0.00')
    await page.keyboard.type('1.05')
    await shot(page, 'en', 'amount-wide')
    await page.keyboard.press('Enter')
    await result(page).waitFor()
    await shot(page, 'en', 'paid-wide')
    expect(await result(page).innerText()).toContain('¥1.05')
    await page.keyboard.press('Escape')
    await page.locator('.view').waitFor()
    await shot(page, 'en', 'scan-wide')
    expect(wrong).toEqual([])
    await context.close()
  })

  test('200 % of the size and a keyboard alone are enough', async () => {
    const zoomed = { viewport: { width: 195, height: 422 }, deviceScaleFactor: 2 }
    const { page, context } = await world.openTill('manager', 'zh', { context: zoomed })
    await begin(page)
    await shot(page, 'zh', 'zoom-scan')
    await page.evaluate('document.activeElement?.blur()')
    await page.keyboard.type(await world.codeOf(2))
    await page.keyboard.press('Enter')
    await page.locator('.keys').waitFor()
    await page.keyboard.type('2')
    await page.locator('.keys .go').scrollIntoViewIfNeeded()
    await shot(page, 'zh', 'zoom-amount')
    await page.keyboard.press('Enter')
    await result(page).waitFor()
    await shot(page, 'zh', 'zoom-paid')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('.view').waitFor()
    await context.close()
  })

  test.each([
    ['a QR code', squareOf],
    ['a barcode', barsOf],
  ])('the camera reads %s by itself', async (_kind, pictureOf) => {
    const folder = mkdtempSync(join(tmpdir(), 'fulika-camera-'))
    const path = join(folder, 'code.y4m')
    writeFileSync(path, filmOf(pictureOf('28'.repeat(26))))
    const args = [...chromiumArgs, ...cameraArgs, `--use-file-for-fake-video-capture=${path}`]
    const camera = await chromium.launch({ executablePath: chromiumPath ?? '', args })
    const asked: string[] = []
    const link = async (page: Page): Promise<void> => {
      page.on('request', (request) => {
        if (request.url().endsWith('/merchant/scans')) asked.push(request.postData() ?? '')
      })
    }
    const { page, wrong } = await world.openTill('clerk', 'zh', { browser: camera, link })
    const open = page.getByRole('button', { name: /^开班$/ })
    await open.or(page.locator('.result')).first().waitFor()
    if (await open.isVisible()) await open.click()
    // The code in the film is not signed: the desk was asked with it, which is all that a camera can do.
    await page.getByText('付款码无效或已过期').waitFor()
    expect(asked.map((text) => JSON.parse(text) as unknown)).toEqual([{ codes: ['28'.repeat(26)] }])
    await shot(page, 'zh', 'bad-code')
    expect(wrong).toEqual([])
    await camera.close()
    rmSync(folder, { recursive: true })
  })

  test('the camera is open at once, and what it shows is no code until one is there', async () => {
    const camera = await chromium.launch({ executablePath: chromiumPath ?? '', args: [...chromiumArgs, ...cameraArgs] })
    const { page, context, wrong } = await world.openTill('manager', 'zh', { browser: camera })
    await begin(page)
    await page.locator('.aim').waitFor()
    await shot(page, 'zh', 'scan')
    await tap(page, /^输入付款码数字$/)
    await shot(page, 'zh', 'scan-typing')
    expect(await page.locator('#till-code').evaluate((field) => field === field.ownerDocument.activeElement)).toBe(true)
    expect(wrong).toEqual([])
    await context.close()
    await camera.close()
  })

  test('a phone without a session, a dead link and a mistyped address say what to do', async () => {
    for (const lang of ['zh', 'en'] as const) {
      const locale = { zh: 'zh-CN', en: 'en-GB' }[lang]
      const context = await world.browser.newContext({ locale, viewport: phoneSize })
      const page = await context.newPage()
      await page.goto(`${world.stage.serverUrl}/till/`)
      await page.getByText(/这台手机还没有登录|Nobody is signed in/).waitFor()
      await shot(page, lang, 'signed-out')
      for (const token of ['x'.repeat(32), 'x']) {
        await page.goto(`${world.stage.serverUrl}/till/enter/${token}`)
        await tap(page, /登录收银台|Sign in to the till/)
        await page.getByText(/登录链接已失效|no longer valid/).waitFor()
      }
      await shot(page, lang, 'link-dead')
      await context.close()
    }
  })
})

type Dark = (x: number, y: number) => boolean
const film = { width: 1280, height: 720 }

/** Where a QR code in the middle of the picture is dark. */
function squareOf(text: string): Dark {
  const { modules } = QRCode.create(text, { errorCorrectionLevel: 'M' })
  const modulePx = Math.floor(film.height / (modules.size + 8))
  const at = (px: number, room: number) => Math.floor((px - (room - modules.size * modulePx) / 2) / modulePx)
  const inside = (index: number) => index >= 0 && index < modules.size
  return (x, y) => {
    const [column, row] = [at(x, film.width), at(y, film.height)]
    return inside(column) && inside(row) && modules.get(row, column) === 1
  }
}

/** Where the barcode of the card pack is dark: three points to a module, over most of the width. */
function barsOf(text: string): Dark {
  const drawn: { encodings?: readonly { readonly data: string }[] } = {}
  JsBarcode(drawn, text, { format: 'CODE128C' })
  const data = (drawn.encodings ?? []).map((one) => one.data).join('')
  const left = (film.width - data.length * 3) >> 1
  return (x, y) => y > 200 && y < 520 && data[Math.floor((x - left) / 3)] === '1'
}

/** A film of one picture for a camera that is none (YUV4MPEG2, 4:2:0). */
function filmOf(dark: Dark): Buffer {
  const { width, height } = film
  const light = Buffer.alloc(width * height, 235)
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) if (dark(x, y)) light[y * width + x] = 16
  const grey = Buffer.alloc((width * height) / 2, 128)
  const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\n`)
  const frame = Buffer.concat([Buffer.from('FRAME\n'), light, grey])
  return Buffer.concat([head, ...Array.from({ length: 5 }, () => frame)])
}
