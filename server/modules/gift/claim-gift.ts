import type { Id } from '../../../contract/ids.ts'
import { giftMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { lockCard } from '../card/change-held-card.ts'
import { passOnCard } from '../card/pass-on-card.ts'
import type { Holder } from '../card/read-card.ts'
import { voidHold } from '../redemption/void-hold.ts'
import { findGift } from './find-gift.ts'
import { tellBuyers } from './tell-buyers.ts'
import { isNamed } from './is-named.ts'
import type { GiftRow } from './tables.ts'

export interface ClaimedGift {
  readonly giftId: Id<'gift'>
  readonly cardId: Id<'card'>
}

/**
 * Takes a gift: the card is the receiver's with all that is on it and a secret that the giver never saw. Of any number at
 * once one gets it; they may ask again. A colleague's present is for colleagues, and where the card carries no name for a
 * friend outside too; a buyer's is for buyers. Refuses with `not_found` for a link that is none or is not for them, with
 * `gift_for_colleagues`, and with `gift_closed` for the giver, from the very end of its time on, and when the card was frozen
 * or taken meanwhile.
 */
export async function claimGift(tx: Tx, receiver: Holder, token: string): Promise<ClaimedGift> {
  const found = await findGift(tx, token)
  if (found === null) refuse('not_found')
  await mustBeFor(tx, found, receiver)
  await lockCard(tx, found.cardId)
  const gift = (await findGift(tx, token)) ?? refuse('not_found')
  const claimed: ClaimedGift = { giftId: gift.id, cardId: gift.cardId }
  if (gift.state === 'claimed' && gift.toId === receiver.holderId) return claimed
  const now = tx.clock.now()
  if (gift.fromId === receiver.holderId || gift.endsAtMs <= now) refuse('gift_closed')
  const moved = await move(tx, {
    table: 'gift',
    id: gift.id,
    from: 'offered',
    to: 'claimed',
    moves: giftMoves,
    set: { to_id: receiver.holderId, claimed_at_ms: now, opened_at_ms: gift.openedAtMs ?? now },
  })
  if (!moved) refuse('gift_closed')
  if (!(await voidHold(tx, gift.holdId))) throw new Error(`gift ${gift.id} had no open hold`)
  const card = (await lockCard(tx, gift.cardId)) ?? refuse('not_found')
  // Frozen, or at its end: it stays with the giver, and all of this is undone.
  if (!(await passOnCard(tx, card, { holderId: receiver.holderId, giftId: gift.id }))) refuse('gift_closed')
  await tellBuyers(tx, gift.id, [gift.fromId, receiver.holderId])
  return claimed
}

/** Whether a present is for this receiver at all. A card with a name stays among those whose names are known. */
async function mustBeFor(tx: Tx, gift: GiftRow, receiver: Holder): Promise<void> {
  const { companyId = null } = gift
  if (companyId === receiver.companyId) return
  if (receiver.companyId !== null) refuse('not_found')
  if (await isNamed(tx, gift.cardId)) refuse('gift_for_colleagues')
}
