import { z } from 'zod'
import {
  ChangeListingInput,
  ChangeSegmentInput,
  ListingChanged,
  ListingIdInput,
  ListingMade,
  Listings,
  ListingsInput,
  ListingView,
  NewListingInput,
  SegmentChanged,
  Segments,
  UnlistedTemplates,
} from '../../../contract/operator/shelf.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { changeListing } from './change-listing.ts'
import { changeSegment, readAllSegments } from './change-segment.ts'
import { createListing } from './create-listing.ts'
import { readListings, readUnlisted, viewListing } from './read-listings.ts'

const reads = { method: 'GET', may: 'shelf.read', scope: 'read' } as const
const makes = { method: 'POST', may: 'shelf.manage', scope: 'tx', body: 'json', idempotent: true } as const
const changes = { method: 'PUT', may: 'shelf.manage', scope: 'tx', body: 'json' } as const

/** How operators fill the shelf. */
export const shelfEndpoints: readonly Endpoint[] = [
  endpoint({
    ...reads,
    path: '/operator/listings',
    input: ListingsInput,
    output: Listings,
    run: (tx, page) => readListings(tx, page),
  }),
  endpoint({
    ...reads,
    path: '/operator/listings/:id',
    input: ListingIdInput,
    output: ListingView,
    run: (tx, { id }) => viewListing(tx, id),
  }),
  endpoint({
    ...reads,
    path: '/operator/unlisted-templates',
    input: z.object({}),
    output: UnlistedTemplates,
    run: async (tx) => ({ templates: await readUnlisted(tx) }),
  }),
  endpoint({
    ...makes,
    path: '/operator/listings',
    input: NewListingInput,
    output: ListingMade,
    run: (tx, input, http) => {
      const { templateVersionId, ...facts } = input
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      return once(tx, 'listing.create', key, input, async () => ({
        id: await createListing(tx, templateVersionId, facts),
      }))
    },
  }),
  endpoint({
    ...changes,
    path: '/operator/listings/:id',
    input: ChangeListingInput,
    output: ListingChanged,
    run: async (tx, input) => ({ version: await changeListing(tx, input) }),
  }),
  endpoint({
    ...reads,
    path: '/operator/segments',
    input: z.object({}),
    output: Segments,
    run: async (tx) => ({ segments: await readAllSegments(tx) }),
  }),
  endpoint({
    ...changes,
    method: 'POST',
    path: '/operator/segments/:segment/buyers',
    input: ChangeSegmentInput,
    output: SegmentChanged,
    run: async (tx, input) => ({ buyers: await changeSegment(tx, input) }),
  }),
]
