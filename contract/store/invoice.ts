import { z } from 'zod'
import { fenField, idField } from '../fields.ts'
import { InvoiceDetail } from '../hr/invoice.ts'

/**
 * POST /store/orders/:id/invoice, with an Idempotency-Key: an ordinary invoice over all that was paid and is on no invoice yet. For a
 * company its tax number is needed (`tax_number_wrong`); a person has none. Refused with `state_conflict` before the order is paid, and
 * `invoice_over_paid` when nothing is open.
 */
export const StoreInvoiceInput = z.object({
  id: idField('order'),
  title: z.string().trim().min(1).max(100),
  taxNumber: z.string().max(40).nullable().default(null),
  email: z.email().max(200).nullable().default(null),
})

/** GET /store/orders/:id/invoice: the newest one of the order, and what of its money is on none. */
export const StoreInvoice = z.object({
  invoice: InvoiceDetail.omit({ campaignTitle: true, lines: true, mayReverse: true }).nullable(),
  openFen: fenField,
})
export type StoreInvoice = z.infer<typeof StoreInvoice>
/** POST /store/orders/:id/invoice/cancel withdraws a request that was not sent yet (`state_conflict`). */
export const StoreInvoiceIdInput = z.object({ id: idField('order') })
