import { computed, onScopeDispose, ref, type ComputedRef } from 'vue'

/**
 * What must be added to this phone's clock to have the server's: prices, locks and rights go by that, and phones' clocks are
 * often wrong. Learnt from whatever answer tells the time.
 */
const aheadMs = ref(0)

/** Learns from an answer that says `nowMs`; it was true somewhere between the question and now. */
export function learnClock(nowMs: number, askedMs: number): void {
  const hereMs = Date.now()
  const ahead = nowMs - (askedMs + hereMs) / 2
  // An answer that took long tells little: a quick one, and a first one, count.
  if (aheadMs.value === 0 || hereMs - askedMs < 1_000) aheadMs.value = ahead
}

export const serverNow = (): number => Date.now() + aheadMs.value

/** The server's clock as a page shows it, as long as the component lives. */
export function useServerClock(everyMs = 500): ComputedRef<number> {
  const tickMs = ref(Date.now())
  const ticking = setInterval(() => (tickMs.value = Date.now()), everyMs)
  onScopeDispose(() => clearInterval(ticking))
  return computed(() => tickMs.value + aheadMs.value)
}
