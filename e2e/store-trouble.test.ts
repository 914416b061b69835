import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Ordered } from '../contract/store/order.ts'
import { chromiumPath, press, shows, SLOW } from './browser.ts'
import { answerPaySheet } from './buyer-phone.ts'
import { openStore, type StoreWorld } from './store-world.ts'

// What goes wrong between the list and the card, in Chromium: hasty thumbs, reloads, cancelled cashiers, others who were faster.
describe.skipIf(chromiumPath === null)('trouble in the storefront', () => {
  let store: StoreWorld
  const payButton = /^微信支付 ¥/
  beforeAll(async () => {
    store = await openStore()
  })
  afterAll(() => store.close())

  test('a hasty thumb makes one order and opens one cashier', async () => {
    const { page, context } = await store.openBuyer('chenyu')
    const orders: string[] = []
    page.on('response', async (one) => {
      if (one.request().method() === 'POST' && one.url().endsWith('/store/orders'))
        orders.push(((await one.json()) as Ordered).order.id)
    })
    await page.goto(store.to(`/buy/${await store.listing('咖啡心意卡')}`))
    await page.getByRole('button', { name: payButton }).waitFor(SLOW)
    // Two presses in the same moment, as a thumb that trembles gives them.
    await page.evaluate(
      `document.querySelector('button[form=buy]').click(); document.querySelector('button[form=buy]').click()`,
    )
    await page.waitForURL('**/shop/orders/*', SLOW)
    await answerPaySheet(page)
    await page.getByRole('heading', { name: /卡已到手/ }).waitFor(SLOW)
    expect(new Set(orders).size).toBe(1)
    expect(await page.getByRole('dialog', { name: '微信支付' }).count()).toBe(0)
    await page.goto(store.to('/orders'))
    await expect.poll(() => page.locator('a.row').count()).toBe(1)
    await context.close()
  })

  test('a cashier that was left keeps the order; after a reload it is paid by one tap', async () => {
    const { page, context } = await store.openBuyer('wangfang')
    await page.goto(store.to(`/buy/${await store.listing('咖啡心意卡')}`))
    await press(page, payButton)
    await answerPaySheet(page, '取消')
    await shows(page, '还没有付款，卡为您保留着。')
    const order = page.url()
    await page.reload()
    await page.getByRole('heading', { name: '等待付款' }).waitFor(SLOW)
    await page
      .getByRole('timer')
      .filter({ hasText: /^1[0-5]:\d\d$/ })
      .waitFor(SLOW)
    await press(page, '继续付款 ¥30.00')
    await answerPaySheet(page)
    await page.getByRole('heading', { name: /卡已到手/ }).waitFor(SLOW)
    expect(page.url()).toBe(order)
    await context.close()
  })

  test('a page that is loaded again while the cashier is open shows the order, and the card when it is paid', async () => {
    const { page, context } = await store.openBuyer('lina')
    await page.goto(store.to(`/buy/${await store.listing('咖啡心意卡')}`))
    await press(page, payButton)
    await page.getByRole('dialog', { name: '微信支付' }).waitFor(SLOW)
    await page.reload()
    await page.getByRole('heading', { name: '等待付款' }).waitFor(SLOW)
    await press(page, '继续付款 ¥30.00')
    await answerPaySheet(page)
    await page.getByRole('heading', { name: /卡已到手/ }).waitFor(SLOW)
    await context.close()
  })

  test('an order that is given up is closed, and the card can be looked at again', async () => {
    const { page, context } = await store.openBuyer('zhaolei')
    await page.goto(store.to(`/buy/${await store.listing('双人下午茶卡')}`))
    await press(page, payButton)
    await answerPaySheet(page, '取消')
    await press(page, '取消订单')
    await page.getByRole('heading', { name: '订单已关闭' }).waitFor(SLOW)
    await page.getByRole('link', { name: '再看看这款卡' }).click(SLOW)
    // What it held is back on the shelf.
    await shows(page, '仅剩 8 张')
    await context.close()
  })

  test('a card that sells out while one looks says so within a second, and is not sold', async () => {
    const { page, context } = await store.openBuyer('chenyu')
    const listing = await store.listing('双人下午茶卡')
    await page.goto(store.to(`/buy/${listing}`))
    await page.getByRole('button', { name: payButton }).waitFor(SLOW)
    const before = Date.now()
    await store.change('update listing set stock = taken where id = ?', [listing])
    await page.getByRole('button', { name: '已售罄' }).waitFor({ timeout: 3_000 })
    expect(Date.now() - before).toBeLessThan(3_000)
    expect(await page.locator('button[form=buy]').isDisabled()).toBe(true)
    await press(page.getByRole('dialog'), '关闭')
    await shows(page.locator('a.tile').filter({ hasText: '双人下午茶卡' }), '已售罄')
    await store.change('update listing set stock = ? where id = ?', [8, listing])
    await context.close()
  })

  test('a price that changed between the look and the tap is told, and only what is seen then is paid', async () => {
    const { page, context } = await store.openBuyer('wangfang')
    const listing = await store.listing('中秋家宴卡')
    await page.goto(store.to(`/buy/${listing}`))
    await page.getByRole('button', { name: '微信支付 ¥170.00' }).waitFor(SLOW)
    // The tap is quicker than the next look at the price.
    await page.route('**/store/listings/*', (route) => route.abort())
    await store.change('update listing set promo_until_ms = promo_from_ms + 1 where id = ?', [listing])
    await press(page, '微信支付 ¥170.00')
    await shows(page.getByRole('alert'), '价格刚刚变动，请确认现在的价格后再买。')
    expect(page.url()).toContain('/shop/buy/')
    await page.unroute('**/store/listings/*')
    await press(page, '微信支付 ¥196.00')
    await shows(page.getByRole('dialog', { name: '微信支付' }), '¥196.00')
    await answerPaySheet(page, '取消')
    await context.close()
  })

  test('words that may not stand on a card are refused where they are typed; markup is words like any other', async () => {
    const { page, context } = await store.openBuyer('lina')
    await page.goto(store.to(`/buy/${await store.listing('咖啡心意卡')}`))
    await page.getByText('送朋友', { exact: true }).click(SLOW)
    await page.getByLabel('祝福语').fill('生日快乐，加 我 微 信', SLOW)
    await press(page, payButton)
    await shows(page.getByRole('alert'), /祝福语|文字/)
    expect(page.url()).toContain('/shop/buy/')
    await page.getByLabel('祝福语').fill('<img src=x onerror="document.title=1"> 生日快乐', SLOW)
    await press(page, payButton)
    await page.waitForURL('**/shop/orders/*', SLOW)
    await answerPaySheet(page, '取消')
    await shows(page, '<img src=x onerror="document.title=1"> 生日快乐')
    expect(await page.title()).not.toBe('1')
    await context.close()
  })

  test('outside WeChat one can look, and the button leads into WeChat by a code', async () => {
    const { page, context } = await store.openPhone(null)
    // Without the sandbox's client this is a browser like any other.
    await page.route('**/client.js', (route) => route.abort())
    await page.goto(store.to('/'))
    await page.locator('a.tile').first().click(SLOW)
    await press(page, '请在微信中打开后购买')
    await page.getByRole('img', { name: '在微信中打开的二维码' }).waitFor(SLOW)
    await page.goto(store.to('/orders'))
    await shows(page, '请在微信中打开这个页面，查看您的订单。')
    await context.close()
  })

  test('another person’s order, a listing that is none and a page that is none each say what to do', async () => {
    const { page, context } = await store.openBuyer('lina')
    await page.goto(store.to('/orders/ord_0123456789ABC'))
    await shows(page, '没有这个订单')
    await page.goto(store.to('/buy/lst_0123456789ABC'))
    await shows(page, /已下架或不存在|找不到/)
    await page.goto(store.to('/nowhere'))
    await shows(page, '找不到这个页面')
    await context.close()
  })

  test('in a mini program on an iPhone there is no price, no way to pay, and no hint of another way (D5)', async () => {
    const userAgent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50 miniProgram/wx0'
    const { page, context } = await store.openPhone('lina', { userAgent })
    await page.goto(store.to('/'))
    await page.locator('a.tile').first().waitFor(SLOW)
    const shelf = await page.locator('body').innerText()
    await page.locator('a.tile').first().click(SLOW)
    await page.getByText('资金与发卡方保障').first().waitFor(SLOW)
    const sheet = await page.getByRole('dialog').innerText()
    for (const text of [shelf, sheet]) expect(text).not.toMatch(/[¥￥]|微信支付|购买|付款|Safari|浏览器/)
    expect(await page.locator('button[form=buy]').count()).toBe(0)
    await context.close()
  })

  test('nothing went wrong on any page that was not made to', () => {
    expect(store.notes.flat().filter((note) => !/ERR_FAILED/.test(note))).toEqual([])
  })
})
