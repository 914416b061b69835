import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { insertRows, sql } from '../../kernel/sql.ts'
import { changeHeldCard, lockHeldCard, newSecretOf } from './change-held-card.ts'
import type { Holder } from './read-card.ts'
import type { CardRow } from './tables.ts'

/** What the trail says of a card that its holder froze. Whoever else froze one says something else. */
const LOST = 'lost'

/** Whether the holder froze this card. What HR or the house froze, they alone free. */
export async function isReportedLost(tx: Tx, card: CardRow): Promise<boolean> {
  if (card.state !== 'frozen') return false
  const [last] = await sql<{ note: string | null }>(
    tx.em,
    "select note from trail where object_id = ? and act = 'card.frozen' order by id desc limit 1",
    [card.id],
  )
  return last?.note === LOST
}

/**
 * The holder reports a card lost: nothing is spent from it any more. It may be locked, expired, or have value set aside,
 * which then goes back or is taken as the till decides. Refuses with `state_conflict` when they did so before,
 * `card_frozen` when somebody else froze it, `card_ended` when there is nothing to keep safe.
 */
export async function freezeLost(tx: Tx, holder: Holder, cardId: Id<'card'>): Promise<void> {
  const card = await lockHeldCard(tx, holder, cardId)
  if (card.state === 'frozen') refuse((await isReportedLost(tx, card)) ? 'state_conflict' : 'card_frozen')
  if (card.state !== 'active') refuse('card_ended')
  await changeHeldCard(tx, card, { act: 'card.frozen', note: LOST, state: 'frozen' })
}

/** The holder found it again. Refuses with `card_frozen` when somebody else froze it, `state_conflict` when nobody did. */
export async function unfreezeLost(tx: Tx, holder: Holder, cardId: Id<'card'>): Promise<void> {
  const card = await lockLost(tx, holder, cardId)
  const state = freed(card)
  await changeHeldCard(tx, card, { act: `card.${state}`, note: 'found', state })
}

/**
 * Replaces a card that was reported lost: the same card gets a new number and a new secret and may be used again; what is
 * on it stays. The old number is retired and finds nothing any more. `nextNumber` gives an unused number of its brand,
 * reserved before this transaction. Refuses as `unfreezeLost` does.
 */
export async function reissueCard(
  tx: Tx,
  holder: Holder,
  cardId: Id<'card'>,
  nextNumber: (brandId: Id<'brand'>) => string,
): Promise<void> {
  const card = await lockLost(tx, holder, cardId)
  const number = nextNumber(card.brandId)
  await insertRows(tx.em, 'retired_number', [{ number: card.number, card_id: card.id, at_ms: tx.clock.now() }])
  const state = freed(card)
  await changeHeldCard(tx, card, {
    act: `card.${state}`,
    note: 'reissued',
    activity: { kind: 'reissue', ref: card.id },
    state,
    set: { number, ...newSecretOf(tx, card.id) },
  })
}

/** What a card is that is frozen no more: a till may have taken all that was set aside before. */
const freed = (card: CardRow): 'active' | 'exhausted' => (card.balanceFen === 0 ? 'exhausted' : 'active')

async function lockLost(tx: Tx, holder: Holder, cardId: Id<'card'>): Promise<CardRow> {
  const card = await lockHeldCard(tx, holder, cardId)
  if (card.state !== 'frozen') refuse('state_conflict')
  return (await isReportedLost(tx, card)) ? card : refuse('card_frozen')
}
