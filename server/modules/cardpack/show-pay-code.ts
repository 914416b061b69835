import type { z } from 'zod'
import type { ShownPayCode } from '../../../contract/employee/pack.ts'
import type { ErrorCode } from '../../../contract/error-codes.ts'
import type { Id } from '../../../contract/ids.ts'
import { cardStateAt, type CardView } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { readHeldCard, readHeldCards, type Holder } from '../card/read-card.ts'
import { makePayCode, type PayCodeOf } from '../redemption/pay-code.ts'

type Card = Awaited<ReturnType<typeof readHeldCards>>[number]

const refusals: Readonly<Record<Exclude<CardView, 'active'>, ErrorCode>> = {
  locked: 'card_locked',
  frozen: 'card_frozen',
  expired: 'card_expired',
  exhausted: 'card_ended',
  refunded: 'card_ended',
  void: 'card_ended',
}

/** A payment code of one card. Refused in the words of the till, so that nobody queues with a card that cannot pay. */
export async function showCardCode(tx: Tx, holder: Holder, cardId: Id<'card'>): Promise<z.input<typeof ShownPayCode>> {
  const card = (await readHeldCard(tx, holder, cardId)) ?? refuse('not_found')
  const refusal = refusalOf(tx, card)
  return refusal === null ? shown(tx, { kind: 'card', cardId }) : refuse(refusal)
}

/** A payment code of all that somebody holds: the till takes from their cards of its brand. */
export async function showHolderCode(tx: Tx, holder: Holder): Promise<z.input<typeof ShownPayCode>> {
  const cards = await readHeldCards(tx, holder)
  if (!cards.some((card) => refusalOf(tx, card) === null)) refuse('card_value_short')
  return shown(tx, { kind: 'holder', holderId: holder.holderId })
}

function refusalOf(tx: Tx, card: Card): ErrorCode | null {
  const view = cardStateAt({ ...card, expiresAtMs: card.expiresAtMs ?? null }, tx.clock.now())
  if (view !== 'active') return refusals[view]
  return card.heldFen >= card.balanceFen ? 'card_value_short' : null
}

const shown = (tx: Tx, of: PayCodeOf) => ({ ...makePayCode(tx, of), nowMs: tx.clock.now() })
