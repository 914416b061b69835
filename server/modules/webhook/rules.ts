const [SECOND_MS, HOUR_MS] = [1000, 3_600_000]

/** After a day nobody waits for an event any more: the day's file has told of it. */
export const GIVE_UP_MS = 24 * HOUR_MS
/** A call and its record take less; whoever sends to an address and dies leaves it to others after that. */
export const LEASE_MS = 60 * SECOND_MS
/** One dead server is asked about once in so long, however many events wait for it. */
const LONGEST_REST_MS = 600 * SECOND_MS

/** How long an event waits for its next attempt: as long as it has waited already, so about fifteen in a day. */
export function waitOf(waitedMs: number): number {
  return Math.min(Math.max(waitedMs, 10 * SECOND_MS), 4 * HOUR_MS)
}

/** How long all events of a server that gave no answer wait, by the one that has waited longest. */
export const restOf = (waitedMs: number): number => Math.min(waitOf(waitedMs), LONGEST_REST_MS)
