import type { Fen } from '../../../contract/fen.ts'
import type { TemplateView } from '../../../contract/hr/campaign.ts'
import type { Id } from '../../../contract/ids.ts'
import type { StoreChannel } from '../../../contract/store/order.ts'
import {
  amountCodes,
  amountRanges,
  type AmountCode,
  type ListingCategory,
  type ShelfInput,
  type ShelfSortKey,
  type ValidityCode,
} from '../../../contract/store/shelf.ts'
import { priceAt, priceFrom, type Promo } from './rules.ts'

/** A listing as every process keeps it: all that a list looks at, but for what changes with each order. */
export interface ShelfItem {
  readonly id: Id<'listing'>
  readonly shelfVersion: number
  readonly category: ListingCategory
  readonly brandId: Id<'brand'>
  readonly brandName: string
  readonly title: string
  readonly subtitle: string
  readonly cover: TemplateView['cover']
  readonly faces: readonly Fen[]
  readonly minFaceFen: Fen
  readonly maxFaceFen: Fen
  readonly stepFen: Fen
  readonly priceBp: number
  readonly validDays: number | null
  readonly channels: readonly StoreChannel[]
  readonly series: boolean
  readonly giftable: boolean
  readonly segment: string | null
  readonly promoNumber: number
  /** The terms alone: nothing is taken of it here. */
  readonly promo: Promo
  readonly createdAtMs: number
  readonly amounts: readonly AmountCode[]
  readonly validity: ValidityCode
  readonly searchText: string
  /** What it is by each facet, in the order of `facets`, as numbers of `FacetCodes`. */
  readonly codes: readonly (readonly number[])[]
}

/** Every value of every facet has a number, so that counting ten thousand listings is no more than adding. It only grows. */
export interface FacetCodes {
  readonly codeOf: (facet: Facet, value: string) => number
  /** A value that no listing has is no number: what people ask for must not make it grow. */
  readonly find: (facet: Facet, value: string) => number | undefined
  readonly all: readonly { readonly facet: Facet; readonly value: string }[]
}

export function facetCodes(): FacetCodes {
  const known = new Map<string, number>()
  const all: { readonly facet: Facet; readonly value: string }[] = []
  const codeOf = (facet: Facet, value: string): number => {
    const key = `${facet} ${value}`
    const code = known.get(key) ?? all.push({ facet, value }) - 1
    known.set(key, code)
    return code
  }
  return { codeOf, find: (facet, value) => known.get(`${facet} ${value}`), all }
}

/** What a listing is by each facet. */
export function codesOf(
  item: Pick<ShelfItem, 'category' | 'brandId' | 'amounts' | 'validity' | 'channels'>,
  { codeOf }: FacetCodes,
): number[][] {
  const values: Readonly<Record<Facet, readonly string[]>> = {
    category: [item.category],
    brand: [item.brandId],
    amount: item.amounts,
    validity: [item.validity],
    channel: item.channels,
  }
  return facets.map((facet) => values[facet].map((value) => codeOf(facet, value)))
}

/** What is asked of a list, made ready. */
export interface ShelfWish {
  readonly terms: readonly string[]
  readonly wanted: Pick<ShelfInput, 'category' | 'brand' | 'amount' | 'validity' | 'channel'>
  readonly sort: ShelfSortKey
  readonly second: ShelfSortKey
  /** The place of the last listing of the page before. */
  readonly after: Place | null
  readonly limit: number
  /** At which instant prices are looked at: that of the first page. */
  readonly atMs: number
  readonly sales: ReadonlyMap<string, number>
  /** The audiences of whoever asks. */
  readonly segments: readonly string[]
}

/** Two keys and an id: no two listings have the same. */
export type Place = readonly [number, number, string]
const facets = ['category', 'brand', 'amount', 'validity', 'channel'] as const
export type Facet = (typeof facets)[number]

export interface Chosen {
  readonly page: readonly ShelfItem[]
  /** Null: there is no page behind this one. */
  readonly next: Place | null
  readonly total: number
  /** Of each facet, how many there are by its values under all that was asked for besides. */
  readonly counts: Readonly<Record<Facet, ReadonlyMap<string, number>>>
}

/** Goes over the whole shelf once: which listings answer, how many by each facet, and the page behind a place. */
export function chooseListings(items: Iterable<ShelfItem>, codes: FacetCodes, wish: ShelfWish): Chosen {
  const counts = new Uint32Array(codes.all.length)
  const wanted = wantedOf(codes, wish)
  const best: Placed[] = []
  let total = 0
  for (const item of items) {
    if (item.segment !== null && !wish.segments.includes(item.segment)) continue
    if (!wish.terms.every((term) => item.searchText.includes(term))) continue
    const failed = failedBy(item, wanted)
    if (failed === MANY) continue
    // A listing that only one facet keeps out is there as soon as that facet is taken back: it counts for that one.
    if (failed !== NONE) {
      for (const code of item.codes[failed]!) counts[code]! += 1
      continue
    }
    for (const own of item.codes) for (const code of own) counts[code]! += 1
    total += 1
    const place: Place = [keyOf(item, wish.sort, wish), keyOf(item, wish.second, wish), item.id]
    if (wish.after === null || comparePlaces(place, wish.after) > 0) insert(best, { item, place }, wish.limit + 1)
  }
  const page = best.slice(0, wish.limit)
  const next = best.length > wish.limit ? page.at(-1)!.place : null
  return { page: page.map(({ item }) => item), next, total, counts: countsOf(codes, counts) }
}

const NONE = -1
const MANY = -2

/** Of each facet that was asked for, a mark at each number of which one must be there; null: all do. */
function wantedOf(codes: FacetCodes, { wanted }: ShelfWish): (Uint8Array | null)[] {
  return facets.map((facet) => {
    const values: readonly string[] = wanted[facet]
    if (values.length === 0) return null
    const marks = new Uint8Array(codes.all.length)
    for (const value of values) marks[codes.find(facet, value) ?? codes.all.length] = 1
    return marks
  })
}

/** Which facet keeps a listing out: none, one by its place, or more than one. */
function failedBy({ codes }: ShelfItem, wanted: readonly (Uint8Array | null)[]): number {
  let failed = NONE
  for (let facet = 0; facet < wanted.length; facet += 1) {
    const marks = wanted[facet]
    if (marks == null || isMarked(codes[facet]!, marks)) continue
    if (failed !== NONE) return MANY
    failed = facet
  }
  return failed
}

function isMarked(codes: readonly number[], marks: Uint8Array): boolean {
  for (const code of codes) if (marks[code] === 1) return true
  return false
}

function countsOf(codes: FacetCodes, counts: Uint32Array): Chosen['counts'] {
  const read = {
    category: newCount(),
    brand: newCount(),
    amount: newCount(),
    validity: newCount(),
    channel: newCount(),
  }
  for (const [code, count] of counts.entries()) {
    const { facet, value } = codes.all[code]!
    if (count > 0) read[facet].set(value, count)
  }
  return read
}
const newCount = () => new Map<string, number>()

interface Placed {
  readonly item: ShelfItem
  readonly place: Place
}

/** Smaller comes first. */
function keyOf(item: ShelfItem, key: ShelfSortKey, { atMs, sales }: ShelfWish): number {
  switch (key) {
    case 'price_up':
      return priceFrom(item, priceAt(item.priceBp, item.promo, atMs, 0).priceBp)
    case 'price_down':
      return 0 - priceFrom(item, priceAt(item.priceBp, item.promo, atMs, 0).priceBp)
    case 'sales_down':
      return -(sales.get(item.id) ?? 0)
    case 'validity_up':
      return item.validDays ?? Number.MAX_SAFE_INTEGER
    case 'validity_down':
      return -(item.validDays ?? Number.MAX_SAFE_INTEGER)
    case 'newest':
      return -item.createdAtMs
  }
}

export function comparePlaces(a: Place, b: Place): number {
  if (a[0] !== b[0]) return a[0] - b[0]
  if (a[1] !== b[1]) return a[1] - b[1]
  if (a[2] === b[2]) return 0
  return a[2] < b[2] ? -1 : 1
}

/** Into a list in order that keeps the first `most`: a page is short, and most listings do not get into it. */
function insert(best: Placed[], one: Placed, most: number): void {
  if (best.length === most && comparePlaces(one.place, best[most - 1]!.place) > 0) return
  let at = best.length
  while (at > 0 && comparePlaces(one.place, best[at - 1]!.place) < 0) at -= 1
  best.splice(at, 0, one)
  if (best.length > most) best.pop()
}

/** In which ranges of amounts a card lies: a free amount in every one that it reaches. */
export function amountsOf(item: {
  readonly faces: readonly number[]
  readonly minFaceFen: number
  readonly maxFaceFen: number
}): AmountCode[] {
  const { faces, minFaceFen: min, maxFaceFen: max } = item
  return amountCodes.filter((code) => {
    const { fromFen, toFen } = amountRanges[code]
    if (faces.length > 0) return faces.some((face) => face >= fromFen && (toFen === null || face < toFen))
    return max >= fromFen && (toFen === null || min < toFen)
  })
}

const FIVE_YEARS_DAYS = 5 * 365
export function validityOf(validDays: number | null): ValidityCode {
  if (validDays === null) return 'endless'
  return validDays > FIVE_YEARS_DAYS ? 'over_5_years' : 'to_5_years'
}
