import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { OutsideError } from './outside.ts'

/** A value as one caller fetched it: how long it is good, and when somebody should fetch the next. */
export interface Fetched {
  readonly value: string
  readonly refreshAfterMs: number
  readonly expiresAfterMs: number
}

/** What a fetch may end in besides a value: an error after which nobody tries this name again for a while. */
export interface Stop {
  readonly code: string
  readonly forMs: number
}

export interface Source {
  /** `proven`: it has given a value before. Runs while no other process fetches the same name; keep it to seconds. */
  fetch(proven: boolean): Promise<Fetched>
  /** Whether an error stops this name for all processes, and for how long. */
  stops(error: OutsideError): Stop | null
}

/** At most `limit` calls in any `windowMs`. `block`: how many a process reserves at once; a hundredth if it is not said. */
export interface Limit {
  readonly name: string
  readonly limit: number
  readonly windowMs: number
  readonly block?: number
}

/** What all processes of a house know together of the outside: tokens, tickets, bars and call counts. */
export interface SharedState {
  /** The value of a name while it lives and is not `not`; null otherwise. Fetches nothing. */
  peek(name: string, not?: string): Promise<string | null>
  /**
   * The value of a name. Where none lives, one caller of all processes fetches it and the others wait; a fetcher that
   * died is followed by another once its lease is over. `not` names a value that the other side has just called dead;
   * `anew` asks for a fetch even though a value lives. Throws what the fetch threw; `broken` without a call while the
   * name is stopped; `busy` when the fetcher takes too long.
   */
  obtain(name: string, source: Source, how?: { readonly not?: string; readonly anew?: boolean }): Promise<string>
  /** Takes one call of every limit and gives 0, or takes nothing and gives the milliseconds until one is free. */
  take(limits: readonly Limit[]): Promise<number>
  /** Takes nothing: the milliseconds until one of these limits has a call free; 0 when each has. */
  full(limits: readonly Limit[]): Promise<number>
  /** Stops a name for all processes. */
  stop(name: string, stop: Stop): Promise<void>
  /** Why a name is stopped and for how much longer; null when it is not. */
  stopped(name: string): Promise<Stop | null>
}

/** A row as it stands. `expiresAtMs` 0: it never had a value. */
export interface SharedRow {
  readonly value: string | null
  readonly refreshAtMs: number
  readonly expiresAtMs: number
  readonly leaseToken: string | null
  readonly brokenCode: string | null
  readonly brokenUntilMs: number
}

/** What is asked of one limit: up to `want` calls in the slot that begins at `slotAtMs`, counted with all after `sinceMs`. */
export interface Ask {
  readonly name: string
  readonly limit: number
  readonly slotAtMs: number
  readonly sinceMs: number
  readonly want: number
}
/** How many calls were granted; 0 with the slot whose end frees the next. */
export interface Granted {
  readonly name: string
  readonly granted: number
  readonly oldestAtMs: number
}

/** The beginning of a part of a window, and how many calls are counted in it. */
export type Slot = readonly [number, number]

/** Where shared state is kept. Each function is one short step that no other can cut in two. */
export interface SharedRows {
  read(name: string): Promise<SharedRow | null>
  /** Takes the lease when nobody has it, and tells the row as it then stands. */
  lease(name: string, token: string, nowMs: number, untilMs: number): Promise<SharedRow>
  /** Ends the lease with a value; nothing happens when the lease is another's by now. */
  keep(
    name: string,
    token: string,
    kept: { readonly value: string; readonly refreshAtMs: number; readonly expiresAtMs: number },
  ): Promise<void>
  /** Ends the lease without one. */
  release(name: string, token: string): Promise<void>
  stop(name: string, code: string, untilMs: number): Promise<void>
  /** Grants every ask or none. */
  reserve(asks: readonly Ask[]): Promise<readonly Granted[]>
  /** What the slots of a limit hold from an instant on: the beginning of each, and its count. */
  slots(name: string, sinceMs: number): Promise<readonly Slot[]>
  /** Forgets values that were over before `beforeMs`. */
  forget(beforeMs: number): Promise<void>
}

/** Longer than a fetch may take: the caller's own time limit is a third of it. */
const LEASE_MS = 15_000
/** A value is looked up again after this long, so that a process learns what another one fetched. */
const LOCAL_MS = 30_000
/** While another process renews a value, the old one serves; then it is looked up again. */
const RENEWAL_MS = 1_000
/** Names that a process remembers; above, it asks the rows again. */
const MOST_KNOWN = 20_000
const POLLS_MS = [10, 20, 40, 80, 150] as const
const LONGEST_POLL_MS = 250
/** Polls until a waiting caller gives up: about ten seconds. */
const MOST_POLLS = 42
/** A window is counted in this many parts. */
const SLOTS = 6
/** A person who asks for a check is let past a stop after this long. */
const CHECK_AGAIN_MS = 60_000
/** The other side gave the very value again that it had called dead: nobody asks again for this long. */
const SAME_VALUE_MS = 5_000
const SAME_VALUE = 'same_value'
const FORGET_EVERY_MS = 3_600_000
const FORGET_AFTER_MS = 86_400_000

/** Shared state over rows that all processes of a house reach. */
export function sharedState(rows: SharedRows, now: () => number): SharedState {
  const values = sharedValues(rows, now)
  return {
    ...values,
    ...sharedLimits(rows, now),
    stop: (name, { code, forMs }) => rows.stop(name, code, now() + forMs),
    stopped: async (name) => stopOf(await rows.read(name), now()),
  }
}

/** A name, where its value comes from, and what is wanted of it. */
interface Want {
  readonly name: string
  readonly source: Source
  readonly not: string | undefined
  readonly anew: boolean
}

/** What this process remembers of values that it read or fetched. */
interface Memory {
  recall(name: string, not: string | undefined): string | null
  keep(name: string, value: string, refreshAtMs: number): string
}

function memoryOf(now: () => number): Memory {
  const known = new Map<string, { readonly value: string; readonly untilMs: number }>()
  return {
    recall(name, not) {
      const one = known.get(name)
      return one !== undefined && one.value !== not && now() < one.untilMs ? one.value : null
    },
    keep(name, value, refreshAtMs) {
      if (known.size >= MOST_KNOWN) known.clear()
      known.set(name, { value, untilMs: Math.min(refreshAtMs, now() + LOCAL_MS) })
      return value
    },
  }
}

function sharedValues(rows: SharedRows, now: () => number): Pick<SharedState, 'peek' | 'obtain'> {
  const memory = memoryOf(now)
  const flights = new Map<string, Promise<string>>()
  const fetch = fetcher(rows, now, memory)

  async function find(want: Want): Promise<string> {
    const { name, not, anew } = want
    const token = randomBytes(16).toString('hex')
    for (let polls = 0; polls < MOST_POLLS; polls += 1) {
      const settled = settle(want, await rows.read(name), now(), memory)
      if (settled !== null) return settled
      const row = await rows.lease(name, token, now(), now() + LEASE_MS)
      if (row.leaseToken === token) return fetch(want, token, row)
      if (!anew && outlasts(row, not, now()))
        return memory.keep(name, row.value!, Math.min(row.expiresAtMs, now() + RENEWAL_MS))
      await sleep(POLLS_MS[polls] ?? LONGEST_POLL_MS)
    }
    throw new OutsideError('busy', 'awaited', `${nameOnly(name)} is being fetched by another process`)
  }

  return {
    peek: async (name, not) => memory.recall(name, not) ?? living(name, await rows.read(name), not, now(), memory),
    async obtain(name, source, { not, anew = false } = {}) {
      if (anew) return find({ name, source, not, anew })
      for (let turn = 0; ; turn += 1) {
        const here = memory.recall(name, not)
        if (here !== null) return here
        const running = flights.get(name)
        if (running === undefined) {
          const flight = find({ name, source, not, anew }).finally(() => flights.delete(name))
          flights.set(name, flight)
          return flight
        }
        const value = await running
        if (value !== not || turn === 1) return value
      }
    },
  }
}

/** Fetches with the lease in hand and ends it, whatever comes. */
function fetcher(
  rows: SharedRows,
  now: () => number,
  memory: Memory,
): (want: Want, token: string, row: SharedRow) => Promise<string> {
  let forgottenAtMs = now()
  async function got({ name, source, not }: Want, token: string, row: SharedRow): Promise<string> {
    const fetched = await source.fetch(row.expiresAtMs > 0)
    const at = now()
    const [refreshAtMs, expiresAtMs] = [at + fetched.refreshAfterMs, at + fetched.expiresAfterMs]
    await rows.keep(name, token, { value: fetched.value, refreshAtMs, expiresAtMs })
    if (fetched.value === not) await rows.stop(name, SAME_VALUE, at + SAME_VALUE_MS)
    if (at - forgottenAtMs > FORGET_EVERY_MS) {
      forgottenAtMs = at
      await rows.forget(at - FORGET_AFTER_MS)
    }
    return memory.keep(name, fetched.value, refreshAtMs)
  }
  return async (want, token, row) => {
    const { name, source, not } = want
    let asked = false
    try {
      // Whoever held the lease until now may have found a value, or the end of the credential.
      const late = settle(want, row, now(), memory)
      asked = late === null
      if (late === null) return await got(want, token, row)
      await rows.release(name, token)
      return late
    } catch (error) {
      const stop = asked && error instanceof OutsideError ? source.stops(error) : null
      if (stop) await rows.stop(name, stop.code, now() + stop.forMs)
      await rows.release(name, token)
      // It is only due for renewal: what lives is good enough until the other side can be reached.
      if (asked && stop === null && !want.anew && outlasts(row, not, now()))
        return memory.keep(name, row.value!, row.expiresAtMs)
      throw error
    }
  }
}

/** The value that stands, or null where it is to be fetched. Throws `broken` while the name is stopped. */
function settle(want: Want, row: SharedRow | null, nowMs: number, memory: Memory): string | null {
  const { name, source, not, anew } = want
  const alive = anew ? null : living(name, row, not, nowMs, memory)
  if (alive !== null) return alive
  const stop = stopOf(row, nowMs)
  if (stop === null) return null
  if (stop.code === SAME_VALUE) return not !== undefined && row?.value === not ? not : null
  if (anew && stop.forMs < stoppedFor(source, stop) - CHECK_AGAIN_MS) return null
  throw new OutsideError('broken', stop.code, `${nameOnly(name)} stopped after ${stop.code}`)
}

/** Whether a value may still be used, due for renewal or not. */
const outlasts = (row: SharedRow, not: string | undefined, nowMs: number): boolean =>
  row.value !== null && row.value !== not && nowMs < row.expiresAtMs

function living(
  name: string,
  row: SharedRow | null,
  not: string | undefined,
  nowMs: number,
  memory: Memory,
): string | null {
  const alive = row?.value && row.value !== not && nowMs < row.refreshAtMs
  return alive ? memory.keep(name, row.value, row.refreshAtMs) : null
}

function stopOf(row: SharedRow | null, nowMs: number): Stop | null {
  if (row === null || row.brokenCode === null || row.brokenUntilMs <= nowMs) return null
  return { code: row.brokenCode, forMs: row.brokenUntilMs - nowMs }
}

/** For how long a stop with this code was set. */
function stoppedFor(source: Source, stop: Stop): number {
  return source.stops(new OutsideError('broken', stop.code, 'stopped'))?.forMs ?? 0
}

/** The first two parts of a name say what it is; the rest whose. */
const nameOnly = (name: string): string => name.split(':').slice(0, 2).join(' ')

function sharedLimits(rows: SharedRows, now: () => number): Pick<SharedState, 'take' | 'full'> {
  const reserved = new Map<string, { slotAtMs: number; left: number }>()
  const fullUntil = new Map<string, number>()
  let filling: Promise<void> | null = null

  const slotMs = (limit: Limit): number => Math.ceil(limit.windowMs / SLOTS)
  const slotAt = (limit: Limit): number => Math.floor(now() / slotMs(limit)) * slotMs(limit)
  const left = (limit: Limit): number => {
    const own = reserved.get(limit.name)
    return own !== undefined && own.slotAtMs === slotAt(limit) ? own.left : 0
  }

  async function fill(limits: readonly Limit[]): Promise<void> {
    const asks = limits.map((limit) => ({
      name: limit.name,
      limit: limit.limit,
      slotAtMs: slotAt(limit),
      sinceMs: slotAt(limit) - SLOTS * slotMs(limit),
      want: limit.block ?? Math.max(1, Math.floor(limit.limit / 100)),
    }))
    const answers = new Map((await rows.reserve(asks)).map((one) => [one.name, one]))
    const refused = asks.filter((ask) => answers.get(ask.name)?.granted === 0)
    for (const [i, ask] of asks.entries()) {
      if (reserved.size + fullUntil.size >= MOST_KNOWN) {
        reserved.clear()
        fullUntil.clear()
      }
      const { granted = 0, oldestAtMs = ask.slotAtMs } = answers.get(ask.name) ?? {}
      if (refused.includes(ask)) fullUntil.set(ask.name, oldestAtMs + (SLOTS + 1) * slotMs(limits[i]!))
      else if (refused.length === 0) reserved.set(ask.name, { slotAtMs: ask.slotAtMs, left: granted })
    }
  }

  return {
    async take(limits) {
      for (;;) {
        const wait = Math.max(0, ...limits.map((limit) => (fullUntil.get(limit.name) ?? 0) - now()))
        if (wait > 0) return wait
        const empty = limits.filter((limit) => left(limit) === 0)
        if (empty.length === 0) {
          for (const limit of limits) reserved.get(limit.name)!.left -= 1
          return 0
        }
        if (filling !== null) await filling.catch(() => undefined)
        else {
          filling = fill(empty).finally(() => (filling = null))
          await filling
        }
      }
    },
    async full(limits) {
      let wait = 0
      for (const limit of limits) {
        const sinceMs = slotAt(limit) - SLOTS * slotMs(limit)
        const one = { name: limit.name, limit: limit.limit, slotAtMs: slotAt(limit), sinceMs, want: 1 }
        const { granted, oldestAtMs } = grantOf(one, await rows.slots(limit.name, sinceMs))
        if (granted === 0) wait = Math.max(wait, oldestAtMs + (SLOTS + 1) * slotMs(limit) - now())
      }
      return wait
    },
  }
}

/** What of an ask can be granted beside what these slots (their beginning, their count) already hold. */
export function grantOf(ask: Ask, slots: readonly Slot[]): Granted {
  const used = slots.reduce((sum, [, count]) => sum + count, 0)
  const holding = slots.filter(([, count]) => count > 0).map(([atMs]) => atMs)
  const granted = Math.max(0, Math.min(ask.want, ask.limit - used))
  return { name: ask.name, granted, oldestAtMs: holding.length === 0 ? ask.slotAtMs : Math.min(...holding) }
}
