import { aLoginBrowser, ask, authorise, type LoginBrowser, type Seen } from './login-browser.ts'
import type { LoginGround } from './login-ground.ts'
import type { StaleCookie } from './login-server.ts'

/** One way to misuse a sign-in, and what came of it. */
export interface Misuse {
  readonly name: string
  readonly refused: boolean
  readonly outcome: string
}

/** How often each way is tried. */
const TIMES = 20
const SESSION = 'fulika_hr'

/** Tries every misuse of state, code and cookie that we know of; none may end in a session. */
export async function tryMisuse(ground: LoginGround): Promise<Misuse[]> {
  const tried: Misuse[] = []
  for (let turn = 0; turn < TIMES; turn += 1) {
    for (const [name, misuse] of Object.entries(ways)) {
      const browser = aLoginBrowser(200_000 + tried.length)
      const seen = await misuse(ground, browser, turn)
      const refused = seen.status >= 400 && seen.status < 500 && !browser.cookies.has(SESSION) && !gaveSession(seen)
      tried.push({ name, refused, outcome: `${seen.status} ${seen.text.slice(0, 120)}` })
    }
  }
  return tried
}

type Way = (ground: LoginGround, browser: LoginBrowser, turn: number) => Promise<Seen>

const gaveSession = (seen: Seen): boolean => seen.cookies.some((line) => line.startsWith(`${SESSION}=`))

/** From our door to WeCom and back, up to the callback, which is not opened yet. */
async function callbackOf(ground: LoginGround, browser: LoginBrowser, company = 0): Promise<URL> {
  const { code } = ground.companyOf(company)
  const away = await browser.own(`${ground.serverUrl}/hr/sign-in/${code}`)
  return new URL(await authorise(browser, away.location ?? '', 'person1'))
}

function cookieHeader(browser: LoginBrowser): string {
  return [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
}

function withQuery(url: URL, change: Readonly<Record<string, string>>): string {
  const changed = new URL(url)
  for (const [name, value] of Object.entries(change)) changed.searchParams.set(name, value)
  return changed.href
}

const ways: Readonly<Record<string, Way>> = {
  'the state a second time, cookie and all': async (ground, browser) => {
    const back = await callbackOf(ground, browser)
    const cookie = cookieHeader(browser)
    await ask(back.href, { ...browser.headers, cookie })
    return ask(back.href, { ...browser.headers, cookie })
  },
  'the state of another browser': async (ground, browser) => {
    const other = aLoginBrowser(300_000)
    const [own, foreign] = [await callbackOf(ground, browser), await callbackOf(ground, other)]
    return browser.own(withQuery(own, { state: foreign.searchParams.get('state') ?? '' }))
  },
  'a link with state and code in a browser that began nothing': async (ground, browser) => {
    const other = aLoginBrowser(300_001)
    return browser.own((await callbackOf(ground, other)).href)
  },
  'a state that nobody gave': async (ground, browser) =>
    browser.own(withQuery(await callbackOf(ground, browser), { state: 'f'.repeat(32) })),
  'no state': async (ground, browser) => browser.own(withQuery(await callbackOf(ground, browser), { state: '' })),
  'a state that is over': async (ground, browser, turn) => {
    const stale = await ground.ask<StaleCookie>({ stale: ground.companyOf(turn).code })
    const back = await callbackOf(ground, browser, turn)
    const url = withQuery(back, { state: stale.state })
    return ask(url, { ...browser.headers, cookie: stale.cookie })
  },
  'a code used twice': async (ground, browser) => {
    const first = aLoginBrowser(300_002)
    const used = await callbackOf(ground, first)
    await first.own(used.href)
    const back = await callbackOf(ground, browser)
    return browser.own(withQuery(back, { code: used.searchParams.get('code') ?? '' }))
  },
  'a code of another company’s app': async (ground, browser) => {
    const foreign = await callbackOf(ground, aLoginBrowser(300_003), 1)
    const back = await callbackOf(ground, browser)
    return browser.own(withQuery(back, { code: foreign.searchParams.get('code') ?? '' }))
  },
  'a code that nobody gave': async (ground, browser) =>
    browser.own(withQuery(await callbackOf(ground, browser), { code: 'CODE'.repeat(8) })),
  'no code': async (ground, browser) => browser.own(withQuery(await callbackOf(ground, browser), { code: '' })),
  'a changed cookie': async (ground, browser, turn) => {
    const back = await callbackOf(ground, browser)
    for (const [name, value] of browser.cookies) browser.cookies.set(name, changed(value, turn))
    return browser.own(back.href)
  },
  'the cookie of another sign-in under this one’s name': async (ground, browser) => {
    const other = aLoginBrowser(300_004)
    await callbackOf(ground, other)
    const back = await callbackOf(ground, browser)
    const [foreign] = other.cookies.values()
    for (const name of browser.cookies.keys()) browser.cookies.set(name, foreign ?? '')
    return browser.own(back.href)
  },
  'a member’s sign-in at the door of employees': async (ground, browser) => {
    const back = await callbackOf(ground, browser)
    return browser.own(back.href.replace('/hr/sign-in-callback', '/employee/sign-in-callback'))
  },
  'a stranger to the console': async (ground, browser, turn) => {
    const { code, corpId, agentId, secret } = ground.companyOf(turn)
    const trustedDomains = [new URL(ground.serverUrl).host]
    const members = [{ userid: 'stranger', name: '外人' }]
    ground.box.control.upsertCorp({ corpId, agentId, secret, accountLimit: 1_000, trustedDomains, members })
    const away = await browser.own(`${ground.serverUrl}/hr/sign-in/${code}`)
    return browser.own(await authorise(browser, away.location ?? '', 'stranger'))
  },
}

/** The text with one of its signs changed, another one each time. */
function changed(text: string, turn: number): string {
  const at = (turn * 7) % (text.length - 1)
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
}
