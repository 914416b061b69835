import type { MerchantRole } from '../../../contract/abilities.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { trail } from '../../kernel/trail.ts'
import { findShop } from './read-shops.ts'
import { sealClerkName } from './seal-clerk.ts'
import { Clerk } from './tables.ts'

export interface NewClerk {
  readonly shopId: Id<'shop'>
  readonly name: string
  readonly role: MerchantRole
}

/** Lets somebody take cards in a shop, or run the shops of its merchant. Refuses with `not_found` for no such shop. */
export async function addClerk(tx: Tx, clerk: NewClerk): Promise<Id<'clerk'>> {
  const { shopId, role } = clerk
  const { merchantId } = (await findShop(tx, shopId)) ?? refuse('not_found')
  const id = tx.newId('clerk')
  const nameSealed = sealClerkName(tx, id, clerk.name)
  const row = { id, merchantId, shopId, nameSealed, role, state: 'active' as const, version: 1 }
  await tx.em.insert(Clerk, { ...row, createdAtMs: tx.clock.now() })
  await trail(tx, { objectId: id, act: 'clerk.added', toState: 'active', note: role })
  return id
}
