import type { SealKeys } from './callback-seal.ts'
import type { Delivery, SavedCallback } from './callback-state.ts'

/** A service provider (服务商): a company of its own, with suites and templates. */
export interface Provider {
  readonly corpId: string
  secret: string
  /** By company: when it first installed one of this provider's apps; the trial of interface licences begins there. */
  readonly firstInstalls: Map<string, number>
  /** Licences that were bought: by active code, which member of which company has it. */
  readonly licences: Map<string, { readonly kind: 'base' | 'interop'; usedBy: string | null }>
}

/** Something that lives until a moment. */
export interface Lived {
  readonly value: string
  readonly untilMs: number
}

export type SuiteKind = 'third_party' | 'customised'

/** A third-party app or a template for customised apps. */
export interface Suite {
  readonly suiteId: string
  readonly kind: SuiteKind
  readonly providerCorpId: string
  name: string
  secret: string
  keys: SealKeys
  /** Hosts, port included, to which the install page and the authorize page may lead back. */
  trustedDomains: readonly string[]
  /** 指令回调 */
  command: SavedCallback | null
  /** 数据回调; its address may hold the placeholder $CORPID$. */
  data: SavedCallback | null
  /** The last ones, the newest at the end. */
  tickets: Lived[]
  /** Whether the ten-minute rounds have begun. */
  ticking: boolean
  readonly preAuthCodes: Map<string, { readonly untilMs: number; formal: boolean }>
  readonly authCodes: Map<string, AuthCode>
  /** By plain corpid, lower-cased. */
  readonly installs: Map<string, Install>
  /** What went to its two addresses, the newest first. */
  readonly deliveries: Delivery[]
}

/** With which a permanent code is fetched, once. `resets`: it replaces the one the company has. */
export interface AuthCode {
  readonly corpId: string
  readonly untilMs: number
  readonly state: string
  readonly resets: boolean
  used: boolean
}

/** One company's authorisation of a suite. The permanent code is the secret of its app. */
export interface Install {
  readonly corpId: string
  readonly agentId: number
  readonly adminUserId: string
  readonly atMs: number
  /** Whether somebody has fetched a permanent code; before that the app can do nothing. */
  exchanged: boolean
}

export interface SuiteState {
  readonly providers: Map<string, Provider>
  readonly suites: Map<string, Suite>
  /** Permanent codes that have died: 40084 rather than an invented one. */
  readonly deadCodes: Set<string>
}

/** No providers yet. */
export function emptySuites(): SuiteState {
  return { providers: new Map(), suites: new Map(), deadCodes: new Set() }
}
