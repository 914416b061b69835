import type { MerchantRole } from '../../../contract/abilities.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { findClerk } from './read-clerks.ts'
import { findShop } from './read-shops.ts'
import { sealClerkName } from './seal-clerk.ts'

export interface ClerkChange {
  readonly id: Id<'clerk'>
  /** As the person saw it. */
  readonly version: number
  readonly name: string
  readonly role: MerchantRole
  readonly shopId: Id<'shop'>
}

/**
 * Renames a clerk, gives them another role or moves them to another shop of the same merchant; says their version now.
 * It counts from their next request on. Refuses with `not_found` for no such clerk or shop, `content_changed`,
 * `state_conflict` once they were removed.
 */
export async function changeClerk(tx: Tx, wish: ClerkChange): Promise<number> {
  const { id, role, shopId } = wish
  const seen = (await findClerk(tx, id)) ?? refuse('not_found')
  if (seen.state !== 'active') refuse('state_conflict')
  if (seen.version !== wish.version) refuse('content_changed')
  const shop = (await findShop(tx, shopId)) ?? refuse('not_found')
  if (shop.merchantId !== seen.merchantId) refuse('not_found')
  const changed = await change(
    tx.em,
    `update clerk set name_sealed = ?, role = ?, shop_id = ?, version = version + 1
      where id = ? and version = ? and state = 'active'`,
    [sealClerkName(tx, id, wish.name), role, shopId, id, wish.version],
  )
  if (changed !== 1) refuse('content_changed')
  const moved = seen.shopId === shopId ? '' : ` ${seen.shopId} -> ${shopId}`
  await trail(tx, { objectId: id, act: 'clerk.changed', note: `${seen.role} -> ${role}${moved}` })
  return wish.version + 1
}
