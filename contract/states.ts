/** A table of allowed moves: each state with the states that may follow it. Shared by server and pages. */
export type Moves = Readonly<Record<string, readonly string[]>>

/** Compiles only when every target is itself a state of the table. */
const table = <S extends string>(moves: Readonly<Record<S, readonly NoInfer<S>[]>>) => moves

/** `placing`: its items are still being written; it takes no money yet. */
export const orderMoves = table({
  placing: ['awaiting_funds', 'cancelled'],
  awaiting_funds: ['funded', 'cancelled', 'refunding'],
  funded: ['issuing', 'refunding'],
  issuing: ['issued'],
  issued: ['closed', 'refunding'],
  refunding: ['refunded', 'issued'],
  refunded: [],
  cancelled: [],
  closed: [],
})
export type OrderState = keyof typeof orderMoves

export const cardMoves = table({
  active: ['frozen', 'exhausted', 'refunded', 'void'],
  frozen: ['active', 'exhausted', 'refunded', 'void'],
  exhausted: ['active', 'refunded'],
  refunded: [],
  void: [],
})
export type CardState = keyof typeof cardMoves

/** What a holder sees: *locked* and *expired* follow from the clock, so nobody has to unlock a million rows. */
export type CardView = CardState | 'locked' | 'expired'

/** The card's state at an instant (epoch ms): the lock ends and the validity ends exactly at their instants. */
export function cardStateAt(
  card: { readonly state: CardState; readonly lockedUntilMs: number; readonly expiresAtMs: number | null },
  nowMs: number,
): CardView {
  if (card.state !== 'active') return card.state
  if (nowMs < card.lockedUntilMs) return 'locked'
  if (card.expiresAtMs !== null && nowMs >= card.expiresAtMs) return 'expired'
  return 'active'
}

export const rosterMoves = table({
  received: ['reading', 'rejected'],
  reading: ['needs_mending', 'ready', 'rejected'],
  needs_mending: ['reading', 'ready', 'applying', 'rejected'],
  ready: ['reading', 'needs_mending', 'applying', 'rejected'],
  applying: ['used'],
  used: [],
  rejected: [],
})
export type RosterState = keyof typeof rosterMoves

/** `running` from the approval on: money, cards and messages have states of their own. */
export const campaignMoves = table({
  draft: ['in_review', 'cancelled'],
  in_review: ['approved', 'rejected', 'draft', 'cancelled'],
  approved: ['running', 'cancelled'],
  running: ['finished'],
  rejected: ['draft', 'cancelled'],
  finished: [],
  cancelled: [],
})
export type CampaignState = keyof typeof campaignMoves

export const paymentMoves = table({
  opened: ['paid', 'closed', 'failed'],
  /** `opened`, `closed`: the line that paid it was somebody else's. */
  paid: ['refunding', 'opened', 'closed'],
  refunding: ['part_refunded', 'refunded', 'paid'],
  part_refunded: ['refunding'],
  refunded: [],
  closed: ['paid'],
  failed: ['paid'],
})
export type PaymentState = keyof typeof paymentMoves
/** What became of the money of a payment that arrived. `late`: after we had closed it; the money is kept and counted. */
export const paymentOutcomes = ['exact', 'short', 'over', 'late', 'duplicate', 'order_closed'] as const
export type PaymentOutcome = (typeof paymentOutcomes)[number]

/**
 * `opened`: the person followed the message; `claimed`: they took the card (turned the cover, or proved who they are at a
 * QR code). Both are told by the person, so they end every doubt about the message. `revoked`: the message was recalled,
 * or the person left before it was opened.
 */
export const deliveryMoves = table({
  planned: ['sending', 'failed', 'opened', 'claimed', 'revoked'],
  sending: ['sent', 'failed', 'planned', 'opened', 'claimed', 'revoked'],
  sent: ['opened', 'claimed', 'failed', 'revoked'],
  opened: ['claimed'],
  claimed: [],
  failed: ['planned', 'opened', 'claimed', 'revoked'],
  revoked: ['planned', 'opened', 'claimed'],
})
export type DeliveryState = keyof typeof deliveryMoves

/** How a company is connected to WeCom. `broken`: WeCom refused the credential; `cancelled`: the company withdrew it. */
export const connectionMoves = table({
  active: ['broken', 'cancelled'],
  broken: ['active', 'cancelled'],
  cancelled: ['active'],
})
export type ConnectionState = keyof typeof connectionMoves

/** Birthday and anniversary runs: approved once, then each day makes a campaign of its own. */
export const recurringMoves = table({
  draft: ['in_review', 'ended'],
  in_review: ['active', 'draft', 'ended'],
  active: ['paused', 'draft', 'ended'],
  paused: ['active', 'draft', 'ended'],
  ended: [],
})
export type RecurringState = keyof typeof recurringMoves

/**
 * The sharing of one WeChat transaction. `held`: until cooling-off ends; `planned`: its receivers are written down;
 * `sharing`: calls are under way; `unfreezing`: the rest is given back to who collected; `stuck`: a person must look.
 * Success is per receiver.
 */
export const splitMoves = table({
  held: ['planned', 'finished'],
  planned: ['sharing', 'unfreezing', 'finished'],
  sharing: ['unfreezing', 'stuck'],
  unfreezing: ['finished', 'stuck'],
  stuck: ['sharing', 'unfreezing', 'finished'],
  finished: [],
})
export type SplitState = keyof typeof splitMoves

/** One call of sharing or unfreezing: its number and body never change. `lost`: refused, nothing of it took effect. */
export const splitCallMoves = table({
  planned: ['sent', 'lost'],
  sent: ['processing', 'finished', 'lost'],
  processing: ['finished'],
  finished: [],
  lost: [],
})
export type SplitCallState = keyof typeof splitCallMoves

/** One receiver of one call. `closed`: WeChat Pay refused it for a reason; its money stays frozen. */
export const splitReceiverMoves = table({
  pending: ['success', 'closed'],
  success: ['returning'],
  returning: ['returned', 'success'],
  closed: [],
  returned: ['returning'],
})
export type SplitReceiverState = keyof typeof splitReceiverMoves

export const splitReturnMoves = table({
  planned: ['sent'],
  sent: ['processing', 'done', 'failed'],
  processing: ['done', 'failed'],
  done: [],
  failed: [],
})
export type SplitReturnState = keyof typeof splitReturnMoves

/** Somebody's wish to give money back. `accepted`: cards are void and the books owe the money; `done`: all parts are. */
export const refundMoves = table({
  requested: ['accepted', 'rejected'],
  accepted: ['done'],
  done: [],
  rejected: [],
})
export type RefundState = keyof typeof refundMoves

/**
 * The part of a refund that goes back to one payment. `waiting`: for its turn (a share is in flight, a minute has not
 * passed); `returning`: shares come back first; `unfreezing`: the rest is freed first; `stuck`: a person must look.
 */
export const refundPartMoves = table({
  waiting: ['returning', 'unfreezing', 'sent', 'paying_out', 'done', 'stuck'],
  returning: ['unfreezing', 'sent', 'stuck'],
  unfreezing: ['sent', 'stuck'],
  sent: ['processing', 'done', 'closed', 'abnormal', 'stuck'],
  processing: ['done', 'closed', 'abnormal'],
  /** WeChat Pay gave it up, for example for want of money: a new number may be used. */
  closed: ['waiting', 'paying_out'],
  /** The payer's card and wallet take nothing: a person chooses another way. */
  abnormal: ['processing', 'done', 'paying_out'],
  stuck: ['waiting', 'returning', 'unfreezing', 'paying_out'],
  /** On a payout: done when a statement shows the debit. */
  paying_out: ['done', 'stuck'],
  done: [],
})
export type RefundPartState = keyof typeof refundPartMoves

/** Money that leaves custody for one payee. `exported`: it stands in a file for the bank; `paid`: a statement shows it. */
export const payoutMoves = table({
  drafted: ['exported', 'cancelled'],
  exported: ['paid', 'failed'],
  failed: ['drafted'],
  paid: [],
  cancelled: [],
})
export type PayoutState = keyof typeof payoutMoves

/** Value of a card set aside for a purchase or a gift; it ends in exactly one way. */
export const holdMoves = table({
  held: ['captured', 'voided', 'timed_out'],
  captured: [],
  voided: [],
  timed_out: [],
})
export type HoldState = keyof typeof holdMoves

/**
 * A purchase at a till. `opened`: a code was scanned, nothing is set aside yet; `held`: value is set aside, part of it may
 * be captured already; `captured`: over, what was taken stays taken unless it is refunded.
 */
export const redemptionMoves = table({
  opened: ['held', 'captured', 'voided', 'timed_out'],
  held: ['captured', 'voided', 'timed_out'],
  captured: ['part_refunded', 'refunded'],
  part_refunded: ['part_refunded', 'refunded'],
  refunded: [],
  voided: [],
  timed_out: [],
})
export type RedemptionState = keyof typeof redemptionMoves

/** A card on its way from one person to another. */
export const giftMoves = table({
  offered: ['claimed', 'withdrawn', 'returned'],
  claimed: [],
  withdrawn: [],
  returned: [],
})
export type GiftState = keyof typeof giftMoves

/** An event on its way to a merchant's own server. `failed`: given up; a person may send it again. */
export const webhookMoves = table({
  waiting: ['delivered', 'failed'],
  failed: ['waiting'],
  delivered: ['waiting'],
})
export type WebhookState = keyof typeof webhookMoves

/** A difference between a bill and our books. */
export const differenceMoves = table({ open: ['closed'], closed: ['open'] })
export type DifferenceState = keyof typeof differenceMoves

/**
 * A message for a buyer stands in the inbox from its first moment; this is about sending it by WeChat as well. `kept`: it is not
 * sent. `unknown`: no answer came, and it is never sent again. `failed`: WeChat refused it, or told later that it did not arrive.
 */
export const noticeMoves = table({
  planned: ['sending', 'kept'],
  sending: ['sent', 'unknown', 'failed', 'planned', 'delivered'],
  sent: ['delivered', 'failed'],
  unknown: ['delivered', 'failed'],
  delivered: [],
  failed: [],
  kept: [],
})
export type NoticeState = keyof typeof noticeMoves

/** A picture that somebody uploaded for their cards. One that passed is refused later when somebody complains. */
export const coverMoves = table({
  in_review: ['passed', 'refused'],
  passed: ['refused'],
  refused: [],
})
export type CoverState = keyof typeof coverMoves

/** `red`: reversed by a red-letter invoice. */
export const invoiceMoves = table({
  requested: ['issuing', 'rejected'],
  issuing: ['issued', 'rejected'],
  issued: ['reversing'],
  reversing: ['red', 'issued'],
  rejected: ['requested'],
  red: [],
})
export type InvoiceState = keyof typeof invoiceMoves

/** Money of a department's budget set aside for a campaign. */
export const budgetHoldMoves = table({ held: ['used', 'released'], used: ['released'], released: [] })
export type BudgetHoldState = keyof typeof budgetHoldMoves

/** A QR code of customer contact (联系我). `planned`: WeCom has not made it yet. */
export const contactWayMoves = table({
  planned: ['active', 'failed', 'removed'],
  active: ['removed'],
  failed: ['planned', 'removed'],
  removed: [],
})
export type ContactWayState = keyof typeof contactWayMoves

/** An outside contact of a member. `half`: added, not yet confirmed; `removed`: one side deleted the other. */
export const externalContactMoves = table({
  half: ['added', 'removed'],
  added: ['removed', 'moved'],
  moved: ['removed', 'added'],
  removed: ['added', 'half'],
})
export type ExternalContactState = keyof typeof externalContactMoves

/** A mass-sending task of customer contact: a member must confirm it in WeCom; nothing is sent before. */
export const massSendMoves = table({
  planned: ['created', 'failed'],
  created: ['finished', 'cancelled'],
  finished: [],
  cancelled: [],
  failed: ['planned'],
})
export type MassSendState = keyof typeof massSendMoves

/** A message beside the cards: an approval card to approvers, a reminder to holders. */
export const notificationMoves = table({
  planned: ['sending', 'failed', 'cancelled'],
  sending: ['sent', 'failed', 'planned'],
  sent: ['answered', 'closed'],
  answered: ['closed'],
  closed: [],
  failed: ['planned'],
  cancelled: [],
})
export type NotificationState = keyof typeof notificationMoves

/** What is on the shelf of the storefront. */
export const listingMoves = table({ draft: ['on'], on: ['off'], off: ['on'] })
export type ListingState = keyof typeof listingMoves

/**
 * One of a listing that an order took. `held`: nobody has paid yet; `sold`: its card was made; `returned`: it is there to be
 * taken again; `retired`: its card went back, and as it has a number of a series, nobody else gets it.
 */
export const takingMoves = table({
  held: ['sold', 'returned'],
  sold: ['returned', 'retired'],
  returned: [],
  retired: [],
})
export type TakingState = keyof typeof takingMoves
