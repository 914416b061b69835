import { z } from 'zod'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'
import { paymentSources, refundPartStates } from '../hr/refund.ts'
import { refundDecisions, refundRoutes } from '../refunds.ts'

/** GET /operator/refund-parts: what goes back and has not arrived; `person`: what only a person can bring forward. */
export const RefundPartsInput = z.object({
  which: z.enum(['person', 'open']).default('person'),
  cursor: cursorField,
  limit: limitField,
})
export const RefundParts = z.object({
  parts: z.array(
    z.object({
      id: idField('refundPart'),
      refundId: idField('refund'),
      companyName: z.string().nullable(),
      paymentId: idField('payment'),
      source: z.enum(paymentSources),
      route: z.enum(refundRoutes),
      brandName: z.string().nullable(),
      fen: fenField,
      state: z.enum(refundPartStates),
      text: z.string(),
      /** Ours, for whoever asks WeChat Pay. */
      outRefundNo: z.string().nullable(),
      createdAtMs: instantField,
      nextAtMs: instantField.nullable(),
      /** What a person may decide now. */
      decisions: z.array(z.enum(refundDecisions)),
    }),
  ),
  nextCursor: z.string().nullable(),
})
export type RefundParts = z.infer<typeof RefundParts>

/** POST /operator/refund-parts/:id/decide */
export const DecidePartInput = z.object({ id: idField('refundPart'), decision: z.enum(refundDecisions) })
export const DecidedPart = z.object({ state: z.enum(refundPartStates) })
