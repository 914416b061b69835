import type { Id } from '../../../contract/ids.ts'
import { invoiceMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { findBuyersOrder } from '../order/read-order.ts'
import { reissueRest } from './drive-invoice.ts'
import { invoiceJob } from './invoice-jobs.ts'
import { readOpen } from './read-open.ts'
import { chooseReversals } from './rules.ts'
import { Invoice, type InvoiceRow } from './tables.ts'

/**
 * Job `invoice.reverse`: after a refund, reverses whole invoices of the order, newest first, until they are within what
 * is paid and not refunded; what remains of a reversed one is invoiced anew once it is red. A request that was not sent
 * yet is withdrawn instead. May be repeated: where nothing is too much nothing happens.
 */
export async function reverseInvoices(tx: Tx, orderId: Id<'order'>): Promise<void> {
  await lockOrders(tx, [orderId])
  const { paidFen, invoices } = await readOpen(tx, orderId)
  // One that is being issued calls again when its answer is there.
  for (const one of chooseReversals(invoices, paidFen) ?? []) {
    if (one.state === 'issued') await beginReversal(tx, one, 'refund')
    else if (await withdraw(tx, one, 'refunded')) await reissueRest(tx, one)
  }
}

/** Reverses an issued invoice by hand; nothing is issued in its place. Refuses with `state_conflict`, `not_found`. */
export async function reverseByHand(tx: Tx, id: Id<'invoice'>): Promise<void> {
  const one = await findHeld(tx, id)
  if (one.state !== 'issued' || !(await beginReversal(tx, one, 'by_hand'))) refuse('state_conflict')
}

/** Withdraws a request that was not sent yet. Refuses with `state_conflict`, `not_found`. */
export async function cancelInvoice(tx: Tx, id: Id<'invoice'>): Promise<void> {
  const one = await findHeld(tx, id)
  if (one.state !== 'requested' || !(await withdraw(tx, one, 'cancelled'))) refuse('state_conflict')
}

/** The same of the one that waits for an order of the buyer who acts. Refuses with `state_conflict`, `not_found`. */
export async function cancelBuyersInvoice(tx: Tx, orderId: Id<'order'>): Promise<void> {
  await findBuyersOrder(tx, orderId)
  await lockOrders(tx, [orderId])
  const waiting = (await readOpen(tx, orderId)).invoices.find(({ state }) => state === 'requested')
  if (waiting === undefined || !(await withdraw(tx, waiting, 'cancelled'))) refuse('state_conflict')
}

async function findHeld(tx: Tx, id: Id<'invoice'>): Promise<InvoiceRow> {
  const { orderId } = await findOwn(tx, Invoice, id)
  await lockOrders(tx, [orderId])
  return findOwn(tx, Invoice, id)
}

/** Withdraws a request that waits; false when it does not wait any more. The caller holds its order. */
export const withdraw = (tx: Tx, { id }: InvoiceRow, reason: 'refunded' | 'cancelled'): Promise<boolean> =>
  move(tx, { table: 'invoice', id, from: 'requested', to: 'rejected', moves: invoiceMoves, set: { reason } })

/** Begins to reverse an issued invoice; false when it is not issued any more. The caller holds its order. */
export async function beginReversal(tx: Tx, { id }: InvoiceRow, why: 'refund' | 'by_hand'): Promise<boolean> {
  const set = { red_number: `${id}R`, red_calls: 0, reversed_for: why, reason: null }
  const begun = await move(tx, { table: 'invoice', id, from: 'issued', to: 'reversing', moves: invoiceMoves, set })
  if (begun) await enqueue(tx, [invoiceJob(tx, 'invoice.issue', id, tx.clock.now())])
  return begun
}
