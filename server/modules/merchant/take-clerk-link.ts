import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change, sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { readClerkActor } from './read-clerk-actor.ts'
import { linkIndexOf } from './seal-clerk.ts'

/**
 * Uses a sign-in link up and tells whose it was; of any number at once exactly one. Refuses with `clerk_link_refused`
 * whatever is wrong: never made, over, used, the clerk removed, their shop closed or the merchant suspended.
 */
export async function takeClerkLink(tx: Tx, token: string): Promise<Id<'clerk'>> {
  const tokenIndex = linkIndexOf(tx.house, token)
  const now = tx.clock.now()
  const taken = await change(
    tx.em,
    'update clerk_link set used_at_ms = ? where token_index = ? and used_at_ms is null and expires_at_ms > ?',
    [now, tokenIndex, now],
  )
  if (taken !== 1) refuse('clerk_link_refused')
  const [link] = await sql<{ clerkId: Id<'clerk'> }>(
    tx.em,
    'select clerk_id as clerkId from clerk_link where token_index = ?',
    [tokenIndex],
  )
  const actor = link === undefined ? null : await readClerkActor(tx, link.clerkId)
  if (actor === null) refuse('clerk_link_refused')
  await trail(tx, { objectId: actor.clerkId, act: 'clerk.signed_in' })
  return actor.clerkId
}
