import type { Id } from '../../contract/ids.ts'
import type { Ports } from '../channels/ports.ts'
import type { WechatPayPort } from '../channels/wechatpay-port.ts'
import type { Tx } from '../kernel/context.ts'
import type { Endpoint } from '../kernel/endpoint.ts'
import { createHttpApp, serve } from '../kernel/http.ts'
import { silentLog, type RootLog } from '../kernel/log.ts'
import { isBuyerKnown } from '../modules/buyer/read-buyer.ts'
import { createAuthenticate } from '../modules/company/authenticate.ts'
import { readClerkActor } from '../modules/merchant/read-clerk-actor.ts'
import { createTerminalCheck, POS_PATH } from '../modules/merchant/verify-terminal.ts'
import type { TestDatabase } from './databases.ts'
import { easyReview, noWechat, noInvoices, noSms, noPasses, noWebhooks } from './wecom.ts'
import { testHouse } from './house.ts'

export interface Web {
  /** Origin of the server, which is also the public address of the house. */
  readonly base: string
  readonly close: () => Promise<void>
}

/**
 * Serves endpoints over HTTP on a test database. The house is made anew with the server's own address, so call this
 * before anything is sealed.
 */
export async function startWeb(
  database: TestDatabase,
  wish: {
    readonly endpoints: readonly Endpoint[]
    /** WeChat Pay may be left out where nothing pays: any use of it then throws. */
    readonly ports: Pick<Ports, 'wecom'> & Partial<Ports>
    readonly personActive?: (tx: Tx, personId: Id<'person'>) => Promise<boolean>
    readonly now?: () => number
    readonly log?: RootLog
  },
): Promise<Web> {
  const { endpoints, personActive = async () => true, now = Date.now, log = silentLog() } = wish
  const ports: Ports = {
    wechatPay: noWechatPay,
    sms: noSms,
    invoice: noInvoices,
    webhook: noWebhooks,
    pass: noPasses,
    review: easyReview,
    wechat: noWechat,
    ...wish.ports,
  }
  const origins: string[] = []
  let terminalOf: ReturnType<typeof createTerminalCheck> | undefined
  const app = createHttpApp({
    endpoints,
    edgeFor: (actor, requestLog) => ({ ...database.edge(ports, actor, now), log: requestLog }),
    authenticate: (credentials) => {
      const edge = database.edge(ports, { kind: 'anybody' }, now)
      if (credentials.path.startsWith(POS_PATH)) return (terminalOf ??= createTerminalCheck(edge))(credentials)
      return createAuthenticate({ edge, personActive, buyerActive: isBuyerKnown, clerkActor: readClerkActor })(
        credentials,
      )
    },
    origins,
    log,
    trustProxy: true,
  })
  const server = await serve(app, 0, '127.0.0.1')
  const base = `http://127.0.0.1:${server.port}`
  origins.push(base)
  database.house = testHouse({ publicUrl: base })
  return { base, close: () => server.close(1_000) }
}

const noWechatPay = new Proxy({} as WechatPayPort, {
  get: () => {
    throw new Error('this test has no WeChat Pay')
  },
})

/** A browser as far as sign-in needs one: it keeps cookies by host and path, and follows no redirect by itself. */
export interface Browser {
  readonly get: (url: string, headers?: Record<string, string>) => Promise<Response>
  /** JSON, or bytes as they are. */
  readonly send: (method: string, url: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>
  /** Goes where an answer points; throws when it points nowhere. */
  readonly follow: (answer: Response) => Promise<Response>
  readonly cookies: Map<string, { readonly value: string; readonly path: string; readonly host: string }>
}

/** A fresh browser whose relative addresses begin at `base`. */
export function aBrowser(base: string, standing: Record<string, string> = {}): Browser {
  const cookies: Browser['cookies'] = new Map()
  const ask = async (method: string, to: string, body?: unknown, headers: Record<string, string> = {}) => {
    const url = new URL(to, base)
    const fits = [...cookies].filter(
      ([, one]) =>
        one.host === url.host &&
        (one.path === '/' || url.pathname === one.path || url.pathname.startsWith(`${one.path}/`)),
    )
    const bytes = body instanceof Uint8Array
    const cookie = fits.map(([name, one]) => `${name}=${one.value}`).join('; ')
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        ...(cookie === '' ? {} : { cookie }),
        ...(method === 'GET' ? {} : { origin: base }),
        ...(body === undefined ? {} : { 'content-type': bytes ? 'application/octet-stream' : 'application/json' }),
        ...standing,
        ...headers,
      },
      ...(body === undefined ? {} : { body: bytes ? new Uint8Array(body) : JSON.stringify(body) }),
    })
    for (const line of response.headers.getSetCookie()) keep(cookies, line, url.host)
    return response
  }
  return {
    cookies,
    get: (url, headers) => ask('GET', url, undefined, headers),
    send: (method, url, body, headers) => ask(method, url, body, headers),
    follow: (answer) => {
      const location = answer.headers.get('location')
      if (location === null) throw new Error(`no redirect: ${answer.status}`)
      return ask('GET', new URL(location, answer.url).href)
    },
  }
}

function keep(cookies: Browser['cookies'], line: string, host: string): void {
  const [pair = '', ...rest] = line.split('; ')
  const name = pair.slice(0, pair.indexOf('='))
  const value = pair.slice(pair.indexOf('=') + 1)
  const path = rest.find((one) => one.startsWith('Path='))?.slice(5) ?? '/'
  if (rest.includes('Max-Age=0')) cookies.delete(name)
  else cookies.set(name, { value, path, host })
}
