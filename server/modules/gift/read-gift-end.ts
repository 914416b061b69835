import { fen, type Fen } from '../../../contract/fen.ts'
import type { HolderId, Id } from '../../../contract/ids.ts'
import type { GiftState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

export interface GiftEnd {
  readonly state: GiftState
  readonly cardId: Id<'card'>
  readonly fromId: HolderId
  readonly toId: HolderId | null
  /** What was on the card. */
  readonly amountFen: Fen
}

/** How a gift stands and between whom it is; null when there is none. */
export async function readGiftEnd(tx: Tx, giftId: Id<'gift'>): Promise<GiftEnd | null> {
  const [row] = await sql<Omit<GiftEnd, 'amountFen'> & { readonly amount: unknown }>(
    tx.em,
    `select gift.state as state, gift.card_id as cardId, gift.from_id as fromId, gift.to_id as toId,
        hold.amount_fen as amount
      from gift join hold on hold.id = gift.hold_id where gift.id = ?`,
    [giftId],
  )
  if (row === undefined) return null
  const { amount, ...facts } = row
  return { ...facts, amountFen: fen(Number(amount)) }
}
