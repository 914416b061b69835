import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { readCompany } from '../company/read-company.ts'

/**
 * How often a card may be passed on: as its company allows; one that was bought as often as the house allows, and not at all where
 * its listing is no present.
 */
export async function readGiftDepth(
  tx: Tx,
  card: { readonly orderItemId: Id<'orderItem'>; readonly companyId?: Id<'company'> | null | undefined },
): Promise<number> {
  const { companyId = null } = card
  if (companyId !== null) return ((await readCompany(tx, companyId)) ?? refuse('not_found')).giftDepth
  const [listing] = await sql<{ giftable: unknown }>(
    tx.em,
    `select listing.giftable as giftable from order_item join listing on listing.id = order_item.listing_id
      where order_item.id = ?`,
    [card.orderItemId],
  )
  return listing === undefined || Number(listing.giftable) === 1 ? limits.boughtGiftDepth : 0
}
