import { OutsideError, type OutsideOutcome } from '../../kernel/outside.ts'

/** Codes that say that an access token is dead: fetch a new one once and repeat once. They took no effect. */
export const DEAD_TOKEN: ReadonlySet<number> = new Set([40014, 42001])
/** The same of a suite token. */
export const DEAD_SUITE_TOKEN: ReadonlySet<number> = new Set([40082, 42009])
/** After these a credential is not tried again until it changes: repeats get our whole address blocked (1.1). */
export const DEAD_CREDENTIAL: ReadonlySet<number> = new Set([40001, 40013, 40084, 40091, 45031, 48004, 50003, 301007])
export const ALL_RECIPIENTS_INVALID = 81013
export const TOO_OFTEN = 45009
/** No such member, or none that the app sees. */
export const NO_SUCH_MEMBER: ReadonlySet<number> = new Set([46004, 60111, 60021, 50002])
export const NO_RELATION = 84061

/**
 * What WeCom's codes mean for a caller (protocols wecom 9): how long to wait before the same call may succeed, or that
 * nobody should call until a person acted. Everything else that is known is a refusal of this one call.
 */
const WAIT_MS: ReadonlyMap<number, number> = new Map([
  [-1, 1_000],
  [6000, 1_000],
  [40014, 5_000],
  [42001, 5_000],
  [40082, 5_000],
  [42009, 5_000],
  [40093, 1_000],
  [42012, 1_000],
  [40085, 60_000],
  [40100, 600_000],
  [40129, 600_000],
  [41063, 5_000],
  [41096, 1_000],
  [45009, 60_000],
  [45033, 1_000],
  [45035, 1_000],
  [45036, 600_000],
])
const BROKEN: ReadonlySet<number> = new Set([
  40001, 40013, 40056, 40084, 40091, 41001, 41002, 41004, 41045, 45024, 45026, 45031, 48001, 48002, 48004, 48006, 48009,
  48011, 50001, 50003, 60011, 60020, 60031, 80001, 90206, 90207, 90208, 301002, 301007, 701008, 701099,
])
const REFUSED: ReadonlySet<number> = new Set([
  40003, 40004, 40005, 40006, 40007, 40008, 40009, 40011, 40029, 40031, 40032, 40033, 40035, 40058, 40063, 40068, 40074,
  40077, 40078, 40088, 40089, 40092, 40096, 40097, 40098, 40099, 40123, 40126, 40128, 40130, 40131, 40143, 40145, 40146,
  40205, 41006, 41033, 41037, 41038, 41039, 41040, 41041, 41042, 41043, 41044, 41047, 41048, 41050, 41051, 41053, 41054,
  41064, 41065, 41093, 41094, 42003, 42007, 42014, 42015, 42016, 42018, 42019, 42020, 42022, 42052, 43001, 43002, 43004,
  44001, 44004, 45001, 45002, 45008, 45029, 46004, 48010, 50002, 50100, 60003, 60021, 60111, 60123, 60140, 60206, 60207,
  60208, 60268, 81001, 81002, 81011, 81012, 81013, 82001, 82002, 82003, 82004, 82101, 82102, 84014, 84015, 84061, 84074,
  84084, 91040, 92000, 92002, 92003, 701018, 701030, 845001, 845002, 845003,
])
/** 42027 to 42051: a part of a card is missing or of the wrong length (5.2). */
const isCardPart = (errcode: number): boolean => errcode >= 42027 && errcode <= 42051

/** Whether the protocol sheet knows a code. An unknown one counts as refused, and somebody should look. */
export function isKnownCode(errcode: number): boolean {
  return WAIT_MS.has(errcode) || BROKEN.has(errcode) || REFUSED.has(errcode) || isCardPart(errcode)
}

/** The error for an errcode of WeCom; its `code` is the errcode as text. */
export function errorOfCode(api: string, errcode: number): OutsideError {
  const wait = WAIT_MS.get(errcode)
  const outcome: OutsideOutcome = wait !== undefined ? 'busy' : BROKEN.has(errcode) ? 'broken' : 'refused'
  return new OutsideError(outcome, String(errcode), `wecom ${api} answered ${errcode}`, wait)
}
