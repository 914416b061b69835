import type { PackPurchase } from '../../../contract/employee/pack.ts'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { RedemptionState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import type { Holder } from '../card/read-card.ts'

interface Row {
  readonly id: Id<'redemption'>
  readonly state: RedemptionState
  readonly shopName: string
  readonly bill: unknown
  readonly at: unknown
  readonly cardId: Id<'card'>
  readonly number: string
  readonly amount: unknown
  readonly captured: unknown
  readonly refunded: unknown
  readonly balance: unknown
  readonly holdState: string
}
/** As many as one purchase may take from one holder's cards. */
const MOST_HOLDS = 20

/**
 * The last purchase since an instant that took from cards of this holder, with their cards alone: whoever else paid with
 * them, or before the card was theirs, is not their business. Null when there was none.
 */
export async function readLatestPurchase(tx: Tx, holder: Holder, sinceMs: number): Promise<PackPurchase | null> {
  const rows = await sql<Row>(
    tx.em,
    `select redemption.id as id, redemption.state as state, shop.name as shopName, redemption.bill_fen as bill,
        redemption.created_at_ms as at, card.id as cardId, card.number as number, card.balance_fen as balance,
        hold.amount_fen as amount, hold.captured_fen as captured, hold.refunded_fen as refunded, hold.state as holdState
      from card join hold on hold.card_id = card.id join redemption on redemption.id = hold.ref
        join shop on shop.id = redemption.shop_id
      where card.holder_id = ? ${holder.companyId === null ? '' : 'and card.company_id = ?'} and hold.created_at_ms >= ?
        and hold.created_at_ms > card.hand_since_ms
      order by redemption.id desc, hold.id limit ${MOST_HOLDS}`,
    [holder.holderId, ...(holder.companyId === null ? [] : [holder.companyId]), sinceMs],
  )
  const [first] = rows
  if (first === undefined) return null
  return {
    id: first.id,
    state: first.state,
    shopName: first.shopName,
    billFen: fen(Number(first.bill)),
    atMs: Number(first.at),
    cards: rows.filter((row) => row.id === first.id).map(presentCard),
  }
}

const presentCard = (row: Row): PackPurchase['cards'][number] => ({
  cardId: row.cardId,
  numberTail: row.number.slice(-4),
  heldFen: fen(row.holdState === 'held' ? Number(row.amount) - Number(row.captured) : 0),
  capturedFen: fen(Number(row.captured)),
  refundedFen: fen(Number(row.refunded)),
  balanceFen: fen(Number(row.balance)),
})
