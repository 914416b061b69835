import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { insertRows } from '../../kernel/sql.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import { invoiceJob } from './invoice-jobs.ts'
import type { Line } from './rules.ts'
import { sealBuyer, type Buyer } from './seal-buyer.ts'
import { Invoice } from './tables.ts'

export interface NewInvoice {
  readonly companyId: Id<'company'> | null
  readonly orderId: Id<'order'>
  readonly amount: Fen
  /** They sum to the amount. */
  readonly lines: readonly Line[]
  readonly buyer: Buyer
  readonly reissueOf: Id<'invoice'> | null
}

/** Writes an invoice that is asked for, and enqueues its issuing. The caller holds the order. */
export async function insertInvoice(tx: Tx, one: NewInvoice): Promise<Id<'invoice'>> {
  const id = tx.newId('invoice')
  const { companyId, orderId, amount, reissueOf } = one
  await tx.em.insert(Invoice, {
    id,
    companyId,
    orderId,
    kind: 'ordinary',
    state: 'requested',
    version: 1,
    amountFen: amount,
    reissueOf,
    buyerSealed: sealBuyer(tx, id, one.buyer),
    bodySealed: null,
    calls: 0,
    redCalls: 0,
    providerNumber: null,
    issuedOn: null,
    reason: null,
    redNumber: null,
    redProviderNumber: null,
    redOn: null,
    reversedFor: null,
    requestedBy: actorName(tx.actor),
    requestedAtMs: tx.clock.now(),
    issuedAtMs: null,
    reversedAtMs: null,
  })
  await insertRows(
    tx.em,
    'invoice_line',
    one.lines.map((line, seq) => ({
      id: tx.newId('invoiceLine'),
      invoice_id: id,
      seq,
      department: line.department,
      amount_fen: line.fen,
    })),
  )
  await trail(tx, { objectId: id, act: 'invoice.requested', toState: 'requested', note: `${orderId} ${amount}` })
  await enqueue(tx, [invoiceJob(tx, 'invoice.issue', id, tx.clock.now())])
  return id
}
