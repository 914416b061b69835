import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { DeviceLink } from '../../../contract/employee/card-acts.ts'
import { idField } from '../../../contract/fields.ts'
import { isId, type Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Tx } from '../../kernel/context.ts'
import { decodeSigned, encodeSigned } from '../../kernel/cookies.ts'
import { refuse } from '../../kernel/errors.ts'
import { once, OnceConflict } from '../../kernel/once.ts'
import { trail } from '../../kernel/trail.ts'
import { readKnown } from '../buyer/read-buyer.ts'
import { readHeldCard, type Holder } from '../card/read-card.ts'
import { viewOf } from '../card/view-card.ts'
import { isPersonActive } from '../staff/find-person.ts'
import { packPathOf } from './read-pack.ts'

const PURPOSE = 'device-link'
const Linked = z.object({
  companyId: idField('company').nullable(),
  holderId: z.union([idField('person'), idField('buyer')]),
  cardId: idField('card'),
  endsAtMs: z.int(),
  /** Two links are never the same text. */
  random: z.string(),
})

/** A link, signed by us, that opens a holder's pack at one card on another device. Refuses with `not_found`. */
export async function makeDeviceLink(tx: Tx, holder: Holder, cardId: Id<'card'>): Promise<DeviceLink> {
  const card = (await readHeldCard(tx, holder, cardId)) ?? refuse('not_found')
  if (viewOf(tx, card) === 'locked') refuse('card_locked')
  const endsAtMs = tx.clock.now() + limits.deviceLinkMs
  const { companyId, holderId } = holder
  const value = { companyId, holderId, cardId, endsAtMs, random: tx.random(12).toString('base64url') }
  await trail(tx, { objectId: holderId, act: 'device_link.made', note: cardId })
  return { path: `${packPathOf(holder)}/device/${encodeSigned(PURPOSE, value, tx.house.sessionKey)}`, endsAtMs }
}

/**
 * Whose pack a link opens on this device. The first device keeps it and may open it again until its end. Refuses with
 * `sign_in_expired` for any other device, from its end on, for a link that is not ours, and for somebody who has left.
 */
export async function openDeviceLink(
  tx: Tx,
  token: string,
  deviceIndex: string,
): Promise<Holder & { readonly cardId: Id<'card'> }> {
  const linked = decodeSigned(PURPOSE, Linked, token, tx.house.sessionKey) ?? refuse('sign_in_expired')
  const { companyId, holderId, cardId, endsAtMs } = linked
  if (endsAtMs <= tx.clock.now() || !(await isKnown(tx, holderId))) refuse('sign_in_expired')
  const key = createHash('sha256').update(token).digest('hex')
  try {
    await once(tx, PURPOSE, key, { deviceIndex }, async () => {
      await trail(tx, { objectId: holderId, act: 'device_link.opened', note: cardId })
      return null
    })
  } catch (error) {
    if (error instanceof OnceConflict) refuse('sign_in_expired', { cause: error })
    throw error
  }
  return { companyId, holderId, cardId }
}

const isKnown = async (tx: Tx, holderId: Holder['holderId']): Promise<boolean> =>
  isId('person', holderId) ? isPersonActive(tx, holderId) : (await readKnown(tx, [holderId])).has(holderId)
