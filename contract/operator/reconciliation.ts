import { z } from 'zod'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'

export const billKinds = ['trade', 'fund_flow', 'sharing'] as const
export const differenceKinds = ['not_in_books', 'not_in_bill', 'amount', 'twice_in_bill'] as const
/** How a bill and the books differ. */
export type DifferenceKind = (typeof differenceKinds)[number]

/**
 * What most likely happened. `notice_lost`: the payment is ours and we do not know of its money; `foreign`: nobody here gave
 * this number out; `other_day`: it happened around midnight; `not_at_wechat`: WeChat Pay does not know of it;
 * `fee`: another fee than agreed; `unknown`: somebody must find out.
 */
export const differenceGuesses = ['notice_lost', 'foreign', 'other_day', 'not_at_wechat', 'fee', 'unknown'] as const
export type DifferenceGuess = (typeof differenceGuesses)[number]

/** GET /operator/bills: newest day first. */
export const BillsInput = z.object({ cursor: cursorField, limit: limitField })
export const Bills = z.object({
  bills: z.array(
    z.object({
      id: idField('bill'),
      mchid: z.string(),
      kind: z.enum(billKinds),
      day: z.string(),
      state: z.enum(['waiting', 'none', 'compared', 'unreadable']),
      lines: z.int(),
      open: z.int(),
      problem: z.string().nullable(),
      comparedAtMs: instantField.nullable(),
    }),
  ),
  nextCursor: z.string().nullable(),
})

/** GET /operator/differences: open ones unless said, newest first. */
export const DifferencesInput = z.object({
  state: z.enum(['open', 'closed']).default('open'),
  cursor: cursorField,
  limit: limitField,
})
export const DifferenceView = z.object({
  id: idField('billDifference'),
  day: z.string(),
  mchid: z.string(),
  bill: z.enum(billKinds),
  kind: z.enum(differenceKinds),
  guess: z.enum(differenceGuesses),
  state: z.enum(['open', 'closed']),
  /** What it is about: `paid`, `refund`, `share` … and the number. */
  subject: z.string(),
  row: z.int().nullable(),
  oursFen: fenField.nullable(),
  theirsFen: fenField.nullable(),
  ref: z.string().nullable(),
  owner: z.string().nullable(),
  note: z.string().nullable(),
  createdAtMs: instantField,
  closedAtMs: instantField.nullable(),
})
export type DifferenceView = z.infer<typeof DifferenceView>
export const Differences = z.object({
  differences: z.array(DifferenceView),
  open: z.int(),
  nextCursor: z.string().nullable(),
})

/** POST /operator/differences/:id/take: whoever asks looks after it from now on. */
export const TakeDifferenceInput = z.object({ id: idField('billDifference') })
/** POST /operator/differences/:id/close: with what was found. */
export const CloseDifferenceInput = z.object({
  id: idField('billDifference'),
  note: z.string().trim().min(2).max(500),
})
/** POST /operator/bills/:id/compare: fetches and compares it again, now. */
export const CompareBillInput = z.object({ id: idField('bill') })
export const CompareBillAnswer = z.object({ queued: z.boolean() })
