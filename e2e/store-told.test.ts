import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fen } from '../contract/fen.ts'
import type { Id } from '../contract/ids.ts'
import { sql } from '../server/kernel/sql.ts'
import { noteMessages } from '../server/modules/notice/note-message.ts'
import { chromiumPath, desktopSize, fill, follow, phoneSize, press, shows, SLOW, takePicture } from './browser.ts'
import { answerPaySheet } from './buyer-phone.ts'
import { faultsOf, settle, type PageLang } from './page-faults.ts'
import { openStore, type StoreWorld } from './store-world.ts'

// What a buyer asks for and is told after they bought: the invoice of an order, and the inbox.
describe.skipIf(chromiumPath === null)('after somebody bought', () => {
  let store: StoreWorld
  beforeAll(async () => {
    store = await openStore()
  })
  afterAll(() => store.close())

  const inLanguage = (page: Page, lang: PageLang) =>
    page.context().addCookies([{ name: 'lang', value: lang, url: store.stage.serverUrl }])

  /** Both sizes and both languages of a page as it stands at its address. */
  async function look(page: Page, name: string, ready: Readonly<Record<PageLang, string | RegExp>>): Promise<void> {
    for (const lang of ['zh', 'en'] as const) {
      await inLanguage(page, lang)
      await page.reload()
      await shows(page, ready[lang])
      for (const [size, box] of [
        ['phone', phoneSize],
        ['wide', desktopSize],
      ] as const) {
        await page.setViewportSize(box)
        await settle(page)
        await takePicture(page, `store-${name}-${size}-${lang}`)
        expect(await faultsOf(page, lang), `${name} ${size} ${lang}`).toEqual([])
      }
      await page.setViewportSize(phoneSize)
    }
    await inLanguage(page, 'zh')
    await page.reload()
    await shows(page, ready.zh)
  }

  async function buy(page: Page, title: string): Promise<string> {
    await page.goto(store.to(`/buy/${await store.listing(title)}`))
    await press(page, /^微信支付/)
    await answerPaySheet(page)
    await page.getByRole('heading', { name: /^卡已到手/ }).waitFor(SLOW)
    return page.url()
  }

  test('the invoice: a company needs its number, a person a name; it is issued, and its copy opens', async () => {
    const { page, context } = await store.openBuyer('chenyu')
    const order = await buy(page, '咖啡心意卡')
    await press(page, '申请发票 ¥30.00')
    const sheet = page.getByRole('dialog')
    await press(sheet, '提交申请')
    await shows(sheet, '请填写抬头')
    await sheet.getByText('单位', { exact: true }).click(SLOW)
    await fill(sheet, '单位名称', '青禾制造（深圳）有限公司')
    await fill(sheet, '税号', '123')
    await press(sheet, '提交申请')
    await shows(sheet, '税号不对，请核对后再填')
    await takePicture(page, 'store-invoice-sheet-phone-zh', false)
    await sheet.getByText('个人', { exact: true }).click(SLOW)
    await fill(sheet, '姓名', '陈雨')
    await press(sheet, '提交申请')
    await sheet.waitFor({ state: 'hidden', ...SLOW })
    await shows(page, '陈雨')
    await expect
      .poll(
        async () => {
          await page.reload()
          await shows(page, '陈雨')
          return page.getByText('已开具').count()
        },
        { timeout: 30_000 },
      )
      .toBe(1)
    const copy = await page.getByRole('link', { name: '下载核对单' }).getAttribute('href')
    const pdf = await context.request.get(new URL(copy ?? '', order).href)
    expect([pdf.status(), (await pdf.body()).subarray(0, 5).toString()]).toEqual([200, '%PDF-'])
    await look(page, 'invoice', { zh: '陈雨', en: '陈雨' })
    await context.close()
  })

  test('the inbox: empty at first, then what was told, read once it was seen', async () => {
    const { page, context } = await store.openBuyer('wangfang')
    await page.goto(store.to('/orders'))
    await follow(page, '消息')
    await shows(page, '还没有消息')
    await look(page, 'inbox-empty', { zh: '还没有消息', en: 'No messages yet' })
    await buy(page, '鲜果心意卡')
    const edge = store.stage.running.open.edgeFor({ kind: 'system', name: 'test' })
    await edge.tx(async (tx) => {
      const [card] = await sql<{ id: Id<'card'>; holderId: Id<'buyer'> }>(
        tx.em,
        "select id, holder_id as holderId from card where holder_id like 'byr_%' order by id desc limit 1",
      )
      const about = { buyerId: card!.holderId, cardId: card!.id, expiresAtMs: Date.now() + 7 * 86_400_000 }
      await noteMessages(tx, [
        { ...about, kind: 'gift_received', subject: 'gift', amountFen: fen(10_000) },
        { ...about, kind: 'low_balance', subject: 'low', amountFen: fen(880) },
        { ...about, kind: 'card_expiring', subject: '7:soon', amountFen: fen(10_000) },
      ])
    })
    await page.goto(store.to('/inbox'))
    await shows(page, /福利卡快到期了/)
    expect(await page.getByText('未读').count()).toBe(3)
    await page.reload()
    await shows(page, /福利卡快到期了/)
    await expect.poll(() => page.getByText('未读').count()).toBe(0)
    await look(page, 'inbox', { zh: /福利卡快到期了/, en: /ends soon/ })
    await page.getByRole('list', { name: '消息' }).getByRole('link').first().click(SLOW)
    await page.waitForURL('**/mine/cards/*', SLOW)
    await context.close()
  })

  test('what somebody does in the storefront stands in the funnel', async () => {
    const { page, context } = await store.openBuyer('lina')
    const told: string[] = []
    page.on('request', (one) => {
      if (one.url().endsWith('/store/events')) told.push(one.postData() ?? '')
    })
    await buy(page, '咖啡心意卡')
    await page.goto(store.to('/'))
    await expect.poll(() => told.join()).toContain('"view"')
    const rows = await store.stage.running.open
      .edgeFor({ kind: 'system', name: 'test' })
      .read((tx) => sql<{ step: string }>(tx.em, 'select distinct step from funnel_visit order by step'))
    expect(rows.map(({ step }) => step)).toEqual(['view', 'visit'])
    expect(told.join()).not.toContain('lina')
    await context.close()
  })

  test('no page did what it must not', () => {
    expect(store.notes.flat()).toEqual([])
  })
})
