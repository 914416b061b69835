import { computed, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import type { ClerkSession } from '../../contract/merchant/till.ts'
import { get, signedOut, toApiProblem, type ApiProblem } from '../lib/api.ts'

/** `closed`: nobody is signed in on this phone. */
export type Gate = 'checking' | 'closed' | 'failed' | 'open'

export const gate: Ref<Gate> = ref('checking')
/** Who stands at this till; kept in memory only. */
export const session: ShallowRef<ClerkSession | null> = shallowRef(null)
export const gateProblem: ShallowRef<ApiProblem | null> = shallowRef(null)

/** False while the server cannot be reached: then no card is taken, and nothing is kept to be sent later. */
export const online: Ref<boolean> = ref(navigator.onLine)
/** How often a phone without network asks whether it is back. */
const ASK_MS = 4000

export const isManager = computed(() => session.value?.clerk.role === 'manager')
/** The open shift, where it was begun in the shop where the clerk stands. */
export const shiftHere = computed(() => {
  const { shift, shop } = session.value ?? {}
  return shift && shop && shift.shopId === shop.id ? shift : null
})

/** Reads who is signed in and the sums of the shift; what is shown stays where the network is away. */
export async function readSession(): Promise<void> {
  try {
    session.value = await get<ClerkSession>('/merchant/session')
    gateProblem.value = null
    gate.value = 'open'
    signedOut.value = false
    online.value = true
  } catch (error) {
    const problem = toApiProblem(error)
    if (problem.status === 0) online.value = false
    if (problem.status === 401) {
      session.value = null
      gate.value = 'closed'
    } else if (session.value === null) {
      gateProblem.value = problem
      gate.value = 'failed'
    }
  }
}

/** Keeps `online` true to life for as long as the page lives. */
export function followNetwork(): void {
  window.addEventListener('offline', () => (online.value = false))
  window.addEventListener('online', () => void readSession())
  setInterval(() => {
    if (!online.value && navigator.onLine) void readSession()
  }, ASK_MS)
  watch(signedOut, (out) => {
    if (out && gate.value === 'open') void readSession()
  })
}
