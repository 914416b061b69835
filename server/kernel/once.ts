import { createHash } from 'node:crypto'
import type { Tx } from './context.ts'
import { insertIgnore } from './sql.ts'
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
