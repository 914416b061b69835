import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { InvoiceState } from '../../../contract/states.ts'
import { codeColumn, fenColumn, idColumn, instantColumn, largeBlobColumn } from '../../kernel/columns.ts'

/** A tax invoice over money of one order. Its id is our number at the service. */
export const Invoice = defineEntity({
  name: 'Invoice',
  tableName: 'invoice',
  properties: {
    id: idColumn<'invoice'>().primary(),
    /** Null: of a buyer's order. */
    companyId: idColumn<'company'>().nullable(),
    orderId: idColumn<'order'>(),
    /** Prepaid cards get ordinary invoices only. */
    kind: codeColumn<'ordinary'>(12),
    state: codeColumn<InvoiceState>(12),
    version: p.integer(),
    amountFen: fenColumn(),
    /** JSON: title, tax number, e-mail. */
    buyerSealed: p.blob(),
    /** The exact body that every repeat sends again. */
    bodySealed: largeBlobColumn().nullable(),
    /** Calls begun: from the second on the service is asked first how it stands. */
    calls: p.integer(),
    providerNumber: codeColumn(40).nullable(),
    issuedOn: codeColumn(10).nullable(),
    /** Why it was not issued, or could not be reversed. */
    reason: codeColumn(60).nullable(),
    /** Our number of its red-letter invoice, and what the service made of it. */
    redNumber: codeColumn(40).nullable().unique(),
    redCalls: p.integer(),
    redProviderNumber: codeColumn(40).nullable(),
    redOn: codeColumn(10).nullable(),
    /** `refund`: what remains is invoiced anew once it is red. */
    reversedFor: codeColumn<'refund' | 'by_hand'>(12).nullable(),
    /** The reversed invoice whose rest this one is. */
    reissueOf: idColumn<'invoice'>().nullable().unique(),
    requestedBy: p.string().length(17),
    requestedAtMs: instantColumn(),
    issuedAtMs: instantColumn().nullable(),
    reversedAtMs: instantColumn().nullable(),
  },
  checks: [{ name: 'invoice_amount_positive', expression: 'amount_fen > 0' }],
  indexes: [
    { name: 'invoice_order_index', properties: ['orderId', 'state'] },
    { name: 'invoice_company_index', properties: ['companyId', 'id'] },
  ],
})
export type InvoiceRow = InferEntity<typeof Invoice>

/** A line of an invoice: a department's part, or all of it. */
export const InvoiceLine = defineEntity({
  name: 'InvoiceLine',
  tableName: 'invoice_line',
  properties: {
    id: idColumn<'invoiceLine'>().primary(),
    invoiceId: idColumn<'invoice'>(),
    seq: p.integer(),
    department: p.string().length(200),
    amountFen: fenColumn(),
  },
  checks: [{ name: 'invoice_line_positive', expression: 'amount_fen > 0' }],
  uniques: [{ name: 'invoice_line_seq_unique', properties: ['invoiceId', 'seq'] }],
})
