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
  /** Until when cards can be signed for Apple's Wallet (ms): its certificate ends then. Null: none is configured. */
  readonly passesUntilMs: number | null
  /** True where the sandbox stands in for WeCom and WeChat Pay; pages then say so. */
  readonly sandbox: boolean
  /** Messages of WeCom leave minute 0 and 30 of each hour out, as it asks (FULIKA_WECOM_QUIET_MINUTES). */
  readonly quietMinutes: boolean
}
