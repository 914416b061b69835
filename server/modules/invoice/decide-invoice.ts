import type { Id } from '../../../contract/ids.ts'
import type { InvoiceDecision } from '../../../contract/operator/invoice.ts'
import { invoiceMoves, type InvoiceState } from '../../../contract/states.ts'
import { formatYuan } from '../../../contract/fen.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { readHeldInvoice } from './drive-invoice.ts'
import { invoiceJob } from './invoice-jobs.ts'
import { readOpen } from './read-open.ts'
import { beginReversal, withdraw } from './reverse-invoices.ts'
import type { InvoiceRow } from './tables.ts'

/**
 * A person of the platform decides about an invoice that does not go on by itself, and the trail says who. `retry`: what is
 * on its way is asked about now, a refused one is asked for again under its number, a refused reversal begins anew;
 * `withdraw`: a request that waits or was refused is given up. Answers the state after it. Refuses with `not_found`,
 * `state_conflict` where it does not stand so, `invoice_over_paid` where its order's money is on other invoices by now.
 */
export async function decideInvoice(tx: Tx, id: Id<'invoice'>, decision: InvoiceDecision): Promise<InvoiceState> {
  const one = (await readHeldInvoice(tx, id)) ?? refuse('not_found')
  await trail(tx, { objectId: id, act: 'invoice.decided', note: decision })
  await (decision === 'retry' ? retry(tx, one) : giveUp(tx, one))
  return (await readHeldInvoice(tx, id))!.state
}

async function retry(tx: Tx, one: InvoiceRow): Promise<void> {
  const { id, state } = one
  if (state === 'red') refuse('state_conflict')
  if (state === 'issued') return reverseAgain(tx, one)
  if (state === 'rejected') {
    if (!isRefused(one)) refuse('state_conflict')
    const { openFen } = await readOpen(tx, one.orderId)
    if (one.amountFen > openFen) refuse('invoice_over_paid', { detail: formatYuan(openFen) })
    const again = {
      table: 'invoice',
      id,
      from: 'rejected',
      to: 'requested',
      moves: invoiceMoves,
      set: { reason: null },
    }
    if (!(await move(tx, again))) refuse('state_conflict')
  }
  await enqueue(tx, [invoiceJob(tx, 'invoice.issue', id, tx.clock.now())])
}

/** Where the order's invoices are too much by now, what remains is invoiced anew as after any refund. */
async function reverseAgain(tx: Tx, one: InvoiceRow): Promise<void> {
  if (one.reason == null) refuse('state_conflict')
  const { paidFen, invoices } = await readOpen(tx, one.orderId)
  const live = invoices.filter(({ state }) => state === 'requested' || state === 'issuing' || state === 'issued')
  const isExcess = live.reduce((sum, { amountFen }) => sum + amountFen, 0) > paidFen
  if (!(await beginReversal(tx, one, isExcess ? 'refund' : 'by_hand'))) refuse('state_conflict')
}

async function giveUp(tx: Tx, one: InvoiceRow): Promise<void> {
  if (one.state === 'requested') {
    if (!(await withdraw(tx, one, 'cancelled'))) refuse('state_conflict')
    return
  }
  if (one.state !== 'rejected' || !isRefused(one)) refuse('state_conflict')
  await change(tx.em, "update invoice set reason = 'cancelled', version = version + 1 where id = ?", [one.id])
}

/** The service refused it; nobody withdrew it. */
const isRefused = ({ reason }: InvoiceRow): boolean => reason != null && reason !== 'cancelled' && reason !== 'refunded'
