import { fen, signedFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { Activity, Card } from './tables.ts'

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
}

/** Writes cards with their first activity: two inserts for any number. The unique order item refuses a second card. */
export async function insertCards(tx: Tx, cards: readonly NewCard[], ref: string): Promise<Id<'card'>[]> {
  const { seal } = tx.house
  const rows = cards.map(({ secret, ...card }) => {
    const id = tx.newId('card')
    return {
      id,
      ...card,
      secretSealed: seal.seal({ table: 'card', column: 'secret_sealed', rowId: id }, secret),
      secretIndex: seal.blindIndex('card.secret', secret),
      balanceFen: card.faceFen,
      heldFen: fen(0),
      state: 'active' as const,
      version: 1,
    }
  })
  await tx.em.insertMany(Card, rows)
  await tx.em.insertMany(
    Activity,
    rows.map((row) => ({
      cardId: row.id,
      seq: 1,
      kind: 'issue',
      amountFen: signedFen(row.faceFen),
      balanceFen: row.faceFen,
      ref,
      atMs: row.issuedAtMs,
    })),
  )
  return rows.map((row) => row.id)
}
