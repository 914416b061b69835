import type { Fen } from '../../contract/fen.ts'

/** Who collects: the merchant that signs, and the app that it is bound to. */
export interface WechatPayMerchant {
  readonly mchid: string
  readonly appid: string
}

/** How a payer meets a payment: a QR code, inside WeChat, or a browser outside WeChat. */
export type PayProduct = 'native' | 'jsapi' | 'h5'

interface PayScene {
  readonly product: PayProduct
  readonly expireAtMs: number
  /** JSAPI: the payer under the app. */
  readonly openid?: string | undefined
  /** H5 and combined payments: the payer's own address. */
  readonly clientIp?: string | undefined
}

/** One payment to one merchant (protocols wechat-pay 2.1). */
export interface PaymentWish extends PayScene {
  readonly merchant: WechatPayMerchant
  readonly outTradeNo: string
  readonly description: string
  readonly total: Fen
  /** Set now or never: only flagged money can be shared, and it is frozen until it is shared or unfrozen. */
  readonly profitSharing: boolean
}

/** One payer pays several merchants at once, all or none (protocols wechat-pay 3). */
export interface CombinedWish extends PayScene {
  readonly initiator: WechatPayMerchant
  readonly combineNo: string
  /** 2 to 10; closing needs exactly this list again. */
  readonly subOrders: readonly {
    readonly mchid: string
    readonly outTradeNo: string
    readonly description: string
    readonly total: Fen
    readonly profitSharing: boolean
  }[]
}

/** What a payer's device needs: a QR text (2 h), a prepay id (2 h), or an address (5 min). */
export type PayCredential =
  | { readonly kind: 'native'; readonly codeUrl: string }
  | { readonly kind: 'jsapi'; readonly prepayId: string }
  | { readonly kind: 'h5'; readonly h5Url: string }

/** The arguments of `getBrandWCPayRequest`, signed. */
export interface JsapiParameters {
  readonly appId: string
  readonly timeStamp: string
  readonly nonceStr: string
  readonly package: string
  readonly signType: 'RSA'
  readonly paySign: string
}

/** A payment as WeChat Pay tells it. Of a combined payment: one sub-order, with the app that combined it. */
export interface WechatPayTrade {
  readonly mchid: string
  readonly appid: string
  readonly outTradeNo: string
  /** Theirs; null while unpaid. */
  readonly transactionId: string | null
  readonly state: 'NOTPAY' | 'SUCCESS' | 'REFUND' | 'CLOSED' | 'REVOKED' | 'USERPAYING' | 'PAYERROR'
  readonly total: Fen
  readonly successAtMs: number | null
  readonly bankType: string | null
  readonly openid: string | null
}

/** A refund of one transaction (protocols wechat-pay 4.1). */
export interface RefundWish {
  readonly transactionId: string
  readonly outRefundNo: string
  readonly reason: string
  readonly refund: Fen
  /** What the whole transaction was. */
  readonly total: Fen
}
export interface RefundFacts {
  readonly outRefundNo: string
  readonly refundId: string
  readonly transactionId: string
  readonly status: 'PROCESSING' | 'SUCCESS' | 'CLOSED' | 'ABNORMAL'
  readonly refund: Fen
  /** When WeChat Pay took it; a notice does not say. */
  readonly createdAtMs: number | null
  readonly successAtMs: number | null
}

/** A merchant that may be given shares; merchants only, for a person's share can never be taken back. */
export interface ShareReceiver {
  readonly account: string
  /** SERVICE_PROVIDER, BRAND, DISTRIBUTOR … (protocols wechat-pay 5.1). */
  readonly relation: 'SERVICE_PROVIDER' | 'STORE' | 'PARTNER' | 'HEADQUARTER' | 'BRAND' | 'DISTRIBUTOR' | 'SUPPLIER'
}
/** One call of profit sharing: at most 50 receivers, each once (protocols wechat-pay 5.2). */
export interface ShareWish {
  readonly transactionId: string
  readonly outOrderNo: string
  readonly receivers: readonly { readonly account: string; readonly amount: Fen; readonly description: string }[]
  /** Gives the rest back to who collected; nothing can be shared afterwards. */
  readonly unfreezeRest: boolean
}
export interface UnfreezeWish {
  readonly transactionId: string
  /** Its own number, never one of a sharing call. */
  readonly outOrderNo: string
  readonly description: string
}
/** `FINISHED` says that it was executed; what happened stands at each receiver. */
export interface ShareFacts {
  readonly outOrderNo: string
  readonly orderId: string
  readonly state: 'PROCESSING' | 'FINISHED'
  readonly receivers: readonly {
    readonly account: string
    readonly amount: Fen
    readonly description: string
    readonly result: 'PENDING' | 'SUCCESS' | 'CLOSED'
    readonly failReason: string | null
    readonly detailId: string | null
    /** Null while pending, also where WeChat Pay says 1970. */
    readonly finishedAtMs: number | null
  }[]
}
export interface ReturnWish {
  /** Our number of the sharing call. */
  readonly outOrderNo: string
  readonly outReturnNo: string
  /** The receiver that gives back. */
  readonly account: string
  readonly amount: Fen
  readonly description: string
}
export interface ReturnFacts {
  readonly outReturnNo: string
  readonly returnId: string
  readonly result: 'PROCESSING' | 'SUCCESS' | 'FAILED'
  readonly failReason: string | null
  readonly amount: Fen
  /** Null while it is under way. */
  readonly finishedAtMs: number | null
}

/** A bill of one merchant and day (protocols wechat-pay 7). */
export type BillKind = 'trade' | 'fund_flow' | 'sharing'
/** `none`: nothing moved that day. `creating`: ask again after 10:00, then every half hour. */
export type Bill = { readonly kind: 'none' | 'creating' } | { readonly kind: 'there'; readonly text: string }

/** Money that came into a merchant's account from a bank (protocols wechat-pay 2.7). */
export interface IncomeRecord {
  readonly recordId: string
  readonly amount: Fen
  readonly arrivedAtMs: number
  readonly payerBank: string
  readonly payerName: string
  readonly payerAccount: string
  readonly remark: string
}

/**
 * A notice that was verified and opened. Exactly one of the three is there; none for a kind that we do not know.
 * What it says is compared with what is stored by whoever takes it.
 */
export interface WechatPayNotice {
  readonly id: string
  readonly eventType: string
  /** One of a payment, each sub-order of a combined one. */
  readonly trades: readonly WechatPayTrade[]
  readonly refund: (RefundFacts & { readonly mchid: string }) | null
  /** To receivers only: money was shared to, or taken back from, one of our merchants. No proof: ask. */
  readonly share: { readonly mchid: string; readonly outOrderNo: string; readonly transactionId: string } | null
}

/**
 * WeChat Pay, API v3. Every call throws OutsideError (kernel/outside.ts) when it did not succeed: `unknown` is asked
 * about before it is repeated, `busy` waits, `refused` says why in `code`. `…Body` functions are pure: they make the
 * exact text that is stored before the first call and sent again by every repeat. A query gives null where WeChat Pay
 * has no such number.
 *
 * Codes of sharing beside WeChat Pay's own (its INVALID_REQUEST says six things, protocols wechat-pay 5.6):
 * SHARING_TOO_EARLY (come back later, same number), SHARING_OVER_RATIO, SHARING_NO_RELATION, SHARING_ENDED (nothing of
 * the order can be shared any more), SHARING_DIFFERS (the number was used with another body), RETURN_NOT_READY.
 * A return that its receiver does not allow is `refused` NO_AUTH; sharing that a merchant has not is `broken` NO_AUTH.
 */
export interface WechatPayPort {
  paymentBody(wish: PaymentWish): string
  /** The same number and body again give a fresh credential while it is unpaid. */
  prepare(merchant: WechatPayMerchant, product: PayProduct, body: string): Promise<PayCredential>
  /** Signed here, no network. */
  jsapiParameters(merchant: WechatPayMerchant, prepayId: string): Promise<JsapiParameters>
  query(merchant: WechatPayMerchant, outTradeNo: string): Promise<WechatPayTrade | null>
  /** Closes an unpaid order that was really placed. Never call it for a number that was never sent. */
  close(merchant: WechatPayMerchant, outTradeNo: string): Promise<void>

  combinedBody(wish: CombinedWish): string
  prepareCombined(initiator: WechatPayMerchant, product: PayProduct, body: string): Promise<PayCredential>
  queryCombined(initiator: WechatPayMerchant, combineNo: string): Promise<readonly WechatPayTrade[] | null>
  closeCombined(
    initiator: WechatPayMerchant,
    combineNo: string,
    subOrders: readonly { readonly mchid: string; readonly outTradeNo: string }[],
  ): Promise<void>

  refundBody(wish: RefundWish): string
  refund(merchant: WechatPayMerchant, body: string): Promise<RefundFacts>
  queryRefund(merchant: WechatPayMerchant, outRefundNo: string): Promise<RefundFacts | null>
  /** Sends an ABNORMAL refund to the merchant's own bank card, for a person to pass it on. */
  refundToMerchant(merchant: WechatPayMerchant, refundId: string, outRefundNo: string): Promise<RefundFacts>

  addReceiver(merchant: WechatPayMerchant, receiver: ShareReceiver): Promise<void>
  deleteReceiver(merchant: WechatPayMerchant, account: string): Promise<void>
  shareBody(wish: ShareWish): string
  share(merchant: WechatPayMerchant, body: string): Promise<ShareFacts>
  /** Of sharing and of unfreezing alike. */
  queryShare(merchant: WechatPayMerchant, transactionId: string, outOrderNo: string): Promise<ShareFacts | null>
  unfreezeBody(wish: UnfreezeWish): string
  unfreeze(merchant: WechatPayMerchant, body: string): Promise<ShareFacts>
  /** What of a transaction is still frozen and can be shared. */
  unsplitAmount(merchant: WechatPayMerchant, transactionId: string): Promise<Fen>
  returnBody(wish: ReturnWish): string
  returnShare(merchant: WechatPayMerchant, body: string): Promise<ReturnFacts>
  queryReturn(merchant: WechatPayMerchant, outOrderNo: string, outReturnNo: string): Promise<ReturnFacts | null>
  /** Of a sub-merchant, in basis points; partner mode only. */
  maxRatioBp(merchant: WechatPayMerchant, subMchid: string): Promise<number>

  /** `day`: YYYY-MM-DD in China. Throws OutsideError `unknown` BILL_HASH when the file is not what was promised. */
  fetchBill(merchant: WechatPayMerchant, kind: BillKind, day: string): Promise<Bill>
  readIncome(merchant: WechatPayMerchant, day: string): Promise<readonly IncomeRecord[]>

  /**
   * Verifies the raw bytes and opens them; throws NoticeRefused when anything does not hold. A serial that is not known
   * has the platform's certificates loaded once, where they are used at all.
   */
  openNotice(headers: Readonly<Record<string, string | undefined>>, raw: Buffer): Promise<WechatPayNotice>
}
