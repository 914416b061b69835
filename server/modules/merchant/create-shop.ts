import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { trail } from '../../kernel/trail.ts'
import { findMerchant } from './read-merchants.ts'
import { Shop } from './tables.ts'

export interface ShopFacts {
  readonly name: string
  readonly city: string
  readonly address: string
  /** Both or none, in millionths of a degree (GCJ-02). */
  readonly latitudeE6: number | null
  readonly longitudeE6: number | null
  readonly phone: string | null
  readonly hours: string | null
}

/** Opens a shop of a merchant. Refuses with `not_found` for no such merchant, `shop_name_taken` within the merchant. */
export async function createShop(tx: Tx, merchantId: Id<'merchant'>, facts: ShopFacts): Promise<Id<'shop'>> {
  const { brandId } = (await findMerchant(tx, merchantId)) ?? refuse('not_found')
  const id = tx.newId('shop')
  const { name, city, address, latitudeE6, longitudeE6, phone, hours } = facts
  const row = { id, merchantId, brandId, name, city, address, latitudeE6, longitudeE6, phone, hours }
  try {
    await tx.em.insert(Shop, { ...row, state: 'open', version: 1, createdAtMs: tx.clock.now() })
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) refuse('shop_name_taken', { field: 'name' })
    throw error
  }
  await trail(tx, { objectId: id, act: 'shop.created', toState: 'open' })
  return id
}
