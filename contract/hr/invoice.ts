import { z } from 'zod'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'

export const invoiceStates = ['requested', 'issuing', 'issued', 'reversing', 'red', 'rejected'] as const

const Line = z.object({
  /** Empty: the whole order, or people without a department. */
  department: z.string(),
  fen: fenField,
})

export const InvoiceView = z.object({
  id: idField('invoice'),
  orderId: idField('order'),
  campaignTitle: z.string().nullable(),
  state: z.enum(invoiceStates),
  fen: fenField,
  title: z.string(),
  /** The number that the tax invoice carries, and its day in China. */
  providerNumber: z.string().nullable(),
  issuedOn: z.string().nullable(),
  /** How it stands, in words. */
  text: z.string(),
  /** For what remained of an invoice that was reversed. */
  reissueOf: idField('invoice').nullable(),
  requestedAtMs: instantField,
  mayCancel: z.boolean(),
  mayReverse: z.boolean(),
})
export type InvoiceView = z.infer<typeof InvoiceView>

export const InvoiceDetail = InvoiceView.extend({
  /** Null: made out to a person. */
  taxNumber: z.string().nullable(),
  email: z.string().nullable(),
  lines: z.array(Line),
  redNumber: z.string().nullable(),
  redOn: z.string().nullable(),
})
export type InvoiceDetail = z.infer<typeof InvoiceDetail>

/** GET /hr/invoices: newest first. */
export const InvoiceListInput = z.object({
  orderId: idField('order').optional(),
  cursor: cursorField,
  limit: limitField,
})
export const InvoiceList = z.object({
  invoices: z.array(InvoiceView),
  nextCursor: z.string().nullable(),
  /** False: no invoice service is connected; finance exports the fields. */
  connected: z.boolean(),
})

/** GET /hr/invoice-orders: orders of which something is paid and not invoiced yet, newest first, 100 at the most. */
export const InvoiceOrders = z.object({
  orders: z.array(
    z.object({ orderId: idField('order'), campaignTitle: z.string().nullable(), paidFen: fenField, openFen: fenField }),
  ),
  /** What this company's last invoice said, to begin with. */
  last: z.object({ title: z.string(), taxNumber: z.string(), email: z.string().nullable() }).nullable(),
})

/** GET /hr/orders/:id/invoice-preview: the lines that a request would have. */
export const InvoicePreviewInput = z.object({
  id: idField('order'),
  byDepartment: z.enum(['true', 'false']).default('false'),
  amountFen: z.coerce.number().int().min(1).optional(),
})
export const InvoicePreview = z.object({
  paidFen: fenField,
  /** Of it: neither refunded nor on another invoice. */
  openFen: fenField,
  fen: fenField,
  lines: z.array(Line),
})
export type InvoicePreview = z.infer<typeof InvoicePreview>

/** POST /hr/orders/:id/invoices, Idempotency-Key. Without an amount: all that is open. */
export const RequestInvoiceInput = z.object({
  id: idField('order'),
  /** Prepaid cards never get a special VAT invoice: `special` is refused with the reason. */
  kind: z.enum(['ordinary', 'special']).default('ordinary'),
  title: z.string().trim().min(1).max(100),
  taxNumber: z.string().max(40),
  email: z.email().max(200).nullable().default(null),
  amountFen: z.int().min(1).optional(),
  byDepartment: z.boolean().default(false),
})
export const InvoiceIdInput = z.object({ id: idField('invoice') })

/** GET /hr/invoice-fields.xlsx: the fields that an invoice service needs, of requests that wait or of all. */
export const InvoiceExportInput = z.object({ only: z.enum(['requested', 'all']).default('requested') })
