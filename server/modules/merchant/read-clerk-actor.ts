import type { MerchantRole } from '../../../contract/abilities.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Actor, Tx } from '../../kernel/context.ts'
import { readBound } from '../../kernel/sql.ts'

export type ClerkActor = Extract<Actor, { readonly kind: 'clerk' }>

interface ActorRow {
  readonly merchantId: Id<'merchant'>
  readonly shopId: Id<'shop'>
  readonly role: MerchantRole
}

/**
 * A clerk as one who acts, where they stand and with the role of this moment; null once they were removed, their shop was
 * closed or the merchant suspended.
 */
export async function readClerkActor(tx: Tx, clerkId: Id<'clerk'>): Promise<ClerkActor | null> {
  const [row] = await readBound<ActorRow>(
    tx.em,
    `select clerk.merchant_id as merchantId, clerk.shop_id as shopId, clerk.role as role
      from clerk join shop on shop.id = clerk.shop_id and shop.state = 'open'
      join merchant on merchant.id = clerk.merchant_id and merchant.state = 'active'
      where clerk.id = ? and clerk.state = 'active'`,
    [clerkId],
  )
  return row === undefined
    ? null
    : { kind: 'clerk', clerkId, merchantId: row.merchantId, shopId: row.shopId, roles: [row.role] }
}
