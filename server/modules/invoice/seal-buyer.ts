import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import type { InvoiceRow } from './tables.ts'

/** Who the invoice is made out to. */
export interface Buyer {
  readonly title: string
  /** Null: a person, who has none. */
  readonly taxNumber: string | null
  readonly email: string | null
}

const placeOf = (id: string, column: string) => ({ table: 'invoice', column, rowId: id })

/** Seals what the invoice `id` is made out to. */
export const sealBuyer = (tx: Tx, id: Id<'invoice'>, { title, taxNumber, email }: Buyer): Buffer =>
  tx.house.seal.seal(placeOf(id, 'buyer_sealed'), JSON.stringify({ title, taxNumber, email }))

export const openBuyer = (tx: Tx, { id, buyerSealed }: Pick<InvoiceRow, 'id' | 'buyerSealed'>): Buyer =>
  JSON.parse(tx.house.seal.open(placeOf(id, 'buyer_sealed'), buyerSealed)) as Buyer

/** Seals the exact body of the call that issues it. */
export const sealBody = (tx: Tx, id: Id<'invoice'>, body: string): Buffer =>
  tx.house.seal.seal(placeOf(id, 'body_sealed'), body)

export const openBody = (tx: Tx, id: Id<'invoice'>, sealed: Uint8Array): string =>
  tx.house.seal.open(placeOf(id, 'body_sealed'), sealed)
