import type { ChildProcess } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bought, BuyLoad } from './buy-generator.ts'
import type { PayGround, PayLook } from './buy-pay.ts'
import type { StoreGround, StoreLook } from './buy-server.ts'
import { ask, heard, startChild } from './child.ts'
import { openGround, type Ground } from './ground.ts'
import { runPhase } from './phases.ts'

export interface BuyOptions {
  readonly orders: number
  /** What the open loop offers. */
  readonly perSecond: number
}

/** How long WeChat Pay takes for an order, besides what the sandbox needs to sign (ms). */
const PAY_DELAY_MS = 50
const BUYERS = 1_000
/** Seconds of the same load that are not on the clock: a process that has just begun compiles what it runs. */
const WARMING_SECONDS = 10

/**
 * Buyers at a steady pace, each from the sheet to the card: the running product (one process for web and worker), WeChat Pay's
 * sandbox at 50 ms, and the buyers' phones in a process each. What WeChat Pay alone took stands beside the figures: nothing
 * that asks it can be faster.
 */
export async function benchBuy(
  options: BuyOptions,
  db: 'mysql' | 'sqlite',
  say: (line: string) => void,
): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), 'fulika-buy-'))
  const ground = await openGround(db)
  const pay = startChild('buy-pay.ts', [String(PAY_DELAY_MS)], {})
  try {
    say(ground.durability)
    return await run(options, { folder, ground, say, payProcess: pay, pay: (await heard(pay)) as PayGround })
  } finally {
    pay.disconnect()
    await ground.remove()
    rmSync(folder, { recursive: true })
  }
}

interface Setting {
  readonly folder: string
  readonly ground: Ground
  readonly pay: PayGround
  readonly payProcess: ChildProcess
  readonly say: (line: string) => void
}

async function run({ orders, perSecond }: BuyOptions, setting: Setting): Promise<object> {
  const { say, pay, payProcess, ground } = setting
  const port = await freePort()
  const service = startChild('buy-server.ts', [], environmentOf(setting, port))
  const generator = startChild('buy-generator.ts', [], {})
  await Promise.all([heard(service), heard(generator)])
  const { mchid, appid } = pay.merchant
  const store = (await ask(service, { kind: 'ground', mchid, appid, buyers: BUYERS })) as StoreGround
  const load = { kind: 'open', port, payUrl: pay.baseUrl, ground: store, perSecond } as const
  const look = () => ask(service, { kind: 'look' }) as Promise<StoreLook>
  const payCpu = async () => ((await ask(payProcess, { kind: 'look' })) as PayLook).cpuSeconds
  try {
    const warming = perSecond * WARMING_SECONDS
    say(`warming with ${warming} orders`)
    await buy(generator, { ...load, from: 0, orders: warming })
    await sleep(2_000)
    await look()
    const before = { database: ground.databaseCpuSeconds(), pay: await payCpu(), statements: await ground.statements() }
    const told = await buy(generator, { ...load, from: warming, orders })
    const seen = await look()
    const cpu = {
      serverMsEach: round((seen.cpuSeconds * 1000) / orders),
      databaseMsEach: round(((ground.databaseCpuSeconds() - before.database) * 1000) / orders),
      sandboxMsEach: round((((await payCpu()) - before.pay) * 1000) / orders),
      phonesMsEach: round((told.cpuSeconds * 1000) / orders),
    }
    const statements = round(((await ground.statements()) - before.statements) / orders)
    say(
      `faults ${JSON.stringify(told.faults)}, ${statements} statements an order, processor time ${JSON.stringify(cpu)}, of it ${signatureMs()} ms a signature`,
    )
    service.send({ kind: 'stop' })
    await once(service, 'exit')
    const proof = await runPhase<{ cards: number; findings: number }>('buy-phase.ts', [ground.service])
    return figuresOf({ orders, perSecond }, told, seen, { ...proof, expected: warming + orders })
  } finally {
    generator.disconnect()
    if (service.exitCode === null) service.kill()
  }
}

/** Processor time of one RSA signature, in ms: each order needs two of ours and two of WeChat Pay's, whatever else is done. */
function signatureMs(): number {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const [text, times] = [Buffer.alloc(200), 200]
  const before = process.cpuUsage()
  for (let made = 0; made < times; made += 1) sign('RSA-SHA256', text, privateKey)
  const { user, system } = process.cpuUsage(before)
  return Math.round((user + system) / times / 10) / 100
}

const buy = async (generator: ChildProcess, load: BuyLoad): Promise<Bought> => (await ask(generator, load)) as Bought

function figuresOf(
  { orders, perSecond }: BuyOptions,
  told: Bought,
  seen: StoreLook,
  proof: { readonly cards: number; readonly findings: number; readonly expected: number },
): object {
  const [prepay, visible, pay] = [quantiles(told.prepayMs), quantiles(told.visibleMs), quantiles(seen.payMs)]
  return {
    ordersPerSecond: round(told.ready / told.seconds),
    prepayP99Ms: prepay(0.99),
    visibleP99Ms: visible(0.99),
    sandboxShareMs: pay(0.5),
    booksBalanced: proof.findings === 0 && proof.cards === proof.expected,
    offered: orders,
    offeredPerSecond: perSecond,
    ready: told.ready,
    faults: told.faults,
    prepayMs: { p50: prepay(0.5), p99: prepay(0.99), p999: prepay(0.999), worst: prepay(1) },
    visibleMs: { p50: visible(0.5), p99: visible(0.99), p999: visible(0.999), worst: visible(1) },
    sandboxMs: { p50: pay(0.5), p99: pay(0.99), worst: pay(1) },
    peakRssMiB: seen.peakRssMiB,
  }
}

function quantiles(took: readonly number[]): (share: number) => number {
  const sorted = took.toSorted((a, b) => a - b)
  return (share) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
}

const round = (value: number): number => Math.round(value * 10) / 10

/** The product as in production, outside of it: one process for web and worker, a log line a request, no sandbox inside. */
function environmentOf({ folder, ground, pay }: Setting, port: number): Record<string, string> {
  const write = (name: string, value: object): string => {
    const file = join(folder, name)
    writeFileSync(file, JSON.stringify(value))
    return file
  }
  const keys = { [pay.platformKeyId]: pay.platformPublicPem }
  return {
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    DATABASE_URL: ground.service,
    FULIKA_DATA_DIR: folder,
    FULIKA_SANDBOX: 'off',
    FULIKA_WECHAT_PAY_BASE: pay.baseUrl,
    FULIKA_WECHAT_PAY_FILE: write('wechat-pay.json', { merchants: [pay.merchant], platformKeys: keys }),
    FULIKA_WECHAT_FILE: write('wechat.json', { appid: pay.merchant.appid, secret: 's'.repeat(32) }),
    FULIKA_LOG_LEVEL: 'info',
  }
}

/** WeChat Pay must be told where its notices go before the product listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
