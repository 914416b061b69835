import { onScopeDispose, reactive, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { RosterRowView, RosterRows } from '../../../../contract/hr/staff.ts'
import type { RowFaultCode } from '../../../../contract/roster-row.ts'
import { get, toApiProblem, type ApiProblem } from '../../../lib/api.ts'

export interface RowFilter {
  readonly faulty: boolean
  readonly code: RowFaultCode | null
  readonly query: string
}

const pageRows = 100
/** Pages kept in memory; the ones looked at longest ago go first. */
const pagesKept = 40

export interface Rows {
  readonly total: Ref<number | null>
  readonly problem: ShallowRef<ApiProblem | null>
  readonly at: (index: number) => RosterRowView | undefined
  readonly need: (first: number, last: number) => void
  readonly reset: () => void
  readonly replace: (rows: readonly RosterRowView[]) => boolean
  readonly nextFaulty: (afterRow: number) => Promise<RosterRowView | null>
  readonly indexOf: (row: RosterRowView) => Promise<number | null>
}

/**
 * A window into the rows of a list that may be 200,000 long: pages of 100 are fetched as they come into sight.
 * A row that no longer matches the filter after mending stays where it is until `reset`, so that nothing jumps.
 */
export function useRows(rosterId: () => string, filter: () => RowFilter): Rows {
  const store = makePages(() => `/hr/rosters/${rosterId()}/rows`, filter)
  let seeking = false

  async function nextFaulty(afterRow: number): Promise<RosterRowView | null> {
    const { code, query } = filter()
    const path = `/hr/rosters/${rosterId()}/rows`
    const answer = await get<RosterRows>(path, { faulty: true, code, after: afterRow, limit: 1 }, undefined, query)
    return answer.rows[0] ?? null
  }

  async function indexOf(row: RosterRowView): Promise<number | null> {
    seeking = true
    try {
      return await seek(store, row)
    } finally {
      seeking = false
    }
  }

  function need(first: number, last: number): void {
    const wanted = new Set<number>()
    for (let page = pageOf(first); page <= pageOf(Math.max(first, last)); page += 1) wanted.add(page)
    if (!seeking) store.giveUp((page) => !wanted.has(page))
    for (const page of wanted) if (!store.pages.has(page) && !store.asked.has(page)) void store.fetchPage(page)
  }

  function reset(): void {
    store.giveUp(() => true)
    store.pages.clear()
    store.total.value = null
    store.problem.value = null
  }

  onScopeDispose(reset)
  return {
    total: store.total,
    problem: store.problem,
    at: (index) => store.pages.get(pageOf(index))?.[index % pageRows],
    need,
    reset,
    replace: (rows) => replaceRows(store.pages, rows),
    nextFaulty,
    indexOf,
  }
}

const pageOf = (index: number): number => Math.floor(index / pageRows)

interface Pages {
  readonly pages: Map<number, RosterRowView[]>
  readonly asked: Map<number, AbortController>
  readonly total: Ref<number | null>
  readonly problem: ShallowRef<ApiProblem | null>
  readonly fetchPage: (page: number) => Promise<void>
  readonly giveUp: (which: (page: number) => boolean) => void
}

function makePages(path: () => string, filter: () => RowFilter): Pages {
  const pages = reactive(new Map<number, RosterRowView[]>())
  const asked = new Map<number, AbortController>()
  const total = ref<number | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)

  const leaves = (row: RosterRowView): boolean => {
    const { faulty, code } = filter()
    return (faulty || code !== null) && !row.faults.some((fault) => code === null || fault.code === code)
  }
  /** Rows shown before this page that the server no longer counts among the filtered ones. */
  const goneBefore = (page: number): number =>
    [...pages].reduce((sum, [number, rows]) => (number < page ? sum + rows.filter(leaves).length : sum), 0)

  async function fetchPage(page: number): Promise<void> {
    const mine = new AbortController()
    asked.set(page, mine)
    const { faulty, code, query } = filter()
    try {
      const offset = Math.max(0, page * pageRows - goneBefore(page))
      const answer = await get<RosterRows>(path(), { faulty, code, offset, limit: pageRows }, mine.signal, query)
      if (mine.signal.aborted) return
      pages.set(page, answer.rows)
      total.value = answer.total + goneBefore(Number.POSITIVE_INFINITY)
      problem.value = null
      forgetOld(page)
    } catch (error) {
      if (!mine.signal.aborted) problem.value = toApiProblem(error)
    } finally {
      if (asked.get(page) === mine) asked.delete(page)
    }
  }

  function forgetOld(here: number): void {
    if (pages.size <= pagesKept) return
    const far = [...pages.keys()].sort((a, b) => Math.abs(b - here) - Math.abs(a - here))
    // A page with mended rows stays: the offsets of the others count on it.
    const one = far.find((page) => !pages.get(page)!.some(leaves))
    if (one !== undefined) pages.delete(one)
  }

  function giveUp(which: (page: number) => boolean): void {
    for (const [page, running] of asked)
      if (which(page)) {
        running.abort()
        asked.delete(page)
      }
  }

  return { pages, asked, total, problem, fetchPage, giveUp }
}

/** Puts in rows as the server has them now; true when one of them was not on a page we hold. */
function replaceRows(pages: Map<number, RosterRowView[]>, rows: readonly RosterRowView[]): boolean {
  const fresh = new Map<string, RosterRowView>(rows.map((row) => [row.id, row]))
  for (const [page, old] of pages) {
    if (!old.some((row) => fresh.has(row.id))) continue
    const now = old.map((row) => fresh.get(row.id) ?? row)
    for (const row of old) fresh.delete(row.id)
    pages.set(page, now)
  }
  return fresh.size > 0
}

/** Where a row stands among the filtered rows: a guess by its number, then the pages between are narrowed down. */
async function seek(store: Pages, row: RosterRowView): Promise<number | null> {
  let [low, high] = [0, pageOf(Math.max(0, (store.total.value ?? 1) - 1))]
  let probe = pageOf(row.row)
  while (low <= high) {
    const page = Math.min(high, Math.max(low, probe))
    if (!store.pages.has(page)) await store.fetchPage(page)
    const rows = store.pages.get(page)
    const [head, tail] = [rows?.[0], rows?.at(-1)]
    if (rows === undefined || head === undefined || tail === undefined) return null
    const place = rows.findIndex((one) => one.id === row.id)
    if (place >= 0) return page * pageRows + place
    if (row.row < head.row) high = page - 1
    else if (row.row > tail.row) low = page + 1
    else return null
    probe = Math.floor((low + high) / 2)
  }
  return null
}
