import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, desktopSize, openBrowser, phoneSize, takePicture, watch } from './browser.ts'
import { faultsOf, focusOf, settle, type PageLang, type Stop } from './page-faults.ts'
import { custodyPlaces } from './pages-custody.ts'
import { merchantPlaces } from './pages-merchants.ts'
import { moneyPlaces, press, settlementPlaces, type Place, type Who } from './pages-money.ts'
import { shelfPlaces } from './pages-shelf.ts'
import { makePagesWorld, type PagesWorld } from './pages-world.ts'
import { openStage, type OpenStage } from './stage.ts'

const wecomPhone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile MicroMessenger/8.0 wxwork/4.1'

type Session = Awaited<ReturnType<BrowserContext['storageState']>>
const sizes = { wide: desktopSize, phone: phoneSize } as const
type Size = keyof typeof sizes

function consolePlaces(world: PagesWorld): Place[] {
  const { rosters, campaigns, strict, runs } = world
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
    all('directory', '/directory'),
    all('campaigns', '/campaigns'),
    all('editor-new', '/campaigns/new'),
    all('editor', `/campaigns/${campaigns.draft}`),
    ['review', `/console/campaigns/${campaigns.review}`, 'hr zhoumin demo'],
    all('approved', `/campaigns/${campaigns.approved}`),
    all('recurring-list', '/recurring'),
    all('recurring-new', '/recurring/new'),
    all('recurring-draft', `/recurring/${runs.draft}`),
    ['recurring-review', `/console/recurring/${runs.review}`, 'hr zhoumin demo'],
    all('running', `/campaigns/${campaigns.running}`),
    ...moneyPlaces(world),
    ['payment-strict', `/console/orders/${strict.order}`, 'hr boss strict'],
    ['editor-strict', `/console/campaigns/${strict.draft}`, 'hr boss strict'],
    all('editor-short', `/campaigns/${campaigns.short}`),
    all('settings', '/settings'),
    all('mistyped-id', '/campaigns/xyz'),
    all('mistyped-path', '/nowhere'),
  ]
}

/** The pages of WeCom: its connection in each state, the directory, and people without an account. */
function wecomPlaces({ campaigns, runs, wecom }: PagesWorld): Place[] {
  const outside = `/console/campaigns/${wecom.field}/outside`
  const hr = 'hr admin demo'
  const carrier = `hr truck1 ${wecom.marketCode} wwyuanshan` as const
  return [
    ['wecom', '/console/wecom', hr],
    ['wecom-form', '/console/wecom', hr, press(/修改凭证|Change credentials/)],
    ['wecom-read-only', '/console/wecom', 'hr linxiao demo'],
    ['wecom-installed', '/console/wecom', carrier],
    ['wecom-broken', '/console/wecom', 'hr boss reset'],
    ['wecom-refused', '/console/wecom?problem=wecom_install_lost', carrier],
    ['directory-broken', '/console/directory', 'hr boss reset'],
    ['directory-never', '/console/directory', 'hr boss scarce'],
    ['directory-top-up', '/console/directory', hr, chooseAll(/补发福利|Top up/)],
    ['recurring-empty', '/console/recurring', 'hr boss reset'],
    ['recurring-active', `/console/recurring/${runs.active}`, hr],
    ['field', `/console/campaigns/${wecom.field}`, hr],
    ['scarce', `/console/campaigns/${wecom.scarce}`, 'hr boss scarce'],
    ['recall', `/console/campaigns/${campaigns.running}`, hr, press(/^(撤回消息|Recall messages)/)],
    ['outside', outside, hr],
    ['outside-empty', `/console/campaigns/${campaigns.approved}/outside`, hr],
    ['outside-new', outside, hr, press(/新建二维码|New QR code/)],
    ['outside-poster', outside, hr, press(/下载海报|Download poster/)],
    ['outside-end', outside, hr, press(/^(停用|End)$/)],
    ['outside-link', outside, hr, press(/生成个人链接|personal link/i)],
  ]
}

async function askForCode(page: Page): Promise<void> {
  await page.locator('input[type=tel]').fill('13912345678')
  await page.locator('form button[type=submit]').click()
  await page.locator('input.code').waitFor({ timeout: 4_000 })
}
/** As on a phone that was signed in to the demo company before. */
async function knowCompany(page: Page): Promise<void> {
  await page.evaluate(`localStorage.setItem('fulika.packCompany', 'demo')`)
  await page.reload()
}
async function guessCode(page: Page): Promise<void> {
  await askForCode(page)
  await page.locator('input.code').pressSequentially('000000')
  await page.getByRole('alert').first().waitFor({ timeout: 4_000 })
}
const chooseAll = (name: RegExp) => async (page: Page) => {
  await page
    .getByText(/全选本页|Select this page/)
    .first()
    .click()
  await press(name)(page)
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
    await sessionOf('hr boss reset')
    await world.wecom.breakConnection()
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
    const [audience, userid, company, corp] = who.split(' ')
    if (who === 'operator') {
      const headers = { origin: stage.serverUrl }
      await context.request.post(`${stage.serverUrl}/operator/session`, { headers, data: { key: stage.operatorKey } })
    } else if (who !== 'nobody') {
      const page = await context.newPage()
      await page.goto(`${stage.serverUrl}/${audience}/sign-in/${company}`)
      if (!page.url().startsWith(stage.serverUrl)) {
        const here = new URL(page.url())
        here.searchParams.set('as', userid ?? '')
        if (corp !== undefined) here.searchParams.set('corp', corp)
        await page.goto(here.href)
      }
      await page.waitForURL(`${stage.serverUrl}/**`)
    }
    const session = await context.storageState()
    await context.close()
    sessions.set(who, session)
    return session
  }

  /** Opens a page in the first size, then turns it to the other; takes both pictures and tells what is wrong. */
  async function look(
    page: Page,
    [name, path, , act]: Place,
    lang: PageLang,
    order: readonly Size[],
  ): Promise<string[]> {
    const faults: string[] = []
    try {
      await page.setViewportSize(sizes[order[0]!])
      await page.goto(new URL(path, stage.serverUrl).href)
      await settle(page)
      await act?.(page)
      for (const size of order) {
        await page.setViewportSize(sizes[size])
        await settle(page)
        // Some components measure themselves anew 300 ms after a turn: what is wrong must stay wrong.
        if ((await faultsOf(page, lang)).length > 0) await sleep(500)
        faults.push(...(await faultsOf(page, lang)).map((fault) => `${size}: ${fault}`))
        const fullPage = !(await page.getByRole('dialog').first().isVisible())
        await takePicture(page, `${name}-${size}-${lang}`, fullPage)
      }
    } catch (error) {
      faults.push(error instanceof Error ? error.message : String(error))
    }
    return faults.map((fault) => `${name}: ${fault}`)
  }

  /** Every page opens fresh in each size, once in each language: Chinese on the desk first, English on the phone. */
  async function lookAtAll(places: readonly Place[], lang: PageLang): Promise<string[]> {
    const order: readonly Size[] = lang === 'zh' ? ['wide', 'phone'] : ['phone', 'wide']
    const faults: string[] = []
    for (const [who, theirs] of Map.groupBy(places, ([, , one]) => one)) {
      const context = await openContext(who, { storageState: await sessionOf(who), viewport: sizes[order[0]!] })
      await context.addCookies([{ name: 'lang', value: lang, url: stage.serverUrl }])
      const page = await context.newPage()
      const sandbox = theirs.some(([, path]) => path.startsWith('http'))
        ? [stage.wecomUrl, stage.payUrl, stage.wechatUrl]
        : []
      const wrong = watch(page, [stage.serverUrl, ...sandbox])
      for (const place of theirs) {
        faults.push(...(await look(page, place, lang, order)))
        faults.push(...wrong.splice(0).map((one) => `${place[0]}: ${one}`))
      }
      await context.close()
    }
    return faults
  }

  /** The sandbox's own pages: Chinese, with a line of English on each. */
  function sandboxPlaces(): Place[] {
    const at = (name: string, path: string): Place => [`sandbox-${name}`, `${stage.wecomUrl}${path}`, 'nobody']
    const pay = (name: string, path: string): Place => [`sandbox-pay-${name}`, `${stage.payUrl}${path}`, 'nobody']
    const wechat = (name: string, path: string): Place => [
      `sandbox-wechat-${name}`,
      `${stage.wechatUrl}${path}`,
      'nobody',
    ]
    const { corpId, agentId } = stage.corp
    const worker = `/worker/field2`
    return [
      at('home', '/'),
      at('phones', `/phone/${corpId}`),
      at('phone', `/phone/${corpId}/zhoumin`),
      at('chat', `/phone/${corpId}/zhoumin/messages`),
      at('chat-employee', `/phone/${corpId}/${world.employee}/messages`),
      at('admin', `/admin/${corpId}`),
      at('members', `/admin/${corpId}/members`),
      at('member', `/admin/${corpId}/members/linxiao`),
      at('departments', `/admin/${corpId}/departments`),
      at('app', `/admin/${corpId}/apps/${agentId}`),
      at('workers', '/worker'),
      at('worker', worker),
      at('worker-texts', '/worker/field0/texts'),
      at('worker-chat', `${worker}/chat/${corpId}/linxiao`),
      at('worker-scan', `${worker}/scan`),
      at('contacts', '/contacts'),
      at('suites', '/suites'),
      at('install-refused', '/3rdapp/install?suite_id=x'),
      at('who', `/connect/oauth2/authorize?appid=${corpId}&agentid=${agentId}`),
      at('dials', '/dials'),
      at('callback', '/callback'),
      pay('home', '/'),
      pay('cashier', '/cashier'),
      pay('bank', '/bank'),
      pay('till', '/till'),
      pay('invoices', '/invoices'),
      pay('dials', '/dials'),
      wechat('home', '/'),
      wechat('phones', '/phone'),
      wechat('phone', '/phone/chenyu'),
      wechat('chat', '/phone/chenyu/with/lina'),
      wechat('notices', '/phone/chenyu/notices'),
      wechat('refused', '/connect/oauth2/authorize?appid=x'),
      wechat('dials', '/dials'),
    ]
  }

  function otherPlaces(): Place[] {
    const employee = `employee ${world.employee} demo` as const
    return [
      ['pack', '/pack/', employee],
      ['pack-card', `/pack/cards/${world.card}`, employee],
      ['claim', `/pack/claim/${world.claim}`, 'nobody'],
      ['claim-link', `/pack/claim-link/${world.wecom.link}`, 'nobody'],
      ['claim-code', `/pack/claim/${world.claim}`, 'nobody', askForCode],
      ['claim-refused', `/pack/claim/${world.claim}`, 'nobody', guessCode],
      ['pack-refused', '/pack/?problem=not_on_staff_list', 'nobody', knowCompany],
      ['claim-closed', '/pack/claim/0123456789ABCDEFGHJKMNPQRS', 'nobody'],
      ['pack-nowhere', '/pack/nowhere', employee],
      ['first-sign-in-missing', '/console/first-sign-in', 'nobody'],
      ['first-sign-in-refused', '/console/first-sign-in#e30.AAAA', 'nobody'],
      ['ops-sign-in', '/ops/sign-in', 'nobody'],
      ['ops-companies', '/ops/', 'operator'],
      ['ops-credit', '/ops/', 'operator', press(/^授信额度|^Credit line/)],
      ['ops-statements', '/ops/statements', 'operator'],
      ['ops-assign', '/ops/statements', 'operator', press(/认领或退回|Assign or send back/)],
      ['ops-jobs', '/ops/jobs', 'operator'],
      ['ops-provider', '/ops/wecom', 'operator'],
      ['ops-proof', '/ops/proof', 'operator'],
      ['ops-nowhere', '/ops/nowhere', 'operator'],
      ...settlementPlaces(world),
      ...custodyPlaces(world),
      ...merchantPlaces(world),
      ...shelfPlaces(world),
    ]
  }

  const languages = ['zh', 'en'] as const

  test.concurrent.each(languages)('the console (%s)', async (lang) => {
    expect(await lookAtAll(consolePlaces(world), lang)).toEqual([])
  })

  test.concurrent.each(languages)('the pages of WeCom (%s)', async (lang) => {
    expect(await lookAtAll(wecomPlaces(world), lang)).toEqual([])
  })

  test.concurrent("the sandbox's own pages", async () => {
    expect(await lookAtAll(sandboxPlaces(), 'zh')).toEqual([])
  })

  test.concurrent.each(languages)("the card pack and the operators' pages (%s)", async (lang) => {
    expect(await lookAtAll(otherPlaces(), lang)).toEqual([])
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
