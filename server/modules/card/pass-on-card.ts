import type { HolderId, Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { changeHeldCard, newSecretOf } from './change-held-card.ts'
import type { CardRow } from './tables.ts'
import { viewOf } from './view-card.ts'

/** Whether a card may change hands now: active, unlocked, valid, with money on it and nothing set aside. */
export const isFree = (tx: Pick<Tx, 'clock'>, card: CardRow): boolean =>
  viewOf(tx, card) === 'active' && card.balanceFen > 0 && card.heldFen === 0

/**
 * Gives a card that this transaction holds to another holder, with a new secret, as it was passed on by a gift. False, with
 * nothing changed, when it is frozen, ended, locked or expired by now, or something of it is set aside.
 */
export async function passOnCard(
  tx: Tx,
  card: CardRow,
  to: { readonly holderId: HolderId; readonly giftId: Id<'gift'> },
): Promise<boolean> {
  if (!isFree(tx, card)) return false
  await changeHeldCard(tx, card, {
    act: 'card.given',
    note: to.giftId,
    activity: { kind: 'gift', ref: to.giftId },
    set: { holder_id: to.holderId, gift_depth: card.giftDepth + 1, ...newSecretOf(tx, card.id) },
    unlocked: true,
    valid: true,
  })
  return true
}

/**
 * Gives a card to whoever proved to have its number and secret, with a new secret. An expired one too: its holder may then
 * extend it. False, with nothing changed, when it is frozen, ended, locked or empty, or something of it is set aside.
 */
export async function bindCard(tx: Tx, card: CardRow, holderId: HolderId): Promise<boolean> {
  const view = viewOf(tx, card)
  if ((view !== 'active' && view !== 'expired') || card.balanceFen === 0 || card.heldFen > 0) return false
  await changeHeldCard(tx, card, {
    act: 'card.bound',
    activity: { kind: 'bind', ref: holderId },
    set: { holder_id: holderId, ...newSecretOf(tx, card.id) },
    unlocked: true,
  })
  return true
}
