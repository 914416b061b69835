import type { MerchantRole } from '../../../contract/abilities.ts'
import type { Id } from '../../../contract/ids.ts'
import type { ClerkView } from '../../../contract/operator/merchant.ts'
import type { Tx } from '../../kernel/context.ts'
import { readBound } from '../../kernel/sql.ts'
import { openClerkName } from './seal-clerk.ts'
import { Clerk } from './tables.ts'

export interface ClerkFacts {
  readonly id: Id<'clerk'>
  readonly merchantId: Id<'merchant'>
  readonly shopId: Id<'shop'>
  readonly role: MerchantRole
  readonly state: 'active' | 'removed'
  readonly version: number
}

/** A clerk by id, without their name; null when there is none. */
export async function findClerk(tx: Tx, id: Id<'clerk'>): Promise<ClerkFacts | null> {
  return tx.em.findOne(Clerk, { id }, { disableIdentityMap: true })
}

/** The people of a merchant, those who still take cards before those who were removed. */
export async function readClerks(tx: Tx, merchantId: Id<'merchant'>): Promise<ClerkView[]> {
  const options = { orderBy: { state: 'asc', id: 'asc' }, disableIdentityMap: true } as const
  const rows = await tx.em.find(Clerk, { merchantId }, options)
  return rows.map(({ id, shopId, nameSealed, role, state, version, createdAtMs }) => {
    const name = openClerkName(tx, id, nameSealed)
    return { id, shopId, name, role, state, version, createdAtMs }
  })
}

/** Names by clerk id, removed clerks too; an id that nobody has is left out. The ids are ones the house stored. */
export async function readClerkNames(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const wanted = [...new Set(ids)]
  if (wanted.length === 0) return new Map()
  const rows = await readBound<{ id: Id<'clerk'>; sealed: Uint8Array }>(
    tx.em,
    `select id, name_sealed as sealed from clerk where id in (${wanted.map(() => '?').join(',')})`,
    wanted,
  )
  return new Map(rows.map((row) => [row.id, openClerkName(tx, row.id, row.sealed)]))
}
