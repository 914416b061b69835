/**
 * The time of a sandbox. `now` can be moved forward; everything that lives or waits is measured by it. `wall` is never
 * moved: signatures carry it, because those who check them have no other clock.
 */
export interface Clock {
  now(): number
  wall(): number
  /** By how much `now` is ahead of `wall`, in ms. */
  aheadMs(): number
  /** Moves `now` forward; work that is due by then runs at once, in its order. */
  advance(ms: number): void
  /** Runs work when `now` is `ms` further than it is, unless the clock is stopped before. */
  later(ms: number, work: () => Promise<void>): void
  /** How many pieces of work are waiting. */
  waiting(): number
  stop(): void
}

interface Waiting {
  readonly dueMs: number
  readonly work: () => Promise<void>
  timer: NodeJS.Timeout | null
}
const LONGEST_TIMER_MS = 2_147_483_647

/** A clock that begins at `base`. */
export function startClock(base: () => number): Clock {
  let ahead = 0
  let stopped = false
  const waiting = new Set<Waiting>()
  const now = () => base() + ahead
  const arm = (one: Waiting): void => {
    if (one.timer) clearTimeout(one.timer)
    const run = () => {
      waiting.delete(one)
      void one.work()
    }
    one.timer = setTimeout(run, Math.min(LONGEST_TIMER_MS, Math.max(0, one.dueMs - now())))
  }
  return {
    now,
    wall: base,
    aheadMs: () => ahead,
    advance: (ms) => {
      if (!Number.isSafeInteger(ms) || ms < 0) throw new RangeError('time only moves forward, by whole ms')
      ahead += ms
      for (const one of [...waiting].sort((a, b) => a.dueMs - b.dueMs)) arm(one)
    },
    later: (ms, work) => {
      if (stopped) return
      const one: Waiting = { dueMs: now() + ms, work, timer: null }
      waiting.add(one)
      arm(one)
    },
    waiting: () => waiting.size,
    stop: () => {
      stopped = true
      for (const one of waiting) if (one.timer) clearTimeout(one.timer)
      waiting.clear()
    },
  }
}
