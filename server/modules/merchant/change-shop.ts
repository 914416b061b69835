import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import type { ShopFacts } from './create-shop.ts'
import { findShop } from './read-shops.ts'
import { shopMoves } from './rules.ts'
import type { ShopRow } from './tables.ts'

export interface ShopChange extends ShopFacts {
  readonly id: Id<'shop'>
  /** As the person saw it. */
  readonly version: number
  readonly state: 'open' | 'closed'
}

const fields = ['name', 'city', 'address', 'latitudeE6', 'longitudeE6', 'phone', 'hours'] as const
const differs = (seen: ShopRow, wish: ShopFacts): boolean =>
  fields.some((field) => (seen[field] ?? null) !== wish[field])

/**
 * Changes what is told of a shop, and opens or closes it; says its version now. Refuses with `not_found`,
 * `content_changed` when somebody was faster, `shop_name_taken`.
 */
export async function changeShop(tx: Tx, wish: ShopChange): Promise<number> {
  const { id } = wish
  const seen = (await findShop(tx, id)) ?? refuse('not_found')
  if (seen.version !== wish.version) refuse('content_changed')
  let { version } = seen
  if (differs(seen, wish)) {
    if (!(await rewrite(tx, wish))) refuse('content_changed')
    await trail(tx, { objectId: id, act: 'shop.changed' })
    version += 1
  }
  if (seen.state !== wish.state) {
    const step = { table: 'shop', id, from: seen.state, to: wish.state, moves: shopMoves }
    if (!(await move(tx, step))) refuse('content_changed')
    version += 1
  }
  return version
}

async function rewrite(tx: Tx, wish: ShopChange): Promise<boolean> {
  const { name, city, address, latitudeE6, longitudeE6, phone, hours } = wish
  try {
    const changed = await change(
      tx.em,
      `update shop set name = ?, city = ?, address = ?, latitude_e6 = ?, longitude_e6 = ?, phone = ?, hours = ?,
        version = version + 1 where id = ? and version = ?`,
      [name, city, address, latitudeE6, longitudeE6, phone, hours, wish.id, wish.version],
    )
    return changed === 1
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) refuse('shop_name_taken', { field: 'name' })
    throw error
  }
}
