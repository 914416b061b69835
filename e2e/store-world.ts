import type { BrowserContext, Page } from 'playwright-core'
import type { Id } from '../contract/ids.ts'
import type { Shelf } from '../contract/store/shelf.ts'
import { change } from '../server/kernel/sql.ts'
import { openBrowser, phoneSize, SLOW, watch } from './browser.ts'
import { holdPhone } from './buyer-phone.ts'
import { openStage, type OpenStage } from './stage.ts'

/** A buyer's phone: Chromium, with the sandbox's WeChat around every page. */
export interface BuyerPhone {
  readonly page: Page
  readonly context: BrowserContext
  /** How often a person has tapped on a page since it was asked for last. */
  readonly taps: () => number
}

/** The storefront on a stage of its own, and people who buy. */
export interface StoreWorld {
  readonly stage: OpenStage
  /** What went wrong on each page that was opened. */
  readonly notes: string[][]
  /** Opens a phone; of a person with WeChat, or nobody's. */
  readonly openPhone: (person: string | null, more?: object) => Promise<BuyerPhone>
  /** Opens a phone whose person has been in the storefront before. */
  readonly openBuyer: (person: string, more?: object) => Promise<BuyerPhone>
  /** The address of a page of the storefront. */
  readonly to: (path: string) => string
  /** The listing of this title. */
  readonly listing: (title: string) => Promise<Id<'listing'>>
  /** Writes into the stage's database what nobody can do by hand, such as moving a clock. */
  readonly change: (statement: string, values?: readonly (string | number)[]) => Promise<void>
  readonly close: () => Promise<void>
}

export async function openStore(dialect: 'sqlite' | 'mysql' = 'sqlite'): Promise<StoreWorld> {
  const [browser, stage] = [await openBrowser(), await openStage(dialect)]
  const notes: string[][] = []
  const to = (path: string): string => `${stage.serverUrl}/shop${path}`
  const allowed = [stage.serverUrl, stage.wechatUrl, stage.payUrl]

  async function openPhone(person: string | null, more: object = {}): Promise<BuyerPhone> {
    const phone = { viewport: phoneSize, deviceScaleFactor: 2, isMobile: true, hasTouch: true, locale: 'zh-CN' }
    const context = await browser.newContext({ ...phone, reducedMotion: 'reduce', ...more })
    const page = await context.newPage()
    let taps = 0
    await page.exposeBinding('__tapped', () => void (taps += 1))
    await page.addInitScript(`addEventListener('click', (one) => one.isTrusted && window.__tapped(), true)`)
    notes.push(watch(page, allowed))
    if (person !== null) await holdPhone(page, stage.wechatUrl, person)
    return {
      page,
      context,
      taps: () => {
        const before = taps
        taps = 0
        return before
      },
    }
  }
  return {
    stage,
    notes,
    to,
    openPhone,
    openBuyer: async (person, more) => {
      const phone = await openPhone(person, more)
      await phone.page.goto(`${stage.serverUrl}/store/sign-in?return=/shop/`)
      await phone.page.waitForURL(`${stage.serverUrl}/shop/**`, SLOW)
      phone.taps()
      return phone
    },
    listing: async (title) => {
      const answer = await fetch(`${stage.serverUrl}/store/shelf?limit=50`)
      const found = ((await answer.json()) as Shelf).listings.find((one) => one.title === title)
      if (found === undefined) throw new Error(`nothing on the shelf is called ${title}`)
      return found.id
    },
    change: async (statement, values = []) => {
      const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
      await edge.tx((tx) => change(tx.em, statement, values))
    },
    close: async () => {
      await browser.close()
      await stage.close()
    },
  }
}
