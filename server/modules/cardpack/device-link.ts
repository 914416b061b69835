import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { DeviceLink } from '../../../contract/employee/card-acts.ts'
import { idField } from '../../../contract/fields.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Tx } from '../../kernel/context.ts'
import { decodeSigned, encodeSigned } from '../../kernel/cookies.ts'
import { refuse } from '../../kernel/errors.ts'
import { once, OnceConflict } from '../../kernel/once.ts'
import { trail } from '../../kernel/trail.ts'
import { readHeldCard, type Holder } from '../card/read-card.ts'
import { isPersonActive } from '../staff/find-person.ts'

const PURPOSE = 'device-link'
const Linked = z.object({
  companyId: idField('company'),
  personId: idField('person'),
  cardId: idField('card'),
  endsAtMs: z.int(),
  /** Two links are never the same text. */
  random: z.string(),
})

/** A link, signed by us, that opens a holder's pack at one card on another device. Refuses with `not_found`. */
export async function makeDeviceLink(tx: Tx, holder: Holder, cardId: Id<'card'>): Promise<DeviceLink> {
  if ((await readHeldCard(tx, holder, cardId)) === null) refuse('not_found')
  const endsAtMs = tx.clock.now() + limits.deviceLinkMs
  const { companyId, holderId: personId } = holder
  const value = { companyId, personId, cardId, endsAtMs, random: tx.random(12).toString('base64url') }
  await trail(tx, { objectId: personId, act: 'device_link.made', note: cardId })
  return { path: `/pack/device/${encodeSigned(PURPOSE, value, tx.house.sessionKey)}`, endsAtMs }
}

/**
 * Whose pack a link opens on this device. The first device keeps it and may open it again until its end. Refuses with
 * `sign_in_expired` for any other device, from its end on, for a link that is not ours, and for somebody who has left.
 */
export async function openDeviceLink(
  tx: Tx,
  token: string,
  deviceIndex: string,
): Promise<{ readonly companyId: Id<'company'>; readonly personId: Id<'person'>; readonly cardId: Id<'card'> }> {
  const linked = decodeSigned(PURPOSE, Linked, token, tx.house.sessionKey) ?? refuse('sign_in_expired')
  const { companyId, personId, cardId, endsAtMs } = linked
  if (endsAtMs <= tx.clock.now() || !(await isPersonActive(tx, personId))) refuse('sign_in_expired')
  const key = createHash('sha256').update(token).digest('hex')
  try {
    await once(tx, PURPOSE, key, { deviceIndex }, async () => {
      await trail(tx, { objectId: personId, act: 'device_link.opened', note: cardId })
      return null
    })
  } catch (error) {
    if (error instanceof OnceConflict) refuse('sign_in_expired', { cause: error })
    throw error
  }
  return { companyId, personId, cardId }
}
