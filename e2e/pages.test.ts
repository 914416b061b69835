import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, desktopSize, openBrowser, phoneSize, watch } from './browser.ts'
import { faultsOf, focusOf, settle, type PageLang, type Stop } from './page-faults.ts'
import { makePagesWorld, type PagesWorld } from './pages-world.ts'
import { openStage, type OpenStage } from './stage.ts'

const pictures = fileURLToPath(new URL('../.tmp/screenshots/', import.meta.url))
const wecomPhone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile MicroMessenger/8.0 wxwork/4.1'

type Who = `${'hr' | 'employee'} ${string} ${string}` | 'operator' | 'nobody'
type Place = readonly [name: string, path: string, who: Who]
type Session = Awaited<ReturnType<BrowserContext['storageState']>>
const sizes = { wide: desktopSize, phone: phoneSize } as const

function consolePlaces({ rosters, campaigns, orders, strict }: PagesWorld): Place[] {
  const all = (name: string, path: string): Place => [name, `/console${path}`, 'hr admin demo']
  return [
    ['sign-in', '/console/sign-in', 'nobody'],
    ['sign-in-refused', '/console/sign-in?problem=company_unknown', 'nobody'],
    all('home', '/'),
    ['home-approver', '/console/', 'hr zhoumin demo'],
    all('rosters', '/rosters'),
    all('roster-faulty', `/rosters/${rosters.faulty}`),
    all('roster-used', `/rosters/${rosters.used}`),
    all('roster-rejected', `/rosters/${rosters.rejected}`),
    all('campaigns', '/campaigns'),
    all('editor-new', '/campaigns/new'),
    all('editor', `/campaigns/${campaigns.draft}`),
    ['review', `/console/campaigns/${campaigns.review}`, 'hr zhoumin demo'],
    all('approved', `/campaigns/${campaigns.approved}`),
    all('running', `/campaigns/${campaigns.running}`),
    all('payment', `/orders/${orders.open}`),
    all('payment-done', `/orders/${orders.funded}`),
    ['payment-strict', `/console/orders/${strict.order}`, 'hr boss strict'],
    ['editor-strict', `/console/campaigns/${strict.draft}`, 'hr boss strict'],
    all('funds', '/funds'),
    ['funds-denied', '/console/funds', 'hr zhoumin demo'],
    all('settings', '/settings'),
    all('mistyped-id', '/campaigns/xyz'),
    all('mistyped-path', '/nowhere'),
  ]
}

// Every page that people see, in both languages, on a desk and on a phone. Pictures of all go to .tmp/screenshots.
describe.skipIf(chromiumPath === null)('the pages', () => {
  let stage: OpenStage
  let world: PagesWorld
  let browser: Browser
  const sessions = new Map<Who, Session>()

  beforeAll(async () => {
    browser = await openBrowser()
    stage = await openStage('sqlite')
    world = await makePagesWorld(stage)
    mkdirSync(pictures, { recursive: true })
  })
  afterAll(async () => {
    await browser.close()
    await stage.close()
  })

  const openContext = (who: Who, more: object): Promise<BrowserContext> =>
    browser.newContext({
      locale: 'zh-CN',
      reducedMotion: 'reduce',
      ...(who.startsWith('employee') ? { userAgent: wecomPhone, isMobile: true, hasTouch: true } : {}),
      ...more,
    })

  /** The cookies of somebody who has signed in: through WeCom's page, or with the operator's key. */
  async function sessionOf(who: Who): Promise<Session> {
    const known = sessions.get(who)
    if (known !== undefined) return known
    const context = await openContext(who, {})
    const [audience, userid, company] = who.split(' ')
    if (who === 'operator') {
      const headers = { origin: stage.serverUrl }
      await context.request.post(`${stage.serverUrl}/operator/session`, { headers, data: { key: stage.operatorKey } })
    } else if (who !== 'nobody') {
      const page = await context.newPage()
      await page.goto(`${stage.serverUrl}/${audience}/sign-in/${company}`)
      if (!page.url().startsWith(stage.serverUrl)) {
        const here = new URL(page.url())
        here.searchParams.set('as', userid ?? '')
        await page.goto(here.href)
      }
      await page.waitForURL(`${stage.serverUrl}/**`)
    }
    const session = await context.storageState()
    await context.close()
    sessions.set(who, session)
    return session
  }

  /** Opens a page, takes its picture, and tells what is wrong with it. */
  async function look(context: BrowserContext, [name, path]: Place, lang: PageLang, size: string): Promise<string[]> {
    const page = await context.newPage()
    const wrong = watch(page, [stage.serverUrl])
    let faults: string[]
    try {
      await page.goto(`${stage.serverUrl}${path}`)
      await settle(page)
      faults = await faultsOf(page, lang)
    } catch (error) {
      faults = [error instanceof Error ? error.message : String(error)]
    }
    await page.screenshot({ path: `${pictures}${name}-${size}-${lang}.png`, fullPage: true })
    await page.close()
    return [...wrong, ...faults].map((fault) => `${name}: ${fault}`)
  }

  async function lookAtAll(places: readonly Place[], size: keyof typeof sizes, lang: PageLang): Promise<string[]> {
    const faults: string[] = []
    for (const [who, theirs] of Map.groupBy(places, ([, , one]) => one)) {
      const context = await openContext(who, { storageState: await sessionOf(who), viewport: sizes[size] })
      await context.addCookies([{ name: 'lang', value: lang, url: stage.serverUrl }])
      for (const place of theirs) faults.push(...(await look(context, place, lang, size)))
      await context.close()
    }
    return faults
  }

  function otherPlaces(): Place[] {
    const employee = `employee ${world.employee} demo` as const
    return [
      ['pack', '/pack/', employee],
      ['pack-card', `/pack/cards/${world.card}`, employee],
      ['pack-nowhere', '/pack/nowhere', employee],
      ['ops-sign-in', '/ops/sign-in', 'nobody'],
      ['ops-companies', '/ops/', 'operator'],
      ['ops-statements', '/ops/statements', 'operator'],
      ['ops-jobs', '/ops/jobs', 'operator'],
      ['ops-proof', '/ops/proof', 'operator'],
      ['ops-nowhere', '/ops/nowhere', 'operator'],
    ]
  }

  const views = (['wide', 'phone'] as const).flatMap((size) =>
    (['zh', 'en'] as const).map((lang) => [size, lang] as const),
  )

  test.each(views)('the console (%s, %s)', async (size, lang) => {
    expect(await lookAtAll(consolePlaces(world), size, lang)).toEqual([])
  })

  test.each(views)("the card pack and the operators' pages (%s, %s)", async (size, lang) => {
    expect(await lookAtAll(otherPlaces(), size, lang)).toEqual([])
  })

  test('Tab reaches what the main path needs, and shows where it is', async () => {
    const who = 'hr linxiao demo'
    const context = await openContext(who, { storageState: await sessionOf(who), viewport: desktopSize })
    const page = await context.newPage()
    const wanted: Readonly<Record<string, readonly string[]>> = {
      '/console/': ['新建福利活动', '去修正', '去付款', '继续编辑'],
      '/console/rosters': ['下载模板', '下载示例名单', 'clean-200.xlsx'],
      [`/console/rosters/${world.rosters.faulty}`]: ['查看变化并应用', '只看有问题的', '下一处问题', '下载有问题的行'],
      [`/console/campaigns/${world.campaigns.draft}`]: ['场合与卡片', '发给谁', '祝福语', '核对', '提交审批'],
    }
    for (const [path, names] of Object.entries(wanted)) {
      await page.goto(`${stage.serverUrl}${path}`)
      await settle(page)
      const stops: Stop[] = []
      for (let step = 0; step < 40; step += 1) {
        await page.keyboard.press('Tab')
        stops.push(await focusOf(page))
      }
      for (const name of names) expect(stops.map((one) => one.text)).toContainEqual(expect.stringContaining(name))
      expect(stops.filter((one) => !one.ring)).toEqual([])
    }
    await context.close()
  })

  test('a dialog is named, keeps the keyboard inside, closes with Esc and gives the focus back', async () => {
    const who = 'hr zhoumin demo'
    const context = await openContext(who, { storageState: await sessionOf(who), viewport: desktopSize })
    const page = await context.newPage()
    await page.goto(`${stage.serverUrl}/console/campaigns/${world.campaigns.review}`)
    await settle(page)
    for (const name of ['退回修改', '取消活动', '同意发放']) {
      const opener = page.getByRole('button', { name }).first()
      await opener.focus()
      await page.keyboard.press('Enter')
      const dialog = page.getByRole('dialog')
      await dialog.waitFor()
      expect(await dialog.getAttribute('aria-modal')).toBe('true')
      await expect.poll(() => dialog.evaluate((one) => one.contains(one.ownerDocument.activeElement))).toBe(true)
      for (const key of ['Tab', 'Tab', 'Tab', 'Tab', 'Tab', 'Shift+Tab', 'Shift+Tab']) {
        await page.keyboard.press(key)
        expect(await dialog.evaluate((one) => one.contains(one.ownerDocument.activeElement)), key).toBe(true)
      }
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'hidden' })
      await expect.poll(() => opener.evaluate((one) => one === one.ownerDocument.activeElement)).toBe(true)
    }
    await context.close()
  })
})
