/** Counts calls in a sliding window, per key. It never waits: the caller decides what to do with the answer. */
export interface Pace {
  /** Takes one call now and gives 0, or takes nothing and gives the milliseconds until a call is free. */
  take(key: string): number
}

/** A limiter of `limit` calls in any `windowMs`, counted in `slots` equal parts of the window. */
export function pace(limit: number, windowMs: number, now: () => number, slots = 60): Pace {
  const slotMs = windowMs / slots
  const windows = new Map<string, { slot: number; count: number }[]>()
  return {
    take(key) {
      const slot = Math.floor(now() / slotMs)
      const kept = (windows.get(key) ?? []).filter((part) => part.slot > slot - slots - 1)
      windows.set(key, kept)
      const total = kept.reduce((sum, part) => sum + part.count, 0)
      if (total >= limit) return Math.max(1, Math.ceil((kept[0]!.slot + slots + 1) * slotMs - now()))
      const last = kept.at(-1)
      if (last?.slot === slot) last.count += 1
      else kept.push({ slot, count: 1 })
      return 0
    },
  }
}
