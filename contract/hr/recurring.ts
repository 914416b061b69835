import { z } from 'zod'
import { fenField, idField, instantField } from '../fields.ts'
import { recurringMoves } from '../states.ts'
import { campaignStates, covers, TemplateView } from './campaign.ts'

export const recurringKinds = ['birthday', 'anniversary'] as const
const recurringStates = [
  'draft',
  'in_review',
  'active',
  'paused',
  'ended',
] as const satisfies readonly (keyof typeof recurringMoves)[]

const someFen = fenField.refine((value) => value > 0, { message: 'at least 1 fen' })

/** What a run says: it is approved as a whole, then makes a campaign of each day that anybody has. */
export const RecurringContent = z.object({
  kind: z.enum(recurringKinds),
  title: z.string().trim().min(1).max(60),
  cover: z.enum(covers),
  templateVersionId: idField('templateVersion'),
  faceFen: someFen,
  /** Added for each full year with the company, up to what the card may hold. Birthdays have none. */
  perYearFen: fenField,
  greeting: z.string().max(300),
  /** Minute of the company's day at which messages go out. */
  sendAtMinute: z.int().min(0).max(1439),
  /** The most that it may spend in a calendar month of the company. */
  monthlyLimitFen: someFen,
})
export type RecurringContent = z.infer<typeof RecurringContent>
export const EditRecurringInput = RecurringContent.extend({ id: idField('recurring'), version: z.int() })
export const RecurringIdInput = z.object({ id: idField('recurring') })
export const CreatedRecurring = z.object({ id: idField('recurring') })
export const MovedRecurring = z.object({ id: idField('recurring'), state: z.enum(recurringStates), version: z.int() })
/** POST …/submit and …/approve: the hash of what the person saw. */
export const DecideRecurringInput = z.object({ id: idField('recurring'), contentHash: z.string().length(64) })

const Who = z.object({ id: idField('member'), name: z.string() })
export const RecurringSummary = z.object({
  id: idField('recurring'),
  kind: z.enum(recurringKinds),
  title: z.string(),
  state: z.enum(recurringStates),
  faceFen: fenField,
  monthlyLimitFen: fenField,
  /** Of the company's calendar month. */
  spentFen: fenField,
})
export const RecurringList = z.object({ runs: z.array(RecurringSummary) })
export type RecurringSummary = z.infer<typeof RecurringSummary>

export const RecurringDetail = z.object({
  id: idField('recurring'),
  state: z.enum(recurringStates),
  version: z.int(),
  content: RecurringContent,
  template: TemplateView,
  createdBy: Who,
  submittedBy: Who.nullable(),
  decidedBy: Who.nullable(),
  decidedAtMs: instantField.nullable(),
  spentFen: fenField,
  /** What it made, newest first. */
  days: z.array(
    z.object({
      campaignId: idField('campaign'),
      day: z.string(),
      state: z.enum(campaignStates),
      heads: z.int(),
      priceFen: fenField,
    }),
  ),
})
export type RecurringDetail = z.infer<typeof RecurringDetail>

/** GET …/preview: the next 30 days as the staff list stands now. */
export const RecurringPreview = z.object({
  days: z.array(z.object({ day: z.string(), heads: z.int(), faceFen: fenField, priceFen: fenField })),
  heads: z.int(),
  faceFen: fenField,
  priceFen: fenField,
  /** People whose day nobody knows. */
  withoutDay: z.int(),
  /** What keeps it from being submitted, in the reader's language. */
  blocks: z.array(z.object({ code: z.string(), field: z.string(), text: z.string() })),
  walletFen: fenField,
  /** Give it back with submit and approve. */
  contentHash: z.string(),
})
export type RecurringPreview = z.infer<typeof RecurringPreview>
