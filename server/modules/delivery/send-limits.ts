/**
 * What WeCom allows one app (protocols wecom 10). What passes the limits of a member vanishes without a word; what passes
 * the day's quota is refused with 45009.
 */
export const sendLimits = {
  /** Person-sends a natural day of China for each account. */
  perAccountADay: 200,
  perCall: 1000,
  minute: { most: 30, windowMs: 60_000 },
  hour: { most: 1000, windowMs: 3_600_000 },
} as const

/** Messages that may pass WeCom's own count later than ours: a call takes its time, and clocks differ. */
const SLACK_MS = 30_000
/** The windows in which we count, wider than WeCom's by that. */
export const ourWindows = {
  minuteMs: sendLimits.minute.windowMs + SLACK_MS,
  hourMs: sendLimits.hour.windowMs + SLACK_MS,
} as const

/** For how long what was counted holds: a call that did not begin by then is counted anew before it is made. */
export const RESERVATION_MS = 5_000

export type WaitsFor = 'member_minute' | 'member_hour' | 'day_quota'

/** Until when a person waits, and for which limit. */
export interface Wait {
  readonly waitsFor: WaitsFor
  readonly untilMs: number
}

/**
 * Whether one more message to a member fits beside those of the last hour (instants, in any order), or when it will.
 * An instant ahead of ours counts as well: another process' clock may be.
 */
export function roomFor(instants: readonly number[], nowMs: number): Wait | null {
  const rows = [...instants].sort((a, b) => a - b)
  const over = (most: number, windowMs: number): number | null => {
    const inside = rows.filter((atMs) => atMs > nowMs - windowMs)
    return inside.length < most ? null : inside[inside.length - most]! + windowMs
  }
  const hour = over(sendLimits.hour.most, ourWindows.hourMs)
  if (hour !== null) return { waitsFor: 'member_hour', untilMs: hour }
  const minute = over(sendLimits.minute.most, ourWindows.minuteMs)
  return minute === null ? null : { waitsFor: 'member_minute', untilMs: minute }
}
