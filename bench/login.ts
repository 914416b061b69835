import { fork, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { freePorts } from '../e2e/stage.ts'
import { startWecomSandbox, type WecomSandbox } from '../sandbox/wecom/server.ts'
import { aLoginBrowser, signIn } from './login-browser.ts'
import type { LoginCompany, LoginGround } from './login-ground.ts'
import { tryMisuse } from './login-misuse.ts'
import type { LoginAsked, LoginLook } from './login-server.ts'

/** WeCom takes 10,000 calls a minute of one API from one company: the people who sign in are of many. */
const COMPANIES = 40
const PEOPLE = 25
/** Browsers on their way at once. */
const AT_ONCE = 12
const WITHIN_MS = 3_000
/** The ceiling is measured on a part of the sign-ins, a quarter before and a quarter after. */
const RAW_SHARE = 0.1

/**
 * Signs `count` people in through the real server against the sandbox, which fails in one of a hundred calls that tell
 * who somebody is: an error before or after the work, a cut line, an answer that comes too late, `-1`. In the same run
 * the same requests go through a server that does nothing else (the ceiling), and sign-ins are misused in every way.
 */
export async function benchLogin(count: number, say: (line: string) => void): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), 'fulika-bench-'))
  const [web = 0, wecom = 0, pay = 0] = await freePorts(3)
  const box = await startWecomSandbox({ port: wecom })
  const [server, bare] = [forkServer(folder, { web, wecom, pay }), forkChild('login-bare.ts', {})]
  try {
    const { url: serverUrl } = await told<{ url: string }>(server)
    const ground = await openGround(box, server, serverUrl)
    const bareUrl = await openBare(box, bare, ground)
    const rawCount = Math.max(200, Math.floor(count * RAW_SHARE))
    await signInAll({ serverUrl, companyOf: ground.companyOf, count: 200, faults: null })
    const rawBefore = await rawRate(bareUrl, ground, rawCount)
    say(`the exchange alone: ${rawBefore} a second`)
    const before = await ground.ask<LoginLook>('look')
    const run = await signInAll({ serverUrl, companyOf: ground.companyOf, count, faults: box, say })
    const after = await ground.ask<LoginLook>('look')
    box.control.clearFaults()
    const rawAfter = await rawRate(bareUrl, ground, rawCount)
    const misuse = await tryMisuse(ground)
    for (const one of misuse) if (!one.refused) say(`not refused: ${one.name}: ${one.outcome}`)
    const times = run.times.sort((a, b) => a - b)
    const at = (share: number): number =>
      round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0)
    return {
      signIns: count,
      succeeded: run.succeeded,
      within3s: run.within,
      rate: Math.floor((run.within / count) * 1e6) / 1e6,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      longestMs: at(1),
      perSecond: Math.round(count / run.seconds),
      rawPerSecond: Math.round((rawBefore + rawAfter) / 2),
      faults: run.faults,
      failures: Object.fromEntries(run.failures),
      serverCpuSeconds: round(after.cpuSeconds - before.cpuSeconds),
      peakRssMiB: after.peakRssMiB,
      misuseRefused: misuse.filter((one) => one.refused).length,
      misuseTried: misuse.length,
    }
  } finally {
    for (const child of [server, bare]) if (child.connected) child.disconnect()
    await box.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function forkServer(folder: string, ports: { web: number; wecom: number; pay: number }): ChildProcess {
  const dataDir = join(folder, 'data')
  return forkChild('login-server.ts', {
    FULIKA_DATA_DIR: dataDir,
    FULIKA_SANDBOX: 'outside',
    FULIKA_TRUST_PROXY: 'on',
    PORT: String(ports.web),
    FULIKA_SANDBOX_WECOM_PORT: String(ports.wecom),
    FULIKA_SANDBOX_PAY_PORT: String(ports.pay),
  })
}

function forkChild(program: string, env: Readonly<Record<string, string>>): ChildProcess {
  const child = fork(join(import.meta.dirname, program), {
    execArgv: ['--no-warnings'],
    env: { PATH: process.env['PATH'], ...env },
  })
  process.once('exit', () => child.kill('SIGKILL'))
  return child
}

/** The next message of a child; rejects when it ends instead. */
async function told<T>(child: ChildProcess): Promise<T> {
  const settled = new AbortController()
  const { signal } = settled
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error('a process of the benchmark ended')
  })
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal }), ended])) as [T]
    return message
  } finally {
    ended.catch(() => undefined)
    settled.abort()
  }
}

async function openGround(box: WecomSandbox, server: ChildProcess, serverUrl: string): Promise<LoginGround> {
  const ask = async <T>(asked: LoginAsked): Promise<T> => {
    server.send(asked)
    return told<T>(server)
  }
  const companies = Array.from({ length: COMPANIES }, (_, index) => ({
    code: `login-${index}`,
    corpId: `wwlogin${index}`,
    agentId: 1_000_100 + index,
    secret: `login-secret-${index}`,
  }))
  const people = Array.from({ length: PEOPLE }, (_, index) => ({ userid: `person${index}`, name: `员工${index}` }))
  const trustedDomains = [new URL(serverUrl).host]
  for (const { code: _code, ...corp } of companies)
    box.control.upsertCorp({ ...corp, accountLimit: 1_000, trustedDomains, members: people })
  const entries = companies.map(({ code, ...wecom }) => ({
    code,
    name: `登录公司 ${code}`,
    wecom,
    members: people.map((person) => ({ ...person, roles: ['hr'] })),
  }))
  await ask({ companies: { companies: entries } })
  return { serverUrl, box, ask, companyOf: (index) => companies[index % COMPANIES]! }
}

async function openBare(box: WecomSandbox, bare: ChildProcess, ground: LoginGround): Promise<string> {
  const { url } = await told<{ url: string }>(bare)
  const { code: _code, ...app } = ground.companyOf(0)
  const raw = { ...app, corpId: 'wwloginraw' }
  const members = [{ userid: 'person0', name: '员工' }]
  box.control.upsertCorp({ ...raw, accountLimit: 1_000, trustedDomains: [new URL(url).host], members })
  // Its calls are all of one company: without the limit that the others are spread for.
  box.control.set({ callsPerMinute: 10_000_000, callsPerHour: 10_000_000 })
  bare.send({ ...raw, wecomUrl: box.baseUrl })
  await told(bare)
  return url
}

async function rawRate(bareUrl: string, ground: LoginGround, count: number): Promise<number> {
  const companyOf = (): LoginCompany => ground.companyOf(0)
  const run = await signInAll({ serverUrl: bareUrl, companyOf, count, faults: null, oneUser: true })
  if (run.succeeded !== count) throw new Error(`the bare exchange failed ${count - run.succeeded} times`)
  return Math.round(count / run.seconds)
}

interface Wave {
  readonly serverUrl: string
  readonly companyOf: LoginGround['companyOf']
  readonly count: number
  /** Where faults are made; null: none. */
  readonly faults: WecomSandbox | null
  readonly oneUser?: boolean
  readonly say?: (line: string) => void
}

/** Signs people in, so many at a time, and writes down how long each took and what the others ended with. */
async function signInAll(wave: Wave) {
  const times: number[] = []
  const failures = new Map<string, number>()
  let [next, within, faults] = [0, 0, 0]
  const hand = async (): Promise<void> => {
    while (next < wave.count) {
      const index = next
      next += 1
      if (wave.faults !== null && randomInt(100) === 0) faults += failOnce(wave.faults)
      const userid = wave.oneUser === true ? 'person0' : `person${Math.floor(index / COMPANIES) % PEOPLE}`
      const began = performance.now()
      const at = { serverUrl: wave.serverUrl, company: wave.companyOf(index).code, userid }
      const outcome = await signIn(aLoginBrowser(index), at).catch((error: Error) => `cut: ${error.message}`)
      const ms = performance.now() - began
      if (outcome === 'signed_in') times.push(ms)
      else failures.set(outcome, (failures.get(outcome) ?? 0) + 1)
      if (outcome === 'signed_in' && ms <= WITHIN_MS) within += 1
      if (next % 10_000 === 0) wave.say?.(`${next} begun`)
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: AT_ONCE }, hand))
  return { times, failures, within, faults, succeeded: times.length, seconds: (performance.now() - began) / 1000 }
}

const kinds = ['status500_before', 'status500_after', 'cut_before', 'cut_after', 'delay', 'errcode'] as const
/** Longer than anybody should wait for one answer, and within what a person waits for a page. */
const DELAY_MS = 4_000

/** The next call that asks whose a code is fails, in one of the ways there are; 1, for counting. */
function failOnce(box: WecomSandbox): 1 {
  const kind = kinds[randomInt(kinds.length)]!
  box.control.addFault({ path: 'auth/getuserinfo', kind, errcode: -1, delayMs: kind === 'delay' ? DELAY_MS : 0 })
  return 1
}

const round = (value: number): number => Math.round(value * 100) / 100
