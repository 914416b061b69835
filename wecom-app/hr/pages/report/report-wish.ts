import type { LocationQuery } from 'vue-router'

/** What a report is asked for, as the address of the page and of the server say it. An empty department is one of its own. */
export interface Wish {
  readonly fromDay?: string
  readonly toDay?: string
  readonly campaignId?: string
  readonly department?: string
}
const names = ['fromDay', 'toDay', 'campaignId', 'department'] as const

/** The wish in an address of the page. */
export function wishOf(query: LocationQuery): Wish {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = query[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
}

/** A path of the server with a wish; nothing is left out for being empty. */
export function pathOf(path: string, wish: Wish, more: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({ ...wish, ...more }).toString()
  return query === '' ? path : `${path}?${query}`
}
