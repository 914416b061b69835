import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { changeHeldCard, lockHeldCard } from './change-held-card.ts'
import type { Holder } from './read-card.ts'
import { viewOf } from './view-card.ts'

const DAY_MS = 86_400_000

/** Until when a card would be valid that its holder makes valid again now. */
export const extendedUntil = (nowMs: number, extendDays: number): number => nowMs + extendDays * DAY_MS

/**
 * Makes a card valid again that has expired with money on it, from now for as many days as its brand says; as often as
 * that happens. An issuer owes this to whoever holds a card without a name (国办发〔2011〕25 号: 对超过有效期尚有资金余额的，
 * 应提供激活、换卡等配套服务). Refuses with `state_conflict` when it is not expired, `card_frozen`, `card_ended`.
 */
export async function extendCard(
  tx: Tx,
  holder: Holder,
  cardId: Id<'card'>,
  extendDaysOf: (brandId: Id<'brand'>) => Promise<number>,
): Promise<void> {
  const card = await lockHeldCard(tx, holder, cardId)
  const view = viewOf(tx, card)
  if (view === 'frozen') refuse('card_frozen')
  if (view === 'active' || view === 'locked') refuse('state_conflict')
  if (view !== 'expired' || card.balanceFen === 0) refuse('card_ended')
  const untilMs = extendedUntil(tx.clock.now(), await extendDaysOf(card.brandId))
  await changeHeldCard(tx, card, {
    act: 'card.extended',
    note: String(untilMs),
    activity: { kind: 'extend', ref: card.id },
    set: { expires_at_ms: untilMs },
  })
}
