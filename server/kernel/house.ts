import type { Secret } from './log.ts'
import type { Seal } from './seal.ts'

/** A bank account that people transfer money to; shown as it stands here. */
export interface BankAccount {
  readonly holder: string
  readonly number: string
  readonly bank: string
}

/**
 * A third-party suite of ours or a template of a customised app (代开发), as this installation is told of it: what its
 * callbacks are verified with. Its own secret is known to the adapter alone.
 */
export interface WecomSuite {
  readonly suiteId: string
  readonly kind: 'third_party' | 'customised'
  /** What people read on the console. */
  readonly name: string
  readonly token: Secret<string>
  readonly encodingAesKey: Secret<string>
}

/** What a subscription message of WeChat may tell. */
export const wechatTemplateKinds = [
  'gift_received',
  'gift_claimed',
  'gift_returned',
  'card_expiring',
  'low_balance',
] as const
export type WechatTemplateKind = (typeof wechatTemplateKinds)[number]
/** What a template has places for: the card's name, an amount, a moment, and a sentence. */
export const wechatTemplateWords = ['card', 'amount', 'time', 'note'] as const

/** A template of our service account: its id, and by which key it takes what; what it has no key for is left out. */
export interface WechatTemplate {
  readonly id: string
  readonly keys: Readonly<Partial<Record<(typeof wechatTemplateWords)[number], string>>>
}

/** Our service account (服务号), as far as the house may know it: its secrets stay with the adapter. */
export interface WechatHouse {
  readonly appid: string
  /** Null: there is no mini program. */
  readonly miniProgramAppid: string | null
  /** The Open Platform account; kept beside each unionid, which is one within it alone. */
  readonly openPlatformId: string | null
  readonly templates: Readonly<Partial<Record<WechatTemplateKind, WechatTemplate>>>
  /** The JS-SDK that pages load. */
  readonly jsSdkUrl: string
  /**
   * The sandbox's script, which makes any browser a client of WeChat; null outside the sandbox, where the client is there by
   * itself. In the sandbox it is the JS-SDK as well: load it once.
   */
  readonly clientScriptUrl: string | null
}

/** What this installation is, from its configuration and key ring. It never changes while a process runs. */
export interface House {
  /** Where browsers reach us, without a slash at the end: https://fuli.example.com */
  readonly publicUrl: string
  readonly seal: Seal
  /** Signs session cookies. */
  readonly sessionKey: Secret<string>
  /** The permutation key of a brand's card numbers for one epoch digit (32 bytes). */
  readonly numberKey: (brandId: string, keyEpoch: number) => Buffer
  /** The custody account that takes bank transfers; its name is also the ledger's account name. */
  readonly custody: BankAccount & { readonly name: string }
  /** The suites that companies may install here; empty where each company brings an app of its own. */
  readonly wecomSuites: readonly WecomSuite[]
  /** Our own corp id as a provider of suites: addresses are verified in its name. Null without suites. */
  readonly wecomProviderCorpId: string | null
  readonly wechatPay: {
    /** Our own merchant: it starts combined payments, takes fees, and collects where terms say so. Null: there is none. */
    readonly platform: { readonly mchid: string; readonly appid: string } | null
    /** What WeChat Pay keeps of a payment to this merchant, in basis points. */
    readonly feeBp: (mchid: string) => number
    /** Sharing begins at whole multiples of this. */
    readonly settlementWindowMs: number
    /** At most so many calls of profit sharing a second for one merchant. */
    readonly sharesPerSecond: number
  }
  /** Null: no service account is configured; the storefront can only be looked at. */
  readonly wechat: WechatHouse | null
  /** Until when cards can be signed for Apple's Wallet (ms): its certificate ends then. Null: none is configured. */
  readonly passesUntilMs: number | null
  /** True where the sandbox stands in for WeCom and WeChat Pay; pages then say so. */
  readonly sandbox: boolean
  /** Messages of WeCom leave minute 0 and 30 of each hour out, as it asks (FULIKA_WECOM_QUIET_MINUTES). */
  readonly quietMinutes: boolean
}
