import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadWorld } from '../sandbox/world.ts'
import { openStore } from '../server/db/orm.ts'
import type { Tx } from '../server/kernel/context.ts'
import { silentLog } from '../server/kernel/log.ts'
import { LEASE_MS, sweep } from '../server/kernel/outbox.ts'
import { freePorts, stageOf } from './stage.ts'
import * as step from './steps.ts'
import type { Stage } from './steps.ts'
import type { Visitor } from './visitor.ts'

const root = join(import.meta.dirname, '..')

/** A server in a process of its own that may be killed, beside a sandbox in another that lives on. */
export interface CrashStage extends Stage {
  readonly databaseUrl: string
  readonly people: readonly { readonly userid: string }[]
  readonly hr: Visitor
  readonly approver: Visitor
  readonly finance: Visitor
  readonly rosterId: string
  /** kill -9, and the process is gone when this resolves. */
  kill(): Promise<void>
  /** Starts the server anew; resolves when it answers, or was killed before it did. */
  restart(): Promise<void>
  /** The workers that run apart from the server; none where the server works itself. */
  readonly workers: readonly CrashWorker[]
  /** How long the first start took, in ms. */
  readonly startMs: number
  close(): Promise<void>
}

/** A worker in a process of its own: killed, told to stop, started anew. */
export interface CrashWorker {
  kill(): Promise<void>
  end(): Promise<void>
  restart(): Promise<void>
}

/** One program of the house as a process; what it prints as an error is shown. */
class Program {
  readonly #path: string
  readonly env: NodeJS.ProcessEnv
  #child: ChildProcess | null = null
  constructor(path: string, env: NodeJS.ProcessEnv) {
    this.#path = path
    this.env = env
  }

  /** Starts it and waits until `url` answers or it is killed. Throws when it ends by itself or takes over a minute. */
  async start(url: string): Promise<void> {
    const child = spawn(process.execPath, ['--no-warnings', join(root, this.#path)], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: this.env,
    })
    this.#child = child
    const atExit = (): void => void child.kill('SIGKILL')
    process.once('exit', atExit)
    child.once('exit', () => process.off('exit', atExit))
    const deadline = Date.now() + 60_000
    for (;;) {
      const answer = await fetch(url).catch(() => null)
      if (answer?.ok === true) return
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${this.#path} did not start`)
      if (child.signalCode !== null) return
      await sleep(20)
    }
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const over = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill(signal)
    await over
  }
}

/**
 * Opens the stage: `heads` people on an applied roster, all of them reachable in the sandbox's WeCom, and a wallet that
 * pays for `rounds` campaigns. Everything over HTTP, as people would do it.
 */
export async function openCrashStage(options: {
  readonly databaseUrl: string | null
  readonly heads: number
  readonly rounds: number
  /** Workers in processes of their own; none: the server works itself. */
  readonly workers?: number
  /** Accounts of the company: 200 messages a day for each. Enough for everything where it is not said. */
  readonly accounts?: number
}): Promise<CrashStage> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fulika-crash-'))
  const [web = 0, wecom = 0, pay = 0, wechat = 0] = await freePorts(4)
  const databaseUrl = options.databaseUrl ?? join(dataDir, 'fulika.sqlite')
  const { sandbox, server, workers } = programsOf({ ...options, dataDir, databaseUrl, web, wecom, pay, wechat })
  if (options.accounts !== undefined) setAccounts(join(dataDir, 'sandbox.json'), options.accounts)
  const close = async (): Promise<void> => {
    await Promise.all([server, ...workers].map((program) => program.end('SIGTERM')))
    await sandbox.end('SIGTERM')
    rmSync(dataDir, { recursive: true })
  }
  try {
    await sandbox.start(`http://127.0.0.1:${wecom}/phone`)
    const ready = `http://127.0.0.1:${web}/readyz`
    const startedAtMs = Date.now()
    await server.start(ready)
    const startMs = Date.now() - startedAtMs
    // A worker listens nowhere; the server that answers already tells that the database is ready for it.
    for (const worker of workers) await worker.start(ready)
    const stage = stageOf(dataDir, { web, wecom, pay, wechat })
    const people = Array.from({ length: options.heads }, (_, index) => ({
      userid: `worker${index}`,
      name: `员工${index}`,
      mobile: String(13_100_000_000 + index),
    }))
    await step.fillDirectory(stage, people)
    const hr = await step.memberOf(stage, 'linxiao')
    const finance = await step.memberOf(stage, 'chenli')
    const rosterId = await takeRoster(hr, people)
    await fillWallet(stage, finance, options.heads * options.rounds * FACE_FEN)
    return {
      ...stage,
      databaseUrl,
      people,
      hr,
      approver: await step.memberOf(stage, 'zhoumin'),
      finance,
      rosterId,
      startMs,
      workers: workers.map((worker) => ({
        kill: () => worker.end('SIGKILL'),
        end: () => worker.end('SIGTERM'),
        restart: () => worker.start(ready),
      })),
      kill: () => server.end('SIGKILL'),
      restart: () => server.start(ready),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The company of the world has so many accounts, before anything of it runs. */
function setAccounts(path: string, accountLimit: number): void {
  const world = loadWorld(path)
  writeFileSync(path, JSON.stringify({ ...world, wecom: { ...world.wecom, accountLimit } }))
}

/** The sandbox, the server and its workers, as processes that were not started yet. */
function programsOf(options: {
  readonly dataDir: string
  readonly databaseUrl: string
  readonly web: number
  readonly wecom: number
  readonly pay: number
  readonly wechat: number
  readonly workers?: number
}): { sandbox: Program; server: Program; workers: Program[] } {
  const env = {
    ...plainEnvironment(),
    FULIKA_DATA_DIR: options.dataDir,
    FULIKA_SANDBOX_WECOM_PORT: String(options.wecom),
    FULIKA_SANDBOX_PAY_PORT: String(options.pay),
    FULIKA_SANDBOX_WECHAT_PORT: String(options.wechat),
  }
  const sandbox = new Program('sandbox/main.ts', env)
  const server = new Program('server/main.ts', {
    ...env,
    FULIKA_SANDBOX: 'outside',
    FULIKA_LOG_LEVEL: 'silent',
    PORT: String(options.web),
    DATABASE_URL: options.databaseUrl,
    FULIKA_ROLE: options.workers === undefined ? 'all' : 'web',
  })
  const workers = Array.from(
    { length: options.workers ?? 0 },
    () => new Program('server/main.ts', { ...server.env, FULIKA_ROLE: 'worker' }),
  )
  return { sandbox, server, workers }
}

/** What every person gets in a round. */
export const FACE_FEN = 20_000

/** Our environment without what is meant for another server of ours. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const ours = ['NODE_ENV', 'PORT', 'HOST', 'PUBLIC_URL', 'DATABASE_URL']
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('FULIKA_') && !ours.includes(name)),
  )
}

async function takeRoster(
  hr: Visitor,
  people: readonly { userid: string; name: string; mobile: string }[],
): Promise<string> {
  const lines = people.map(({ userid, name, mobile }) => `${name},${mobile},${userid}`)
  const rosterId = await step.uploadRoster(
    hr,
    'crash.csv',
    Buffer.from(['姓名,手机号,企业微信账号', ...lines].join('\n')),
  )
  await step.waitRoster(hr, rosterId, ['ready'])
  await step.applyRoster(hr, rosterId)
  return rosterId
}

async function fillWallet(stage: Stage, finance: Visitor, amount: number): Promise<void> {
  const { reference } = await step.readWallet(finance)
  await step.transfer(stage, reference, amount)
  await step.importStatement(stage, await step.operatorOf(stage))
  const { balanceFen } = await step.readWallet(finance)
  if (balanceFen !== amount) throw new Error(`the wallet holds ${balanceFen} fen instead of ${amount}`)
}

/** Reads or writes the stage's database from outside, as an auditor beside the server. */
export async function beside<T>(stage: CrashStage, work: (tx: Tx) => Promise<T>, clockAheadMs = 0): Promise<T> {
  const store = await openStore(stage.databaseUrl, { poolSize: 1 })
  const none = (): never => {
    throw new Error('an auditor makes nothing')
  }
  const scope: Omit<Tx, 'em'> = {
    actor: { kind: 'system', name: 'crash' },
    clock: { now: () => Date.now() + clockAheadMs },
    random: randomBytes,
    log: silentLog(),
    house: new Proxy({} as Tx['house'], { get: none }),
    newId: none,
  }
  try {
    return await store.write((em) => work({ ...scope, em }))
  } finally {
    await store.close()
  }
}

/** Gives the jobs of dead processes back at once, as the sweep would do when their minute is over. */
export const endLeases = (stage: CrashStage): Promise<number> => beside(stage, sweep, LEASE_MS + 1)
