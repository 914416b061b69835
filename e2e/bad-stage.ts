import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { errorCodes } from '../contract/error-codes.ts'
import type { SandboxWorld } from '../sandbox/world.ts'
import type { Problem } from '../server/kernel/errors.ts'
import { sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import type { OpenStage } from './stage.ts'
import type { Visitor } from './visitor.ts'

/** Everything that means something to people; not jobs, keys and trails, which a refusal may add to. */
const tables = [
  'activity',
  'bank_statement',
  'brand',
  'campaign',
  'card',
  'company',
  'delivery',
  'delivery_batch',
  'entry',
  'member',
  'order_item',
  'order_slice',
  'orders',
  'payment',
  'payment_part',
  'person',
  'posting',
  'roster',
  'roster_chunk',
  'roster_fault',
  'roster_row',
  'statement_line',
  'template_version',
  'wallet',
  'wallet_movement',
] as const
export type Table = (typeof tables)[number]

/** A fingerprint of each table, without the counters that a lock moves. */
async function photograph(stage: OpenStage): Promise<Map<Table, string>> {
  const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
  const pictures = new Map<Table, string>()
  for (const table of tables) {
    const rows = await edge.read((tx) => sql<Record<string, unknown>>(tx.em, `select * from ${table}`))
    const lines = rows.map(({ version: _moved, ...row }) => JSON.stringify(row)).sort()
    pictures.set(table, createHash('sha256').update(lines.join('\n')).digest('hex'))
  }
  return pictures
}

/**
 * Does something that must change nothing, except in the tables named: compares all rows before and after, and proves
 * the books.
 */
export async function unchanged<T>(
  stage: OpenStage,
  work: () => Promise<T>,
  except: readonly Table[] = [],
): Promise<T> {
  const before = await photograph(stage)
  const result = await work()
  const after = await photograph(stage)
  expect(tables.filter((table) => before.get(table) !== after.get(table) && !except.includes(table))).toEqual([])
  const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
  expect(await edge.read(proveBooks)).toEqual([])
  return result
}

/** The stage's own secrets, as its files hold them. */
function secretsOf(stage: OpenStage): string[] {
  const world = JSON.parse(readFileSync(join(stage.dataDir, 'sandbox.json'), 'utf8')) as SandboxWorld
  const ring = Object.values(JSON.parse(readFileSync(join(stage.dataDir, 'key-ring.json'), 'utf8')) as object)
  const keys = ring.flatMap((value) => (typeof value === 'object' ? Object.values(value as object) : [value]))
  return [
    world.operatorKey,
    world.wecom.secret,
    ...world.merchants.flatMap((merchant) => [merchant.apiV3Key, merchant.privateKeyPem]),
    ...keys.filter((value): value is string => typeof value === 'string' && value.length >= 32),
  ]
}

/** No secret, no stack, no place of the machine, no SQL. */
export function expectHarmless(text: string, stage: OpenStage | null): void {
  expect(text).not.toMatch(
    /node_modules|\.ts:\d|\bat \S+ \(|\b(select|insert into|update \w+ set|delete from)\b|errno/i,
  )
  for (const hidden of [process.cwd(), ...(stage === null ? [] : [stage.dataDir, ...secretsOf(stage)])])
    expect(text).not.toContain(hidden)
}

/** Judges a refusal as HTTP carries it; the problem. */
export async function readProblem(
  stage: OpenStage,
  ask: (lang: 'zh-CN' | 'en') => Promise<Response>,
): Promise<Problem> {
  const problems: Problem[] = []
  for (const lang of ['zh-CN', 'en'] as const) {
    const answer = await ask(lang)
    const text = await answer.text()
    expect(answer.headers.get('content-type'), text).toContain('application/problem+json')
    expectHarmless(text, stage)
    const problem = JSON.parse(text) as Problem
    const known = errorCodes[problem.code]
    expect([answer.status, problem.title]).toEqual([known.status, lang === 'en' ? known.en : known.zh])
    expect(problem.requestId).toBe(answer.headers.get('x-request-id'))
    problems.push(problem)
  }
  expect(problems[1]?.code).toBe(problems[0]?.code)
  return problems[0]!
}

/** Asks in both languages for something that must be refused and change nothing; the problem. */
export function refused(
  stage: OpenStage,
  visitor: Visitor,
  path: string,
  sending: Parameters<Visitor['send']>[1] = {},
): Promise<Problem> {
  return unchanged(stage, () => readProblem(stage, (lang) => visitor.send(path, { ...sending, lang })))
}

/** Runs the server as a program with nothing but these variables; it must end by itself. */
export async function startProgram(
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly text: string }> {
  const main = join(import.meta.dirname, '../server/main.ts')
  const child = spawn(process.execPath, ['--no-warnings', main], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  return { code, text }
}
