import { computed, onScopeDispose, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { ShownPayCode } from '../../../../contract/employee/pack.ts'
import { send, toApiProblem, type ApiProblem } from '../../../lib/api.ts'
import { signInAgain } from '../../session.ts'

/** The next code is asked for so long before the end of the one that is shown: time for a slow line, and for a second try. */
const AHEAD_MS = 15_000
const AGAIN_MS = 4_000
const TICK_MS = 500

export interface PayCodes {
  /** The digits to show; null: none that is still good. */
  readonly code: ComputedRef<string | null>
  /** What is left of its life, 1 to 0. */
  readonly left: ComputedRef<number>
  readonly leftSeconds: ComputedRef<number>
  /** Why there is no newer one. */
  readonly problem: ShallowRef<ApiProblem | null>
  /** The server's clock when the first code came: from then on a purchase belongs to this page. */
  readonly beganMs: Ref<number | null>
  /** Asks for a fresh code now. */
  readonly renew: () => Promise<void>
  /** Puts away the code that is there, which has paid, and asks for a fresh one. */
  readonly next: () => Promise<void>
}

/**
 * A payment code that renews itself before its end while the page is in sight. Without network the one that is there stays
 * until its end: it was made for that. `path` makes codes; `paused` stops asking.
 */
export function usePayCode(path: string, paused: () => boolean): PayCodes {
  const shown = shallowRef<ShownPayCode | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)
  const beganMs = ref<number | null>(null)
  const nowMs = ref(Date.now())
  /** What must be added to this phone's clock to have the server's. */
  let aheadMs = 0
  let asking = false
  let notBeforeMs = 0

  async function renew(): Promise<void> {
    if (asking) return
    asking = true
    const askedMs = Date.now()
    try {
      const fresh = await send<ShownPayCode>('POST', path)
      // The answer took its time: what it says the clock is was true at its middle at the latest.
      aheadMs = fresh.nowMs - (askedMs + Date.now()) / 2
      shown.value = fresh
      beganMs.value ??= fresh.nowMs
      problem.value = null
      nowMs.value = Date.now()
    } catch (error) {
      problem.value = toApiProblem(error)
      notBeforeMs = Date.now() + AGAIN_MS
      if (problem.value.status === 401) signInAgain()
    }
    asking = false
  }
  const leftMs = computed(() => Math.max(0, (shown.value?.expiresAtMs ?? 0) - nowMs.value - aheadMs))
  const lifeMs = computed(() => (shown.value === null ? 1 : shown.value.expiresAtMs - shown.value.nowMs))
  const tick = (): void => {
    nowMs.value = Date.now()
    const refused = problem.value !== null && problem.value.status >= 400 && problem.value.status < 500
    if (document.hidden || paused() || refused || leftMs.value > AHEAD_MS || nowMs.value < notBeforeMs) return
    void renew()
  }
  const online = (): void => {
    notBeforeMs = 0
    tick()
  }
  const ticking = setInterval(tick, TICK_MS)
  window.addEventListener('online', online)
  onScopeDispose(() => {
    clearInterval(ticking)
    window.removeEventListener('online', online)
  })
  void renew()
  return {
    code: computed(() => (leftMs.value > 0 ? (shown.value?.code ?? null) : null)),
    left: computed(() => Math.min(1, leftMs.value / lifeMs.value)),
    leftSeconds: computed(() => Math.ceil(leftMs.value / 1000)),
    problem,
    beganMs,
    renew,
    next: () => {
      shown.value = null
      return renew()
    },
  }
}
