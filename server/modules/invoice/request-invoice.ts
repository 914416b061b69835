import { formatYuan, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { isTaxNumber, plainTaxNumber } from '../../../contract/tax-number.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { findBuyersOrder, findOwnOrder } from '../order/read-order.ts'
import { insertInvoice } from './insert-invoice.ts'
import { readByDepartment, readOpen } from './read-open.ts'
import { cutLines, type Line } from './rules.ts'
import type { Buyer } from './seal-buyer.ts'

export interface InvoiceRequest {
  readonly orderId: Id<'order'>
  readonly kind: 'ordinary' | 'special'
  readonly buyer: Buyer
  /** Without one: all that is open. */
  readonly amount?: Fen | undefined
  readonly byDepartment: boolean
}

/**
 * Asks for an invoice over paid money of an order of the actor's company, or of the buyer who acts, and enqueues its issuing. Refuses a special VAT
 * invoice (`invoice_kind_refused`), a wrong tax number (`tax_number_wrong`), more than is paid, not refunded and on no
 * other invoice (`invoice_over_paid`), an order without paid money (`state_conflict`), another company's or buyer's (`not_found`).
 */
export async function requestInvoice(tx: Tx, wish: InvoiceRequest): Promise<Id<'invoice'>> {
  if (wish.kind === 'special') refuse('invoice_kind_refused')
  const taxNumber = wish.buyer.taxNumber === null ? null : plainTaxNumber(wish.buyer.taxNumber)
  if (taxNumber !== null && !isTaxNumber(taxNumber)) refuse('tax_number_wrong', { field: 'taxNumber' })
  const isBuyers = tx.actor.kind === 'buyer'
  const { companyId = null } = await (isBuyers ? findBuyersOrder(tx, wish.orderId) : findOwnOrder(tx, wish.orderId))
  await lockOrders(tx, [wish.orderId])
  const { amount, lines } = await planLines(tx, wish)
  return insertInvoice(tx, {
    companyId,
    orderId: wish.orderId,
    amount,
    lines,
    buyer: { ...wish.buyer, taxNumber },
    reissueOf: null,
  })
}

/** The amount and the lines that a request would have, as things stand. Refuses as `requestInvoice` does. */
export async function planLines(
  tx: Tx,
  wish: Pick<InvoiceRequest, 'orderId' | 'amount' | 'byDepartment'>,
): Promise<{ readonly paidFen: Fen; readonly openFen: Fen; readonly amount: Fen; readonly lines: readonly Line[] }> {
  const { paidFen, openFen } = await readOpen(tx, wish.orderId)
  if (paidFen === 0) refuse('state_conflict')
  const amount = wish.amount ?? openFen
  if (amount === 0 || amount > openFen) refuse('invoice_over_paid', { detail: formatYuan(openFen) })
  const departments = wish.byDepartment ? await readByDepartment(tx, wish.orderId) : []
  const lines = departments.length === 0 ? [{ department: '', fen: amount }] : cutLines(amount, departments)
  return { paidFen, openFen, amount, lines }
}
