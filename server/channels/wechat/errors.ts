import { OutsideError, type OutsideOutcome } from '../../kernel/outside.ts'

/** Codes that say that an access token is dead: fetch a new one once and repeat once. They took no effect. */
export const DEAD_TOKEN: ReadonlySet<number> = new Set([40001, 40014, 42001])
/** After these our credential or address is not tried again for a while: only a person can mend it (4). */
export const DEAD_CREDENTIAL: ReadonlySet<number> = new Set([
  40001, 40013, 40125, 40164, 40243, 41002, 41004, 50002, 50007, 61004,
])

/**
 * What WeChat's codes mean for a caller (protocols wechat-consumer 14): how long to wait before the same call may succeed,
 * or that nobody should call until a person acted. Everything else that is known is a refusal of this one call.
 */
const WAIT_MS: ReadonlyMap<number, number> = new Map([
  [40014, 5_000],
  [42001, 5_000],
  [45009, 600_000],
  [45011, 60_000],
])
/** Busy, and it may have been done all the same. */
const SYSTEM_BUSY = -1
const BROKEN: ReadonlySet<number> = new Set([
  40001, 40013, 40125, 40164, 40243, 41002, 41004, 48001, 48004, 48006, 50002, 50007, 61004,
])
const REFUSED: ReadonlySet<number> = new Set([
  40003, 40029, 40030, 40033, 40037, 40097, 40163, 40165, 40226, 41001, 41008, 41030, 42002, 42003, 42007, 43001, 43002,
  43004, 43101, 43116, 44002, 45168, 47001, 47003, 48002,
])

/** Whether the protocol sheet knows a code. An unknown one counts as refused, and somebody should look. */
export function isKnownCode(errcode: number): boolean {
  return errcode === SYSTEM_BUSY || WAIT_MS.has(errcode) || BROKEN.has(errcode) || REFUSED.has(errcode)
}

/** The error for an errcode of WeChat; its `code` is the errcode as text. `effect`: the call changes something there. */
export function errorOfCode(api: string, errcode: number, effect: boolean): OutsideError {
  const wait = errcode === SYSTEM_BUSY ? 1_000 : WAIT_MS.get(errcode)
  const unsure = errcode === SYSTEM_BUSY && effect
  const outcome: OutsideOutcome = unsure
    ? 'unknown'
    : wait !== undefined
      ? 'busy'
      : BROKEN.has(errcode)
        ? 'broken'
        : 'refused'
  return new OutsideError(outcome, String(errcode), `wechat ${api} answered ${errcode}`, wait)
}
