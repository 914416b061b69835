import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, shows, SLOW } from './browser.ts'
import { control } from './steps.ts'
import { openStore, type StoreWorld } from './store-world.ts'

// A phone whose WeChat does not say whose it is, in Chromium: the page that asked stays, and says why.
describe.skipIf(chromiumPath === null)('a sign-in that is refused', () => {
  let store: StoreWorld
  const snapshot = (mode: 'on' | 'off') => control(`${store.stage.wechatUrl}/__ctl/snapshot`, { mode })
  beforeAll(async () => {
    store = await openStore()
  })
  afterEach(() => snapshot('off'))
  afterAll(() => store.close())

  test.each(['a card', 'the orders', 'an order', 'the inbox'])('on a snapshot page: %s', async (what) => {
    const paths: Readonly<Record<string, string>> = {
      'a card': `/buy/${await store.listing('咖啡心意卡')}`,
      'the orders': '/orders',
      'an order': '/orders/ord_0000000000001',
      'the inbox': '/inbox',
    }
    await snapshot('on')
    const { page, context } = await store.openPhone('chenyu')
    await page.goto(store.to(paths[what]!))
    await shows(page, '当前是微信的快照页')
    expect(new URL(page.url()).pathname).toBe(`/shop${paths[what]}`)
    expect(new URL(page.url()).search).toBe('')
    expect((await context.cookies()).map(({ name }) => name)).not.toContain('fulika_store')
    await context.close()
  })

  test('when WeChat opens all of the page, its person is known', async () => {
    const { page, context } = await store.openPhone('lina')
    await page.goto(store.to('/orders'))
    await page.getByText('当前是微信的快照页').waitFor({ state: 'detached', ...SLOW })
    await expect.poll(async () => (await context.cookies()).map(({ name }) => name)).toContain('fulika_store')
    await page.waitForURL(store.to('/orders'), SLOW)
    await context.close()
  })
})
