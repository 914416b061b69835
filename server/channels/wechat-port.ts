/**
 * Who stands behind an OAuth code of the service account. `unionid` comes with the scope snsapi_userinfo only, and only
 * where the account hangs on an Open Platform account.
 */
export interface WechatIdentity {
  readonly openid: string
  readonly unionid: string | null
  /**
   * A snapshot page (快照页): its visitor may only look, and the ids are not theirs. Nothing may be kept of it. False proves
   * nothing: WeChat forgets the flag now and then.
   */
  readonly snapshot: boolean
}

/** Who stands behind a code of the mini program: an openid of the mini program, never the service account's. */
export interface WechatMiniProgramIdentity {
  readonly appid: string
  readonly openid: string
  readonly unionid: string | null
}

/** One message to one person, who allowed exactly one of this template. */
export interface WechatSubscriptionMessage {
  readonly openid: string
  readonly templateId: string
  /** Where the message leads: an address of ours. Null: nowhere. */
  readonly page: string | null
  /** By the template's names (`thing1`); what is too long for its kind of value is cut by the adapter, with an ellipsis. */
  readonly data: Readonly<Record<string, string>>
}

/** The query of a callback after one URL-decode. */
export interface WechatCallbackQuery {
  readonly signature?: string | undefined
  readonly msg_signature?: string | undefined
  readonly timestamp?: string | undefined
  readonly nonce?: string | undefined
  readonly encrypt_type?: string | undefined
  readonly echostr?: string | undefined
}

/** What a person, or WeChat, did with a permission to send: each is told at least once, perhaps twice, in any order. */
export interface WechatSubscriptionChange {
  readonly templateId: string
  /**
   * `accepted` gives one message more, `declined` none; `withdrawn` takes away what was given. Of a message sent:
   * `delivered` or `failed`.
   */
  readonly change: 'accepted' | 'declined' | 'withdrawn' | 'delivered' | 'failed'
  /** Of a message sent: its id, and WeChat's code where it failed. */
  readonly messageId: string | null
  readonly code: string | null
}

/** A callback after signature, age, encryption and addressee held. */
export interface WechatCallback {
  /** The event's name, or the message's type, in lower case; `other` when it names none. */
  readonly kind: string
  /** Of whom it tells; null where it names nobody. */
  readonly openid: string | null
  readonly createdAtMs: number
  readonly subscriptions: readonly WechatSubscriptionChange[]
  /** SHA-256 of what was said: a repeat has the same. */
  readonly digest: string
}

/**
 * WeChat's consumer side: our service account (服务号), and our mini program where there is one. Source: protocols
 * wechat-consumer. Every network call throws OutsideError (kernel/outside.ts); its code is WeChat's, or one of
 * `not_configured`, `paced`, `timeout`. Where no account is configured (`House.wechat` null) every call is `broken`.
 */
export interface WechatPort {
  /** Where a browser goes to sign in (2.1). `state`: letters and digits, at most 128. Ask for userinfo after a tap only. */
  authoriseUrl(scope: 'snsapi_base' | 'snsapi_userinfo', redirectUri: string, state: string): string
  /**
   * sns/oauth2/access_token; the person's own tokens are thrown away. The call spends the code, so silence is `unknown`.
   * Refused: 40029 wrong or another app's, 40163 used before, 42003 too old, 41008 missing.
   */
  identityByCode(code: string): Promise<WechatIdentity>
  /** sns/jscode2session; session_key is thrown away. Refused: 40029, 40163, and 40226 for a person whom WeChat blocks. */
  identityByMiniProgramCode(code: string): Promise<WechatMiniProgramIdentity>
  /** The ticket that pages are signed with (cgi-bin/ticket/getticket?type=jsapi), cached for all processes. */
  jsTicket(): Promise<string>
  /**
   * message/subscribe/bizsend. At most once: an `unknown` outcome is settled by the event, or left alone. Refused: 43101 no
   * permission left, 47003 the data does not fit its template, 40037 no such template.
   */
  sendSubscription(message: WechatSubscriptionMessage): Promise<{ readonly messageId: string | null }>
  /** The exact text that answers the verification of our callback address (11). Throws NoticeRefused. No network. */
  verifyCallback(query: WechatCallbackQuery): string
  /** Verifies the raw bytes of a callback, of the safe mode alone, and opens them (11). Throws NoticeRefused. No network. */
  openCallback(query: WechatCallbackQuery, raw: Buffer): WechatCallback
}
