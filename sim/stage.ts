import { createHmac, generateKeyPairSync } from 'node:crypto'
import inject from 'light-my-request'
import { handlers } from '../jobs/handlers.ts'
import { workOnce } from '../jobs/worker.ts'
import { wechatPayInProcess, type InProcessPay } from '../sandbox/testing/in-process.ts'
import type { PlatformKey } from '../sandbox/wechatpay/seal.ts'
import { tradeKey } from '../sandbox/wechatpay/state.ts'
import { endpoints } from '../server/app.ts'
import { invoiceAdapter } from '../server/channels/invoice/adapter.ts'
import type { Ports } from '../server/channels/ports.ts'
import { wechatPayAdapter } from '../server/channels/wechatpay/adapter.ts'
import type { Store } from '../server/db/orm.ts'
import type { Actor, Edge, Scope, Tx } from '../server/kernel/context.ts'
import type { House } from '../server/kernel/house.ts'
import { createHttpApp } from '../server/kernel/http.ts'
import { Secret, silentLog } from '../server/kernel/log.ts'
import { idSource } from '../server/kernel/new-ids.ts'
import { sweep } from '../server/kernel/outbox.ts'
import { readBound } from '../server/kernel/sql.ts'
import { testHouse } from '../server/testing/house.ts'
import { giveBooksBack, takeBooks } from './books.ts'
import { watchCalls, type WatchedCalls } from './calls.ts'
import { mortal, newLife, type Life } from './life.ts'
import type { Seeded } from './seeded.ts'
import { alone } from './together.ts'

/** Monday, a little before a day begins in China: days, bills and quiet hours come along in a story. */
const START_MS = Date.UTC(2026, 8, 14, 14, 30)

/** The platform's own merchant, three brands’ merchants and two channels’, all bound to one app. */
export const APP = 'wxsimulated0001'
export const PLATFORM = '1900000000'
export const BRANDS = ['1900000101', '1900000102', '1900000103'] as const
export const CHANNELS = ['1900000301', '1900000302'] as const
const INVOICE_KEY = 'SANDBOX-invoice-key-0001'

/** What every process of ours makes once: keys cost more than a story, and long ones cost at each call. */
const makeKeys = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 1024,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
const pair = makeKeys()
const platformPair = makeKeys()
const platformKey: PlatformKey = {
  id: 'PUB_KEY_ID_0100000000000000000000000001',
  publicPem: platformPair.publicKey,
  privatePem: platformPair.privateKey,
}

/** Our server, our worker and WeChat Pay in one process, on one clock that only we move. */
export interface Stage {
  readonly pay: InProcessPay
  readonly chance: Seeded
  readonly now: () => number
  /** A scope of the process that runs now, acting as somebody. It ends when the process is stopped. */
  readonly edge: (actor?: Actor) => Edge
  /** Looks at the database from outside: no stop ends this. */
  readonly look: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>
  readonly life: () => Life
  /** Begins a new process in place of one that was stopped. */
  readonly restart: () => void
  /** Does one job that is ready, if there is any. */
  readonly work: () => Promise<boolean>
  /** A control call of the sandbox; throws unless it answers 200. */
  readonly ctl: (path: string, body?: unknown) => Promise<unknown>
  /** Brings a notice to our server as WeChat Pay sent it; the status that it answered. */
  readonly deliver: (notice: Notice) => Promise<number>
  /** Notices that were sent and are still on their way. */
  readonly mail: Notice[]
  /** What our server asked of WeChat Pay and must not have. */
  readonly calls: WatchedCalls
  /** What people did, so that they can do it again. */
  readonly done: { again: () => Promise<string> }[]
  /** What the house warned of since it was last asked. */
  readonly said: string[]
  readonly close: () => Promise<void>
}

/** A notice on its way: its headers and its exact bytes. */
export interface Notice {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Whether a payer's money for this number is at WeChat Pay, whatever our books say. */
export const isPaid = ({ pay }: Pick<Stage, 'pay'>, mchid: string, outTradeNo: string): boolean =>
  pay.world.trades.get(tradeKey(mchid, outTradeNo))?.state === 'SUCCESS'

/** Opens an empty house and an empty WeChat Pay. What is late goes into `mail`: the story says when it comes. */
export async function openStage(chance: Seeded): Promise<Stage> {
  const store = await takeBooks()
  const mail: Notice[] = []
  const pay = wechatPayInProcess(START_MS, {
    platformKey,
    random: chance.bytes,
    post: async (_url, init) => {
      const notice = { headers: Object.fromEntries(new Headers(init?.headers)), body: init?.body as string }
      return new Response(null, { status: await carry(notice) })
    },
  })
  await registerMerchants(pay)
  const said: string[] = []
  const calls = watchCalls(pay.fetch)
  const { deliver, ...rest } = actors(store, { ...pay, fetch: calls.fetch }, chance, said)
  return {
    ...rest,
    calls,
    done: [],
    said,
    deliver,
    pay,
    chance,
    mail,
    now: () => pay.clock.now(),
    ctl: ctlOf(pay),
    close,
  }

  /** Most notices arrive; some are on their way for longer than anybody waits, and some are lost. */
  async function carry(notice: Notice): Promise<number> {
    const fate = chance.between(1, 10)
    if (fate <= 6) return deliver(notice)
    if (fate <= 8) mail.push(notice)
    return fate === 10 ? 503 : 200
  }

  async function close(): Promise<void> {
    pay.clock.stop()
    await giveBooksBack(store)
  }
}

const lanes = ['fast', 'small', 'bulk'] as const
const dueWork = `select ${lanes
  .map(
    (lane) =>
      `(select 1 from job where state = 'ready' and lane = '${lane}' and ready_at_ms <= now limit 1) as ${lane}, `,
  )
  .join('')}(select 1 from job where state = 'leased' and lease_until_ms <= now limit 1) as expired
  from (select cast(? as integer) as now)`
/** What a worker would find: transactions that find nothing would cost more than most work. */
const readDue = async (em: Tx['em'], nowMs: number) =>
  (await readBound<Record<(typeof lanes)[number] | 'expired', unknown>>(em, dueWork, [String(nowMs)]))[0]!

type Actors = Pick<Stage, 'edge' | 'look' | 'life' | 'restart' | 'work' | 'deliver'>

/** Whoever acts on our side: the process that runs now, its web side and its worker. */
function actors(store: Store, pay: InProcessPay, chance: Seeded, said: string[]): Actors {
  const keep = (facts: unknown, text?: string): void => {
    const { err, ...rest } = facts as { err?: Error }
    said.push(`${text} ${JSON.stringify(rest)} ${err?.stack?.split('\n').slice(0, 6).join(' | ') ?? ''}`)
  }
  const clock = { now: () => pay.clock.now() }
  const base: Omit<Scope, 'house'> = {
    actor: { kind: 'system', name: 'sim' },
    clock,
    random: chance.bytes,
    log: { info: () => undefined, warn: keep, error: keep },
    newId: idSource(1, clock),
  }
  const firstHouse = houseOf()
  const ports = portsOf(pay, chance)
  let process = { life: newLife(), house: firstHouse }
  const edge = (actor: Actor = base.actor): Edge => {
    const scope: Scope = { ...base, house: process.house, actor }
    const whole: Edge = {
      ...scope,
      ports,
      tx: (work) => store.write((em) => work({ ...scope, em })),
      read: (work) => store.read((em) => work({ ...scope, em })),
    }
    return mortal(whole, process.life)
  }
  const web = () =>
    createHttpApp({
      endpoints: endpoints.filter((one) => one.path === '/notify/wechatpay'),
      edgeFor: (actor) => edge(actor),
      authenticate: async () => ({ kind: 'anybody' }),
      origins: [],
      log: silentLog(),
      rate: { points: 1_000_000_000, seconds: 60 },
    }).callback()
  let handle = web()
  return {
    edge,
    look: (work) => store.read((em) => work({ ...base, house: firstHouse, em })),
    life: () => process.life,
    restart: () => {
      // What a process keeps in memory goes with it: queues hang on its house.
      process = { life: newLife(), house: { ...firstHouse } }
      handle = web()
    },
    work: async () => {
      const due = () => store.read((em) => readDue(em, clock.now()))
      let found = await due()
      if (found.expired !== null) {
        await edge().tx(sweep)
        found = await due()
      }
      const some = lanes.filter((lane) => found[lane] !== null)
      if (some.length === 0) return false
      await workOnce(edge(), handlers, chance.pick(some))
      return true
    },
    deliver: async ({ headers, body }) => {
      const request = { method: 'POST', url: '/notify/wechatpay', headers, payload: body } as const
      // Awaited inside: the request is made only once somebody waits for its answer.
      const answer = await alone(async () => await inject((req, res) => void handle(req, res), request))
      return answer.statusCode
    },
  }
}

function houseOf(): House {
  const platform = { mchid: PLATFORM, appid: APP }
  return testHouse({
    numberKey: (brandId, epoch) => createHmac('sha256', 'sim').update(`${brandId}:${epoch}`).digest(),
    wechatPay: { platform, feeBp: () => 60, settlementWindowMs: 600_000, sharesPerSecond: 25 },
  })
}

function portsOf(pay: InProcessPay, chance: Seeded): Ports {
  const merchants = [PLATFORM, ...BRANDS, ...CHANNELS].map((mchid) => ({
    mchid,
    appid: APP,
    certSerial: `AA${mchid}`,
    privateKeyPem: pair.privateKey,
    apiV3Key: mchid.padEnd(32, '0'),
  }))
  const wechatPay = wechatPayAdapter({
    baseUrl: 'http://pay.sandbox',
    merchants,
    platformKeys: { [platformKey.id]: platformKey.publicPem },
    notifyUrl: 'http://house/notify/wechatpay',
    now: () => pay.clock.now(),
    random: chance.bytes,
    fetch: (url, init) => pay.fetch(url as string, init),
  })
  const service = { url: 'http://invoices.sandbox', key: new Secret(INVOICE_KEY) }
  const invoice = invoiceAdapter({ service, now: () => pay.clock.now(), fetch: pay.fetch })
  // Nobody in a story speaks with WeCom, or sends codes.
  return { wechatPay, invoice } as Ports
}

async function registerMerchants(pay: InProcessPay): Promise<void> {
  const ctl = ctlOf(pay)
  for (const mchid of [PLATFORM, ...BRANDS, ...CHANNELS]) {
    const keys = { certSerial: `AA${mchid}`, apiV3Key: mchid.padEnd(32, '0'), publicKeyPem: pair.publicKey }
    await ctl('merchants', { mchid, appid: APP, shortName: mchid, ...keys })
  }
  await ctl('invoices/key', { key: INVOICE_KEY })
}

function ctlOf(pay: InProcessPay): Stage['ctl'] {
  return async (path, body = {}) => {
    const answer = await pay.fetch(`http://pay.sandbox/__ctl/${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (answer.status !== 200) throw new Error(`sandbox: ${path} answered ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
}
