import { z } from 'zod'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'
import { keptReasons, refundKinds, refundRoutes } from '../refunds.ts'

export const paymentSources = ['wallet', 'wechat_pay', 'bank_transfer', 'credit_line'] as const
const refundStates = ['requested', 'accepted', 'done', 'rejected'] as const
export const refundPartStates = [
  'waiting',
  'returning',
  'unfreezing',
  'sent',
  'processing',
  'closed',
  'abnormal',
  'stuck',
  'paying_out',
  'done',
] as const

const BackBySource = z.object({ source: z.enum(paymentSources), route: z.enum(refundRoutes), fen: fenField })

/** GET /hr/campaigns/:id/take-back: what taking back all unopened cards would do, as things stand now. */
export const TakeBackPreviewInput = z.object({ id: idField('campaign') })
export const TakeBackPreview = z.object({
  /** Nobody has opened them, and they are whole. */
  cards: z.int().min(0),
  /** Nobody has opened them, but part of them is used or held: they stay. */
  keptCards: z.int().min(0),
  fen: fenField,
  sources: z.array(BackBySource),
  /** The same with a wallet credit in place of WeChat Pay, for brands that agreed; null: none did. */
  sourcesToWallet: z.array(BackBySource).nullable(),
  /** Cards are still made, or another taking back is under way: not now. */
  possible: z.boolean(),
})
export type TakeBackPreview = z.infer<typeof TakeBackPreview>

/** POST /hr/orders/:id/refund-preview: what giving these cards back would do, as things stand now. */
export const RefundPreviewInput = z.object({ id: idField('order'), cardIds: z.array(idField('card')).min(1).max(1000) })
export const RefundPreview = z.object({
  /** Whole cards, and what was paid for them. */
  cards: z.int().min(0),
  fen: fenField,
  sources: z.array(BackBySource),
  sourcesToWallet: z.array(BackBySource).nullable(),
  /** Cards that cannot go back: all of them must, so one of these refuses the refund. */
  kept: z.array(z.object({ cardId: idField('card'), why: z.enum(keptReasons), spentFen: fenField })),
  /** Cards are still made, or the order is over: not now. */
  possible: z.boolean(),
})
export type RefundPreview = z.infer<typeof RefundPreview>

/** GET /hr/orders/:id/surplus: what payments brought that their order did not need and that nobody asked back yet. */
export const SurplusInput = z.object({ id: idField('order') })
export const Surplus = z.object({ payments: z.array(BackBySource.extend({ paymentId: idField('payment') })) })
export type Surplus = z.infer<typeof Surplus>

/** POST /hr/campaigns/:id/take-back, Idempotency-Key. */
export const TakeBackInput = z.object({ id: idField('campaign'), toWallet: z.boolean().default(false) })

export const RefundView = z.object({
  id: idField('refund'),
  kind: z.enum(refundKinds),
  state: z.enum(refundStates),
  orderId: idField('order'),
  campaignId: idField('campaign').nullable(),
  campaignTitle: z.string().nullable(),
  fen: fenField,
  /** Of it: back with whoever paid. */
  doneFen: fenField,
  cardsPlanned: z.int().min(0),
  cardsBack: z.int().min(0),
  cardsKept: z.int().min(0),
  requestedAtMs: instantField,
  doneAtMs: instantField.nullable(),
  parts: z.array(
    z.object({
      id: idField('refundPart'),
      paymentId: idField('payment'),
      source: z.enum(paymentSources),
      route: z.enum(refundRoutes),
      brandName: z.string().nullable(),
      fen: fenField,
      state: z.enum(refundPartStates),
      /** How it stands, in words, and what that means for whoever waits. */
      text: z.string(),
      doneAtMs: instantField.nullable(),
    }),
  ),
})
export type RefundView = z.infer<typeof RefundView>

/** GET /hr/refunds: the company's refunds, newest first; of one order or campaign where one is named. */
export const RefundListInput = z.object({
  orderId: idField('order').optional(),
  campaignId: idField('campaign').optional(),
  cursor: cursorField,
  limit: limitField,
})
export const RefundList = z.object({ refunds: z.array(RefundView), nextCursor: z.string().nullable() })
export const RefundIdInput = z.object({ id: idField('refund') })

/** POST /hr/orders/:id/refunds, Idempotency-Key: chosen cards, all or none. */
export const RefundCardsInput = z.object({
  id: idField('order'),
  cardIds: z.array(idField('card')).min(1).max(1000),
  toWallet: z.boolean().default(false),
})
/** POST /hr/payments/:id/refund-surplus, Idempotency-Key: what it brought beyond its order. */
export const RefundSurplusInput = z.object({ id: idField('payment') })
/** POST /hr/orders/:id/give-up, Idempotency-Key: an order that waits for the rest of its money. */
export const GiveUpInput = z.object({ id: idField('order') })
