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

export const deliveryMoves = table({
  planned: ['sending', 'failed', 'revoked'],
  sending: ['sent', 'failed', 'planned'],
  sent: ['opened', 'failed'],
  opened: ['claimed'],
  claimed: [],
  failed: ['planned', 'opened', 'revoked'],
  revoked: [],
})
export type DeliveryState = keyof typeof deliveryMoves
