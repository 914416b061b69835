import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadProfiles, purchasesOf, quietDay } from '../bench/load-profiles.ts'
import type { Tx } from '../server/kernel/context.ts'
import { change, insertRows, sql } from '../server/kernel/sql.ts'
import { knowBuyer } from '../server/modules/buyer/know-buyer.ts'
import { makePicture } from '../server/modules/cover/make-picture.ts'
import { sealPicture } from '../server/modules/cover/seal-picture.ts'
import { chromiumPath, desktopSize, openBrowser, phoneSize, press, shows, SLOW, takePicture, watch } from './browser.ts'
import { faultsOf, settle, type PageLang } from './page-faults.ts'
import { openStage, type OpenStage } from './stage.ts'

const DAY_MS = 86_400_000

// What the platform's people see of the storefront: covers to review, and the funnel, in both languages, on a desk and on a phone.
describe.skipIf(chromiumPath === null)('the desk of the storefront', () => {
  let stage: OpenStage
  let browser: Browser
  const notes: string[][] = []
  const tx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    stage.running.open.edgeFor({ kind: 'system', name: 'test' }).tx(work)

  beforeAll(async () => {
    stage = await openStage('sqlite')
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser.close()
    await stage.close()
  })

  async function openDesk(lang: PageLang, size: { width: number; height: number }): Promise<Page> {
    const context = await browser.newContext({ locale: 'zh-CN', viewport: size, reducedMotion: 'reduce' })
    const headers = { origin: stage.serverUrl }
    await context.request.post(`${stage.serverUrl}/operator/session`, { headers, data: { key: stage.operatorKey } })
    await context.addCookies([{ name: 'lang', value: lang, url: stage.serverUrl }])
    const page = await context.newPage()
    notes.push(watch(page, [stage.serverUrl]))
    return page
  }

  /** Pictures that wait, as a phone uploads them; the sandbox itself lets every picture pass. */
  async function plantCovers(colours: readonly string[]): Promise<string[]> {
    const pictures = await Promise.all(
      colours.map(async (background) =>
        makePicture(
          await sharp({ create: { width: 900, height: 600, channels: 3, background } })
            .png()
            .toBuffer(),
        ),
      ),
    )
    return tx(async (scope) => {
      const buyerId = await knowBuyer(scope, { appid: 'wxdesk', openid: 'oDESK', unionid: null })
      const ids = pictures.map(() => scope.newId('cover'))
      await insertRows(
        scope.em,
        'cover',
        pictures.map((picture, index) => ({
          id: ids[index]!,
          buyer_id: buyerId,
          state: 'in_review',
          version: 1,
          picture_sealed: sealPicture(scope, ids[index]!, picture),
          created_at_ms: Date.now() - index * 3_600_000,
          decided_at_ms: null,
          used_at_ms: index === 0 ? Date.now() : null,
        })),
      )
      return ids
    })
  }
  const stateOf = async (id: string): Promise<string | undefined> =>
    (await tx((scope) => sql<{ state: string }>(scope.em, 'select state from cover where id = ?', [id])))[0]?.state

  async function look(page: Page, name: string, lang: PageLang): Promise<void> {
    for (const [size, box] of [
      ['wide', desktopSize],
      ['phone', phoneSize],
    ] as const) {
      await page.setViewportSize(box)
      await settle(page)
      await takePicture(page, `desk-${name}-${size}-${lang}`)
      expect(await faultsOf(page, lang), `${name} ${size} ${lang}`).toEqual([])
    }
    await page.setViewportSize(desktopSize)
  }

  test('covers are looked at, let pass or refused, and taken down again', async () => {
    const page = await openDesk('zh', desktopSize)
    await page.goto(`${stage.serverUrl}/ops/review`)
    await shows(page, '没有待审核的封面')
    await look(page, 'review-empty', 'zh')
    const [first, second] = await plantCovers(['#1f7a4d', '#b3261e', '#d9a400'])
    await page.reload()
    await shows(page, '待审核 3')
    const list = page.getByRole('list', { name: '封面' })
    await list.getByRole('img').first().waitFor(SLOW)
    await expect.poll(() => list.getByRole('listitem').count()).toBe(3)
    await look(page, 'review', 'zh')
    await press(list.getByRole('listitem').first(), '通过')
    await expect.poll(() => list.getByRole('listitem').count()).toBe(2)
    await expect.poll(() => stateOf(first!)).toBe('passed')
    await press(list.getByRole('listitem').first(), '不通过')
    await expect.poll(() => stateOf(second!)).toBe('refused')
    await shows(page, '待审核 1')
    await page.getByText('已处理', { exact: true }).click(SLOW)
    await shows(page, '未通过')
    await look(page, 'review-decided', 'zh')
    await press(page, '撤下')
    const asks = page.getByRole('dialog')
    await asks.waitFor(SLOW)
    await takePicture(page, 'desk-review-take-down', false)
    await press(asks, '撤下')
    await expect.poll(() => stateOf(first!)).toBe('refused')
    await asks.waitFor({ state: 'hidden', ...SLOW })
    const english = await openDesk('en', desktopSize)
    await english.goto(`${stage.serverUrl}/ops/review`)
    await shows(english, 'Waiting 1')
    await look(english, 'review', 'en')
  })

  test('the funnel says what was planted, and finds the three peaks', async () => {
    const page = await openDesk('zh', desktopSize)
    await page.goto(`${stage.serverUrl}/ops/funnel`)
    await shows(page, '这段时间还没有访问')
    await look(page, 'funnel-empty', 'zh')
    await plantFunnel()
    await page.reload()
    await shows(page, '支付转化率')
    for (const text of ['0:00–2:00', '12:00–14:00', '20:00–22:00', '82%']) await shows(page, text)
    await look(page, 'funnel', 'zh')
    await page.getByText('近 90 天').click(SLOW)
    await page.waitForURL('**/funnel?days=90')
    const english = await openDesk('en', desktopSize)
    await english.goto(`${stage.serverUrl}/ops/funnel`)
    await shows(english, 'Paid of cashier opened')
    await look(english, 'funnel', 'en')
  })

  /** Visits of two channels, and orders as the load profiles have them, as far as the funnel looks at them. */
  async function plantFunnel(): Promise<void> {
    const midnight = Math.floor((Date.now() + 8 * 3_600_000) / DAY_MS) * DAY_MS - 8 * 3_600_000 - 3 * DAY_MS
    const orders = [
      ...loadProfiles.flatMap((profile, index) =>
        purchasesOf(profile, { seed: 3 + index, orders: 160, dayStartsMs: midnight }),
      ),
      ...quietDay({ seed: 9, orders: 170, dayStartsMs: midnight + DAY_MS }),
    ]
    const day = new Date(midnight + 8 * 3_600_000).toISOString().slice(0, 10)
    await tx(async (scope) => {
      const visits = (step: string, channel: string, many: number) =>
        Array.from({ length: many }, (_, one) => ({ day, channel, step, visitor_index: `${one}`.padStart(64, '0') }))
      for (const [step, channel, many] of [
        ['visit', 'wechat', 2_400],
        ['view', 'wechat', 1_500],
        ['visit', 'h5', 300],
        ['view', 'h5', 120],
      ] as const)
        for (let at = 0; at < many; at += 500)
          await insertRows(scope.em, 'funnel_visit', visits(step, channel, many).slice(at, at + 500))
      const rows = orders.map((order, index) => ({ ...order, id: scope.newId('order'), isPaid: index % 50 < 41 }))
      const buyerId = scope.newId('buyer')
      for (const { id, atMs, priceFen, isPaid } of rows) {
        await change(
          scope.em,
          `insert into orders (id, company_id, buyer_id, state, version, total_fen, secured_fen, issued_fen, refunded_fen,
            returned_fen, item_count, created_at_ms) values (?, null, ?, 'cancelled', 1, ?, 0, 0, 0, 0, 1, ?)`,
          [id, buyerId, priceFen, atMs],
        )
        await insertRows(scope.em, 'store_order', [
          {
            order_id: id,
            buyer_id: buyerId,
            listing_id: scope.newId('listing'),
            channel: 'wechat',
            cover: 'plain',
            picture_id: null,
            greeting_sealed: Buffer.alloc(0),
            for_friend: 0,
            right_ms: 0,
            closes_at_ms: atMs,
            created_at_ms: atMs,
          },
        ])
        await insertRows(scope.em, 'payment', [
          {
            id: scope.newId('payment'),
            company_id: null,
            order_id: id,
            source: 'wechat_pay',
            state: 'closed',
            version: 1,
            amount_fen: priceFen,
            opened_by: buyerId,
            opened_at_ms: atMs,
            code_url: 'wx1',
            paid_at_ms: isPaid ? atMs : null,
          },
        ])
      }
      for (let one = 0; one < 40; one += 1)
        await insertRows(scope.em, 'notice_message', [
          {
            id: scope.newId('noticeMessage'),
            buyer_id: buyerId,
            kind: 'card_expiring',
            subject: `planted:${one}`,
            card_id: scope.newId('card'),
            gift_id: null,
            amount_fen: 1,
            expires_at_ms: null,
            state: one < 36 ? 'delivered' : 'kept',
            version: 1,
            held_out: one < 36 ? 0 : 1,
            reason: one < 36 ? null : 'held_out',
            sent_id: null,
            created_at_ms: Date.now() - 16 * DAY_MS,
            read_at_ms: null,
          },
        ])
    })
  }

  test('nothing went wrong on the way', () => {
    expect(notes.flat()).toEqual([])
  })
})
