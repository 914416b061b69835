import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Id } from '../contract/ids.ts'
import { offerDemoTills } from '../server/demo-shops.ts'
import { makePayCode } from '../server/modules/redemption/pay-code.ts'
import { desktopSize, openBrowser, phoneSize, takePicture, watch } from './browser.ts'
import { faultsOf, settle, type PageLang } from './page-faults.ts'
import { openStage, type OpenStage } from './stage.ts'
import * as step from './steps.ts'

const demo = { kind: 'system', name: 'demo' } as const
type Who = 'clerk' | 'manager'

/** A shop with its clerk and its manager, a Chromium, and three cards of 200 yuan. */
export async function openTillWorld() {
  const browser = await openBrowser()
  const stage = await openStage('sqlite')
  const cards = await giveCards(stage)
  const edge = () => stage.running.open.edgeFor(demo)

  async function signIn(page: Page, who: Who, atLink?: (page: Page) => Promise<void>): Promise<void> {
    const links = await offerDemoTills(edge())
    await page.goto(links?.[who] ?? '')
    await atLink?.(page)
    await page.getByRole('button', { name: /登录收银台|Sign in to the till/ }).click()
    await page.getByText({ clerk: '周小店', manager: '吴店长' }[who]).first().waitFor()
  }
  /** A phone at the till: signed in by a link, with what it did wrong noted. */
  async function openTill(
    who: Who,
    lang: PageLang,
    more: { context?: object; browser?: Browser; link?: (page: Page) => Promise<void> } = {},
  ): Promise<{ page: Page; context: BrowserContext; wrong: string[] }> {
    const locale = { zh: 'zh-CN', en: 'en-GB' }[lang]
    const wish = { locale, viewport: phoneSize, isMobile: true, hasTouch: true, reducedMotion: 'reduce' as const }
    const context = await (more.browser ?? browser).newContext({ ...wish, ...more.context })
    const page = await context.newPage()
    const wrong = watch(page, [stage.serverUrl])
    await signIn(page, who, more.link)
    return { page, context, wrong }
  }
  return {
    stage,
    browser,
    edge,
    signIn,
    openTill,
    codeOf: (index: number): Promise<string> =>
      edge().read(async (tx) => makePayCode(tx, { kind: 'card', cardId: cards[index]! }).code),
    close: async (): Promise<void> => {
      await browser.close()
      await stage.close()
    },
  }
}
export type TillWorld = Awaited<ReturnType<typeof openTillWorld>>

export const tap = (page: Page, name: RegExp) => page.getByRole('button', { name }).first().click()
export async function shot(page: Page, lang: PageLang, name: string): Promise<void> {
  await settle(page)
  const width = page.viewportSize()?.width === desktopSize.width ? 'wide' : 'phone'
  await takePicture(page, `till-${name}-${lang}-${width}`, false)
  expect([name, await faultsOf(page, lang)]).toEqual([name, []])
}
/** Without a camera the field for the digits is there by itself. */
export async function type(page: Page, code: string): Promise<void> {
  await page.locator('#till-code').fill(code)
  await page.locator('#till-code').press('Enter')
}
export async function amount(page: Page, keys: string): Promise<void> {
  for (const key of keys) await page.locator('.keys').getByRole('button', { name: key, exact: true }).click()
}
/** A shift that another test left open is as good as one of its own. */
export async function begin(page: Page): Promise<void> {
  const open = page.getByRole('button', { name: /^(开班|Open shift)$/ })
  await open.or(page.locator('.view')).first().waitFor()
  if (await open.isVisible()) await open.click()
  await page.locator('.view').waitFor()
}
export const pay = (page: Page) => page.locator('.keys .go').click()
export const result = (page: Page) => page.locator('.result')

/** Three people of the demo company have a card of 200 yuan each. */
async function giveCards(stage: OpenStage): Promise<Id<'card'>[]> {
  const hr = await step.memberOf(stage, 'linxiao')
  const finance = await step.memberOf(stage, 'chenli')
  const list = Buffer.from('姓名,企业微信账号\n林晓,linxiao\n周敏,zhoumin\n陈立,chenli\n', 'utf8')
  const rosterId = await step.uploadRoster(hr, 'till.csv', list)
  await step.waitRoster(hr, rosterId, ['ready'])
  await step.applyRoster(hr, rosterId)
  const campaign = await step.draftCampaign(hr, { rosterId, title: '到店', amountFrom: 'same', faceFen: 20_000 })
  const { orderId } = await step.submitAndApprove(hr, await step.memberOf(stage, 'zhoumin'), campaign)
  const { totalFen } = await step.readOrder(finance, orderId)
  await step.payByScan(stage, await step.openPayment(finance, orderId, 'wechat_pay', totalFen))
  await step.waitDelivered(hr, campaign)
  const packs = await Promise.all(
    ['linxiao', 'zhoumin', 'chenli'].map((userid) => step.openPack(stage, userid, campaign)),
  )
  while (packs.some((pack) => pack.cards.length === 0)) await sleep(100)
  return packs.map((pack) => pack.cards[0]!.id as Id<'card'>)
}
