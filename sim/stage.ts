import { createHmac, generateKeyPairSync } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import inject from 'light-my-request'
import { handlers } from '../jobs/handlers.ts'
import { workOnce } from '../jobs/worker.ts'
import { wechatPayInProcess, type InProcessPay } from '../sandbox/testing/in-process.ts'
import { makePlatformKey } from '../sandbox/wechatpay/seal.ts'
import { endpoints } from '../server/app.ts'
import type { Ports } from '../server/channels/ports.ts'
import { wechatPayAdapter } from '../server/channels/wechatpay/adapter.ts'
import { openStore, type Store } from '../server/db/orm.ts'
import type { Actor, Edge, Scope, Tx } from '../server/kernel/context.ts'
import type { House } from '../server/kernel/house.ts'
import { createHttpApp } from '../server/kernel/http.ts'
import { silentLog } from '../server/kernel/log.ts'
import { idSource } from '../server/kernel/new-ids.ts'
import { sweep } from '../server/kernel/outbox.ts'
import { testHouse } from '../server/testing/house.ts'
import { mortal, newLife, type Life } from './life.ts'
import type { Seeded } from './seeded.ts'

/** Monday, a little before a day begins in China: days, bills and quiet hours come along in a story. */
const START_MS = Date.UTC(2026, 8, 14, 14, 30)

/** The platform's own merchant, three brands’ merchants and two channels’, all bound to one app. */
export const APP = 'wxsimulated0001'
export const PLATFORM = '1900000000'
export const BRANDS = ['1900000101', '1900000102', '1900000103'] as const
export const CHANNELS = ['1900000301', '1900000302'] as const

/** What every process of ours makes once: keys cost more than a story. */
const pair = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const platformKey = makePlatformKey('PUB_KEY_ID_0100000000000000000000000001')
let empty: Promise<string> | undefined

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
  /** What the house warned of since it was last asked. */
  readonly said: string[]
  readonly close: () => Promise<void>
}

/** A notice on its way: its headers and its exact bytes. */
export interface Notice {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Opens an empty house and an empty WeChat Pay. What is late goes into `mail`: the story says when it comes. */
export async function openStage(chance: Seeded): Promise<Stage> {
  const folder = mkdtempSync(join(scratch(), 'fulika-sim-'))
  const file = join(folder, 'books.sqlite')
  copyFileSync(await (empty ??= emptyBooks()), file)
  const store = await openStore(file)
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
  const { deliver, ...rest } = actors(store, pay, chance, said)
  return { ...rest, said, deliver, pay, chance, mail, now: () => pay.clock.now(), ctl: ctlOf(pay), close }

  /** Most notices arrive; some are on their way for longer than anybody waits, and some are lost. */
  async function carry(notice: Notice): Promise<number> {
    const fate = chance.between(1, 10)
    if (fate <= 6) return deliver(notice)
    if (fate <= 8) mail.push(notice)
    return fate === 10 ? 503 : 200
  }

  async function close(): Promise<void> {
    pay.clock.stop()
    await store.close()
    rmSync(folder, { recursive: true })
  }
}

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
      await edge().tx(sweep)
      for (const lane of ['fast', 'small', 'bulk'] as const) if (await workOnce(edge(), handlers, lane)) return true
      return false
    },
    deliver: async ({ headers, body }) => {
      const request = { method: 'POST', url: '/notify/wechatpay', headers, payload: body } as const
      const answer = await inject((req, res) => void handle(req, res), request)
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

const outside = (): never => {
  throw new Error('no such port in this story')
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
  return new Proxy({ wechatPay } as Ports, {
    get: (target, name) => (name === 'wechatPay' ? target.wechatPay : outside()),
  })
}

async function registerMerchants(pay: InProcessPay): Promise<void> {
  const ctl = ctlOf(pay)
  for (const mchid of [PLATFORM, ...BRANDS, ...CHANNELS]) {
    const keys = { certSerial: `AA${mchid}`, apiV3Key: mchid.padEnd(32, '0'), publicKeyPem: pair.publicKey }
    await ctl('merchants', { mchid, appid: APP, shortName: mchid, ...keys })
  }
}

function ctlOf(pay: InProcessPay): Stage['ctl'] {
  return async (path, body = {}) => {
    const answer = await pay.fetch(`http://pay.sandbox/__ctl/${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (answer.status !== 200) throw new Error(`sandbox: ${path} answered ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
}

/** Memory where there is some: a story is over when its books are closed. */
const scratch = () => (existsSync('/dev/shm') ? '/dev/shm' : tmpdir())

/** Books that are brought up to date once a process, to be copied for each story. */
async function emptyBooks(): Promise<string> {
  const folder = mkdtempSync(join(scratch(), 'fulika-sim-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'empty.sqlite')
  await (await openStore(file)).close()
  return file
}
