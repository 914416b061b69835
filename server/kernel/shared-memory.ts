import { grantOf, type SharedRow, type SharedRows } from './shared-state.ts'

/** Rows in the memory of this process: for tests of an adapter alone. */
export function memoryRows(): SharedRows {
  const values = new Map<string, SharedRow & { leaseUntilMs: number }>()
  const counts = new Map<string, Map<number, number>>()
  const none = {
    value: null,
    refreshAtMs: 0,
    expiresAtMs: 0,
    leaseToken: null,
    leaseUntilMs: 0,
    brokenCode: null,
    brokenUntilMs: 0,
  }
  const put = (name: string, change: Partial<SharedRow & { leaseUntilMs: number }>) => {
    const row = { ...none, ...values.get(name), ...change }
    values.set(name, row)
    return row
  }
  return {
    read: async (name) => values.get(name) ?? null,
    lease: async (name, leaseToken, nowMs, leaseUntilMs) =>
      put(name, (values.get(name)?.leaseUntilMs ?? 0) < nowMs ? { leaseToken, leaseUntilMs } : {}),
    async keep(name, token, kept) {
      if (values.get(name)?.leaseToken === token)
        put(name, { ...kept, leaseToken: null, leaseUntilMs: 0, brokenCode: null, brokenUntilMs: 0 })
    },
    async release(name, token) {
      if (values.get(name)?.leaseToken === token) put(name, { leaseToken: null, leaseUntilMs: 0 })
    },
    stop: async (name, brokenCode, brokenUntilMs) => void put(name, { brokenCode, brokenUntilMs }),
    async reserve(asks) {
      const grants = asks.map((ask) => {
        const slots = [...(counts.get(ask.name) ?? [])].filter(([atMs]) => atMs >= ask.sinceMs)
        return grantOf(ask, slots)
      })
      if (grants.some((one) => one.granted === 0)) return grants
      for (const [i, ask] of asks.entries()) {
        const slots = new Map([...(counts.get(ask.name) ?? [])].filter(([atMs]) => atMs >= ask.sinceMs))
        slots.set(ask.slotAtMs, (slots.get(ask.slotAtMs) ?? 0) + grants[i]!.granted)
        counts.set(ask.name, slots)
      }
      return grants
    },
    slots: async (name, sinceMs) => [...(counts.get(name) ?? [])].filter(([atMs]) => atMs >= sinceMs),
    async forget(beforeMs) {
      for (const [name, row] of values)
        if (Math.max(row.expiresAtMs, row.brokenUntilMs, row.leaseUntilMs) < beforeMs) values.delete(name)
    },
  }
}
