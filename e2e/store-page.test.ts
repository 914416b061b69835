import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, desktopSize, phoneSize, press, SLOW, takePicture } from './browser.ts'
import { answerPaySheet } from './buyer-phone.ts'
import { faultsOf, focusOf, settle } from './page-faults.ts'
import { openStore, type BuyerPhone, type StoreWorld } from './store-world.ts'

// How the storefront's pages look and behave in hand, at twice the size and on a desk, in both languages.
describe.skipIf(chromiumPath === null)('the pages of the storefront', () => {
  let store: StoreWorld
  let bought: readonly string[] = []
  beforeAll(async () => {
    store = await openStore()
    bought = await buySome(store)
  })
  afterAll(() => store.close())

  interface Place {
    readonly name: string
    readonly path: string
    readonly act?: (page: Page) => Promise<unknown>
  }
  async function placesOf(): Promise<readonly Place[]> {
    const free = `/buy/${await store.listing('生日礼遇卡')}`
    const promo = `/buy/${await store.listing('中秋家宴卡')}`
    const open = (page: Page, part: number) => page.locator('dialog summary').nth(part).click(SLOW)
    return [
      { name: 'shelf', path: '/' },
      { name: 'nothing-found', path: '/?search=zzzz' },
      { name: 'filter', path: '/', act: (page) => page.locator('.filter').click(SLOW) },
      { name: 'sheet-free', path: free },
      { name: 'sheet-covers', path: free, act: (page) => open(page, 0) },
      { name: 'sheet-promo', path: promo },
      { name: 'sheet-trust', path: promo, act: (page) => open(page, 1) },
      { name: 'orders', path: '/orders' },
      ...bought.map((id, index) => ({
        name: `order-${['waiting', 'locked', 'usable'][index]}`,
        path: `/orders/${id}`,
      })),
      { name: 'order-none', path: '/orders/ord_0123456789ABC' },
      { name: 'nowhere', path: '/nowhere' },
    ]
  }

  test.each(['zh', 'en'] as const)('every page in hand, at twice the size, and on a desk (%s)', async (lang) => {
    const { page, context } = await store.openBuyer('chenyu', { deviceScaleFactor: 1 })
    await context.addCookies([{ name: 'lang', value: lang, url: store.stage.serverUrl }])
    const faults: string[] = []
    for (const place of await placesOf()) {
      await page.setViewportSize(phoneSize)
      await page.goto(store.to(place.path))
      await settle(page)
      await place.act?.(page)
      for (const [size, viewport] of Object.entries({
        phone: phoneSize,
        zoomed: { width: 195, height: 422 },
        wide: desktopSize,
      })) {
        await page.setViewportSize(viewport)
        await settle(page)
        const name = `${place.name}-${size}-${lang}`
        faults.push(...(await faultsOf(page, lang)).map((fault) => `${name}: ${fault}`))
        await takePicture(page, `store-${name}`, !place.name.startsWith('sheet') && place.name !== 'filter')
      }
    }
    await context.close()
    expect(faults).toEqual([])
  })

  test('by keyboard alone one comes from the list to the payment and back, and sees where one is', async () => {
    const { page, context } = await store.openBuyer('chenyu', {
      viewport: desktopSize,
      isMobile: false,
      hasTouch: false,
    })
    await page.goto(store.to('/'))
    const tile = page.locator('a.tile').first()
    await tile.waitFor(SLOW)
    await tile.focus()
    expect((await focusOf(page)).ring).toBe(true)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: /^微信支付 ¥/ }).waitFor(SLOW)
    const seen: string[] = []
    for (let step = 0; step < 20 && !seen.some((text) => text.startsWith('微信支付')); step += 1) {
      await page.keyboard.press('Tab')
      const stop = await focusOf(page)
      expect([stop.text, stop.ring]).toEqual([stop.text, true])
      seen.push(stop.text)
    }
    expect(seen.some((text) => text.startsWith('微信支付'))).toBe(true)
    await page.keyboard.press('Escape')
    await page.waitForURL(/\/shop\/(\?.*)?$/, SLOW)
    await context.close()
  })

  test('without an answer a page says so and what to do, and comes back by itself', async () => {
    const { page, context } = await store.openBuyer('chenyu')
    await page.route('**/store/shelf*', (route) => route.abort())
    await page.goto(store.to('/?category=drinks'))
    await page.getByRole('alert').filter({ hasText: '连接不上服务器' }).waitFor(SLOW)
    await page.unroute('**/store/shelf*')
    await press(page, '重试')
    await page.locator('a.tile').first().waitFor(SLOW)
    await context.close()
  })

  test('nothing went wrong on any page, and none called anybody else', () => {
    expect(store.notes.flat().filter((note) => !note.includes('ERR_FAILED'))).toEqual([])
  })
})

/** One order that waits for its money, one in its cooling-off, one whose card is in use already. */
async function buySome(store: StoreWorld): Promise<readonly string[]> {
  const phone = await store.openBuyer('chenyu')
  const orders = [
    await buy(store, phone, '取消'),
    await buy(store, phone, '确认支付'),
    await buy(store, phone, '确认支付'),
  ]
  await press(phone.page, '现在启用')
  await phone.page.getByRole('dialog').getByRole('button', { name: '现在启用' }).click(SLOW)
  await phone.page.getByRole('heading', { name: '卡已到手', exact: true }).waitFor(SLOW)
  await phone.context.close()
  return orders
}

async function buy(store: StoreWorld, { page }: BuyerPhone, answer: '确认支付' | '取消'): Promise<string> {
  await page.goto(store.to(`/buy/${await store.listing('咖啡心意卡')}`))
  await press(page, /^微信支付 ¥/)
  await answerPaySheet(page, answer)
  if (answer === '确认支付') await page.getByRole('heading', { name: /卡已到手/ }).waitFor(SLOW)
  return new URL(page.url()).pathname.split('/').at(-1) ?? ''
}
