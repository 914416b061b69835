import type { CardChoices, CardStanding } from '../../../contract/employee/card-acts.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { extendedUntil } from '../card/extend-card.ts'
import { isFree } from '../card/pass-on-card.ts'
import { readHeldCard, type Holder } from '../card/read-card.ts'
import { isReportedLost } from '../card/report-lost.ts'
import { isRevealable } from '../card/reveal-secret.ts'
import { viewOf } from '../card/view-card.ts'
import { readExtendDays } from '../catalog/read-template.ts'
import { readGiftDepth } from '../gift/read-gift-depth.ts'
import { readOpenGift } from '../gift/read-gifts.ts'
import { findThanksSubject } from '../gift/read-thanks.ts'

/** What the one who holds a card may do with it now. Anybody else's is `not_found`. */
export async function readChoices(tx: Tx, holder: Holder, cardId: Id<'card'>): Promise<CardChoices> {
  const card = (await readHeldCard(tx, holder, cardId)) ?? refuse('not_found')
  const view = viewOf(tx, card)
  const lost = await isReportedLost(tx, card)
  const extendable = view === 'expired' && card.balanceFen > 0
  const thanks = await findThanksSubject(tx, card)
  return {
    reveal: isRevealable(view),
    give: isFree(tx, card) && card.giftDepth < (await readGiftDepth(tx, card)),
    reportLost: card.state === 'active',
    unfreeze: lost,
    reissue: lost,
    extendToMs: extendable ? extendedUntil(tx.clock.now(), await readExtendDays(tx, card.brandId)) : null,
    openGiftId: await readOpenGift(tx, holder, card.id),
    thanksTo: thanks?.to ?? null,
    thankedAtMs: thanks?.thankedAtMs ?? null,
  }
}

/** A card as it stands after something was done to it. */
export async function readStanding(tx: Tx, holder: Holder, cardId: Id<'card'>): Promise<CardStanding> {
  const card = (await readHeldCard(tx, holder, cardId)) ?? refuse('not_found')
  return {
    id: card.id,
    view: viewOf(tx, card),
    numberTail: card.number.slice(-4),
    balanceFen: card.balanceFen,
    expiresAtMs: card.expiresAtMs ?? null,
  }
}
