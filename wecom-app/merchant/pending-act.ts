import { toApiProblem, send, type ApiProblem } from '../lib/api.ts'

/** What was sent to the desk and not answered yet. It holds ids, amounts and used-up codes: nothing of a person. */
export interface PendingAct {
  /** The clerk who sent it: keys are a till's own, so only they may ask again. */
  readonly by: string
  /** Below /merchant. */
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
  /** Idempotency-Key: asked with it again, the desk tells what it did. */
  readonly key: string
}

const storeKey = (by: string): string => `fulika.tillPending.${by}`

/** An act with a key of its own: 128 random bits, on plain http too. */
export function newAct(by: string, path: string, body: PendingAct['body']): PendingAct {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return { by, path, body, key: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('') }
}

/** What a clerk sent from this phone and lost the answer of, also in a page that was closed since. */
export function readPending(by: string): PendingAct | null {
  try {
    const kept = JSON.parse(localStorage.getItem(storeKey(by)) ?? 'null') as Partial<PendingAct> | null
    const { path, body, key } = kept ?? {}
    return path === undefined || body === undefined || key === undefined ? null : { by, path, body, key }
  } catch {
    return null
  }
}

/**
 * Another window of this phone may have sent something else meanwhile: that is still without an answer, and stays. Where a
 * browser refuses to store anything, the page alone remembers, for as long as it is open.
 */
function keep(act: PendingAct): void {
  if (readPending(act.by) !== null) return
  try {
    localStorage.setItem(storeKey(act.by), JSON.stringify(act))
  } catch {
    // Nothing to be done about it: the act goes out all the same.
  }
}

function forget(act: PendingAct): void {
  if (readPending(act.by)?.key === act.key) localStorage.removeItem(storeKey(act.by))
}

/** What came of asking: an answer for good, or none: then only the same question may follow. */
export type Asked<T> =
  | { readonly kind: 'done'; readonly answer: T }
  | { readonly kind: 'refused'; readonly problem: ApiProblem }
  | { readonly kind: 'unknown'; readonly problem: ApiProblem }

/**
 * Sends an act, or asks about it again. It is kept on the phone until an answer for good is here: done, or refused for
 * what it is. No network, a fault of ours, too many questions or a sign-in that is over leave it open.
 */
export async function ask<T>(act: PendingAct): Promise<Asked<T>> {
  keep(act)
  try {
    const key = { value: () => act.key, settle: () => undefined }
    const answer = await send<T>('POST', `/merchant${act.path}`, act.body, key)
    forget(act)
    return { kind: 'done', answer }
  } catch (error) {
    const problem = toApiProblem(error)
    if (isOpen(problem.status)) return { kind: 'unknown', problem }
    forget(act)
    return { kind: 'refused', problem }
  }
}

/** Whether after this answer nobody knows yet whether it was done. */
export const isOpen = (status: number): boolean => status < 400 || status >= 500 || [401, 408, 429].includes(status)
