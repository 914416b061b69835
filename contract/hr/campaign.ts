import { z } from 'zod'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'

export const occasions = [
  'mid_autumn',
  'spring_festival',
  'dragon_boat',
  'birthday',
  'anniversary',
  'thanks',
  'other',
] as const
export const covers = [
  'mid_autumn',
  'spring_festival',
  'dragon_boat',
  'birthday',
  'anniversary',
  'thanks',
  'plain',
] as const
export const campaignStates = [
  'draft',
  'in_review',
  'approved',
  'running',
  'finished',
  'rejected',
  'cancelled',
] as const
/** GET /hr/templates: what can be given, newest version of each. */
export const TemplateView = z.object({
  versionId: idField('templateVersion'),
  name: z.string(),
  brand: z.object({ id: idField('brand'), name: z.string(), takesWechatPay: z.boolean() }),
  named: z.boolean(),
  faces: z.array(fenField),
  minFaceFen: fenField,
  maxFaceFen: fenField,
  stepFen: fenField,
  validDays: z.int().nullable(),
  priceBp: z.int(),
  cover: z.enum(covers),
  scope: z.string(),
})
export type TemplateView = z.infer<typeof TemplateView>
export const Templates = z.object({ templates: z.array(TemplateView) })

export const Selection = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('all') }),
  z.object({ kind: z.literal('departments'), departments: z.array(z.string().max(200)).min(1).max(500) }),
  z.object({ kind: z.literal('rows'), rowIds: z.array(idField('rosterRow')).min(1).max(2000) }),
  /** People of the staff beside any list (late joiners, a day's birthdays); they all get the same amount. */
  z.object({ kind: z.literal('people'), personIds: z.array(idField('person')).min(1).max(2000) }),
  /** Those whose day it is: campaigns that a birthday or anniversary run made. Nobody drafts one by hand. */
  z.object({ kind: z.literal('run') }),
])
export type Selection = z.infer<typeof Selection>

/** What a draft says. POST /hr/campaigns with all of it; PUT /hr/campaigns/:id the same with the version seen. */
export const CampaignContent = z.object({
  title: z.string().trim().min(1).max(60),
  occasion: z.enum(occasions),
  cover: z.enum(covers),
  templateVersionId: idField('templateVersion'),
  rosterId: idField('roster').nullable(),
  selection: Selection,
  amountFrom: z.enum(['same', 'column']),
  /** The one amount for all; used where `amountFrom` is `same`. */
  faceFen: fenField.refine((value) => value > 0, { message: 'at least 1 fen' }).nullable(),
  greeting: z.string().max(300),
  /** Null: as soon as the cards are made. */
  sendAtMs: instantField.nullable(),
})
export type CampaignContent = z.infer<typeof CampaignContent>
export const EditCampaignInput = CampaignContent.extend({ id: idField('campaign'), version: z.int() })
export const CampaignIdInput = z.object({ id: idField('campaign') })
/** Answer of PUT, submit, reject and cancel: where the campaign stands now. */
export const MovedCampaign = z.object({ id: idField('campaign'), state: z.enum(campaignStates), version: z.int() })
export const CreatedCampaign = z.object({ id: idField('campaign') })

/**
 * Counts of one campaign's heads, each of which is in exactly one of four: pending + sent + failed + revoked = heads.
 * `sent` includes `opened`, which includes `claimed`; `pending` includes `carried`, who wait for a limit of WeCom.
 */
export const DeliveryCounts = z.object({
  pending: z.int(),
  carried: z.int(),
  sent: z.int(),
  opened: z.int(),
  claimed: z.int(),
  failed: z.int(),
  revoked: z.int(),
})
export type DeliveryCounts = z.infer<typeof DeliveryCounts>
export const Stages = z.object({
  heads: z.int(),
  totalFen: fenField,
  securedFen: fenField,
  issued: z.int(),
  delivery: DeliveryCounts,
})
export type Stages = z.infer<typeof Stages>

export const CampaignSummary = z.object({
  id: idField('campaign'),
  title: z.string(),
  occasion: z.enum(occasions),
  state: z.enum(campaignStates),
  heads: z.int().nullable(),
  faceTotalFen: fenField.nullable(),
  createdAtMs: instantField,
  orderId: idField('order').nullable(),
  stages: Stages.nullable(),
})
export type CampaignSummary = z.infer<typeof CampaignSummary>
export const CampaignList = z.object({ campaigns: z.array(CampaignSummary), nextCursor: z.string().nullable() })
export const CampaignListInput = z.object({ cursor: cursorField, limit: limitField })

export const CampaignDetail = CampaignSummary.omit({ stages: true }).extend({
  version: z.int(),
  content: CampaignContent,
  template: TemplateView,
  rosterName: z.string().nullable(),
  createdBy: z.object({ id: idField('member'), name: z.string() }),
  submittedBy: z.object({ id: idField('member'), name: z.string() }).nullable(),
  decidedBy: z.object({ id: idField('member'), name: z.string() }).nullable(),
  decidedAtMs: instantField.nullable(),
  word: z.string().nullable(),
  contentHash: z.string().nullable(),
  /** What happened, newest last. */
  timeline: z.array(z.object({ atMs: instantField, act: z.string(), by: z.string(), note: z.string().nullable() })),
})
export type CampaignDetail = z.infer<typeof CampaignDetail>

/** One thing the dry run has to say. `block` keeps the campaign from being submitted. */
export const RuleNote = z.object({
  level: z.enum(['block', 'notice']),
  code: z.string(),
  /** In the reader's language: what it is and what to do. */
  text: z.string(),
  /** The rule behind it, with its source; null for checks of our own. */
  source: z.string().nullable(),
})
export type RuleNote = z.infer<typeof RuleNote>

/** Messages that the company's app may send in a day of China, what of them is used, and how the accounts are known. */
export const Quota = z.object({
  quota: z.int(),
  accounts: z.int(),
  from: z.enum(['wecom', 'directory', 'people']),
  usedToday: z.int(),
})
export type Quota = z.infer<typeof Quota>

/** A stretch of time in which so many people are sent to; `limitedBy` is what keeps the others for later, if anything. */
export const SendWindow = z.object({
  fromMs: instantField,
  toMs: instantField,
  people: z.int(),
  limitedBy: z.enum(['day_quota', 'look_ups', 'rush']).nullable(),
})
export type SendWindow = z.infer<typeof SendWindow>

/** GET /hr/campaigns/:id/dry-run: what approving would do, computed now. */
export const DryRun = z.object({
  heads: z.int(),
  faceTotalFen: fenField,
  priceTotalFen: fenField,
  byDepartment: z.array(
    z.object({
      department: z.string(),
      heads: z.int(),
      faceFen: fenField,
      priceFen: fenField,
      /** Of the department's budget in force: what this campaign could take, and what that lacks. Null: it has none. */
      budget: z.object({ leftFen: fenField, missingFen: fenField }).nullable(),
    }),
  ),
  walletFen: fenField,
  notes: z.array(RuleNote),
  /** People whose amount or row keeps them out, by reason. */
  leftOut: z.array(z.object({ code: z.string(), text: z.string(), count: z.int() })),
  wecom: z.object({
    /** Messages of this campaign and calls of at most 1,000 people. */
    messages: z.int(),
    calls: z.int(),
    withUserId: z.int(),
    /** Heads that must be looked up by mobile number first (rationed). */
    toLookUp: z.int(),
    minutes: z.int(),
    /** Messages of the app a day, and what is left of them for this campaign on its first day. */
    quota: Quota.extend({ leftFirstDay: z.int() }),
    /** When the people are sent to if it were approved and paid now; the people of all windows are `messages`. */
    windows: z.array(SendWindow),
  }),
  /** What the first recipient will see. */
  preview: z
    .object({
      messageTitle: z.string(),
      messageText: z.string(),
      personName: z.string(),
      greeting: z.string(),
      faceFen: fenField,
    })
    .nullable(),
  /** Give it back with submit and approve: it stands for all of the above. */
  contentHash: z.string(),
  canSubmit: z.boolean(),
})
export type DryRun = z.infer<typeof DryRun>

/** POST …/submit and …/approve: the hash of what the person saw. */
export const DecideInput = z.object({ id: idField('campaign'), contentHash: z.string().length(64) })
export const RejectInput = z.object({ id: idField('campaign'), word: z.string().trim().min(1).max(200) })
export const Approved = z.object({ orderId: idField('order') })
