import type { Id } from '../../../contract/ids.ts'
import { ListingDetail, ListingInput, Shelf, ShelfInput } from '../../../contract/store/shelf.ts'
import type { Actor } from '../../kernel/context.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { readListing, readShelf } from './read-shelf.ts'

/** Anybody may look; whoever has signed in sees what is for them besides. */
const looks = { method: 'GET', may: 'public', scope: 'read', crowd: true } as const
const whoLooks = (actor: Actor): Id<'buyer'> | null => (actor.kind === 'buyer' ? actor.buyerId : null)

/** What the storefront shows of the shelf. */
export const storeShelfEndpoints: readonly Endpoint[] = [
  endpoint({
    ...looks,
    path: '/store/shelf',
    input: ShelfInput,
    output: Shelf,
    run: (tx, query) => readShelf(tx, query, whoLooks(tx.actor)),
  }),
  endpoint({
    ...looks,
    path: '/store/listings/:id',
    input: ListingInput,
    output: ListingDetail,
    run: (tx, { id }) => readListing(tx, id, whoLooks(tx.actor)),
  }),
]
