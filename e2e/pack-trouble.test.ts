import type { Page, Route } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../contract/limits.ts'
import { chromiumPath, follow, press, shows, SLOW } from './browser.ts'
import { openHands, shownCode, type Hands } from './pack-hands.ts'
import { cardOf } from './pack-world.ts'

/** The server does what is asked, and its answer is lost. */
async function loseAnswer(route: Route): Promise<void> {
  await route.fetch()
  await route.abort()
}
const loseLine = (route: Route) => route.abort()

// What goes wrong between a phone and the server, and what the pack shows then.
describe.skipIf(chromiumPath === null)('the card pack in trouble', () => {
  let hands: Hands
  let openPhone: Hands['openPhone']
  let to: Hands['to']
  let cardWith: Hands['cardWith']

  beforeAll(async () => {
    hands = await openHands([200_00, 500_00])
    ;({ openPhone, to, cardWith } = hands)
  })
  afterAll(() => hands.close())

  const qrOf = (page: Page) => page.getByRole('img', { name: '付款二维码' })

  test('from the code of one card a tap leads to the code of all of them', async () => {
    const { page, context } = await openPhone(0)
    const asked: string[] = []
    page.on('request', (one) => {
      if (one.url().endsWith('/pay-code')) asked.push(new URL(one.url()).pathname)
    })
    const card = cardWith(0, 200_00)
    await page.goto(to(`/cards/${card}/pay`))
    await follow(page, /^2 张卡一起付/)
    await page.waitForURL('**/pack/pay')
    await expect.poll(() => asked).toEqual([`/employee/cards/${card}/pay-code`, '/employee/pay-code'])
    await qrOf(page).waitFor(SLOW)
    await context.close()
  })

  test('a receipt comes once: no second buzz and no reading of the card while it lies there', async () => {
    const { page, context } = await openPhone(0)
    const card = cardWith(0, 200_00)
    await page.addInitScript('self.buzzes = 0; navigator.vibrate = () => (self.buzzes += 1) > 0')
    const code = await shownCode(page, () => page.goto(to(`/cards/${card}/pay`)))
    await hands.world.pay(code, 1_00)
    await shows(page, '已付款')
    let [read, looked] = [0, 0]
    page.on('request', (one) => {
      if (one.url().endsWith(`/employee/cards/${card}`)) read += 1
    })
    page.on('requestfinished', (one) => {
      if (one.url().includes('/purchases/latest')) looked += 1
    })
    await expect.poll(() => looked, SLOW).toBe(3)
    expect([await page.evaluate('self.buzzes'), read]).toEqual([1, 0])
    await context.close()
  })

  test('a code that was used is not shown again, not even without network', async () => {
    const { page, context } = await openPhone(0)
    const code = await shownCode(page, () => page.goto(to(`/cards/${cardWith(0, 200_00)}/pay`)))
    await hands.world.pay(code, 1_00)
    await shows(page, '已付款')
    await context.setOffline(true)
    await press(page, '再付一笔')
    await shows(page, '连不上网络')
    expect(await qrOf(page).count()).toBe(0)
    await context.setOffline(false)
    await qrOf(page).waitFor(SLOW)
    await context.close()
  })

  test('a card is frozen though each answer is lost, and the page then offers what fits', async () => {
    const { page, context } = await openPhone(0)
    const card = cardWith(0, 500_00)
    await page.goto(to(`/cards/${card}/care`))
    await page.route('**/lost', loseAnswer)
    await press(page, '冻结这张卡')
    const sheet = page.getByRole('dialog')
    await sheet.getByRole('button', { name: '冻结这张卡' }).click()
    await sheet.getByRole('alert').waitFor(SLOW)
    expect((await cardOf(hands.world.people[0]!.phone, card)).view).toBe('frozen')
    await sheet.getByRole('button', { name: '取消' }).click()
    await page.getByRole('button', { name: '解冻这张卡' }).waitFor(SLOW)
    // Found again, with the first answer lost: the second is told, and it is no refusal.
    await page.route('**/found', loseAnswer, { times: 1 })
    await press(page, '解冻这张卡')
    await sheet.getByRole('button', { name: '解冻这张卡' }).click()
    await shows(page, '这张卡已解冻，可以使用。')
    await context.close()
  })

  test('thanks whose answer was lost are shown as given', async () => {
    const { page, context } = await openPhone(1)
    await page.goto(to(`/cards/${cardWith(1, 200_00)}`))
    await page.route('**/thanks', loseAnswer)
    await press(page, '感谢一下')
    await press(page, '谢谢，收到了，很开心！')
    await press(page, '送出感谢')
    await shows(page, /表达感谢/)
    await context.close()
  })

  test('what may be done with a card could not be read: its page and the giving say so, and try again', async () => {
    const { page, context } = await openPhone(0)
    const card = cardWith(0, 500_00)
    await page.route('**/choices', loseLine)
    await page.goto(to(`/cards/${card}/give`))
    await shows(page, '连不上网络')
    await page.unroute('**/choices')
    await press(page, '重试')
    await page.getByRole('button', { name: '生成转赠链接' }).waitFor(SLOW)
    await page.route('**/choices', loseLine)
    await page.goto(to(`/cards/${card}`))
    await shows(page, '连接不上服务器')
    await page.getByRole('link', { name: '付款码' }).waitFor(SLOW)
    await page.unroute('**/choices')
    await press(page, '重试')
    await page.getByRole('button', { name: '感谢一下' }).waitFor(SLOW)
    await expect.poll(() => page.getByText('连接不上服务器').count()).toBe(0)
    await context.close()
  })

  test('a second finger on a page that is being pulled leaves it neither shifted nor deaf', async () => {
    const { page, context } = await openPhone(0)
    await page.goto(to('/'))
    await shows(page, '更新于')
    const line = await context.newCDPSession(page)
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...ys: number[]) =>
      line.send('Input.dispatchTouchEvent', { type, touchPoints: ys.map((y, id) => ({ x: 150 + 60 * id, y, id })) })
    const shift = () =>
      page
        .locator('.pull')
        .evaluate((one) => (one as unknown as { style: CSSStyle }).style.getPropertyValue('--pulled'))
    await touch('touchStart', 120)
    for (const y of [140, 160, 180]) await touch('touchMove', y)
    await expect.poll(shift).not.toBe('0px')
    await touch('touchStart', 180, 200)
    await touch('touchMove', 190, 210)
    await touch('touchEnd')
    await expect.poll(shift).toBe('0px')
    const read = page.waitForResponse((one) => one.url().endsWith('/employee/pack'))
    await touch('touchStart', 120)
    for (let y = 140; y <= 300; y += 20) await touch('touchMove', y)
    await shows(page, '松开刷新')
    await touch('touchEnd')
    await read
    await context.close()
  })

  test('a link for another device that is over gives way to a new one', async () => {
    const { page, context } = await openPhone(0)
    await page.clock.install()
    await page.goto(to(`/cards/${cardWith(0, 500_00)}/keep`))
    const qr = page.getByRole('img', { name: '在另一台设备上打开卡包的二维码' })
    await press(page, '生成链接')
    await qr.waitFor(SLOW)
    await page.clock.fastForward(limits.deviceLinkMs)
    await shows(page, /^上一个链接已过期/)
    expect(await qr.count()).toBe(0)
    await press(page, '生成链接')
    await qr.waitFor(SLOW)
    await context.close()
  })
})

/** As far as a page's style is read here. */
interface CSSStyle {
  readonly getPropertyValue: (name: string) => string
}
