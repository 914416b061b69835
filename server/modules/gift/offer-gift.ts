import type { covers } from '../../../contract/hr/campaign.ts'
import { isId, type Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { lockHeldCard } from '../card/change-held-card.ts'
import { isFree } from '../card/pass-on-card.ts'
import type { Holder } from '../card/read-card.ts'
import { viewOf } from '../card/view-card.ts'
import { useCover } from '../cover/use-cover.ts'
import { markClaimed } from '../delivery/mark-claimed.ts'
import { placeHold } from '../redemption/place-hold.ts'
import { readGiftDepth } from './read-gift-depth.ts'
import { makeToken, sealGreeting, sealToken, tokenIndexOf } from './seal-gift.ts'
import { Gift } from './tables.ts'

export interface GiftWish {
  readonly cardId: Id<'card'>
  readonly cover: (typeof covers)[number]
  /** A picture of the giver's own in place of the cover; only a buyer has one. */
  readonly pictureId?: Id<'cover'> | null
  readonly greeting: string
}

/**
 * Offers a card to whoever gets the link: all that is on it is held until somebody claims it, its giver takes it back, or
 * its time is over. Whoever passes a card on has taken it: the message that brought it is not open any more. Refuses with
 * `card_locked`, `card_frozen`, `card_expired`, `card_ended`, and with `card_not_giftable` where it may not be passed on
 * (any more) or something of the card is set aside.
 */
export async function offerGift(tx: Tx, holder: Holder, wish: GiftWish): Promise<Id<'gift'>> {
  if (isId('person', holder.holderId)) await takeDelivery(tx, holder.holderId, wish.cardId)
  const card = await lockHeldCard(tx, holder, wish.cardId)
  const view = viewOf(tx, card)
  if (view === 'locked') refuse('card_locked')
  if (view === 'frozen') refuse('card_frozen')
  if (view === 'expired') refuse('card_expired')
  if (view !== 'active' || card.balanceFen === 0) refuse('card_ended')
  if (card.giftDepth >= (await readGiftDepth(tx, card)) || !isFree(tx, card)) refuse('card_not_giftable')
  const { pictureId = null } = wish
  if (pictureId !== null)
    await (isId('buyer', holder.holderId) ? useCover(tx, pictureId, holder.holderId) : refuse('forbidden'))
  const id = tx.newId('gift')
  const now = tx.clock.now()
  const endsAtMs = now + limits.giftMs
  const hold = { cardId: card.id, amount: card.balanceFen, ref: id, endsAtMs }
  const holdId = (await placeHold(tx, hold)) ?? refuse('card_not_giftable')
  const token = makeToken(tx)
  await tx.em.insert(Gift, {
    id,
    companyId: holder.companyId,
    cardId: card.id,
    holdId,
    fromId: holder.holderId,
    toId: null,
    tokenIndex: tokenIndexOf(tx, token),
    tokenSealed: sealToken(tx, id, token),
    cover: wish.cover,
    pictureId,
    greetingSealed: sealGreeting(tx, id, wish.greeting),
    state: 'offered',
    version: 1,
    createdAtMs: now,
    endsAtMs,
    openedAtMs: null,
    claimedAtMs: null,
  })
  await trail(tx, { objectId: id, act: 'gift.offered', toState: 'offered', note: card.id })
  await enqueue(tx, [{ kind: 'gift.end', key: `gift.end:${id}`, args: { giftId: id }, readyAtMs: endsAtMs }])
  return id
}

/** Messages are held before cards, as everywhere. */
async function takeDelivery(tx: Tx, holderId: Id<'person'>, cardId: Id<'card'>): Promise<void> {
  const [given] = await sql<{ campaignId: Id<'campaign'> }>(
    tx.em,
    `select campaign.id as campaignId from card join order_item on order_item.id = card.order_item_id
        join campaign on campaign.order_id = order_item.order_id
      where card.id = ? and card.holder_id = ? and order_item.holder_id = card.holder_id`,
    [cardId, holderId],
  )
  if (given !== undefined) await markClaimed(tx, { campaignId: given.campaignId, personId: holderId })
}
