import { createHash } from 'node:crypto'
import type { Tx } from './context.ts'
import { insertIgnore, sql } from './sql.ts'
import { OnceKey } from './tables.ts'

/** Another input came under a key that is taken. `field` names the first top-level field that differs. */
export class OnceConflict extends Error {
  readonly field: string
  constructor(field: string) {
    super(`another input under the same key: ${field}`)
    this.name = 'OnceConflict'
    this.field = field
  }
}

/**
 * Does `work` once for a (scope, key), in the caller's transaction: the unique index decides, so of any number of
 * callers at once exactly one works and all get its answer. The answer must be plain JSON without personal data.
 * Throws OnceConflict when the key was used with another input.
 */
export async function once<T>(tx: Tx, scope: string, key: string, input: object, work: () => Promise<T>): Promise<T> {
  const inputText = canonical(input)
  const token = tx.random(16).toString('hex')
  const row = { scope, once_key: key, token, input_hash: hashOf(inputText), input: inputText, answer: null }
  await insertIgnore(tx.em, 'once_key', [{ ...row, at_ms: tx.clock.now() }])
  const held = await tx.em.fork({ keepTransactionContext: true }).findOneOrFail(OnceKey, { scope, onceKey: key })
  if (held.token !== token) {
    if (held.inputHash !== hashOf(inputText)) throw new OnceConflict(firstDifference(held.input, inputText))
    return JSON.parse(held.answer ?? 'null') as T
  }
  const answer = await work()
  await tx.em.nativeUpdate(OnceKey, { scope, onceKey: key, token }, { answer: JSON.stringify(answer ?? null) })
  return answer
}

/**
 * Uses keys up that stand for nothing but themselves, any number by two statements. Tells for each, in order, whether it
 * was used for the first time: of any number of callers at once, and of equal keys in one call, exactly one is told so.
 */
export async function useUp(tx: Tx, scope: string, keys: readonly string[]): Promise<boolean[]> {
  if (keys.length === 0) return []
  const nothing = { input_hash: hashOf(canonical({})), input: canonical({}), answer: 'null', at_ms: tx.clock.now() }
  const rows = keys.map((key) => ({ scope, once_key: key, token: tx.random(16).toString('hex'), ...nothing }))
  await insertIgnore(tx.em, 'once_key', rows)
  const held = await sql<{ onceKey: string; token: string }>(
    tx.em,
    `select once_key as onceKey, token from once_key where scope = ? and once_key in (${keys.map(() => '?').join(',')})`,
    [scope, ...keys],
  )
  const tokenOf = new Map(held.map((one) => [one.onceKey, one.token]))
  return rows.map((row) => tokenOf.get(row.once_key) === row.token)
}

/** One text for equal inputs: keys sorted, at every depth. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function firstDifference(before: string, after: string): string {
  const [a, b] = [JSON.parse(before) as Record<string, unknown>, JSON.parse(after) as Record<string, unknown>]
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
  return names.find((name) => canonical(a[name]) !== canonical(b[name])) ?? ''
}
