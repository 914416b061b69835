import { createHash } from 'node:crypto'
import type { Tx } from './context.ts'
import { insertIgnore, insertRows, readBound, sql } from './sql.ts'
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

/** What is remembered of a key: the answer that it was given, or the field in which this input differs from the first. */
export type Remembered = { readonly answer: unknown } | { readonly differsIn: string }

/** A key with what was asked under it. */
export interface Keyed {
  readonly key: string
  readonly input: object
}

/**
 * For a command that does many items in one transaction: what is remembered of each, in their order; undefined where its
 * key was not answered before. The caller locks what the items are about before it reads, and keeps new answers by `keepOnce` in the same transaction.
 */
export async function readOnce(tx: Tx, scope: string, asked: readonly Keyed[]): Promise<(Remembered | undefined)[]> {
  const keys = [...new Set(asked.map(({ key }) => key))]
  if (keys.length === 0) return []
  const held = await readBound<{ onceKey: string; inputHash: string; input: string; answer: string | null }>(
    tx.em,
    `select once_key as onceKey, input_hash as inputHash, input, answer from once_key
      where scope = ? and once_key in (${keys.map(() => '?').join(',')})`,
    [scope, ...keys],
  )
  const rows = new Map(held.map((row) => [row.onceKey, row]))
  return asked.map(({ key, input }) => {
    const row = rows.get(key)
    if (row === undefined) return undefined
    const text = canonical(input)
    return row.input === text
      ? { answer: JSON.parse(row.answer ?? 'null') as unknown }
      : { differsIn: firstDifference(row.input, text) }
  })
}

/** Whether a key was answered before: whoever sends it again is told the same, and nothing new is done. */
export async function isKept(tx: Tx, scope: string, key: string): Promise<boolean> {
  const text = 'select 1 as one from once_key where scope = ? and once_key = ?'
  return (await readBound(tx.em, text, [scope, key])).length === 1
}

/**
 * Keeps answers under keys that `readOnce` did not know, by one statement, in the order of the keys. Throws a unique
 * violation when somebody else was faster with one of them: the whole transaction is done again, and reads it then.
 */
export async function keepOnce(
  tx: Tx,
  scope: string,
  kept: readonly (Keyed & { readonly answer: unknown })[],
): Promise<void> {
  const atMs = tx.clock.now()
  await insertRows(
    tx.em,
    'once_key',
    kept
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ key, input, answer }) => {
        const text = canonical(input)
        const row = { scope, once_key: key, token: '', input_hash: hashOf(text), input: text }
        return { ...row, answer: JSON.stringify(answer), at_ms: atMs }
      }),
  )
}

/** One text for equal inputs: keys sorted, at every depth. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

/** The first top-level field in which two inputs differ; null where they are equal. */
export function differingField(before: object, after: object): string | null {
  const [a, b] = [canonical(before), canonical(after)]
  return a === b ? null : firstDifference(a, b)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function firstDifference(before: string, after: string): string {
  const [a, b] = [JSON.parse(before) as Record<string, unknown>, JSON.parse(after) as Record<string, unknown>]
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
  return names.find((name) => canonical(a[name]) !== canonical(b[name])) ?? ''
}
