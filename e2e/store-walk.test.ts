import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, follow, press, shows, SLOW, takePicture } from './browser.ts'
import { answerPaySheet, openFromFriend, shareWith } from './buyer-phone.ts'
import { openStore, type StoreWorld } from './store-world.ts'

// A buyer in Chromium, with the sandbox's WeChat around the page: what they tap, and what shows by itself.
describe.skipIf(chromiumPath === null)('the storefront', () => {
  let store: StoreWorld
  beforeAll(async () => {
    store = await openStore()
  })
  afterAll(() => store.close())

  test('three taps lead from the list to a card in the pack', async () => {
    const { page, context, taps } = await store.openBuyer('chenyu')
    await page.goto(store.to('/'))
    await shows(page, '鲜果心意卡')
    await follow(page, /鲜果心意卡/)
    await page.getByRole('button', { name: '微信支付 ¥95.00' }).click(SLOW)
    await page.waitForURL('**/shop/orders/*', SLOW)
    await answerPaySheet(page)
    await page.getByRole('heading', { name: '卡已到手' }).waitFor(SLOW)
    expect(taps()).toBe(3)
    const card = await page.getByRole('link', { name: '自己留着' }).getAttribute('href')
    await page.goto(`${store.stage.serverUrl}/mine/`)
    await page.locator('a.tile').first().waitFor(SLOW)
    expect(await page.locator('a.tile').first().getAttribute('href')).toBe(card)
    expect(taps()).toBe(0)
    await takePicture(page, 'store-mine-phone-zh', false)
    await context.close()
  })

  test('somebody who was never here is asked by WeChat on the way, silently, and comes back to the very sheet', async () => {
    const { page, context, taps } = await store.openPhone('lina')
    await page.goto(store.to('/'))
    taps()
    await follow(page, /生日礼遇卡/)
    await page.waitForURL(/\/shop\/buy\/lst_/, SLOW)
    await page.getByRole('button', { name: '微信支付 ¥50.00' }).waitFor(SLOW)
    // What was chosen lives through a reload; it is no secret and nobody's name.
    await page.getByText('¥200', { exact: true }).click(SLOW)
    await page.getByText('送朋友', { exact: true }).click(SLOW)
    await page.getByLabel('祝福语').fill('只给你一个人看', SLOW)
    await page.reload()
    await page.getByRole('button', { name: '微信支付 ¥200.00' }).waitFor(SLOW)
    expect(await page.getByRole('radio', { name: '送朋友' }).isChecked()).toBe(true)
    const stored = await page.evaluate<string>(`JSON.stringify({ ...localStorage, ...sessionStorage })`)
    expect(stored).toContain('20000')
    for (const secret of ['只给你', 'prepay', 'openid', 'session']) expect(stored).not.toContain(secret)
    await context.close()
  })

  test('an amount of one’s own is held to its steps before anything is sent', async () => {
    const { page, context } = await store.openBuyer('wangfang')
    const sent: string[] = []
    page.on('request', (one) => void (one.method() === 'POST' && sent.push(one.url())))
    await page.goto(store.to(`/buy/${await store.listing('生日礼遇卡')}`))
    const amount = page.getByLabel('自定面额（元）')
    const pay = page.locator('button[form=buy]')
    for (const [typed, fault] of [
      ['55', '面额不在档位上。'],
      ['49', '面额低了一点。'],
      ['1010', '面额高了一点。'],
      ['', '请填写面额。'],
    ] as const) {
      await amount.fill(typed, SLOW)
      await shows(page, fault)
      expect(await pay.isDisabled()).toBe(true)
    }
    await press(page, '增加一档')
    await page.getByRole('button', { name: '微信支付 ¥60.00' }).waitFor(SLOW)
    await press(page, '减少一档')
    await page.getByRole('button', { name: '微信支付 ¥50.00' }).waitFor(SLOW)
    expect(sent.filter((url) => url.includes('/store/orders'))).toEqual([])
    await context.close()
  })

  test('the three facts stand under the button before anybody pays; the issuer is one tap away', async () => {
    const { page, context } = await store.openPhone('wangfang')
    await page.goto(store.to(`/buy/${await store.listing('中秋家宴卡')}`))
    await shows(page, '3 小时内可全额退，未使用 7 天内可退')
    await shows(page, '自开卡起 3 年')
    await shows(page, '全国门店及线上商城通用，不兑现')
    await shows(page, '限时价还剩')
    await page.getByText('资金与发卡方保障').first().click(SLOW)
    await shows(page, '预付卡备案')
    await shows(page, /软件平台/)
    await context.close()
  })

  test('within the cooling-off one tap and one question bring all of it back', async () => {
    const { page, context } = await store.openBuyer('chenyu')
    await page.goto(store.to(`/buy/${await store.listing('咖啡心意卡')}`))
    await press(page, /^微信支付/)
    await answerPaySheet(page)
    await page.getByRole('heading', { name: '卡已到手，冷静期中' }).waitFor(SLOW)
    await page
      .getByRole('timer')
      .filter({ hasText: /^2:59:/ })
      .waitFor(SLOW)
    await press(page, '全额退款')
    await page.getByRole('dialog').getByRole('button', { name: '全额退款' }).click(SLOW)
    await page.getByRole('heading', { name: /^(退款中|已退款)$/ }).waitFor(SLOW)
    await page.getByRole('heading', { name: '已退款' }).waitFor(SLOW)
    await shows(page, '¥30.00 已原路退回。')
    await context.close()
  })

  test('using it early is a choice that is asked for once, and ends the lock at once', async () => {
    const { page, context } = await store.openBuyer('zhaolei')
    await page.goto(store.to(`/buy/${await store.listing('鲜果心意卡')}`))
    await press(page, /^微信支付/)
    await answerPaySheet(page)
    await press(page, '现在启用')
    await shows(page.getByRole('dialog'), /冷静期随即结束/)
    await page.getByRole('dialog').getByRole('button', { name: '现在启用' }).click(SLOW)
    await page.getByRole('heading', { name: '卡已到手', exact: true }).waitFor(SLOW)
    expect(await page.getByRole('timer').count()).toBe(0)
    await follow(page, '自己留着')
    await page.getByRole('link', { name: '付款码' }).waitFor(SLOW)
    await context.close()
  })

  test('a card goes to a friend through WeChat’s own menu; the giver sees it taken', async () => {
    const giver = await store.openBuyer('chenyu')
    await giver.page.goto(store.to(`/buy/${await store.listing('咖啡心意卡')}`))
    await giver.page.getByText('送朋友', { exact: true }).click(SLOW)
    await giver.page.getByLabel('祝福语').fill('下午茶，我请。', SLOW)
    await press(giver.page, /^微信支付/)
    await answerPaySheet(giver.page)
    await press(giver.page, '现在启用')
    await giver.page.getByRole('dialog').getByRole('button', { name: '现在启用' }).click(SLOW)
    await giver.page.getByRole('heading', { name: '卡已到手', exact: true }).waitFor(SLOW)
    const order = giver.page.url()
    await follow(giver.page, '送给朋友')
    await press(giver.page, '生成转赠链接')
    await shows(giver.page, '等待领取')
    await press(giver.page, '发送给朋友')
    await shows(giver.page, /请点右上角/)
    await shareWith(giver.page, '王芳')

    const friend = await store.openPhone('wangfang')
    await openFromFriend(friend.page, store.stage.wechatUrl, 'wangfang', 'chenyu')
    await press(friend.page, '打开')
    await follow(friend.page, '用微信收下')
    await press(friend.page, '收下这张卡')
    await friend.page.waitForURL('**/mine/cards/*', SLOW)
    await shows(friend.page, '沐光咖啡')

    await giver.page.goto(order)
    await shows(giver.page, '朋友已领取')
    await giver.page.goto(store.to('/orders'))
    await shows(giver.page, '朋友已领取')
    for (const phone of [giver, friend]) await phone.context.close()
  })

  test('what WeChat’s menu passes on from a card on the shelf is its page, in words without price or asking', async () => {
    const { page, context } = await store.openBuyer('chenyu')
    const id = await store.listing('鲜果心意卡')
    const preset = page.waitForRequest((one) => one.url().endsWith('/client/preset'), SLOW)
    await page.goto(store.to(`/buy/${id}`))
    const told = (await preset).postData() ?? ''
    expect(told).toContain('鲜果心意卡')
    expect(told).toContain(`/shop/buy/${id}`)
    expect(told).not.toMatch(/[¥￥]|免费|分享|转发/)
    await context.close()
  })

  test('search finds by pinyin, filters count what they lead to, and the way back from a card keeps the list', async () => {
    const { page, context } = await store.openPhone('lina')
    await page.goto(store.to('/'))
    await page.getByRole('searchbox').fill('kafei', SLOW)
    await shows(page, /共 \d+ 款/)
    await expect.poll(() => page.locator('a.tile').count()).toBe(2)
    await press(page, '筛选排序')
    const sheet = page.getByRole('dialog')
    await sheet.getByText('价格从高到低').first().click(SLOW)
    await press(sheet, /查看 2 款/)
    await page.waitForURL(/sort=price_down/, SLOW)
    await expect.poll(() => page.locator('a.tile').first().textContent()).toMatch(/双人下午茶卡/)
    await page.locator('a.tile').first().click(SLOW)
    await press(page.getByRole('dialog'), '关闭')
    await page.waitForURL(/search=kafei/, SLOW)
    expect(await page.locator('a.tile').count()).toBe(2)
    await context.close()
  })

  test('nothing went wrong on any page, and none called anybody else', () => {
    expect(store.notes.flat()).toEqual([])
  })
})
