import type { ChildProcess } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, heard, startChild } from './child.ts'
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
const WARMING = 12_000
const warmingOf = (notices: number): number => Math.min(WARMING, Math.floor(notices / 5))
/** The machine is never equally fast for long: the service and the bare server take turns, so many notices each time. */
const ROUNDS = 4
const roundOf = (notices: number): number => Math.floor(notices / 2 / ROUNDS)
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
  const generator = startChild('notice-generator.ts', [], {})
  await heard(generator)
  try {
    say('signing and encrypting')
    await ask(generator, { kind: 'sign', keysFile, paymentsFile, duplicates: DUPLICATES } satisfies Order)
    const served = await serve(setting, generator, keysFile)
    say('counting and proving')
    const checked = await runPhase<Checked>('notice-phase.ts', ['check', ground.service])
    mustBeAll(checked, notices)
    return figuresOf(served, checked)
  } finally {
    generator.disconnect()
  }
}

/** One closed loop, and the processor time that it took. */
interface Round {
  readonly told: Told
  readonly cpuSeconds: number
  readonly databaseSeconds: number
}

interface Served {
  readonly rounds: readonly Round[]
  readonly bare: readonly Round[]
  readonly open: Told
  readonly offered: number
  readonly accepted: number
  /** Cards that were made while the service took notices. */
  readonly cardsBeside: number
  readonly cardsPerSecond: number
  readonly peakRssMiB: number
}

/**
 * The product takes the notices, by turns with the bare server as fast as either can, then at the offered rate, and
 * makes every card. While the bare server has its turn, the product rests.
 */
async function serve(setting: Setting, generator: ChildProcess, keysFile: string): Promise<Served> {
  const { say, notices, ground } = setting
  const service = startChild('notice-server.ts', [], environmentOf(setting))
  const { port } = (await heard(service)) as { port: number }
  const args = [ground.raw, ground.service, keysFile, String(NOTICES_A_TRANSACTION), String(TRANSACTIONS_AT_ONCE)]
  const bare = startChild('notice-raw.ts', args, {})
  const { port: barePort } = (await heard(bare)) as { port: number }
  const look = () => ask(service, { kind: 'look' }) as Promise<Look>
  const bareLook = () => ask(bare, { kind: 'look' }) as Promise<{ cpuSeconds: number }>
  const [rounds, bareRounds]: [Round[], Round[]] = [[], []]
  let [offered, accepted, cardsBeside, cards, seconds] = [0, 0, 0, 0, 0]
  const takeTurns = async (count: number): Promise<void> => {
    const before = await look()
    const own = await oneRound(setting, look, () => ask(generator, closedLoop(setting, port, count)))
    offered += own.told.sent
    accepted += own.told.accepted
    const { issued } = await look()
    const rest = await allIssued(look, distinctOf(offered), say)
    await ask(bare, { kind: 'load' })
    const other = await oneRound(setting, bareLook, () => ask(generator, closedLoop(setting, barePort, 'again')))
    say(`${inWords('closed loop', own)}\n${inWords('bare closed loop', other)}`)
    rounds.push(own)
    bareRounds.push(other)
    cardsBeside += issued - before.issued
    cards += rest.made
    seconds += rest.seconds
  }
  try {
    await takeTurns(warmingOf(notices))
    say('warm')
    ;[rounds.length, bareRounds.length, cardsBeside, cards, seconds] = [0, 0, 0, 0, 0]
    for (let round = 0; round < ROUNDS; round += 1) await takeTurns(roundOf(notices))
    await look()
    const opened = await oneRound(setting, look, () =>
      ask(generator, { kind: 'open', port, perSecond: setting.perSecond }),
    )
    say(inWords(`open loop, ${setting.perSecond}/s offered`, opened))
    const open = opened.told
    const { peakRssMiB } = await allIssued(look, notices, say)
    const sums = { offered: offered + open.sent, accepted: accepted + open.accepted }
    return { rounds, bare: bareRounds, open, ...sums, cardsBeside, cardsPerSecond: cards / seconds, peakRssMiB }
  } finally {
    bare.disconnect()
    service.send({ kind: 'stop' })
    await once(service, 'exit')
  }
}

/** Orders among the first so many notices; the last may be of one that comes twice. */
const distinctOf = (offered: number): number => Math.floor(offered / (1 + DUPLICATES)) - 1

async function oneRound(
  { ground }: Setting,
  look: () => Promise<{ cpuSeconds: number }>,
  load: () => Promise<unknown>,
): Promise<Round> {
  await look()
  const before = ground.databaseCpuSeconds()
  const told = (await load()) as Told
  const databaseSeconds = ground.databaseCpuSeconds() - before
  return { told, databaseSeconds, cpuSeconds: (await look()).cpuSeconds }
}

const closedLoop = ({ connections }: Setting, port: number, count: number | 'again'): Order => ({
  kind: 'closed',
  port,
  connections,
  count,
})

interface Rest {
  readonly made: number
  readonly seconds: number
  readonly peakRssMiB: number
}

/** Waits until so many cards are there, for a minute at the most without a new one. */
async function allIssued(look: () => Promise<Look>, cards: number, say: (line: string) => void): Promise<Rest> {
  const began = performance.now()
  let [last, changedAt, cpuSeconds] = [-1, began, 0]
  let first: number | undefined
  for (;;) {
    const seen = await look()
    first ??= seen.issued
    cpuSeconds += seen.cpuSeconds
    if (seen.issued !== last) [last, changedAt] = [seen.issued, performance.now()]
    if (seen.issued >= cards) {
      const [made, seconds] = [seen.issued - first, (performance.now() - began) / 1000]
      say(`${made} cards afterwards in ${seconds.toFixed(1)} s, ${micros(cpuSeconds, made)} µs of processor time each`)
      return { made, seconds, peakRssMiB: seen.peakRssMiB }
    }
    if (performance.now() - changedAt > 60_000) throw new Error(`${seen.issued} cards of ${cards}, and no more come`)
    await sleep(250)
  }
}

function figuresOf(served: Served, checked: Checked): object {
  const { offered, accepted, open } = served
  const [own, bare, offeredLoop] = [speedOf(served.rounds), speedOf(served.bare), speedOf([{ told: open }])]
  return {
    offered,
    accepted,
    perSecond: own.perSecond,
    p50Ms: own.p50Ms,
    p99Ms: own.p99Ms,
    rawPerSecond: bare.perSecond,
    ratio: Math.round((own.perSecond / bare.perSecond) * 100) / 100,
    duplicates: offered - checked.paid,
    effectsTwice: checked.effectsTwice,
    booksBalanced: checked.findings.length === 0,
    refused: offered - accepted,
    cards: checked.cards,
    longestMs: own.longestMs,
    openLoop: offeredLoop,
    cpuUsEach: cpuOf(served.rounds),
    rawCpuUsEach: cpuOf(served.bare),
    rounds: served.rounds.map(({ told }, round) => [perSecond([told]), perSecond([served.bare[round]!.told])]),
    cardsBeside: served.cardsBeside,
    cardsPerSecond: Math.round(served.cardsPerSecond),
    peakRssMiB: served.peakRssMiB,
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((whole, one) => whole + one, 0)

const perSecond = (tolds: readonly Told[]): number =>
  Math.round(sum(tolds.map((told) => told.accepted)) / sum(tolds.map((told) => told.seconds)))

const cpuOf = (rounds: readonly Round[]): number =>
  micros(sum(rounds.map((round) => round.cpuSeconds)), sum(rounds.map(({ told }) => told.accepted)))

function speedOf(rounds: readonly { readonly told: Told }[]) {
  const tolds = rounds.map(({ told }) => told)
  const took = tolds.flatMap((told) => told.took).sort((a, b) => a - b)
  const at = (share: number) =>
    Math.round((took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0) * 100) / 100
  return { perSecond: perSecond(tolds), p50Ms: at(0.5), p99Ms: at(0.99), longestMs: at(1) }
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

const micros = (seconds: number, count: number): number => Math.round((seconds * 1e6) / Math.max(1, count))

function inWords(name: string, { told, cpuSeconds, databaseSeconds }: Round): string {
  const { perSecond: rate, p50Ms, p99Ms, longestMs } = speedOf([{ told }])
  const [own, database] = [micros(cpuSeconds, told.accepted), micros(databaseSeconds, told.accepted)]
  return `${name}: ${rate}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms, worst ${longestMs} ms; statuses ${JSON.stringify(told.statuses)}; processor time of the server ${own} µs each, of the database ${database}, of the generator ${micros(told.cpuSeconds, told.sent)}`
}
