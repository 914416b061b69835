import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { CardState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { insertRows } from '../../kernel/sql.ts'

export interface NewCard {
  readonly orderItemId: Id<'orderItem'>
  readonly companyId: Id<'company'> | null
  readonly brandId: Id<'brand'>
  readonly templateVersionId: Id<'templateVersion'>
  readonly holderId: string
  readonly number: string
  readonly secret: string
  readonly faceFen: Fen
  /** Lock and validity count from this very instant. */
  readonly issuedAtMs: number
  readonly lockedUntilMs: number
  readonly expiresAtMs: number | null
  /** What made it: its first activity names that. */
  readonly ref: string
}

/** Writes cards with their first activity: two inserts for any number. The unique order item refuses a second card. */
export async function insertCards(tx: Tx, cards: readonly NewCard[]): Promise<Id<'card'>[]> {
  const { seal } = tx.house
  const rows = cards.map((card) => {
    const id = tx.newId('card')
    return {
      id,
      order_item_id: card.orderItemId,
      company_id: card.companyId,
      brand_id: card.brandId,
      template_version_id: card.templateVersionId,
      holder_id: card.holderId,
      number: card.number,
      secret_sealed: seal.seal({ table: 'card', column: 'secret_sealed', rowId: id }, card.secret),
      secret_index: seal.blindIndex('card.secret', card.secret),
      face_fen: card.faceFen,
      balance_fen: card.faceFen,
      held_fen: 0,
      state: 'active' satisfies CardState,
      version: 1,
      activities: 1,
      locked_until_ms: card.lockedUntilMs,
      expires_at_ms: card.expiresAtMs,
      issued_at_ms: card.issuedAtMs,
    }
  })
  await insertRows(tx.em, 'card', rows)
  const activities = rows.map((row, index) => ({
    card_id: row.id,
    seq: 1,
    kind: 'issue',
    amount_fen: row.face_fen,
    balance_fen: row.face_fen,
    ref: cards[index]!.ref,
    at_ms: row.issued_at_ms,
  }))
  await insertRows(tx.em, 'activity', activities)
  return rows.map((row) => row.id)
}
