import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { findClerk } from './read-clerks.ts'
import { LINK_BYTES, LINK_LIFE_MS } from './rules.ts'
import { linkIndexOf } from './seal-clerk.ts'
import { ClerkLink } from './tables.ts'

export interface MadeClerkLink {
  /** Signs in whoever opens it first: shown once, written nowhere. */
  readonly url: string
  readonly expiresAtMs: number
}

/**
 * Makes the link by which a clerk signs in on one phone, once, within a quarter of an hour unless said; the ones before
 * open nothing any more. Refuses with `not_found` for nobody, `state_conflict` once they were removed.
 */
export async function makeClerkLink(
  tx: Tx,
  clerkId: Id<'clerk'>,
  lifeMs: number = LINK_LIFE_MS,
): Promise<MadeClerkLink> {
  const clerk = (await findClerk(tx, clerkId)) ?? refuse('not_found')
  if (clerk.state !== 'active') refuse('state_conflict')
  const now = tx.clock.now()
  await change(
    tx.em,
    'update clerk_link set expires_at_ms = ? where clerk_id = ? and used_at_ms is null and expires_at_ms > ?',
    [now, clerkId, now],
  )
  const token = tx.random(LINK_BYTES).toString('base64url')
  const expiresAtMs = now + lifeMs
  const tokenIndex = linkIndexOf(tx.house, token)
  await tx.em.insert(ClerkLink, {
    id: tx.newId('clerkLink'),
    clerkId,
    tokenIndex,
    expiresAtMs,
    usedAtMs: null,
    createdAtMs: now,
  })
  await trail(tx, { objectId: clerkId, act: 'clerk.link_made' })
  return { url: `${tx.house.publicUrl}/till/enter/${token}`, expiresAtMs }
}
