import type { Id } from '../../../contract/ids.ts'
import { giftMoves } from '../../../contract/states.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { lockCard } from '../card/change-held-card.ts'
import type { Holder } from '../card/read-card.ts'
import { takeBack } from '../delivery/take-back-leavers.ts'
import { voidHold } from '../redemption/void-hold.ts'
import { holdPerson } from '../staff/hold-person.ts'
import { Gift, type GiftRow } from './tables.ts'
import { tellBuyers } from './tell-buyers.ts'

/** Its giver takes a gift back. Refuses with `not_found` for anybody else, `gift_closed` when it is over or claimed. */
export async function withdrawGift(tx: Tx, giver: Holder, giftId: Id<'gift'>): Promise<void> {
  const gift = await tx.em.findOne(Gift, { id: giftId, companyId: giver.companyId }, { disableIdentityMap: true })
  if (gift === null || gift.fromId !== giver.holderId) refuse('not_found')
  if (!(await end(tx, gift, 'withdrawn'))) refuse('gift_closed')
}

/** Job `gift.end`: what nobody claimed in time returns whole to its giver. Harmless to repeat. */
export async function returnGift(tx: Tx, giftId: Id<'gift'>): Promise<void> {
  const gift = await tx.em.findOne(Gift, { id: giftId }, { disableIdentityMap: true })
  if (gift !== null && gift.endsAtMs <= tx.clock.now()) await end(tx, gift, 'returned')
}

/** Takes the open gift of a card back, if there is one: its holder lost the card, or replaces it. */
export async function withdrawGiftOf(tx: Tx, giver: Holder, cardId: Id<'card'>): Promise<void> {
  const where = { cardId, fromId: giver.holderId, companyId: giver.companyId, state: 'offered' as const }
  const gift = await tx.em.findOne(Gift, where, { disableIdentityMap: true })
  if (gift !== null) await end(tx, gift, 'withdrawn')
}

/**
 * Job `gifts.of-leaver`: what somebody who left had offered and nobody claimed returns to them; then what the company takes
 * back from leavers is looked at once more. Nothing for somebody who is back. Harmless to repeat.
 */
export async function returnGiftsOfLeaver(edge: Edge, companyId: Id<'company'>, personId: Id<'person'>): Promise<void> {
  const ended = await edge.tx(async (tx) => {
    if ((await holdPerson(tx, personId)) !== 'left') return 0
    const open = { companyId, fromId: personId, state: 'offered' as const }
    const gifts = await tx.em.find(Gift, open, { orderBy: { cardId: 'asc' }, disableIdentityMap: true })
    for (const gift of gifts) await end(tx, gift, 'returned')
    return gifts.length
  })
  if (ended > 0) await edge.tx((tx) => takeBack(tx, companyId, personId))
}

/** False when it was over before. The card is held first, as everywhere; it is its giver's own all the time. */
async function end(tx: Tx, gift: GiftRow, to: 'withdrawn' | 'returned'): Promise<boolean> {
  await lockCard(tx, gift.cardId)
  if (!(await move(tx, { table: 'gift', id: gift.id, from: 'offered', to, moves: giftMoves }))) return false
  if (!(await voidHold(tx, gift.holdId, to === 'returned' ? 'timed_out' : 'voided')))
    throw new Error(`gift ${gift.id} had no open hold`)
  if (to === 'returned') await tellBuyers(tx, gift.id, [gift.fromId])
  return true
}
