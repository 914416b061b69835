import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createConnection } from 'mysql2/promise'
import type { RosterChanges, RosterDetail, RosterRows } from '../contract/hr/staff.ts'
import { freePorts, stageOf } from '../e2e/stage.ts'
import * as step from '../e2e/steps.ts'
import type { Visitor } from '../e2e/visitor.ts'
import { provideMariadb } from '../scripts/mariadb.ts'
import { freshMysqlUrl } from '../server/testing/databases.ts'
import { runPhase } from './phases.ts'
import type { Look } from './roster-server.ts'

/** How often somebody else asks the server for something small while it works. */
const PROBE_MS = 60
const GIB = 1024 ** 3

/** The product as it runs, with the people who use it. */
interface Ground {
  readonly server: ChildProcess
  readonly hr: Visitor
  readonly approver: Visitor
  readonly bystander: Visitor
  readonly close: () => Promise<void>
}

/**
 * Takes a spreadsheet of `rows` people with planted faults through the running product over HTTP: uploaded and read,
 * looked at, mended, applied, given a campaign. Meanwhile a bystander asks for their session again and again; the
 * longest they wait is a figure too.
 */
export async function benchRoster(rows: number, db: 'mysql' | 'sqlite', say: (line: string) => void): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), 'fulika-bench-'))
  try {
    const file = join(folder, 'list.xlsx')
    say(`writing ${rows} rows`)
    await runPhase('import-phase.ts', ['write', file, String(rows)])
    const ground = await openGround(folder, db)
    try {
      return await walk(ground, rows, readFileSync(file), say)
    } finally {
      await ground.close()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function walk(ground: Ground, rows: number, raw: Uint8Array, say: (line: string) => void): Promise<object> {
  const { hr, approver } = ground
  const timed = measuring(ground, say)
  const read = await timed('reading', async () => {
    const id = await step.uploadRoster(hr, 'list.xlsx', raw)
    return settled(hr, id, ['ready', 'needs_mending'])
  })
  const at = `/hr/rosters/${read.result.id}`
  if (read.result.rowCount !== rows) throw new Error(`${read.result.rowCount} rows were read of ${rows}`)
  const detail = await timed('detail', () => hr.call(at))
  const deep = await timed('rows far down', () =>
    hr.call<RosterRows>(`${at}/rows?offset=${Math.floor(rows * 0.75)}&limit=100`),
  )
  const replaced = await timed('replacing', () =>
    hr.call(`${at}/replace`, { json: { field: 'department', from: '质检部', to: '品质部' } }),
  )
  const changes = await timed('changes', () => hr.call<RosterChanges>(`${at}/changes`))
  const applied = await timed('applying', async () => {
    await hr.call(`${at}/apply`, { json: { leaveOutFaulty: true, markLeavers: false } })
    return settled(hr, read.result.id, ['used'])
  })
  const again = await timed('changes once applied', () => hr.call<RosterChanges>(`${at}/changes`))
  if (again.result.joiners !== 0) throw new Error(`${again.result.joiners} people would join twice`)
  const campaign = await timed('drafting', () =>
    step.draftCampaign(hr, { rosterId: read.result.id, title: '中秋', amountFrom: 'same', faceFen: 20_000 }),
  )
  const dryRun = await timed('dry run', () => hr.call(`/hr/campaigns/${campaign.result}/dry-run`))
  const approved = await timed('submitting and approving', () => step.submitAndApprove(hr, approver, campaign.result))
  return {
    rows,
    seconds: round(read.seconds),
    rowsPerSecond: Math.round(rows / read.seconds),
    cpuSeconds: round(read.cpuSeconds),
    longestWaitMs: Math.round(read.longestWaitMs),
    detailMs: Math.round(detail.seconds * 1000),
    deepRowsMs: Math.round(deep.seconds * 1000),
    replaceSeconds: round(replaced.seconds),
    changesSeconds: round(changes.seconds),
    changesAgainSeconds: round(again.seconds),
    changesWaitMs: Math.round(changes.longestWaitMs),
    applySeconds: round(applied.seconds),
    applyCpuSeconds: round(applied.cpuSeconds),
    applyWaitMs: Math.round(applied.longestWaitMs),
    dryRunSeconds: round(dryRun.seconds),
    approveSeconds: round(approved.seconds),
    approveWaitMs: Math.round(approved.longestWaitMs),
    readingPeakRssMiB: read.peakRssMiB,
    peakRssMiB: approved.peakRssMiB,
  }
}

/** Follows a list as its page does, until it stands in one of these states. */
function settled(hr: Visitor, id: string, states: readonly RosterDetail['state'][]): Promise<RosterDetail> {
  return hr.follow<RosterDetail>(`/hr/rosters/${id}/events`, (roster) => states.includes(roster.state))
}

/** Does something while a bystander asks for their session; tells how long it took and how long they waited. */
function measuring(ground: Ground, say: (line: string) => void) {
  return async <T>(name: string, work: () => Promise<T>) => {
    await look(ground.server)
    const waits: Promise<number>[] = []
    const probe = setInterval(() => waits.push(wait(ground.bystander)), PROBE_MS)
    const began = performance.now()
    const result = await work()
    const seconds = (performance.now() - began) / 1000
    clearInterval(probe)
    const longestWaitMs = Math.max(0, ...(await Promise.all(waits)))
    const seen = await look(ground.server)
    say(
      `${name}: ${round(seconds)} s, ${round(seen.cpuSeconds)} s of processor, waited ${Math.round(longestWaitMs)} ms, blocked ${Math.round(seen.longestBlockMs)} ms, ${seen.peakRssMiB} MiB`,
    )
    return { result, seconds, longestWaitMs, ...seen }
  }
}

async function wait(bystander: Visitor): Promise<number> {
  const began = performance.now()
  await bystander.call('/hr/session')
  return performance.now() - began
}

async function look(server: ChildProcess): Promise<Look> {
  server.send('look')
  const [seen] = (await once(server, 'message')) as [Look]
  return seen
}

async function openGround(folder: string, db: 'mysql' | 'sqlite'): Promise<Ground> {
  const database = db === 'mysql' ? await mysqlGround() : null
  const [web = 0, wecom = 0, pay = 0, wechat = 0] = await freePorts(4)
  const dataDir = join(folder, 'data')
  const server = fork(join(import.meta.dirname, 'roster-server.ts'), {
    execArgv: ['--no-warnings'],
    env: {
      PATH: process.env['PATH'],
      FULIKA_DATA_DIR: dataDir,
      PORT: String(web),
      FULIKA_SANDBOX_WECOM_PORT: String(wecom),
      FULIKA_SANDBOX_PAY_PORT: String(pay),
      FULIKA_SANDBOX_WECHAT_PORT: String(wechat),
      ...(database === null ? {} : { DATABASE_URL: database.url }),
    },
  })
  const atExit = (): void => void server.kill('SIGKILL')
  process.once('exit', atExit)
  const ended = once(server, 'exit')
  const close = async (): Promise<void> => {
    if (server.connected) server.disconnect()
    await ended
    process.off('exit', atExit)
    await database?.stop()
  }
  try {
    await Promise.race([once(server, 'message'), ended.then(() => Promise.reject(new Error('the server ended')))])
    const stage = stageOf(dataDir, { web, wecom, pay, wechat })
    const [hr, approver, bystander] = await Promise.all(
      ['linxiao', 'zhoumin', 'chenli'].map((userid) => step.memberOf(stage, userid)),
    )
    return { server, hr: hr!, approver: approver!, bystander: bystander!, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A MariaDB of its own with a cache that holds the list; what is flushed at a commit stays as it is. */
async function mysqlGround(): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = await provideMariadb({ private: true })
  if (server === null) throw new Error('no MariaDB to be had')
  const connection = await createConnection(server.url)
  await connection.query(`set global innodb_buffer_pool_size = ${GIB}`)
  await connection.query(`set global innodb_log_file_size = ${GIB / 2}`)
  await connection.end()
  const { url } = await freshMysqlUrl(server.url)
  return { url, stop: () => server.stop() }
}

const round = (value: number): number => Math.round(value * 100) / 100
