import { computed, onScopeDispose, ref, type ComputedRef } from 'vue'

/** What is left until an instant, as 4:59; null when it is over or there is none. */
export function useCountdown(untilMs: () => number | null): ComputedRef<string | null> {
  const now = ref(Date.now())
  const clock = setInterval(() => (now.value = Date.now()), 250)
  onScopeDispose(() => clearInterval(clock))
  return computed(() => {
    const left = Math.ceil(((untilMs() ?? 0) - now.value) / 1000)
    return left > 0 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}` : null
  })
}
