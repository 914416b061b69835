import type { Fen } from '../../contract/fen.ts'
import type { WechatPort } from './wechat-port.ts'
import type { WechatPayPort } from './wechatpay-port.ts'

/** The outside world as the house sees it. One adapter a folder; the sandbox stands behind the same addresses. */
export interface Ports {
  readonly wecom: WecomPort
  readonly wechat: WechatPort
  readonly wechatPay: WechatPayPort
  readonly sms: SmsPort
  readonly invoice: InvoicePort
  readonly webhook: WebhookPort
  readonly pass: PassPort
  readonly review: ReviewPort
}

export type WecomAppKind = 'self_built' | 'customised' | 'third_party'

/** How to act as one company's app in WeCom. */
export interface WecomApp {
  readonly kind: WecomAppKind
  readonly corpId: string
  readonly agentId: number
  /** The app's secret; of a customised or third-party app the permanent code. */
  readonly secret: string
  /** Which of our suites or templates it comes from; null for self-built. */
  readonly suiteId: string | null
  /** The secret of contact sync (通讯录同步) where the company gave it: it alone lists all ids, and can do nothing else. */
  readonly contactSecret: string | null
}

/**
 * What `message/send` answered. `messageId` is null when nothing was sent (81013: every recipient invalid), and where
 * WeCom passed over a repeat without saying what the first call did.
 */
export interface WecomSent {
  readonly messageId: string | null
  /** Lower-cased by WeCom: compare without regard to case, inside the set that was sent. */
  readonly invalidUsers: readonly string[]
  readonly unlicensedUsers: readonly string[]
  /** With which an interactive card can be changed, once within 72 hours. */
  readonly responseCode: string | null
}

/**
 * Who stands behind an OAuth code. `ticket`: with which a member's own details can be read (privateinfo). An outsider
 * without an openid is a member of another company.
 */
export type WecomIdentity =
  | { readonly kind: 'member'; readonly userid: string; readonly ticket: string | null }
  | { readonly kind: 'outsider'; readonly openid: string | null; readonly externalUserId: string | null }

/** The callback of one app or suite: its keys and the ids that its messages may be meant for (2.3). */
export interface WecomCallbackKeys {
  readonly token: string
  readonly encodingAesKey: string
  readonly receiveIds: readonly string[]
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
  /** ChangeType in lower case; null where it has none. */
  readonly changeType: string | null
  /** The id that it was meant for. */
  readonly receiveId: string
  /** The plain XML. It may hold personal data: never logged, stored sealed only. */
  readonly message: string
}

/** A value inside an event: text as it came, a list where an element repeats, or elements by name. */
export type WecomValue = string | readonly WecomValue[] | { readonly [name: string]: WecomValue }

export interface WecomDepartment {
  readonly id: number
  readonly parentId: number
  /** Null where the app may not know it. */
  readonly name: string | null
}

export interface WecomMember {
  readonly userid: string
  /** Equal to the userid, and so null here, for third-party apps. */
  readonly name: string | null
  readonly departments: readonly number[]
}

/** A page of a list; `next` null: the end. */
export interface WecomPage<T> {
  readonly items: readonly T[]
  readonly next: string | null
}

/** What an installed app may see and do (v2/get_auth_info). */
export interface WecomAuthInfo {
  readonly corpId: string
  readonly corpName: string
  readonly agentId: number
  /** Accounts the company may have: 200 messages a day each. */
  readonly accountLimit: number
  readonly authMode: 'admin' | 'member'
  readonly departments: readonly number[]
  readonly userIds: readonly string[]
  readonly tags: readonly number[]
}

export interface WecomContactWay {
  /** Up to 100 people after parties are expanded. */
  readonly userIds: readonly string[]
  /** At most 30 letters and digits: it comes back with the contact. */
  readonly state: string
  readonly remark: string
}

export interface WecomCustomer {
  readonly externalUserId: string
  readonly followers: readonly { readonly userid: string; readonly state: string | null; readonly addedAtMs: number }[]
}

export interface WecomWelcome {
  readonly text: string
  readonly link: { readonly title: string; readonly desc: string; readonly url: string; readonly picUrl: string | null }
}

export interface WecomMassSendTask {
  readonly userid: string
  readonly sent: boolean
}
/** `over_quota`: the contact already got as many mass messages as the month allows. */
export interface WecomMassSendResult {
  readonly externalUserId: string
  readonly state: 'unsent' | 'sent' | 'not_friend' | 'over_quota'
}

/**
 * Source: protocols wecom, sections 1 to 8. Every network call throws OutsideError (see kernel/outside.ts); its code is
 * WeCom's. Bodies that change something are strings which were stored before: the very same bytes are repeated.
 */
export interface WecomPort {
  /** Proves that a credential works: fetches a token anew, once. Throws `broken` with WeCom's code when it does not. */
  checkCredential(app: WecomApp): Promise<void>
  /** message/send. The very same bytes may be sent again inside the duplicate window. */
  send(app: WecomApp, body: string): Promise<WecomSent>
  /** message/update_template_card with stored bytes; 60140 (refused) when the code is dead or used. */
  updateCard(app: WecomApp, body: string): Promise<void>
  /** message/recall: within 24 hours (42052 refused after). */
  recall(app: WecomApp, messageId: string): Promise<void>
  /**
   * media/upload; the same bytes of one company are uploaded once in 60 hours. `dead`: the id that WeCom no longer knows
   * (40007, 40145), for which another is wanted before that.
   */
  uploadMedia(
    app: WecomApp,
    file: {
      readonly type: 'image' | 'file'
      readonly name: string
      readonly mime: string
      readonly bytes: Buffer
      readonly dead?: string
    },
  ): Promise<{ readonly mediaId: string }>
  /** media/uploadimg: an address for good, shown inside WeCom only. */
  uploadImage(
    app: WecomApp,
    file: { readonly name: string; readonly mime: string; readonly bytes: Buffer },
  ): Promise<string>

  /** Where a browser goes to sign in. `state` is letters and digits. `consent` asks for the member's own details. */
  signInUrl(
    app: WecomApp,
    where: 'client' | 'desktop',
    redirectUri: string,
    state: string,
    scope?: 'silent' | 'consent',
  ): string
  /** Who stands behind a one-time OAuth code (auth/getuserinfo, service/auth/getuserinfo3rd). */
  identityByCode(app: WecomApp, code: string): Promise<WecomIdentity>
  /** The mobile that a member agreed to show (auth/getuserdetail); null where they or the admin did not. */
  mobileByTicket(app: WecomApp, ticket: string): Promise<string | null>
  /** jsapi ticket of the corp or of the app; cached for all processes. */
  jsTicket(app: WecomApp, kind: 'corp' | 'agent'): Promise<string>

  /** user/getuserid: null when WeCom knows no such mobile within what the app sees (46004). */
  userIdByMobile(app: WecomApp, mobile: string): Promise<string | null>
  /** department/simplelist, and names where the app may know them. */
  departments(app: WecomApp): Promise<readonly WecomDepartment[]>
  /** user/simplelist: direct members of one department. */
  membersOf(app: WecomApp, departmentId: number): Promise<readonly WecomMember[]>
  /**
   * user/list_id, by the contact-sync secret: userid and one department an item. Without such a secret, or with a wrong
   * one, it is refused: the app itself works on.
   */
  memberIds(
    app: WecomApp,
    cursor: string | null,
  ): Promise<WecomPage<{ readonly userid: string; readonly department: number }>>
  /** user/get; null when there is no such member within what the app sees. */
  member(app: WecomApp, userid: string): Promise<WecomMember | null>
  /** batch/userid_to_openuserid, up to 1,000: those that WeCom does not know are left out. */
  openUserIds(app: WecomApp, userIds: readonly string[]): Promise<ReadonlyMap<string, string>>

  followUsers(app: WecomApp): Promise<readonly string[]>
  addContactWay(app: WecomApp, way: WecomContactWay): Promise<{ readonly configId: string; readonly qrUrl: string }>
  /** config ids of contact ways made lately, with their state: how an unknown outcome of addContactWay is asked about. */
  contactWays(
    app: WecomApp,
    cursor: string | null,
  ): Promise<WecomPage<{ readonly configId: string; readonly state: string }>>
  deleteContactWay(app: WecomApp, configId: string): Promise<void>
  /** The picture of a contact way's QR code, fetched from WeCom's own hosts only. */
  contactWayImage(app: WecomApp, qrUrl: string): Promise<{ readonly mime: string; readonly bytes: Buffer }>
  /** externalcontact/list: whom a member has as contacts. */
  customersOf(app: WecomApp, userid: string): Promise<readonly string[]>
  customer(app: WecomApp, externalUserId: string): Promise<WecomCustomer | null>
  /** Within 20 s, once (6.3). Refused: 41050 too late, 41051 already greeted. Busy: 41096. */
  sendWelcome(app: WecomApp, welcomeCode: string, welcome: WecomWelcome): Promise<void>
  /** The ids of a tag group's tags by name; missing ones are made. */
  ensureTags(app: WecomApp, group: string, names: readonly string[]): Promise<ReadonlyMap<string, string>>
  markTag(
    app: WecomApp,
    pair: { readonly userid: string; readonly externalUserId: string },
    change: { readonly add: readonly string[]; readonly remove: readonly string[] },
  ): Promise<void>
  /** externalcontact/add_msg_template with stored bytes: makes a task that members must confirm; it sends nothing. */
  createMassSend(
    app: WecomApp,
    body: string,
  ): Promise<{ readonly messageId: string; readonly failed: readonly string[] }>
  /** Tasks made lately: how an unknown outcome of createMassSend is asked about. */
  massSends(
    app: WecomApp,
    window: { readonly fromMs: number; readonly toMs: number },
    cursor: string | null,
  ): Promise<WecomPage<{ readonly messageId: string; readonly text: string; readonly atMs: number }>>
  massSendTasks(app: WecomApp, messageId: string, cursor: string | null): Promise<WecomPage<WecomMassSendTask>>
  massSendResults(
    app: WecomApp,
    messageId: string,
    userid: string,
    cursor: string | null,
  ): Promise<WecomPage<WecomMassSendResult>>
  remindMassSend(app: WecomApp, messageId: string): Promise<void>
  cancelMassSend(app: WecomApp, messageId: string): Promise<void>

  /** Where an admin installs one of our suites from our site (8.2): asks for a pre_auth_code first. */
  installUrl(suiteId: string, redirectUri: string, state: string): Promise<string>
  /** v2/get_permanent_code. 40078 (refused): the code was used, look whether we have this company. */
  permanentCode(
    suiteId: string,
    authCode: string,
  ): Promise<{
    readonly corpId: string
    readonly corpName: string
    readonly permanentCode: string
    readonly adminUserId: string | null
  }>
  authInfo(suiteId: string, corpId: string, permanentCode: string): Promise<WecomAuthInfo>
  /** license/batch_active_account, up to 1,000: the userids that were not activated, with WeCom's code. */
  activateLicences(
    app: WecomApp,
    list: readonly { readonly userid: string; readonly activeCode: string }[],
  ): Promise<ReadonlyMap<string, string>>

  /** The exact text that answers the verification of a callback address (2.4). Throws NoticeRefused. No network. */
  verifyCallback(keys: WecomCallbackKeys, query: WecomCallbackQuery): string
  /** Verifies the raw bytes of a callback and opens them (2.5). Throws NoticeRefused. No network. */
  openCallback(keys: WecomCallbackKeys, query: WecomCallbackQuery, raw: Buffer): WecomCallback
  /** The elements of an opened callback by name, whatever their case of CDATA (2.9). Throws NoticeRefused. No network. */
  readEvent(message: string): { readonly [name: string]: WecomValue }
}

/** A short message service: codes by SMS, nothing else. */
export interface SmsPort {
  /** Sends a code in words of ours. `reference` is the same for a repeat of the same message. Throws OutsideError. */
  sendCode(message: {
    readonly mobile: string
    readonly code: string
    readonly company: string
    readonly reference: string
  }): Promise<void>
}

/** What a tax invoice of ours says; the service knows the seller by our key. All amounts in fen. */
export interface InvoiceWish {
  /** Our number: the service issues it once. */
  readonly number: string
  readonly title: string
  /** Null: it is made out to a person. */
  readonly taxNumber: string | null
  readonly email: string | null
  readonly amount: Fen
  /** They sum to the amount. */
  readonly lines: readonly { readonly remark: string; readonly amount: Fen }[]
}

/** How a document stands at the service. `unknown_number`: it has never heard of it, so nothing was issued under it. */
export type InvoiceAnswer =
  | { readonly state: 'issued'; readonly providerNumber: string; readonly issuedOn: string }
  | { readonly state: 'processing' }
  | { readonly state: 'refused'; readonly code: string }
  | { readonly state: 'unknown_number' }

/**
 * An electronic invoice service. Issuing and reversing are idempotent by our number: the same stored body again is
 * answered alike. Throws OutsideError; after `unknown` the number is queried before anything is repeated.
 */
export interface InvoicePort {
  /** False: no service is configured. Every call is then `broken`, and requests wait. */
  readonly configured: boolean
  /** The exact body of an ordinary invoice (普通发票, code 601, 不征税): stored before the first call. */
  issueBody(wish: InvoiceWish): string
  issue(body: string): Promise<InvoiceAnswer>
  /** A red-letter invoice over the whole of `number`, under a number of its own. */
  reverse(wish: { readonly number: string; readonly redNumber: string }): Promise<InvoiceAnswer>
  /** How an invoice, or a red-letter one, stands. */
  query(number: string): Promise<InvoiceAnswer>
}

/** A merchant's own server, which wants to be told of what happened at its tills. */
export interface WebhookPort {
  /**
   * Posts an event, signed for this moment. Says the status of whatever answer came: 2xx means taken. Throws OutsideError:
   * `refused` for an address that is never called (not https, not public), `unknown` where no answer came.
   */
  send(message: {
    readonly url: string
    readonly secret: string
    /** The event's id: the same for every repeat. */
    readonly eventId: string
    readonly event: string
    readonly body: string
  }): Promise<{ readonly status: number }>
}

/** A card as Apple's Wallet shows it. */
export interface WalletCard {
  /** A pass with the same number takes the place of the one before. */
  readonly serialNumber: string
  readonly organizationName: string
  /** Read aloud. */
  readonly description: string
  readonly logoText: string
  /** `rgb(0, 71, 189)`: so the Wallet wants them. */
  readonly backgroundColor: string
  readonly foregroundColor: string
  readonly labelColor: string
  readonly fields: Readonly<
    Record<
      'primary' | 'secondary' | 'auxiliary' | 'back',
      readonly { readonly label: string; readonly value: string }[]
    >
  >
  /** What its QR code holds, and what stands below it. */
  readonly link: string
  readonly linkText: string
  readonly expiresAtMs: number | null
}

/** Cards for Apple's Wallet, signed with a certificate of ours. No network. */
export interface PassPort {
  /** A signed `.pkpass`. Throws where no certificate is configured: ask `House.passesUntilMs` before. */
  write(card: WalletCard): Buffer
}

/** What people write and upload, before anybody else sees it. Throws OutsideError where a service is asked. */
export interface ReviewPort {
  reviewText(text: string): Promise<'pass' | 'refuse'>
  /** `person`: somebody of the platform has to look. */
  reviewPicture(bytes: Buffer): Promise<'pass' | 'refuse' | 'person'>
}
