/** A table of allowed moves: each state with the states that may follow it. Shared by server and pages. */
export type Moves = Readonly<Record<string, readonly string[]>>

/** Compiles only when every target is itself a state of the table. */
const table = <S extends string>(moves: Readonly<Record<S, readonly NoInfer<S>[]>>) => moves

/** `placing`: its items are still being written; it takes no money yet. */
export const orderMoves = table({
  placing: ['awaiting_funds', 'cancelled'],
  awaiting_funds: ['funded', 'cancelled'],
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
  frozen: ['active', 'void'],
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
  paid: ['refunding'],
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
