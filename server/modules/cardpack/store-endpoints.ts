import type { Endpoint } from '../../kernel/endpoint.ts'
import { bindEndpoints } from './bind-endpoints.ts'
import { cardActEndpoints } from './card-act-endpoints.ts'
import { cardpackEndpoints } from './endpoints.ts'
import { giftEndpoints } from './gift-endpoints.ts'

/** What one does with cards that one holds, whoever one is; signing in, claims and messages are a company's. */
const ofHolders = /^\/employee\/(pack|cards|pay-code|purchases|gifts|gift-links|device-links)(\/|$)/

/**
 * The card pack of a buyer: the very endpoints of an employee's, under the paths where a buyer's session counts. Each knows by
 * its actor whose cards it is about.
 */
export const storePackEndpoints: readonly Endpoint[] = [
  ...cardpackEndpoints,
  ...cardActEndpoints,
  ...giftEndpoints,
  ...bindEndpoints,
]
  .filter(({ path }) => ofHolders.test(path))
  .map((one) => ({ ...one, path: one.path.replace('/employee/', '/store/') }))
