import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Pack } from '../contract/employee/pack.ts'
import { chromiumPath, desktopSize, follow, phoneSize, press, shows, SLOW, takePicture } from './browser.ts'
import { openHands, shownCode, type Hands } from './pack-hands.ts'
import { openPlaces, type Place } from './pack-places.ts'
import { faultsOf, settle } from './page-faults.ts'
import { cardOf } from './pack-world.ts'

// The pack in the hand: what people tap, in Chromium, on SQLite. Whether books and states are right is proved elsewhere.
describe.skipIf(chromiumPath === null)('the card pack', () => {
  let hands: Hands
  let stage: Hands['stage']
  let world: Hands['world']
  let openPhone: Hands['openPhone']
  let cardWith: Hands['cardWith']
  let to: Hands['to']

  beforeAll(async () => {
    hands = await openHands([200_00, 88_00, 500_00])
    ;({ stage, world, openPhone, cardWith, to } = hands)
  })
  afterAll(() => hands.close())

  test('a pushed card turns once, from its cover into the card; the second time it is simply there', async () => {
    const { page, context } = await openPhone(0, { reducedMotion: 'no-preference' })
    const { id, campaignId } = world.people[0]!.cards[0]!
    await page.goto(to(`/?campaign=${campaignId}`))
    await shows(page, /送您一份心意/)
    const turn = () => page.evaluate<string>(`getComputedStyle(document.querySelector('.leaf')).transform`)
    const flat = await turn()
    await press(page, '打开')
    await expect.poll(turn, { interval: 20 }).not.toBe(flat)
    await page.waitForURL(`**/cards/${id}`, SLOW)
    await shows(page, '感谢一下')
    const told = () => world.people[0]!.phone.call<Pack>('/employee/pack')
    await expect.poll(async () => (await told()).cards.find((card) => card.id === id)?.opened).toBe(true)
    await page.goto(to(`/?campaign=${campaignId}`))
    await page.waitForURL(`**/cards/${id}`, SLOW)
    await context.close()
  })

  test('what is on the first card is there before the program is, and gives way to it', async () => {
    const { page, context } = await openPhone(0)
    let letGo: () => void = () => undefined
    const held = new Promise<void>((resolve) => (letGo = resolve))
    await page.route('**/assets/index-*.js', async (route) => {
      await held
      await route.continue()
    })
    await page.goto(to('/'), { waitUntil: 'commit' })
    await shows(page, /^¥\d+/)
    expect(await page.locator('[data-balance]').count()).toBe(1)
    expect(await page.getByRole('heading').count()).toBe(0)
    letGo()
    await page.getByRole('link', { name: '出示付款码' }).waitFor(SLOW)
    expect(await page.locator('.before').count()).toBe(0)
    await context.close()
  })

  test('a card pays at a till, and the receipt comes by itself; each code pays once', async () => {
    const { page, context } = await openPhone(0)
    const card = cardWith(0, 200_00)
    await page.goto(to(`/cards/${card}`))
    await shows(page, '¥200.00')
    const code = await shownCode(page, () => follow(page, '付款码'))
    await page.getByRole('img', { name: '付款二维码' }).waitFor(SLOW)
    await page.getByRole('img', { name: '付款条形码' }).waitFor(SLOW)
    await world.pay(code, 58_00)
    await expect(world.pay(code, 1_00)).rejects.toThrow('pay_code_used')
    await shows(page, '已付款')
    await shows(page, '¥58.00')
    await shows(page, '科技园店')
    await takePicture(page, 'pack-receipt-phone-usual-zh', false)
    await follow(page, '完成')
    await shows(page, '¥142.00')
    await shows(page, '消费')
    await context.close()
  })

  test('one code pays from several cards of the brand, the smaller first', async () => {
    const { page, context } = await openPhone(0)
    await page.goto(to(`/`))
    const code = await shownCode(page, () => follow(page, '出示付款码'))
    await world.pay(code, 150_00)
    await shows(page, '已付款')
    expect(await page.locator('dl > div').allTextContents()).toEqual([
      expect.stringMatching(/−¥88\.00/),
      expect.stringMatching(/−¥62\.00/),
    ])
    await press(page, '再付一笔')
    await page.getByRole('img', { name: '付款二维码' }).waitFor(SLOW)
    await page.goto(to('/'))
    await page.getByText('已用完').first().click()
    await shows(page, '已用完')
    await context.close()
  })

  test('a code renews itself before its end; without network it stays until then, and says what to do after', async () => {
    const { page, context } = await openPhone(0)
    await page.clock.install()
    const path = to(`/cards/${cardWith(0, 500_00)}/pay`)
    const first = await shownCode(page, () => page.goto(path))
    const qr = page.getByRole('img', { name: '付款二维码' })
    await qr.waitFor(SLOW)
    const second = await shownCode(page, () => page.clock.fastForward(46_000))
    expect(second).not.toBe(first)
    await qr.waitFor(SLOW)
    const drawn = await qr.locator('path').getAttribute('d')
    // The page's clock has gone ahead of the server's, and is brought in line by each answer.
    await context.setOffline(true)
    await page.clock.fastForward(46_000)
    await shows(page, '现在没有网络')
    expect(await qr.locator('path').getAttribute('d')).toBe(drawn)
    await page.clock.fastForward(20_000)
    await shows(page, '连不上网络')
    expect(await qr.count()).toBe(0)
    // As soon as there is a network there is a code.
    await context.setOffline(false)
    await qr.waitFor(SLOW)
    await context.close()
  })

  test('a card goes to a colleague by a link that opens once; the giver sees it opened and taken, and reads the thanks', async () => {
    const giver = await openPhone(0)
    const card = cardWith(0, 500_00)
    await giver.page.goto(to(`/cards/${card}`))
    await follow(giver.page, '转赠')
    await giver.page.getByText('生日', { exact: true }).click()
    await giver.page.getByRole('textbox', { name: '祝福语' }).fill('生日快乐，天天开心！')
    await press(giver.page, '生成转赠链接')
    await shows(giver.page, '等待领取')
    const link = (await giver.page.locator('.url').textContent())?.trim() ?? ''
    expect(link).toMatch(/\/pack\/gift\/[0-9A-Z]{26}$/)

    const friend = await openPhone(null)
    await friend.page.goto(link)
    await shows(friend.page, '生日快乐，天天开心！')
    await press(friend.page, '打开')
    await follow(friend.page, '用企业微信登录并收下')
    await friend.page.waitForURL(`${stage.wecomUrl}/**`)
    await hands.signInAs(friend.page, 1)
    await press(friend.page, '收下这张卡')
    await friend.page.waitForURL(`**/cards/${card}`, SLOW)
    await shows(friend.page, '生日快乐，天天开心！')
    await press(friend.page, '感谢一下')
    await press(friend.page, '谢谢，收到了，很开心！')
    await press(friend.page, '送出感谢')
    await shows(friend.page, /表达感谢/)

    await giver.page.reload()
    await shows(giver.page, /已领取/)
    await shows(giver.page, '谢谢，收到了，很开心！')
    await giver.page.goto(to(`/cards/${card}`))
    await shows(giver.page, '这里没有这张卡')
    const late = await openPhone(null)
    await late.page.goto(link)
    await shows(late.page, '这份礼物已经结束')
    await late.page.goto(to('/gift/0123456789ABCDEFGHJKMNPQRS'))
    await shows(late.page, '没有这份礼物')
    for (const phone of [giver, friend, late]) await phone.context.close()
  })

  test('a gift that was not taken comes back when its giver wants it', async () => {
    const { page, context } = await openPhone(1)
    const card = cardWith(1, 88_00)
    await page.goto(to(`/cards/${card}/give`))
    await press(page, '生成转赠链接')
    await shows(page, '等待领取')
    await page.goto(to(`/cards/${card}`))
    await shows(page, '这张卡正在转赠，收回之前不能付款。')
    expect(await page.getByRole('link', { name: '付款码' }).count()).toBe(0)
    await follow(page, '转赠中')
    await press(page, '收回')
    await page.getByRole('dialog').getByRole('button', { name: '收回' }).click()
    await shows(page, '已收回')
    await page.goto(to(`/cards/${card}`))
    await page.getByRole('link', { name: '付款码' }).waitFor(SLOW)
    await context.close()
  })

  test('a lost card is frozen, gets a new number, and pays again; its secret is shown on a press and hides', async () => {
    const { page, context } = await openPhone(1)
    const card = cardWith(1, 88_00)
    const before = await cardOf(world.people[1]!.phone, card)
    await page.goto(to(`/cards/${card}`))
    await follow(page, '更多')
    await press(page, '查看卡号和密码')
    await shows(page, /^[0-9A-Z]{4}( [0-9A-Z]{4}){3}$/)
    await press(page, '隐藏')
    await press(page, '冻结这张卡')
    await page.getByRole('dialog').getByRole('button', { name: '冻结这张卡' }).click()
    await shows(page, '这张卡已冻结。')
    await press(page, '补办新卡号')
    await page.getByRole('dialog').getByRole('button', { name: '补办新卡号' }).click()
    await shows(page, '已换成新卡号和新密码，余额不变。')
    const after = await cardOf(world.people[1]!.phone, card)
    expect([after.view, after.balanceFen]).toEqual(['active', before.balanceFen])
    expect(after.number).not.toBe(before.number)
    await context.close()
  })

  test('shops come by distance to whom grants it, by city else; what is asked stands in no address', async () => {
    const asked: string[] = []
    const near = await openPhone(0, {
      permissions: ['geolocation'],
      geolocation: { latitude: 22.5431, longitude: 113.9463 },
    })
    near.page.on('request', (request) => asked.push(request.url()))
    await near.page.goto(to(`/cards/${cardWith(0, 200_00)}/shops`))
    await shows(near.page, '离您最近的门店')
    expect(await near.page.locator('li h2').first().textContent()).toMatch(/约/)
    expect(asked.filter((url) => /22[.]?54|113[.]?94/.test(url))).toEqual([])
    const far = await openPhone(0, { permissions: [] })
    await far.page.goto(to(`/cards/${cardWith(0, 200_00)}/shops`))
    await far.page.getByRole('combobox').selectOption('苏州')
    await shows(far.page, '平江路店')
    await press(far.page, '按距离排序')
    await shows(far.page, /没有拿到位置/)
    await shows(far.page, '平江路店')
    for (const phone of [near, far]) await phone.context.close()
  })

  test('a card leaves the pack: as a picture, on paper, in the calendar, in the Wallet, on another device', async () => {
    const { page, context } = await openPhone(0)
    const card = cardWith(0, 200_00)
    await page.goto(to(`/cards/${card}/keep`))
    await press(page, '生成图片')
    const picture = page.getByRole('img', { name: /福利卡，余额/ })
    await picture.waitFor(SLOW)
    expect(await picture.evaluate((one) => (one as unknown as { naturalWidth: number }).naturalWidth)).toBe(900)
    expect(await page.locator('a[download]').count()).toBe(0)
    const download = page.waitForEvent('download')
    await follow(page, '加到钱包')
    expect((await download).suggestedFilename()).toBe('card.pkpass')
    const link = page.waitForResponse((one) => one.url().endsWith('/device-links'))
    await press(page, '生成链接')
    const { path } = (await (await link).json()) as { path: string }
    await page.getByRole('img', { name: '在另一台设备上打开卡包的二维码' }).waitFor(SLOW)
    const tablet = await openPhone(null)
    await tablet.page.goto(`${stage.serverUrl}${path}`)
    await press(tablet.page, '在这台设备上打开')
    await tablet.page.waitForURL(`**/pack/cards/${card}`, SLOW)
    await tablet.page.getByText('青禾优选').first().waitFor(SLOW)
    const third = await openPhone(null)
    await third.page.goto(`${stage.serverUrl}${path}`)
    await press(third.page, '在这台设备上打开')
    await third.page.getByRole('alert').waitFor(SLOW)
    await page.goto(to(`/cards/${card}/print`))
    await page.emulateMedia({ media: 'print' })
    expect(await page.getByRole('button', { name: '打印这一页' }).isVisible()).toBe(false)
    await page.getByRole('img', { name: '扫码回到这张卡（需本人登录）' }).waitFor(SLOW)
    for (const phone of [{ context }, tablet, third]) await phone.context.close()
  })

  test('a card is bound by what is printed on it, and a slip is told before anything is sent', async () => {
    const { page, context } = await openPhone(0)
    await page.goto(to('/bind'))
    await page.getByRole('textbox', { name: '卡号' }).fill('6230 0000')
    await press(page, /^绑定$/)
    await shows(page, '卡号和密码还不完整，请对照卡片检查。')
    await page.getByRole('textbox', { name: '卡号' }).fill('卡号：6230 0000 0000 0000 0\n密码：ABCD-EFGH-JKMN-PQRS')
    await press(page, /^绑定$/)
    await shows(page, /没有绑定成功/)
    await context.close()
  })

  test('the pack is read anew by pulling it, and shows its last state without network', async () => {
    const { page, context } = await openPhone(0)
    await page.goto(to('/'))
    await shows(page, '更新于')
    const line = await context.newCDPSession(page)
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', y: number) =>
      line.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x: 195, y }] })
    const read = page.waitForResponse((one) => one.url().endsWith('/employee/pack'))
    await touch('touchStart', 120)
    for (let y = 140; y <= 300; y += 20) await touch('touchMove', y)
    await shows(page, '松开刷新')
    await touch('touchEnd', 300)
    await read
    await context.setOffline(true)
    await press(page, '刷新')
    await shows(page, /现在没有网络，显示的是/)
    await page.locator('[data-balance]').first().waitFor(SLOW)
    await context.close()
  })

  let places: readonly Place[] | undefined
  const inHand = { phone: phoneSize, zoomed: { width: 195, height: 422 } } as const
  const sizes = { usual: { ...inHand, wide: desktopSize }, large: inHand } as const

  test.each(['zh', 'en'] as const)(
    'every page in hand and at twice the size, also in large text, and on a desk (%s)',
    async (lang) => {
      const faults: string[] = []
      places ??= await openPlaces(hands)
      for (const [person, text] of [0, 1].flatMap((one) => [[one, 'usual'] as const, [one, 'large'] as const])) {
        const { page, context } = await openPhone(person, { deviceScaleFactor: 1 })
        await context.addCookies([{ name: 'lang', value: lang, url: stage.serverUrl }])
        await context.addInitScript(`localStorage.setItem('fulika.largeText', '${text === 'large' ? 'yes' : 'no'}')`)
        for (const place of places.filter((one) => one.person === person)) {
          await page.setViewportSize(phoneSize)
          await page.goto(to(place.path))
          await settle(page)
          await place.act?.(page)
          for (const [size, viewport] of Object.entries(place.phoneOnly ? { phone: phoneSize } : sizes[text])) {
            await page.setViewportSize(viewport)
            await settle(page)
            const name = `${place.name}-${size}-${text}-${lang}`
            faults.push(...(await faultsOf(page, lang)).map((fault) => `${name}: ${fault}`))
            await takePicture(page, `pack-${name}`)
          }
          await context.setOffline(false)
        }
        await context.close()
      }
      expect(faults).toEqual([])
    },
  )

  test('nothing went wrong on any page, and none called anybody else', () => {
    expect(hands.notes.flat().filter((note) => !note.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([])
  })
})
