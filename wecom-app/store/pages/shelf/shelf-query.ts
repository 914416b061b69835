import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type * as shelf from '../../../../contract/store/shelf.ts'

type AmountCode = shelf.AmountCode
type ListingCategory = shelf.ListingCategory
type ShelfSortKey = shelf.ShelfSortKey
type ValidityCode = shelf.ValidityCode

// What the contract says, without the schemas that come with it: they weigh more than the whole shelf.
export const SEARCH_CHARACTERS = 60 satisfies typeof shelf.SEARCH_CHARACTERS
const sorts = {
  sales_down: true,
  newest: true,
  price_up: true,
  price_down: true,
  validity_down: true,
  validity_up: true,
} satisfies Record<ShelfSortKey, true>
export const sortKeys = Object.keys(sorts) as readonly ShelfSortKey[]
export const amountRanges = {
  to_50: { fromFen: 0, toFen: 5_000 },
  '50_200': { fromFen: 5_000, toFen: 20_000 },
  '200_500': { fromFen: 20_000, toFen: 50_000 },
  '500_1000': { fromFen: 50_000, toFen: 100_000 },
  from_1000: { fromFen: 100_000, toFen: null },
} as const satisfies typeof shelf.amountRanges

/** What somebody asked the shelf for. It stands in the address, so that the way back from a card leads to the same list. */
export interface ShelfQuery {
  readonly search: string
  readonly category: ListingCategory | ''
  readonly brand: readonly string[]
  readonly amount: readonly AmountCode[]
  readonly validity: readonly ValidityCode[]
  readonly sort: ShelfSortKey
  /** What stands equal by the first key is sorted by this one; `then` in addresses. */
  readonly second: ShelfSortKey
}

export const noQuery: ShelfQuery = {
  search: '',
  category: '',
  brand: [],
  amount: [],
  validity: [],
  sort: 'sales_down',
  second: 'newest',
}

const text = (query: LocationQuery, name: string): string => String(query[name] ?? '')
const several = (query: LocationQuery, name: string): string[] =>
  text(query, name)
    .split(',')
    .filter((one) => one !== '')

/** Reads an address. What the server does not know it refuses, in words. */
export function readQuery(query: LocationQuery): ShelfQuery {
  return {
    search: text(query, 'search'),
    category: text(query, 'category') as ShelfQuery['category'],
    brand: several(query, 'brand'),
    amount: several(query, 'amount') as AmountCode[],
    validity: several(query, 'validity') as ValidityCode[],
    sort: (text(query, 'sort') || noQuery.sort) as ShelfSortKey,
    second: (text(query, 'second') || noQuery.second) as ShelfSortKey,
  }
}

/** As it stands in an address and in the question to the server: only what differs from asking for nothing. */
export function writeQuery(query: ShelfQuery): LocationQueryRaw & Record<string, string> {
  const asked = Object.entries(query).map(([name, value]) => [name, String(value)])
  const usual = new Map(Object.entries(noQuery).map(([name, value]) => [name, String(value)]))
  return Object.fromEntries(asked.filter(([name = '', value]) => value !== usual.get(name)))
}

/** How many things are asked for in the sheet of filters. */
export const filtersIn = (query: ShelfQuery): number =>
  query.brand.length +
  query.amount.length +
  query.validity.length +
  Number(query.sort !== noQuery.sort || query.second !== noQuery.second)
