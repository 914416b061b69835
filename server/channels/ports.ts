import type { Fen } from '../../contract/fen.ts'

/** The outside world as the house sees it. One adapter a folder; the sandbox stands behind the same addresses. */
export interface Ports {
  readonly wecom: WecomPort
  readonly wechatPay: WechatPayPort
}

/** Credentials of one company's app in WeCom (self-built: corpid, agentid and the app's secret). */
export interface WecomApp {
  readonly corpId: string
  readonly agentId: number
  readonly secret: string
}

/** What `message/send` answered. `accepted` is false only when nothing was sent (81013: every recipient invalid). */
export interface WecomSent {
  readonly messageId: string | null
  /** Lower-cased by WeCom: compare without regard to case, inside the set that was sent. */
  readonly invalidUsers: readonly string[]
  readonly unlicensedUsers: readonly string[]
}

/** The callback of one app as it stands in the WeCom console, and the id that its messages are meant for. */
export interface WecomCallbackKeys {
  readonly token: string
  readonly encodingAesKey: string
  readonly corpId: string
}

/** The query of a callback after one URL-decode. */
export interface WecomCallbackQuery {
  readonly msg_signature?: string | undefined
  readonly timestamp?: string | undefined
  readonly nonce?: string | undefined
  readonly echostr?: string | undefined
}

/** A callback after signature, age, encryption and addressee held. */
export interface WecomCallback {
  /** What it is about: the event's name, or the message's type, in lower case; `other` when it names none. */
  readonly kind: string
  /** The plain XML. It may hold personal data: never logged, stored sealed only. */
  readonly message: string
}

/** Source: protocols wecom, sections 1 to 5. Every network call throws OutsideError (see kernel/outside.ts). */
export interface WecomPort {
  /** Sends a body that was stored before; the very same bytes may be sent again inside the duplicate window. */
  send(app: WecomApp, body: string): Promise<WecomSent>
  /** The member's userid, or null when WeCom knows no such mobile within what the app sees (46004). */
  userIdByMobile(app: WecomApp, mobile: string): Promise<string | null>
  /** Who stands behind a one-time OAuth code: a member of the company, or null for anybody else. */
  memberByCode(app: WecomApp, code: string): Promise<string | null>
  /** Where a browser goes to sign in: silent inside the WeCom client, by QR on a desktop. `state` is hex. */
  signInUrl(app: WecomApp, where: 'client' | 'desktop', redirectUri: string, state: string): string
  /** The exact text that answers the verification of a callback address (2.4). Throws NoticeRefused. No network. */
  verifyCallback(keys: WecomCallbackKeys, query: WecomCallbackQuery): string
  /** Verifies the raw bytes of a callback and opens them (2.5). Throws NoticeRefused. No network. */
  openCallback(keys: WecomCallbackKeys, query: WecomCallbackQuery, raw: Buffer): WecomCallback
}

/** A collecting merchant of WeChat Pay (a brand, see protocols wechat-pay section 0). */
export interface WechatPayMerchant {
  readonly mchid: string
  readonly appid: string
}

export interface NativeOrder {
  readonly merchant: WechatPayMerchant
  readonly outTradeNo: string
  readonly description: string
  readonly total: Fen
  readonly expireAtMs: number
  readonly profitSharing: boolean
}

/** A payment as WeChat Pay tells it, in a query or in a notice. */
export interface WechatPayTrade {
  readonly mchid: string
  readonly appid: string
  readonly outTradeNo: string
  readonly transactionId: string | null
  readonly state: 'NOTPAY' | 'SUCCESS' | 'REFUND' | 'CLOSED' | 'REVOKED' | 'USERPAYING' | 'PAYERROR'
  readonly total: Fen
  readonly successAtMs: number | null
  readonly bankType: string | null
  readonly openid: string | null
}

/** A notice after its signature, age and encryption held. `trade` is null for kinds that this house does not handle. */
export interface WechatPayNotice {
  readonly id: string
  readonly eventType: string
  readonly trade: WechatPayTrade | null
}

/** Source: protocols wechat-pay, sections 1, 2. Every call throws OutsideError (see kernel/outside.ts). */
export interface WechatPayPort {
  /** Returns the text of the QR code. Asking again with equal arguments gives a fresh one. */
  prepareNative(order: NativeOrder): Promise<{ readonly codeUrl: string }>
  /** The trade, or null when WeChat Pay has no such number. */
  query(merchant: WechatPayMerchant, outTradeNo: string): Promise<WechatPayTrade | null>
  /** Closes an unpaid order that was really placed. Never call it for a number that was never sent. */
  close(merchant: WechatPayMerchant, outTradeNo: string): Promise<void>
  /** Verifies the raw bytes and opens them; throws NoticeRefused when anything does not hold. No network. */
  openNotice(headers: Readonly<Record<string, string | undefined>>, raw: Buffer): WechatPayNotice
}
