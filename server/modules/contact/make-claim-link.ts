import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change } from '../../kernel/sql.ts'
import { companyOf, memberOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { findOwnDelivery } from '../delivery/find-delivery.ts'
import { correctPerson } from '../staff/correct-person.ts'
import { openPeople } from '../staff/read-people.ts'
import { findClaimable } from './find-claimant.ts'
import { contactLimits, TOKEN_BYTES, tokenOf } from './rules.ts'
import { linkIndexOf } from './seal-contact.ts'
import { ClaimLink } from './tables.ts'

export interface ClaimLinkWish {
  readonly deliveryId: Id<'delivery'>
  /** The person's mobile, where the list has none. */
  readonly phone?: string | undefined
}
export interface MadeClaimLink {
  readonly id: Id<'claimLink'>
  readonly token: string
  readonly expiresAtMs: number
}

/**
 * Makes a personal link for a head of a campaign and ends the one before. The token is shown once and stored as a
 * fingerprint. The link opens the page; it does not open the card: the person's mobile is still proven, so a link that
 * was forwarded to a group gives nothing away. Somebody without a mobile on the list gets one first, here: the last
 * digits of a staff number are known to every colleague, and would make the link itself the key. Refuses with
 * `not_found`, `claim_phone_missing`, `state_conflict` once the card was claimed, or was taken back because they left.
 */
export async function makeClaimLink(tx: Tx, wish: ClaimLinkWish): Promise<MadeClaimLink> {
  const companyId = companyOf(tx.actor)
  const delivery = await findOwnDelivery(tx, wish.deliveryId)
  const { campaignId, personId } = delivery
  if (delivery.state === 'claimed') refuse('state_conflict')
  if (delivery.state === 'revoked' && (await findClaimable(tx, delivery)) === null) refuse('state_conflict')
  const [person] = await openPeople(tx, [personId])
  if (person === undefined) refuse('not_found')
  if (person.phone === null) {
    if (wish.phone === undefined) refuse('claim_phone_missing', { field: 'phone' })
    await correctPerson(tx, personId, { phone: wish.phone })
  }
  await change(
    tx.em,
    "update claim_link set state = 'ended' where campaign_id = ? and person_id = ? and state = 'live'",
    [campaignId, personId],
  )
  const id = tx.newId('claimLink')
  const token = tokenOf(tx.random(TOKEN_BYTES))
  const expiresAtMs = tx.clock.now() + contactLimits.linkLifeMs
  await tx.em.insert(ClaimLink, {
    id,
    companyId,
    campaignId,
    personId,
    tokenIndex: linkIndexOf(tx.house, token),
    state: 'live',
    createdBy: memberOf(tx.actor),
    createdAtMs: tx.clock.now(),
    expiresAtMs,
  })
  await trail(tx, { objectId: delivery.id, act: 'claim_link.made' })
  return { id, token, expiresAtMs }
}
