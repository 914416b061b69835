import { fork, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { openGround, type Ground } from './ground.ts'
import type { Order, Told } from './notice-generator.ts'
import type { NoticeKeys } from './notice-made.ts'
import type { Look } from './notice-server.ts'
import { runPhase } from './phases.ts'

export interface NoticeOptions {
  /** Distinct orders; the closed loop takes half of them, the open loop what warming left. */
  readonly notices: number
  readonly connections: number
  /** What the open loop offers. */
  readonly perSecond: number
}

/** The share of notices that are sent twice. */
const DUPLICATES = 0.01
/** So many come first and are not on the clock: a process that has just begun compiles what it runs. */
const WARMING = 4000
const warmingOf = (notices: number): number => Math.min(WARMING, Math.floor(notices / 6))
const closedOf = (notices: number): number => Math.floor(notices / 2)
/** As the service takes them (funding/notice-endpoint.ts): so many in one transaction, so many transactions side by side. */
const NOTICES_A_TRANSACTION = 125
const TRANSACTIONS_AT_ONCE = 2

interface Checked {
  readonly paid: number
  readonly funded: number
  readonly issued: number
  readonly cards: number
  readonly effectsTwice: number
  readonly findings: readonly unknown[]
}

/**
 * Payment notices of distinct orders over HTTP into the running product, then the same notices into a bare server that
 * writes the same rows by the driver alone; returns the figures of both.
 */
export async function benchNotice(
  options: NoticeOptions,
  db: 'mysql' | 'sqlite',
  say: (line: string) => void,
): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), 'fulika-notice-'))
  const ground = await openGround(db)
  try {
    return await run({ ...options, folder, ground, say, keys: makeKeys() })
  } finally {
    await ground.remove()
    rmSync(folder, { recursive: true })
  }
}

interface Setting extends NoticeOptions {
  readonly folder: string
  readonly ground: Ground
  readonly keys: NoticeKeys
  readonly say: (line: string) => void
}

async function run(setting: Setting): Promise<object> {
  const { folder, ground, keys, say, notices } = setting
  const [keysFile, paymentsFile] = [join(folder, 'keys.json'), join(folder, 'payments.json')]
  writeFileSync(keysFile, JSON.stringify(keys))
  say(`${ground.durability}\nplacing ${notices} orders of one card, each with an open payment`)
  await runPhase('notice-phase.ts', ['place', ground.service, String(notices), keysFile, paymentsFile])
  await runPhase('notice-phase.ts', ['copy', ground.service, ground.raw])
  const generator = start('notice-generator.ts', [], {})
  await heard(generator)
  const sign: Order = { kind: 'sign', keysFile, paymentsFile, duplicates: DUPLICATES }
  try {
    say('signing and encrypting')
    await ask(generator, sign)
    const served = await serve(setting, generator)
    say('counting and proving')
    const checked = await runPhase<Checked>('notice-phase.ts', ['check', ground.service])
    mustBeAll(checked, notices)
    say('the driver alone: signing anew')
    await ask(generator, sign)
    const raw = await serveRaw(setting, generator, keysFile)
    return figuresOf(served, raw, checked)
  } finally {
    generator.disconnect()
  }
}

interface Served {
  readonly warm: Told
  readonly closed: Told
  readonly open: Told
  readonly cpuUsEach: number
  readonly issueSeconds: number
  readonly peakRssMiB: number
}

/** The product takes the notices, first as fast as it can, then at the offered rate, and makes every card. */
async function serve(setting: Setting, generator: ChildProcess): Promise<Served> {
  const { say, notices } = setting
  const server = start('notice-server.ts', [], environmentOf(setting))
  const { port } = (await heard(server)) as { port: number }
  const look = () => ask(server, { kind: 'look' }) as Promise<Look>
  try {
    await look()
    const warm = (await ask(generator, closedLoop(setting, port, warmingOf(notices)))) as Told
    await look()
    const began = performance.now()
    const databaseBefore = setting.ground.databaseCpuSeconds()
    const closed = (await ask(generator, closedLoop(setting, port, closedOf(notices)))) as Told
    const databaseSeconds = setting.ground.databaseCpuSeconds() - databaseBefore
    const afterClosed = await look()
    say(inWords('closed loop', closed, afterClosed.cpuSeconds, databaseSeconds))
    const distinct = Math.floor((warmingOf(notices) + closedOf(notices)) / (1 + DUPLICATES)) - 1
    say(`cards issued by then: ${afterClosed.issued} of ${distinct}`)
    await allIssued(look, distinct, say)
    const issueSeconds = (performance.now() - began) / 1000
    say(`the last card of the closed loop ${issueSeconds.toFixed(1)} s after the first notice`)
    await look()
    const open = (await ask(generator, { kind: 'open', port, perSecond: setting.perSecond })) as Told
    const afterOpen = await look()
    say(inWords(`open loop, ${setting.perSecond}/s offered`, open, afterOpen.cpuSeconds, 0))
    const end = await allIssued(look, notices, say)
    return {
      warm,
      closed,
      open,
      cpuUsEach: micros(afterClosed.cpuSeconds, closed.accepted),
      issueSeconds,
      peakRssMiB: end.peakRssMiB,
    }
  } finally {
    server.send({ kind: 'stop' })
    await once(server, 'exit')
  }
}

async function serveRaw(setting: Setting, generator: ChildProcess, keysFile: string) {
  const { ground } = setting
  const args = [ground.raw, ground.service, keysFile, String(NOTICES_A_TRANSACTION), String(TRANSACTIONS_AT_ONCE)]
  const server = start('notice-raw.ts', args, {})
  const { port } = (await heard(server)) as { port: number }
  await ask(server, { kind: 'look' })
  await ask(generator, closedLoop(setting, port, warmingOf(setting.notices)))
  await ask(server, { kind: 'look' })
  const databaseBefore = ground.databaseCpuSeconds()
  const closed = (await ask(generator, closedLoop(setting, port, closedOf(setting.notices)))) as Told
  const { cpuSeconds } = (await ask(server, { kind: 'look' })) as { cpuSeconds: number }
  setting.say(inWords('bare closed loop', closed, cpuSeconds, ground.databaseCpuSeconds() - databaseBefore))
  server.disconnect()
  return { closed, cpuSeconds }
}

const closedLoop = ({ connections }: Setting, port: number, count: number): Order => ({
  kind: 'closed',
  port,
  connections,
  count,
})

/** Waits until so many cards are there, for a minute at the most without a new one. */
async function allIssued(look: () => Promise<Look>, cards: number, say: (line: string) => void): Promise<Look> {
  const began = performance.now()
  let [last, changedAt, cpuSeconds] = [-1, began, 0]
  let first: number | undefined
  for (;;) {
    const seen = await look()
    first ??= seen.issued
    cpuSeconds += seen.cpuSeconds
    if (seen.issued !== last) [last, changedAt] = [seen.issued, performance.now()]
    if (seen.issued >= cards) {
      const seconds = (performance.now() - began) / 1000
      const made = seen.issued - first
      say(`${made} cards afterwards in ${seconds.toFixed(1)} s, ${micros(cpuSeconds, made)} µs of processor time each`)
      return seen
    }
    if (performance.now() - changedAt > 60_000) throw new Error(`${seen.issued} cards of ${cards}, and no more come`)
    await sleep(500)
  }
}

function figuresOf(served: Served, raw: { closed: Told; cpuSeconds: number }, checked: Checked): object {
  const { warm, closed, open } = served
  const offered = warm.sent + closed.sent + open.sent
  const accepted = warm.accepted + closed.accepted + open.accepted
  return {
    offered,
    accepted,
    perSecond: closed.perSecond,
    p50Ms: closed.p50Ms,
    p99Ms: closed.p99Ms,
    rawPerSecond: raw.closed.perSecond,
    ratio: Math.round((closed.perSecond / raw.closed.perSecond) * 100) / 100,
    duplicates: offered - checked.paid,
    effectsTwice: checked.effectsTwice,
    booksBalanced: checked.findings.length === 0,
    refused: offered - accepted,
    cards: checked.cards,
    longestMs: closed.longestMs,
    openLoop: { perSecond: open.perSecond, p50Ms: open.p50Ms, p99Ms: open.p99Ms, longestMs: open.longestMs },
    cpuUsEach: served.cpuUsEach,
    rawCpuUsEach: micros(raw.cpuSeconds, raw.closed.accepted),
    allIssuedSeconds: Math.round(served.issueSeconds * 10) / 10,
    peakRssMiB: served.peakRssMiB,
  }
}

function mustBeAll(checked: Checked, notices: number): void {
  const { paid, funded, issued, cards } = checked
  if ([paid, funded, issued, cards].some((count) => count !== notices))
    throw new Error(`of ${notices} orders ${paid} are paid, ${funded} funded, ${issued} issued, ${cards} cards made`)
}

/** The product as in production, outside of it: one process for web and worker, a log line a request, no sandbox. */
function environmentOf({ folder, ground, keys }: Setting): Record<string, string> {
  const merchant = { mchid: keys.mchid, appid: keys.appid, certSerial: 'AA1900000001', apiV3Key: keys.apiV3Key }
  const wechatPay = {
    merchants: [{ ...merchant, privateKeyPem: keys.platformPrivatePem }],
    platformKeys: { [keys.platformKeyId]: keys.platformPublicPem },
  }
  const file = join(folder, 'wechat-pay.json')
  writeFileSync(file, JSON.stringify(wechatPay))
  return {
    PORT: '0',
    DATABASE_URL: ground.service,
    FULIKA_DATA_DIR: folder,
    FULIKA_SANDBOX: 'off',
    FULIKA_WECHAT_PAY_FILE: file,
    FULIKA_LOG_LEVEL: 'info',
  }
}

function makeKeys(): NoticeKeys {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return {
    mchid: '1900000001',
    appid: 'wxbench0001',
    apiV3Key: randomBytes(16).toString('hex'),
    platformKeyId: 'PUB_KEY_ID_0000000001',
    platformPrivatePem: pair.privateKey,
    platformPublicPem: pair.publicKey,
  }
}

/**
 * A process of this folder that speaks by messages, with the young generation that `npm start` has; its log goes nowhere,
 * its complaints are seen. BENCH_PROFILE names a folder for processor profiles.
 */
function start(program: string, args: readonly string[], env: Record<string, string>): ChildProcess {
  const profile = process.env['BENCH_PROFILE']
  const execArgv = [
    '--no-warnings',
    '--max-semi-space-size=64',
    ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]),
  ]
  const child = fork(join(import.meta.dirname, program), [...args], {
    execArgv,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) {
      console.error(`${program} ended with ${code}`)
      process.exit(1)
    }
  })
  return child
}

async function heard(child: ChildProcess): Promise<unknown> {
  return (await once(child, 'message'))[0]
}

function ask(child: ChildProcess, order: object): Promise<unknown> {
  const answer = heard(child)
  child.send(order)
  return answer
}

const micros = (seconds: number, count: number): number => Math.round((seconds * 1e6) / Math.max(1, count))

const inWords = (name: string, told: Told, cpuSeconds: number, databaseSeconds: number): string =>
  `${name}: ${told.perSecond}/s, p50 ${told.p50Ms} ms, p99 ${told.p99Ms} ms, p99.9 ${told.p999Ms} ms, worst ${told.longestMs} ms; statuses ${JSON.stringify(told.statuses)}; processor time of the server ${micros(cpuSeconds, told.accepted)} µs each, of the database ${micros(databaseSeconds, told.accepted)}, of the generator ${micros(told.cpuSeconds, told.sent)}`
