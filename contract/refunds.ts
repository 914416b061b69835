/** What is given back: chosen cards, a campaign's unopened ones, money beyond an order, or money of an order that is given up. */
export const refundKinds = ['cards', 'campaign', 'surplus', 'order_funds'] as const
export type RefundKind = (typeof refundKinds)[number]

/** The way by which a part goes back. `wallet_credit`: to the wallet in place of WeChat Pay, where the brand agreed. */
export const refundRoutes = ['wechat', 'wallet', 'bank', 'credit', 'wallet_credit'] as const
export type RefundRoute = (typeof refundRoutes)[number]

/** Why a card cannot go back: part of it is used, part is set aside, it has ended before, or its time is over. */
export const keptReasons = ['card_spent', 'card_held', 'card_ended', 'right_over'] as const

/** Why a part waits, goes another way, or needs a person. */
export const refundPartReasons = [
  /** Sharing, or another refund, of the same transaction is under way; or a minute has not passed since the last one. */
  'waits_for_turn',
  /** Who got a share of it gives it back first. */
  'waits_for_returns',
  /** What is left of the transaction is freed first. */
  'waits_for_unfreezing',
  /** No answer yet: it is asked about before it is repeated. */
  'no_answer',
  /** The merchant has too little money: nothing was refunded, the same number is tried again. */
  'merchant_not_enough',
  /** Receivers did not give their shares back: too little money, or they do not allow it. */
  'receiver_not_enough',
  'receiver_no_auth',
  'return_failed',
  /** WeChat Pay refused it. */
  'payer_account_abnormal',
  'merchant_no_auth',
  'refused',
  /** WeChat Pay gave it up for want of money; a new number may be used. */
  'closed',
  /** The payer's card and wallet take nothing. */
  'abnormal',
  /** WeChat Pay takes no refund any more: 365 days are over, or 50 refunds were made. */
  'too_old',
  'too_many',
  /** A person chose a payout. */
  'paid_out_instead',
] as const
export type RefundPartReason = (typeof refundPartReasons)[number]

/** What a person of the platform may decide of a part that cannot go on by itself. */
export const refundDecisions = ['retry', 'without_returns', 'new_number', 'to_merchant_card', 'pay_out'] as const
export type RefundDecision = (typeof refundDecisions)[number]
