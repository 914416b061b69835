import { randomBytes } from 'node:crypto'
import { fen } from '../../contract/fen.ts'
import { encodeId, type Id } from '../../contract/ids.ts'
import type { WechatPaySandbox } from '../../sandbox/wechatpay/server.ts'
import type { Ports, WecomPort } from '../channels/ports.ts'
import { wechatPayAdapter } from '../channels/wechatpay/adapter.ts'
import type { MerchantCredentials } from '../channels/wechatpay/crypto.ts'
import type { Actor, Edge } from '../kernel/context.ts'
import type { Endpoint } from '../kernel/endpoint.ts'
import { createHttpApp, serve } from '../kernel/http.ts'
import { silentLog } from '../kernel/log.ts'
import { createBrand } from '../modules/catalog/create-template.ts'
import { placeOrder } from '../modules/order/place-order.ts'
import { aTemplate } from './cards.ts'
import type { TestDatabase } from './databases.ts'
import { startWechatSandbox, type Control, type WechatSandbox } from './wechat-sandbox.ts'
import { easyReview, noWechat, noInvoices, noSms, noPasses, noWebhooks } from './wecom.ts'

/** Two merchants of the WeChat Pay sandbox, one for each brand of a test. */
export const merchants = [
  { mchid: '1900000101', appid: 'wxsandbox0001' },
  { mchid: '1900000102', appid: 'wxsandbox0001' },
] as const
/** Our own merchant there: it combines payments, and collects where terms say so. */
export const platformMerchant = { mchid: '1900000100', appid: 'wxsandbox0001' } as const

/** Makes a test's house one that has a merchant of its own. Before the house is served. */
export function withPlatform(database: TestDatabase): void {
  const { house } = database
  database.house = { ...house, wechatPay: { ...house.wechatPay, platform: platformMerchant } }
}

let brandsMade = 0
/** An order of 100,000 fen: one brand, or two with 60,000 and 40,000. */
export async function anOrder(database: TestDatabase, companyId: Id<'company'>, brandCount: 1 | 2) {
  return database.tx(async (tx) => {
    const brandIds: Id<'brand'>[] = []
    const items = []
    for (const [index, price] of (brandCount === 1 ? [100_000] : [60_000, 40_000]).entries()) {
      const wechatPay = merchants[index]!
      const issuerPrefix = String(620_000 + (brandsMade += 1))
      const brandId = await createBrand(tx, { name: `品牌 ${index + 1}`, issuerPrefix, wechatPay })
      brandIds.push(brandId)
      const templateVersionId = await aTemplate(tx, brandId)
      const [faceFen, priceFen] = [fen(price), fen(price)]
      items.push({ holderId: encodeId('person', BigInt(index)), templateVersionId, faceFen, priceFen })
    }
    return { brandIds, orderId: await placeOrder(tx, { companyId, items }) }
  })
}

export interface PayWorld {
  readonly sandbox: WechatPaySandbox
  readonly credentials: readonly MerchantCredentials[]
  /** Moves the clock of the sandbox and of every house that stands on it. */
  shiftMs: number
  /** Everybody's clock, as it was moved. */
  readonly now: () => number
  readonly ctl: Control
  readonly addMerchant: WechatSandbox['addMerchant']
}

/** Starts the WeChat Pay sandbox with the two merchants and ours; the caller closes it. `base` is the clock that is moved. */
export async function startPayWorld(base: () => number = Date.now): Promise<PayWorld> {
  const clock = { shiftMs: 0, now: () => base() + clock.shiftMs }
  const { sandbox, ctl, addMerchant } = await startWechatSandbox({ now: clock.now })
  const credentials: MerchantCredentials[] = []
  for (const { mchid } of [...merchants, platformMerchant]) credentials.push(await addMerchant(mchid))
  return Object.assign(clock, { sandbox, credentials, ctl, addMerchant })
}

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

export interface PayHouse {
  readonly url: string
  readonly ports: Ports
  readonly edge: (actor?: Actor) => Edge
  /** A request of somebody; JSON unless the body is bytes. */
  readonly call: (actor: Actor, method: string, path: string, body?: unknown, key?: string) => Promise<Answer>
  readonly close: () => Promise<void>
}

/** Serves endpoints over HTTP on a test database with the real WeChat Pay adapter; `x-actor` says who asks. */
export async function servePayHouse(
  database: TestDatabase,
  world: PayWorld,
  endpoints: readonly Endpoint[],
): Promise<PayHouse> {
  const { now } = world
  let ports: Ports | undefined
  const edge = (actor?: Actor) => database.edge(ports!, actor, now)
  const app = createHttpApp({
    endpoints,
    edgeFor: (actor) => edge(actor),
    authenticate: async ({ headers }) =>
      headers['x-actor'] === undefined ? { kind: 'anybody' } : (JSON.parse(headers['x-actor']) as Actor),
    origins: [],
    log: silentLog(),
  })
  const server = await serve(app, 0, '127.0.0.1')
  const url = `http://127.0.0.1:${server.port}`
  const { platformPublicKeyId, platformPublicKeyPem, baseUrl } = world.sandbox
  const wechatPay = wechatPayAdapter({
    baseUrl,
    merchants: world.credentials,
    platformKeys: { [platformPublicKeyId]: platformPublicKeyPem },
    notifyUrl: `${url}/notify/wechatpay`,
    now,
    random: randomBytes,
  })
  const connected: Ports = {
    wechatPay,
    wecom: noWecom,
    sms: noSms,
    invoice: noInvoices,
    webhook: noWebhooks,
    pass: noPasses,
    review: easyReview,
    wechat: noWechat,
  }
  ports = connected
  return {
    url,
    ports: connected,
    edge,
    call: async (actor, method, path, body, key) => {
      const bytes = body instanceof Uint8Array
      const response = await fetch(url + path, {
        method,
        headers: {
          'x-actor': JSON.stringify(actor),
          ...(bytes ? { 'x-file-name': 'upload.csv' } : {}),
          ...(body === undefined || bytes ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: bytes ? Buffer.from(body) : JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
    },
    close: () => server.close(1000),
  }
}

/** Payments never speak with WeCom: any use of it throws. */
const noWecom = new Proxy({} as WecomPort, {
  get: () => {
    throw new Error('this test has no WeCom')
  },
})
