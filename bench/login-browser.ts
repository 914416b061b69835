import { Agent, request } from 'node:http'

/** What a request brought, as far as a browser that signs in looks at it. */
export interface Seen {
  readonly status: number
  readonly location: string | null
  readonly cookies: readonly string[]
  readonly text: string
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 })
const phone = 'Mozilla/5.0 (iPhone) wxwork/4.1.36 MicroMessenger/7.0.1'
const desk = 'Mozilla/5.0 (Windows NT 10.0) Chrome/140'

/**
 * Asks once; rejects when the connection is cut. As browsers do it, a request is sent anew on another line where the
 * one that it was put on had been idle and was being hung up at that moment.
 */
export function ask(url: string, headers: Readonly<Record<string, string>> = {}, isSecond = false): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => (text += part))
      answer.on('error', reject)
      answer.on('end', () => {
        const { location = null } = answer.headers
        resolve({ status: answer.statusCode ?? 0, location, cookies: answer.headers['set-cookie'] ?? [], text })
      })
    })
    sent.on('error', (error) => {
      if (sent.reusedSocket && !isSecond) resolve(ask(url, headers, true))
      else reject(error)
    })
    sent.end()
  })
}

/** A browser of its own address and without memory, which signs in once. */
export interface LoginBrowser {
  readonly headers: Readonly<Record<string, string>>
  readonly cookies: Map<string, string>
  /** Asks our server with the cookies it set. */
  readonly own: (url: string) => Promise<Seen>
}

/** The browser of the visitor with this number: each comes from an address of its own, every other one from a phone. */
export function aLoginBrowser(visitor: number): LoginBrowser {
  const cookies = new Map<string, string>()
  const headers = {
    'user-agent': visitor % 2 === 0 ? phone : desk,
    'x-forwarded-for': `10.${(visitor >> 16) & 255}.${(visitor >> 8) & 255}.${visitor & 255}`,
  }
  return {
    headers,
    cookies,
    own: async (url) => {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const seen = await ask(url, cookie === '' ? headers : { ...headers, cookie })
      for (const line of seen.cookies) {
        const pair = line.slice(0, line.indexOf(';'))
        const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
        if (line.includes('Max-Age=0')) cookies.delete(name)
        else cookies.set(name, value)
      }
      return seen
    },
  }
}

/** Where the browser stands after it left for WeCom as `userid`: the callback address with its code. */
export async function authorise(browser: LoginBrowser, away: string, userid: string): Promise<string> {
  const there = await ask(`${away.replace('#wechat_redirect', '')}&as=${userid}`, {
    'user-agent': browser.headers['user-agent'] ?? '',
  })
  if (there.location === null) throw new Error(`wecom did not send back: ${there.status}`)
  return there.location
}

/** Takes a sign-in from its beginning to a session that answers; what it ended with, `signed_in` when all went well. */
export async function signIn(
  browser: LoginBrowser,
  at: { readonly serverUrl: string; readonly company: string; readonly userid: string },
): Promise<string> {
  let seen = await browser.own(`${at.serverUrl}/hr/sign-in/${at.company}?return=/console/`)
  // A lost answer leads through WeCom once more; a browser gives up where it goes round and round.
  for (let round = 0; round < 4 && seen.status === 302 && seen.location !== null; round += 1) {
    if (seen.location.startsWith('/')) {
      const session = await browser.own(`${at.serverUrl}/hr/session`)
      return session.status === 200 ? 'signed_in' : `session_${session.status}`
    }
    seen = await browser.own(await authorise(browser, seen.location, at.userid))
  }
  const code = /"code":"([a-z_]+)"/.exec(seen.text)?.[1]
  return code ?? `http_${seen.status}`
}
