import type { EntityName, FilterQuery } from '@mikro-orm/core'
import type { Id } from '../../contract/ids.ts'
import type { Actor, Tx } from './context.ts'
import { refuse } from './errors.ts'

/** The company that an actor speaks for. Refuses with `forbidden` for anybody who belongs to none. */
export function companyOf(actor: Actor): Id<'company'> {
  if (actor.kind === 'member' || actor.kind === 'employee') return actor.companyId
  return refuse('forbidden')
}

/** The member who acts. Refuses with `forbidden` for anybody else. */
export function memberOf(actor: Actor): Id<'member'> {
  return actor.kind === 'member' ? actor.memberId : refuse('forbidden')
}

/** The buyer who acts. Refuses with `forbidden` for anybody else. */
export function buyerOf(actor: Actor): Id<'buyer'> {
  return actor.kind === 'buyer' ? actor.buyerId : refuse('forbidden')
}

/**
 * A row of the actor's own company, by id. Another company's row, and one that does not exist, are the same 404.
 * Every read and every command that takes an id from outside begins here.
 */
export async function findOwn<T extends { id: string; companyId?: Id<'company'> | null | undefined }>(
  tx: Tx,
  entity: EntityName<T>,
  id: string,
): Promise<T> {
  const where = { id, companyId: companyOf(tx.actor) } as FilterQuery<T>
  const row = await tx.em.findOne(entity, where, { disableIdentityMap: true })
  return (row as T | null) ?? refuse('not_found')
}
