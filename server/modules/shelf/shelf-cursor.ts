import { z } from 'zod'
import { isId } from '../../../contract/ids.ts'
import { shelfSortKeys, type ShelfSortKey } from '../../../contract/store/shelf.ts'
import { refuse } from '../../kernel/errors.ts'
import type { Place } from './choose-listings.ts'

/** Where a reader of pages stands: by which sales and at which instant's prices they read, in which order, and up to where. */
export interface ShelfCursor {
  readonly round: number
  readonly atMs: number
  readonly sort: ShelfSortKey
  readonly second: ShelfSortKey
  readonly place: Place
}

const Written = z.tuple([
  z.int().min(0),
  z.int().min(0),
  z.enum(shelfSortKeys),
  z.enum(shelfSortKeys),
  z.number(),
  z.number(),
  z.string().refine((text) => isId('listing', text)),
])

export const writeCursor = ({ round, atMs, sort, second, place }: ShelfCursor): string =>
  Buffer.from(JSON.stringify([round, atMs, sort, second, ...place])).toString('base64url')

/** Refuses with `malformed_request` what we never wrote. */
export function readCursor(text: string): ShelfCursor {
  const read = Written.safeParse(parsed(text))
  if (!read.success) refuse('malformed_request', { field: 'cursor' })
  const [round, atMs, sort, second, ...place] = read.data
  return { round, atMs, sort, second, place }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return null
  }
}
