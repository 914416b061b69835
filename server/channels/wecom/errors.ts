import { OutsideError, type OutsideOutcome } from '../../kernel/outside.ts'

/** Codes that say that the access token is dead: fetch a new one once and repeat once. */
export const DEAD_TOKEN: ReadonlySet<number> = new Set([40014, 42001])
/** Codes of `gettoken` after which this credential is not tried again: repeats get the whole address blocked. */
export const DEAD_SECRET: ReadonlySet<number> = new Set([40001, 40013, 40091, 45031])
export const ALL_RECIPIENTS_INVALID = 81013
export const USER_NOT_FOUND: ReadonlySet<number> = new Set([46004, 60111])

const BUSY: ReadonlyMap<number, number> = new Map([
  [-1, 1_000],
  [6000, 1_000],
  [45009, 60_000],
  [45033, 1_000],
  [45035, 1_000],
  [45036, 600_000],
  [40014, 5_000],
  [42001, 5_000],
])
const BROKEN: ReadonlySet<number> = new Set([
  40001, 40013, 40056, 40084, 40091, 41001, 41002, 41004, 45031, 48001, 48002, 48004, 48006, 48009, 48011, 50001, 50003,
  60011, 60020, 60031, 80001, 301002, 301007,
])

/** The error for an errcode of WeCom, by section 9 of the protocol sheet. An unlisted code counts as refused. */
export function errorOfCode(api: string, errcode: number): OutsideError {
  const wait = BUSY.get(errcode)
  const outcome: OutsideOutcome = wait !== undefined ? 'busy' : BROKEN.has(errcode) ? 'broken' : 'refused'
  return new OutsideError(outcome, String(errcode), `wecom ${api} answered ${errcode}`, wait)
}

const NEVER_CONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'])

/**
 * The error for a call without an answer. `effect` tells whether the call changes anything on the other side; one that
 * does not, or never reached it, is merely busy. The cause is left out on purpose: its text holds the address.
 */
export function errorOfNetwork(api: string, effect: boolean, cause: unknown): OutsideError {
  const code = networkCode(cause)
  const outcome = effect && !NEVER_CONNECTED.has(code) ? 'unknown' : 'busy'
  return new OutsideError(outcome, code, `wecom ${api} gave no answer (${code})`)
}

function networkCode(cause: unknown): string {
  if (!(cause instanceof Error)) return 'network'
  if (cause.name === 'TimeoutError' || cause.name === 'AbortError') return 'timeout'
  const inner = cause.cause
  if (inner instanceof Error && 'code' in inner && typeof inner.code === 'string') return inner.code
  return 'network'
}
