/**
 * The time of a sandbox. `now` can be moved forward; everything that lives or waits is measured by it. `wall` is never
 * moved: signatures carry it, because those who check them have no other clock.
 */
export interface Clock {
  now(): number
  wall(): number
  /** By how much `now` is ahead of `wall`, in ms. */
  aheadMs(): number
  /**
   * Moves `now` forward by whole ms; throws RangeError for anything else. On a real clock what is due by then runs at once,
   * in its order; on a virtual one the promise is kept when all of it is done.
   */
  advance(ms: number): Promise<void>
  /** Runs work when `now` is `ms` further than it is, unless the clock is stopped before. */
  later(ms: number, work: () => Promise<void>): void
  /** Lets somebody wait in real time, until the clock is stopped at the latest; on a virtual clock nobody waits. */
  sleep(ms: number): Promise<void>
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

function checkStep(ms: number): void {
  if (!Number.isSafeInteger(ms) || ms < 0) throw new RangeError('time only moves forward, by whole ms')
}

/** A clock that begins at `base` and goes on by itself. */
export function startClock(base: () => number): Clock {
  let ahead = 0
  let stopped = false
  const waiting = new Set<Waiting>()
  const sleeping = new Map<NodeJS.Timeout, () => void>()
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
      checkStep(ms)
      ahead += ms
      for (const one of [...waiting].sort((a, b) => a.dueMs - b.dueMs)) arm(one)
      return Promise.resolve()
    },
    later: (ms, work) => {
      if (stopped) return
      const one: Waiting = { dueMs: now() + ms, work, timer: null }
      waiting.add(one)
      arm(one)
    },
    sleep: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          sleeping.delete(timer)
          resolve()
        }, ms)
        sleeping.set(timer, resolve)
      }),
    waiting: () => waiting.size,
    stop: () => {
      stopped = true
      for (const one of waiting) if (one.timer) clearTimeout(one.timer)
      waiting.clear()
      for (const [timer, wake] of sleeping) {
        clearTimeout(timer)
        wake()
      }
      sleeping.clear()
    },
  }
}

/**
 * A clock that stands still until it is moved, for one process that plays all parts. Work runs only inside `advance`: the
 * earliest first, equal ones in the order in which they were asked for, each awaited, with `now` at its own moment; work
 * that fails makes `advance` fail. `wall` goes along: everybody in that process lives by this clock. Work must not move the
 * clock itself.
 */
export function virtualClock(startMs: number): Clock {
  let [nowMs, moving, stopped] = [startMs, false, false]
  let waiting: { readonly dueMs: number; readonly work: () => Promise<void> }[] = []
  const nextDue = (untilMs: number) => {
    let next: (typeof waiting)[number] | null = null
    for (const one of waiting) if (one.dueMs <= untilMs && (next === null || one.dueMs < next.dueMs)) next = one
    return next
  }
  return {
    now: () => nowMs,
    wall: () => nowMs,
    aheadMs: () => 0,
    advance: async (ms) => {
      checkStep(ms)
      if (moving) throw new RangeError('the clock is being moved already')
      moving = true
      try {
        const untilMs = nowMs + ms
        for (let next = nextDue(untilMs); next !== null; next = nextDue(untilMs)) {
          const due = next
          waiting = waiting.filter((one) => one !== due)
          nowMs = Math.max(nowMs, due.dueMs)
          await due.work()
        }
        nowMs = untilMs
      } finally {
        moving = false
      }
    },
    later: (ms, work) => void (stopped || waiting.push({ dueMs: nowMs + Math.max(0, ms), work })),
    sleep: () => Promise.resolve(),
    waiting: () => waiting.length,
    stop: () => {
      stopped = true
      waiting = []
    },
  }
}
