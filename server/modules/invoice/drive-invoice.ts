import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { invoiceMoves } from '../../../contract/states.ts'
import type { InvoiceAnswer, InvoicePort } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change } from '../../kernel/sql.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { insertInvoice } from './insert-invoice.ts'
import { invoiceJob, reverseJob } from './invoice-jobs.ts'
import { readLines } from './read-invoices.ts'
import { readOpen } from './read-open.ts'
import { cutLines } from './rules.ts'
import { openBody, openBuyer, sealBody } from './seal-buyer.ts'
import { Invoice, type InvoiceRow } from './tables.ts'

/** How long a request waits before it is looked whether a service is connected by now. */
const WAIT_MS = 3_600_000
const POLL_MS = 30_000
const LONGEST_MS = 3_600_000

type Call = {
  readonly orderId: Id<'order'>
  /** The number that is asked about. */
  readonly number: string
  readonly calls: number
} & ({ readonly act: 'issue'; readonly body: string } | { readonly act: 'reverse' })

/**
 * Jobs `invoice.issue` and `invoice.poll`: brings an invoice forward from wherever it stands: its issuing, or its reversal.
 * The exact body is stored before the first call; whatever was called before is asked about before it is called again, under
 * the same number. Without a service the request waits. Throws OutsideError; may be repeated at any point.
 */
export async function driveInvoice(edge: Edge, id: Id<'invoice'>): Promise<void> {
  const call = await edge.tx((tx) => intend(tx, id, edge.ports.invoice))
  if (call === null) return
  const port = edge.ports.invoice
  let answer: InvoiceAnswer = call.calls > 1 ? await port.query(call.number) : { state: 'unknown_number' }
  if (answer.state === 'unknown_number' || (call.act === 'reverse' && answer.state === 'refused'))
    answer =
      call.act === 'issue' ? await port.issue(call.body) : await port.reverse({ number: id, redNumber: call.number })
  await edge.tx((tx) => record(tx, id, call, answer))
}

/** Writes down that a call begins, and with what. Null: there is nothing to call. */
async function intend(tx: Tx, id: Id<'invoice'>, port: InvoicePort): Promise<Call | null> {
  const one = await readHeldInvoice(tx, id)
  if (one === null || !['requested', 'issuing', 'reversing'].includes(one.state)) return null
  const { orderId } = one
  if (!port.configured) {
    await enqueue(tx, [invoiceJob(tx, 'invoice.issue', id, tx.clock.now() + WAIT_MS)])
    return null
  }
  if (one.state === 'requested') {
    const lines = (await readLines(tx, [id])).map((line) => ({ remark: line.department, amount: line.amountFen }))
    const body = port.issueBody({ number: id, ...openBuyer(tx, one), amount: one.amountFen, lines })
    // Counted on where a refused one is asked for again: what it causes is caused by this call and no earlier one.
    const set = { body_sealed: sealBody(tx, id, body), calls: one.calls + 1 }
    const begun = { table: 'invoice', id, from: 'requested', to: 'issuing', moves: invoiceMoves, set }
    return (await move(tx, begun)) ? { act: 'issue', body, orderId, number: id, calls: 1 } : null
  }
  const reversing = one.state === 'reversing'
  const count = reversing ? 'red_calls' : 'calls'
  await change(tx.em, `update invoice set ${count} = ${count} + 1, version = version + 1 where id = ?`, [id])
  if (reversing) {
    if (one.redNumber == null) throw new Error(`invoice ${id} is being reversed under no number`)
    return { act: 'reverse', orderId, number: one.redNumber, calls: one.redCalls + 1 }
  }
  if (one.bodySealed == null) throw new Error(`invoice ${id} is being issued without a body`)
  return { act: 'issue', body: openBody(tx, id, one.bodySealed), orderId, number: id, calls: one.calls + 1 }
}

/** The invoice as it stands, with its order held until the end of the transaction. */
export async function readHeldInvoice(tx: Tx, id: Id<'invoice'>): Promise<InvoiceRow | null> {
  const found = await tx.em.findOne(Invoice, { id }, { disableIdentityMap: true })
  if (found === null) return null
  await lockOrders(tx, [found.orderId])
  return tx.em.findOne(Invoice, { id }, { disableIdentityMap: true })
}

async function record(tx: Tx, id: Id<'invoice'>, call: Call, answer: InvoiceAnswer): Promise<void> {
  const one = await readHeldInvoice(tx, id)
  if (one === null || one.state !== (call.act === 'issue' ? 'issuing' : 'reversing')) return
  switch (answer.state) {
    case 'unknown_number':
    case 'processing': {
      const wait = Math.min(LONGEST_MS, POLL_MS * call.calls)
      return enqueue(tx, [invoiceJob(tx, 'invoice.poll', id, tx.clock.now() + wait)])
    }
    case 'issued':
      return call.act === 'issue' ? noteIssued(tx, one, answer) : noteRed(tx, one, answer)
    case 'refused':
      return noteRefused(tx, one, call.act, answer.code)
  }
}

type Issued = Extract<InvoiceAnswer, { state: 'issued' }>

async function noteIssued(tx: Tx, one: InvoiceRow, { providerNumber, issuedOn }: Issued): Promise<void> {
  const set = { provider_number: providerNumber, issued_on: issuedOn, issued_at_ms: tx.clock.now(), reason: null }
  await move(tx, { table: 'invoice', id: one.id, from: 'issuing', to: 'issued', moves: invoiceMoves, set })
  await lookForExcess(tx, one)
}

/** A reversed invoice; what remains of the order's money after a refund is invoiced anew. */
async function noteRed(tx: Tx, one: InvoiceRow, { providerNumber, issuedOn }: Issued): Promise<void> {
  const set = { red_provider_number: providerNumber, red_on: issuedOn, reversed_at_ms: tx.clock.now(), reason: null }
  const step = { table: 'invoice', id: one.id, from: 'reversing', to: 'red', moves: invoiceMoves, set }
  if ((await move(tx, step)) && one.reversedFor === 'refund') await reissueRest(tx, one)
}

async function noteRefused(tx: Tx, one: InvoiceRow, act: Call['act'], code: string): Promise<void> {
  const [from, to] = act === 'issue' ? (['issuing', 'rejected'] as const) : (['reversing', 'issued'] as const)
  const set = { reason: code.slice(0, 60), ...(act === 'issue' ? {} : { reversed_for: null }) }
  await move(tx, { table: 'invoice', id: one.id, from, to, moves: invoiceMoves, set, note: code })
  if (act === 'issue') await lookForExcess(tx, one)
}

/** The order may have been refunded while the service worked. */
async function lookForExcess(tx: Tx, one: InvoiceRow): Promise<void> {
  await enqueue(tx, [reverseJob(one.orderId, `${one.id}:${one.calls}`)])
}

/**
 * Asks for a new invoice over what is left of a reversed or withdrawn one: at most its amount and what the order has open, cut
 * over its lines in proportion. The caller holds the order.
 */
export async function reissueRest(tx: Tx, one: InvoiceRow): Promise<void> {
  const { openFen } = await readOpen(tx, one.orderId)
  const amount = fen(Math.min(openFen, one.amountFen))
  if (amount === 0) return
  const before = (await readLines(tx, [one.id])).map((line) => ({ department: line.department, fen: line.amountFen }))
  const { companyId = null, orderId } = one
  const lines = cutLines(amount, before)
  await insertInvoice(tx, { companyId, orderId, amount, lines, buyer: openBuyer(tx, one), reissueOf: one.id })
}
