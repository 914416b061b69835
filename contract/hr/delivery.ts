import { z } from 'zod'
import { deliveryReasonCodes } from '../delivery-reasons.ts'
import { cursorField, idField, instantField, limitField } from '../fields.ts'
import { campaignStates, CampaignSummary, DeliveryCounts, Stages } from './campaign.ts'

const deliveryStates = ['planned', 'sending', 'sent', 'opened', 'claimed', 'failed', 'revoked'] as const
const cardStates = ['active', 'frozen', 'exhausted', 'refunded', 'void'] as const

/** GET /hr/campaigns/:id/progress and its /events: four stages that add up to the heads, failures by reason. */
export const Progress = Stages.extend({
  campaignId: idField('campaign'),
  state: z.enum(campaignStates),
  orderId: idField('order'),
  failures: z.array(
    z.object({ reason: z.enum(deliveryReasonCodes), text: z.string(), retryable: z.boolean(), count: z.int() }),
  ),
  /** Who waits for a limit of WeCom, and until when; they are sent to by themselves. */
  carried: z.array(
    z.object({
      limitedBy: z.enum(['member_minute', 'member_hour', 'day_quota']),
      untilMs: instantField,
      people: z.int(),
    }),
  ),
  /** What can be recalled now, and what became of the calls that were recalled. */
  recall: z.object({
    recallable: z.int(),
    tooOld: z.int(),
    batches: z.array(
      z.object({
        people: z.int(),
        sentAtMs: instantField,
        state: z.enum(['asked', 'done', 'too_late', 'refused']),
      }),
    ),
  }),
  /** Messages sent beyond the first of a person. */
  repeats: z.int(),
})
export type Progress = z.infer<typeof Progress>

/** GET /hr/campaigns/:id/people */
export const RecipientsInput = z.object({
  id: idField('campaign'),
  state: z.enum(['pending', 'sent', 'opened', 'claimed', 'failed', 'revoked']).optional(),
  reason: z.enum(deliveryReasonCodes).optional(),
  /** Header X-Search, exact. */
  query: z.string().max(100).optional(),
  cursor: cursorField,
  limit: limitField,
})
export const RecipientView = z.object({
  deliveryId: idField('delivery').nullable(),
  personId: idField('person'),
  name: z.string(),
  department: z.string().nullable(),
  phone: z.string().nullable(),
  wecomUserId: z.string().nullable(),
  faceFen: z.int(),
  /** Null: the card is not made yet. */
  cardId: idField('card').nullable(),
  cardState: z.enum(cardStates).nullable(),
  state: z.enum(deliveryStates),
  reason: z.enum(deliveryReasonCodes).nullable(),
  reasonText: z.string().nullable(),
  sentAtMs: instantField.nullable(),
  openedAtMs: instantField.nullable(),
  claimedAtMs: instantField.nullable(),
  /** While it waits for a limit of WeCom. */
  waitsUntilMs: instantField.nullable(),
})
export type RecipientView = z.infer<typeof RecipientView>
export const Recipients = z.object({ people: z.array(RecipientView), nextCursor: z.string().nullable() })

/**
 * POST /hr/campaigns/:id/resend, Idempotency-Key: everybody who failed for a reason, or whose message was recalled, or the
 * deliveries named.
 */
export const ResendInput = z.object({
  id: idField('campaign'),
  state: z.enum(['failed', 'revoked']).default('failed'),
  reason: z.enum(deliveryReasonCodes).optional(),
  deliveryIds: z.array(idField('delivery')).max(1000).optional(),
})
export const Resent = z.object({ queued: z.int() })
/** POST /hr/campaigns/:id/recall, Idempotency-Key. Cards stay valid: only messages are taken back. */
export const Recalled = z.object({
  /** Calls that are being recalled, with their people; the progress tells what becomes of each. */
  batches: z.int(),
  people: z.int(),
  /** People whose message had not left and does not leave any more. */
  stopped: z.int(),
  /** People whose message is older than 24 hours: WeCom does not take it back. */
  tooOld: z.int(),
})
export type Recalled = z.infer<typeof Recalled>
/** GET /hr/campaigns/:id/people.xlsx */
export const ExportInput = z.object({ id: idField('campaign') })
/** POST /hr/deliveries/:id/correct: a corrected identity for one person, then sent again. Answers as a resend of one. */
export const CorrectInput = z.object({
  id: idField('delivery'),
  wecomUserId: z
    .string()
    .regex(/^[0-9A-Za-z][0-9A-Za-z_\-@.]{0,63}$/)
    .optional(),
  phone: z
    .string()
    .regex(/^1\d{10}$/)
    .optional(),
})

/** GET /hr/home: what needs this person today. `count`, `fen` and `title` fill the sentence of its kind. */
export const Home = z.object({
  todo: z.array(
    z.object({
      /** Of `wallet_low`: `fen` is the balance, `title` the last day that it covers (empty: none to tell). */
      kind: z.enum([
        'roster_to_mend',
        'campaign_to_submit',
        'campaign_to_approve',
        'money_missing',
        'heads_failed',
        'wallet_low',
      ]),
      id: z.string(),
      title: z.string(),
      count: z.int(),
      fen: z.int(),
    }),
  ),
  running: z.array(CampaignSummary),
  walletFen: z.int(),
  people: z.int(),
  delivered: DeliveryCounts,
})
export type Home = z.infer<typeof Home>

/** GET /hr/roster-uses: which campaigns use which list. */
export const RosterUses = z.object({
  uses: z.array(z.object({ rosterId: idField('roster'), campaignId: idField('campaign'), title: z.string() })),
})
export type RosterUses = z.infer<typeof RosterUses>
