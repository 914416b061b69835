import type { InferEntity } from '@mikro-orm/core'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { RedemptionView } from '../../../contract/till.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { idAt } from '../../kernel/new-ids.ts'
import { sql } from '../../kernel/sql.ts'
import { Redemption } from './tables.ts'

/** A purchase of a shop as every till sees it; null for another shop's, or none. */
export async function readRedemption(
  tx: Tx,
  where: { readonly id: Id<'redemption'>; readonly shopId: Id<'shop'> },
): Promise<RedemptionView | null> {
  const row = await tx.em.findOne(Redemption, where, { disableIdentityMap: true })
  return row && viewRedemption(tx, row)
}

/** Nothing is set aside for longer than a week, so a till that lost its way looks no further back. */
const LOOK_BACK_MS = 8 * 86_400_000
/** A till that counts anew every day uses a number again; it is told of the newest. */
const MOST = 20

/** The purchases of a till under its own number, newest first. */
export async function readByRef(tx: Tx, tillId: string, ref: string): Promise<RedemptionView[]> {
  const since = idAt('redemption', tx.clock.now() - LOOK_BACK_MS)
  const where = { tillId, ref, id: { $gte: since } }
  const rows = await tx.em.find(Redemption, where, { orderBy: { id: 'desc' }, limit: MOST, disableIdentityMap: true })
  const views: RedemptionView[] = []
  for (const row of rows) views.push(await viewRedemption(tx, row))
  return views
}

interface CardRow {
  readonly number: string
  readonly amount: unknown
  readonly captured: unknown
  readonly refunded: unknown
  readonly balance: unknown
  readonly state: string
}
type Row = InferEntity<typeof Redemption>

/** A purchase as every till sees it, with its cards as they stand now. */
export async function viewRedemption(tx: Tx, row: Row): Promise<RedemptionView> {
  const cards = await sql<CardRow>(
    tx.em,
    `select card.number as number, hold.amount_fen as amount, hold.captured_fen as captured,
        hold.refunded_fen as refunded, card.balance_fen as balance, hold.state as state
      from hold join card on card.id = hold.card_id where hold.ref = ? order by hold.id`,
    [row.id],
  )
  const { id, state, ref, billFen, authorisedFen, capturedFen, refundedFen, createdAtMs, endsAtMs } = row
  const movedAtMs = row.movedAtMs ?? null
  return {
    id,
    state,
    ref: ref ?? null,
    billFen,
    authorisedFen,
    capturedFen,
    refundedFen,
    cashFen: fen(state === 'opened' ? 0 : billFen - authorisedFen),
    availableFen: fen(0),
    cards: cards.map((card) => ({
      numberTail: card.number.slice(-4),
      heldFen: fen(card.state === 'held' ? readSum(card.amount) - readSum(card.captured) : 0),
      capturedFen: fen(readSum(card.captured)),
      refundedFen: fen(readSum(card.refunded)),
      balanceFen: fen(readSum(card.balance)),
    })),
    movedAtMs,
    createdAtMs,
    endsAtMs,
  }
}
