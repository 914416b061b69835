/** What the money of a merchant obeys; kept for the world, and for a merchant where it differs. */
export interface MoneyRules {
  /** WeChat Pay's fee in basis points, rounded half up on what is paid and not refunded. */
  readonly feeBp: number
  /** How much of an order may be shared in all, in basis points (protocol sheet 5.3). */
  readonly maxRatioBp: number
  /** From acceptance to the result, in ms; null: it never comes. */
  readonly shareLatencyMs: number | null
  readonly returnLatencyMs: number | null
  readonly refundLatencyMs: number | null
  /** How old a payment must be before it is shared. */
  readonly minShareAgeMs: number
  /** The least time between two sharing calls of one order. */
  readonly orderIntervalMs: number
  /** The least time between two refunds of one order. */
  readonly refundIntervalMs: number
  readonly freezeMs: number
  /** What the merchant is permitted at all. */
  readonly mayShare: boolean
  readonly mayRefund: boolean
  /** As a receiver: gives shares back when asked. */
  readonly acceptReturns: boolean
  /** As a receiver without the money: the return fails at once, or waits for money. */
  readonly poorReturn: 'fail' | 'wait'
  /** Without the money: a refund is refused, or accepted and left to wait for money. */
  readonly poorRefund: 'refuse' | 'wait'
  /** Both are seen for a sharing above the ratio (protocol sheet 5.3). */
  readonly ratioCode: 'RULE_LIMIT' | 'INVALID_REQUEST'
  /** Where the money of a receiver that failed goes; the sheet's sources differ (5.2). */
  readonly failedShare: 'frozen' | 'available'
  /** Whether a merchant's name is demanded of a receiver; the sheet's sources differ (5.1). */
  readonly nameRequired: boolean
  /** What a name that is sent is compared with; null: anything goes. */
  readonly registeredName: string | null
  /** As a receiver: where it wants to hear of shares; null: nowhere. */
  readonly shareNotifyUrl: string | null
  /** The address of the console, for refunds that came without one. */
  readonly refundNotifyUrl: string | null
  /** The key of the older notices. */
  readonly apiV2Key: string | null
}

export const DAY_MS = 86_400_000

/** The rules as WeChat Pay publishes them. */
export const published: MoneyRules = {
  feeBp: 60,
  maxRatioBp: 3000,
  shareLatencyMs: 0,
  returnLatencyMs: 0,
  refundLatencyMs: 0,
  minShareAgeMs: 60_000,
  orderIntervalMs: 1000,
  refundIntervalMs: 60_000,
  freezeMs: 30 * DAY_MS,
  mayShare: true,
  mayRefund: true,
  acceptReturns: false,
  poorReturn: 'fail',
  poorRefund: 'refuse',
  ratioCode: 'RULE_LIMIT',
  failedShare: 'frozen',
  nameRequired: false,
  registeredName: null,
  shareNotifyUrl: null,
  refundNotifyUrl: null,
  apiV2Key: null,
}

/** What moved money, for the bills. */
export type Business =
  | 'payment'
  | 'fee'
  | 'fee_back'
  | 'share_out'
  | 'share_in'
  | 'return_out'
  | 'return_in'
  | 'unfreeze'
  | 'refund'
  | 'refund_back'
  | 'top_up'
  | 'withdrawal'

/** One movement on a merchant's account. Unfreezing is two rows that cancel each other out. */
export interface JournalRow {
  readonly serial: number
  readonly atMs: number
  readonly mchid: string
  readonly account: 'available' | 'frozen'
  readonly business: Business
  readonly transactionId: string | null
  /** The merchant's own number of what moved the money. */
  readonly outNo: string | null
  /** WeChat Pay's number of it: refund_id, detail_id, return_id. */
  readonly voucher: string | null
  /** In fen; negative goes out. */
  readonly amount: number
  /** What the merchant has afterwards, frozen money included. */
  readonly balance: number
}

/** The money of one paid (sub-)order. */
export interface Holding {
  readonly transactionId: string
  readonly mchid: string
  readonly outTradeNo: string
  readonly paid: number
  readonly flagged: boolean
  readonly paidAtMs: number
  readonly feeBp: number
  frozen: number
  /** The fee as it stands, and what of it was taken from frozen money. */
  fee: number
  frozenFee: number
  /** Of `frozen`: promised to receivers that wait for their result. */
  reserved: number
  /** What receivers got, the sharing merchant itself included; returns do not lower it. */
  shared: number
  unfrozen: number
  /** Refunds that are accepted and not closed. */
  refunded: number
  /** Of them: what was really taken; the fee goes by it. */
  refundTaken: number
  /** Nothing can be shared any more. */
  ended: boolean
  shareRequests: number
  refundRequests: number
  /** Refunds that are PROCESSING. */
  refundsUnderWay: number
  lastShareCallMs: number | null
  lastRefundMs: number | null
}

export const failReasons = [
  'ACCOUNT_ABNORMAL',
  'NO_RELATION',
  'RECEIVER_HIGH_RISK',
  'RECEIVER_REAL_NAME_NOT_VERIFIED',
  'NO_AUTH',
  'RECEIVER_RECEIPT_LIMIT',
  'PAYER_ACCOUNT_ABNORMAL',
  'INVALID_REQUEST',
] as const
export type FailReason = (typeof failReasons)[number]

/** One receiver of a sharing call, or the row of what was unfrozen. */
export interface ShareRow {
  readonly type: 'MERCHANT_ID' | 'PERSONAL_OPENID'
  readonly account: string
  readonly amount: number
  readonly description: string
  readonly detailId: string
  readonly createdAtMs: number
  readonly unfreezes: boolean
  result: 'PENDING' | 'SUCCESS' | 'CLOSED'
  failReason: FailReason | null
  finishedAtMs: number | null
  /** What was given back, and what is on its way. */
  returned: number
  returning: number
}

/** A sharing or unfreezing call that was accepted. */
export interface Share {
  readonly mchid: string
  readonly transactionId: string
  readonly outOrderNo: string
  readonly orderId: string
  readonly kind: 'share' | 'unfreeze'
  readonly parameters: string
  readonly rows: ShareRow[]
  state: 'PROCESSING' | 'FINISHED'
  finishedAtMs: number | null
  returnRequests: number
}

export const returnFailures = [
  'ACCOUNT_ABNORMAL',
  'PAYER_ACCOUNT_ABNORMAL',
  'BALANCE_NOT_ENOUGH',
  'TIME_OUT_CLOSED',
  'INVALID_REQUEST',
] as const
export type ReturnFailure = (typeof returnFailures)[number]

/** A share that is asked back. */
export interface ShareReturn {
  readonly mchid: string
  readonly outOrderNo: string
  readonly orderId: string
  readonly outReturnNo: string
  readonly returnId: string
  readonly returnMchid: string
  readonly amount: number
  readonly description: string
  readonly parameters: string
  readonly createdAtMs: number
  result: 'PROCESSING' | 'SUCCESS' | 'FAILED'
  failReason: ReturnFailure | null
  finishedAtMs: number | null
}

/** What a refund comes to. */
export const refundOutcomes = ['success', 'abnormal', 'closed', 'never'] as const
export type RefundOutcome = (typeof refundOutcomes)[number]

/** A refund that was accepted. */
export interface Refund {
  readonly mchid: string
  readonly appid: string
  readonly transactionId: string
  readonly outTradeNo: string
  readonly outRefundNo: string
  readonly refundId: string
  readonly amount: number
  readonly total: number
  readonly notifyUrl: string | null
  readonly parameters: string
  readonly createdAtMs: number
  /** What was asked for in `amount.from`. */
  readonly from: readonly { readonly account: 'AVAILABLE' | 'UNAVAILABLE'; readonly amount: number }[]
  outcome: RefundOutcome
  status: 'PROCESSING' | 'SUCCESS' | 'CLOSED' | 'ABNORMAL'
  /** Where the money was taken; both 0 while it waits for money. */
  takenFrozen: number
  takenAvailable: number
  /** What of WeChat Pay's fee came back with it. */
  feeBack: number
  successAtMs: number | null
  received: 'payer' | 'payer_card' | 'merchant_card'
}

/** A receiver that a merchant may share to; kept when it is deleted, for returns go on. */
export interface Receiver {
  readonly mchid: string
  readonly type: 'MERCHANT_ID' | 'PERSONAL_OPENID'
  readonly account: string
  /** The answer to the first request: later ones do not overwrite it. */
  readonly answer: Record<string, unknown>
  deleted: boolean
}

/** Something that happens by itself at its time. */
export interface Due {
  readonly atMs: number
  readonly run: (atMs: number) => void
}

/**
 * A call that moves the money of a transaction while another one has not ended: sharing beside a refund, or a refund beside
 * sharing. Whoever keeps the rules makes none (protocol sheet 10.2), whatever it was answered.
 */
export interface Overlap {
  readonly transactionId: string
  readonly atMs: number
  readonly call: 'share' | 'unfreeze' | 'refund'
  readonly outNo: string
}

/** What tests ordered to happen to the next calls. */
export interface ReceiverOutcome {
  readonly account: string
  readonly failReason: FailReason
  times: number
}
export interface ReturnOutcome {
  readonly account: string
  readonly failReason: ReturnFailure
  times: number
}
export interface NextRefund {
  readonly mchid: string | null
  readonly outcome: RefundOutcome | 'user_abnormal'
  times: number
}

/** All money of the sandbox, and what moves it. */
export interface Money {
  rules: MoneyRules
  readonly merchantRules: Map<string, Partial<MoneyRules>>
  /** Fen by account: `available <mchid>`, `person <openid>`, and those of `outside`; frozen money is in the holdings. */
  readonly balances: Map<string, number>
  readonly frozenOf: Map<string, number>
  readonly journal: JournalRow[]
  readonly holdings: Map<string, Holding>
  readonly receivers: Map<string, Receiver>
  /** Receivers of a merchant that are not deleted. */
  readonly receiverCount: Map<string, number>
  readonly shares: Map<string, Share>
  readonly sharesById: Map<string, Share>
  readonly returns: Map<string, ShareReturn>
  readonly refunds: Map<string, Refund>
  readonly refundsById: Map<string, Refund>
  readonly overlaps: Overlap[]
  /** Sorted by time; of the same time the first to come stands first. */
  readonly due: Due[]
  /** What waits for money, tried whenever something happens; true: it is over. */
  readonly waiting: Set<(atMs: number) => boolean>
  /** How many numbers WeChat Pay has given out. */
  numbers: number
  /** When calls came in the last second, by kind and merchant. */
  readonly recentCalls: Map<string, number[]>
  receiverOutcomes: ReceiverOutcome[]
  returnOutcomes: ReturnOutcome[]
  nextRefunds: NextRefund[]
}

/** No money, and the rules as WeChat Pay publishes them. */
export function makeMoney(): Money {
  return {
    rules: published,
    merchantRules: new Map(),
    balances: new Map(),
    frozenOf: new Map(),
    journal: [],
    holdings: new Map(),
    receivers: new Map(),
    receiverCount: new Map(),
    shares: new Map(),
    sharesById: new Map(),
    returns: new Map(),
    refunds: new Map(),
    refundsById: new Map(),
    overlaps: [],
    due: [],
    waiting: new Set(),
    numbers: 0,
    recentCalls: new Map(),
    receiverOutcomes: [],
    returnOutcomes: [],
    nextRefunds: [],
  }
}
