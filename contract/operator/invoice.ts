import { z } from 'zod'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'
import { invoiceStates } from '../hr/invoice.ts'

/** What a person of the platform may do about an invoice that does not go on by itself. */
export const invoiceDecisions = ['retry', 'withdraw'] as const
export type InvoiceDecision = (typeof invoiceDecisions)[number]

/**
 * GET /operator/invoices: `person`: refused ones that nobody asked for anew, refused reversals, and those that have not moved
 * for an hour; `open`: every invoice that is not at its end.
 */
export const OpenInvoicesInput = z.object({
  which: z.enum(['person', 'open']).default('person'),
  cursor: cursorField,
  limit: limitField,
})
export const OpenInvoices = z.object({
  invoices: z.array(
    z.object({
      id: idField('invoice'),
      orderId: idField('order'),
      companyName: z.string().nullable(),
      /** Whom it is made out to. */
      title: z.string(),
      fen: fenField,
      state: z.enum(invoiceStates),
      /** The service's code for why it was not issued, or not reversed. */
      reason: z.string().nullable(),
      requestedAtMs: instantField,
      /** Since when it stands so. */
      sinceMs: instantField,
      /** Calls of the service that were begun for it. */
      calls: z.int().min(0),
      decisions: z.array(z.enum(invoiceDecisions)),
    }),
  ),
  nextCursor: z.string().nullable(),
  /** False: no invoice service is connected, requests wait for one. */
  connected: z.boolean(),
})
export type OpenInvoices = z.infer<typeof OpenInvoices>

/** POST /operator/invoices/:id/decide */
export const DecideInvoiceInput = z.object({ id: idField('invoice'), decision: z.enum(invoiceDecisions) })
export const DecidedInvoice = z.object({ state: z.enum(invoiceStates) })
