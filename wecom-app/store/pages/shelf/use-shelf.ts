import { computed, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { ListingSummary, Shelf } from '../../../../contract/store/shelf.ts'
import { get, toApiProblem, type ApiProblem } from '../../../lib/api.ts'
import { whileSeen } from '../../../lib/while-seen.ts'
import { learnClock } from '../../server-clock.ts'
import { writeQuery, type ShelfQuery } from './shelf-query.ts'

/** What is left of a limited card is shown as it is now; where nothing is limited, prices alone may change. */
const LIVE_MS = 1_000
const CALM_MS = 15_000

export interface ShelfList {
  readonly listings: ShallowRef<readonly ListingSummary[] | null>
  /** The answer to the question as it stands: facets and the total. */
  readonly shelf: ShallowRef<Shelf | null>
  readonly problem: ShallowRef<ApiProblem | null>
  readonly busy: Ref<boolean>
  readonly hasMore: ComputedRef<boolean>
  readonly reload: () => Promise<void>
  readonly more: () => Promise<void>
}

/** The list that a question leads to, page by page, kept true while it is looked at. */
export function useShelf(query: () => ShelfQuery): ShelfList {
  const listings = shallowRef<readonly ListingSummary[] | null>(null)
  const shelf = shallowRef<Shelf | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)
  const nextCursor = ref<string | null>(null)
  const busy = ref(false)
  let asked = 0
  let readMs = 0

  async function read(cursor: string | null): Promise<void> {
    const mine = (asked += 1)
    busy.value = true
    try {
      const askedMs = Date.now()
      const answer = await get<Shelf>('/store/shelf', { ...writeQuery(query()), cursor })
      if (mine !== asked) return
      readMs = askedMs
      learnClock(answer.nowMs, askedMs)
      problem.value = null
      listings.value = cursor === null ? answer.listings : [...(listings.value ?? []), ...answer.listings]
      if (cursor === null) shelf.value = answer
      nextCursor.value = answer.nextCursor
    } catch (error) {
      if (mine === asked) problem.value = toApiProblem(error)
    } finally {
      if (mine === asked) busy.value = false
    }
  }

  /** Prices and stock of what is shown, as they are now; the order in which they are shown stays. */
  async function refresh(): Promise<void> {
    const mine = asked
    if (busy.value || listings.value === null) return
    readMs = Date.now()
    const answer = await get<Shelf>('/store/shelf', writeQuery(query())).catch(() => null)
    if (answer === null || mine !== asked) return
    const fresh = new Map(answer.listings.map((one) => [one.id, one]))
    listings.value = listings.value.map((one) => fresh.get(one.id) ?? one)
  }
  whileSeen(LIVE_MS, () => {
    const limited = listings.value?.some((one) => one.left !== null && one.left > 0) === true
    if (Date.now() - readMs >= (limited ? LIVE_MS : CALM_MS)) void refresh()
  })

  watch(
    () => JSON.stringify(writeQuery(query())),
    () => {
      listings.value = null
      void read(null)
    },
    { immediate: true },
  )
  return {
    listings,
    shelf,
    problem,
    busy,
    hasMore: computed(() => nextCursor.value !== null),
    reload: () => read(null),
    more: async () => {
      await read(nextCursor.value)
      // The order was renewed meanwhile: from the first page on it is whole again.
      if (problem.value?.code === 'cursor_expired') await read(null)
    },
  }
}
