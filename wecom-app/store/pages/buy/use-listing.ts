import { shallowRef, type ShallowRef } from 'vue'
import type { ListingDetail } from '../../../../contract/store/shelf.ts'
import { get, toApiProblem, type ApiProblem } from '../../../lib/api.ts'
import { whileSeen } from '../../../lib/while-seen.ts'
import { learnClock, serverNow } from '../../server-clock.ts'

const LIVE_MS = 1_000
const CALM_MS = 10_000

/** A listing with all its terms, as it is now: what is left of it, and a price that begins or ends. */
export function useListing(id: string): {
  readonly listing: ShallowRef<ListingDetail | null>
  readonly problem: ShallowRef<ApiProblem | null>
  readonly reload: () => Promise<void>
} {
  const listing = shallowRef<ListingDetail | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)
  let readMs = 0
  let reading = false

  async function reload(): Promise<void> {
    if (reading) return
    reading = true
    const askedMs = Date.now()
    readMs = askedMs
    try {
      const answer = await get<ListingDetail>(`/store/listings/${id}`)
      learnClock(answer.nowMs, askedMs)
      // The same answer again is no news, but for its clock.
      const before = listing.value === null ? '' : JSON.stringify({ ...listing.value, nowMs: 0 })
      if (before !== JSON.stringify({ ...answer, nowMs: 0 })) listing.value = answer
      problem.value = null
    } catch (error) {
      problem.value = toApiProblem(error)
    }
    reading = false
  }
  /** Whether the price changed by the clock since it was read. */
  const turned = (): boolean => {
    const terms = listing.value?.promoTerms ?? null
    const since = readMs + (serverNow() - Date.now())
    return terms !== null && [terms.fromMs, terms.untilMs].some((atMs) => since < atMs && serverNow() >= atMs)
  }
  whileSeen(LIVE_MS / 2, () => {
    const sinceMs = Date.now() - readMs
    const limited = listing.value !== null && listing.value.left !== null
    if (turned() || sinceMs >= (limited ? LIVE_MS : CALM_MS)) void reload()
  })
  void reload()
  return { listing, problem, reload }
}
