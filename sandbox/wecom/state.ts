import { callFaultKinds } from '../call-faults.ts'
import { createHash, randomBytes } from 'node:crypto'
import { startClock, type Clock } from '../clock.ts'
import type { SealKeys } from './callback-seal.ts'
import type { Code } from './identity-state.ts'
import type { Delivery, SavedCallback } from './callback-state.ts'
import type { Media } from './media-state.ts'
import type { Drop, Message, Received, ResponseCode } from './message-state.ts'
import { emptyOuter, type OuterState } from './outer-state.ts'
import { defaultSettings, type Settings } from './settings.ts'

export type AppKind = 'self_built' | 'customised' | 'third_party'

/** An interface licence of a member (protocol sheet 8.8); `interop` includes `base`. */
export interface Licence {
  readonly kind: 'base' | 'interop'
  readonly untilMs: number
}

/** A member of a sandbox company, whatever any app may see of them. Changed through members.ts only. */
export interface Member {
  readonly userid: string
  readonly name: string
  readonly mobile: string | null
  readonly email: string | null
  /** At least one. */
  readonly departments: readonly number[]
  /** 1 active, 2 disabled, 4 not activated, 5 left. */
  readonly status: 1 | 2 | 4 | 5
  readonly licence: Licence | null
}

export interface Department {
  readonly id: number
  readonly name: string
  /** 0 for the root, whose id is 1. */
  readonly parentId: number
  readonly order: number
}

export interface Tag {
  readonly id: number
  readonly name: string
  /** Lower-cased. */
  readonly userIds: ReadonlySet<string>
  readonly departments: ReadonlySet<number>
}

/** Whom an app may see: everybody, or what lies below departments, single members (lower-cased) and tags. */
export type VisibleRange =
  | 'all'
  | {
      readonly departments: ReadonlySet<number>
      readonly userIds: ReadonlySet<string>
      readonly tags: ReadonlySet<number>
    }

export interface Stats {
  gettoken: number
  /** Calls of message/send that reached the sandbox, whatever the answer. */
  sends: number
  /** Calls answered with errcode 0 that were not suppressed. */
  accepted: number
  /** Messages laid into an inbox, counted per member. */
  delivered: number
  /** Messages swallowed by the per-member limit, counted per member. */
  dropped: number
  suppressedDuplicates: number
  invalid: number
  unlicensed: number
  lookups: number
  lookupErrors: number
  codesExchanged: number
}

/** Calls for JS tickets within an hour, and the ticket that is given while it lives (3.5). */
export interface TicketCount {
  hour: number
  count: number
  jsTicket: { readonly value: string; readonly untilMs: number } | null
}

/** One app inside one company. */
export interface App {
  agentId: number
  name: string
  readonly kind: AppKind
  /** Of a customised or third-party app the permanent code. */
  secret: string
  readonly suiteId: string | null
  /** Whose ciphers stand in place of corp, user and customer ids; null: the app sees plain ids. */
  readonly providerId: string | null
  visible: VisibleRange
  /** Members (lower-cased) that the form of /__ctl/corps took out of the range, or said to have no account. */
  readonly hidden: Set<string>
  readonly unlicensed: Set<string>
  trustedDomains: readonly string[]
  /** Addresses that may call; looked at when the switch is on (60020). */
  trustedIps: readonly string[]
  /** What the console of WeCom offers to fill in; the address itself is saved only after it was verified. */
  suggestedKeys: SealKeys | null
  callback: SavedCallback | null
  createdAtMs: number
  /** What an admin has granted: `name`, `mobile`, `email`, `avatar`, and others by the calls that need them. */
  readonly grants: Set<string>
  /** Off: 50003. */
  on: boolean
  /** From when members need a licence; null: never. */
  licencesFromMs: number | null
  readonly day: { number: number; personSends: number }
  /** Moments of the messages of the last hour, per member (lower-cased). */
  readonly arrivals: Map<string, number[]>
  /** Digest of a message body to its answer, with the moment until which repeats are suppressed. */
  readonly recent: Map<string, { readonly untilMs: number; readonly answer: Record<string, unknown> }>
  readonly taskIds: Set<string>
  readonly responseCodes: Map<string, ResponseCode>
  readonly tickets: TicketCount
  /** Appids of the mini programs that the app is bound to. */
  readonly miniPrograms: Set<string>
}

export interface Corp {
  readonly corpId: string
  name: string
  accountLimit: number
  /** The secret of contact sync (通讯录同步); null while the company has not opened it. */
  contactSecret: string | null
  readonly departments: Map<number, Department>
  /** By lower-cased userid. */
  readonly members: Map<string, Member>
  /** Lower-cased userids by mobile, by e-mail and by department. */
  readonly byMobile: Map<string, string>
  readonly byEmail: Map<string, string>
  readonly byDepartment: Map<number, Set<string>>
  readonly tags: Map<number, Tag>
  readonly apps: Map<number, App>
  readonly inbox: Map<string, Received[]>
  readonly messages: Map<string, Message>
  readonly media: Map<string, Media>
  /** By address; for good. */
  readonly images: Map<string, { readonly mime: string; readonly bytes: Buffer }>
  /** Messages that a member did not get although they were accepted, the newest last, at most 20,000. */
  readonly drops: Drop[]
  readonly tickets: TicketCount
  readonly day: { number: number; lookupErrors: number; openIdErrors: number; images: number }
  readonly calls: Map<string, { minute: number; inMinute: number; hour: number; inHour: number }>
  readonly stats: Stats
  /** The newest first. */
  readonly deliveries: Delivery[]
}

/** What can go wrong with an event on its way to the callback address. */
export const callbackFaults = [
  'callback_lose',
  'callback_delay',
  'callback_repeat',
  'callback_reorder',
  'callback_wrong_signature',
  'callback_stale',
  'callback_wrong_receiver',
  'callback_truncate',
  'callback_unknown',
  'callback_bare_change_type',
] as const
/** What can go wrong with a short message. */
const smsFaults = ['sms_lose', 'sms_refuse', 'sms_busy'] as const
export const faultKinds = [...callFaultKinds, 'message_lose', ...callbackFaults, ...smsFaults] as const

export interface Fault {
  /** Which call; null stands for every call, and for every event. Events are also named by Event, InfoType or ChangeType. */
  readonly path: string | null
  readonly kind: (typeof faultKinds)[number]
  readonly errcode: number
  readonly delayMs: number
  readonly copies: number
  left: number
}

/** Whom a token speaks for. */
export type TokenOwner =
  | { readonly kind: 'app'; readonly corpId: string; readonly agentId: number }
  | { readonly kind: 'contact'; readonly corpId: string }
  | { readonly kind: 'suite'; readonly suiteId: string }
  | { readonly kind: 'provider'; readonly corpId: string }

export interface IssuedToken {
  readonly owner: TokenOwner
  readonly expiresAtMs: number
  /** Dead before its time: 40014, where an expired one answers 42001. */
  readonly voided: boolean
}

/** A call that was carried out or refused, as the log keeps it. */
export interface LoggedCall {
  readonly atMs: number
  readonly api: string
  /** Null where the token named nobody. */
  readonly corpId: string | null
  readonly agentId: number | null
  readonly errcode: number
}

export interface WecomState {
  readonly clock: Clock
  /** The moved time of the clock. */
  readonly now: () => number
  readonly settings: Settings
  readonly corps: Map<string, Corp>
  readonly codes: Map<string, Code>
  /** Every token that was ever given out, so that an old one answers 42001 and an invented one 40014. */
  readonly tokens: Map<string, IssuedToken>
  /** The token that is given again while it lives, by its owner. */
  readonly currentTokens: Map<string, string>
  faults: Fault[]
  /** What lies around the companies. */
  readonly outer: OuterState
  /** By the address of the caller. */
  readonly wrongSecrets: Map<string, { count: number; firstAtMs: number; blockedUntilMs: number }>
  /** Calls below /cgi-bin, the newest last. */
  readonly calls: LoggedCall[]
  /** Calls under way, by company and API. */
  readonly underWay: Map<string, number>
  /** Whom the authorise page takes without asking, per company, when the browser has no cookie. */
  readonly actingAs: Map<string, string>
}

/** An empty sandbox whose clock is `now` plus what it was moved by. */
export function emptyState(now: () => number): WecomState {
  const clock = startClock(now)
  return {
    clock,
    now: () => clock.now(),
    settings: defaultSettings(),
    corps: new Map(),
    codes: new Map(),
    tokens: new Map(),
    currentTokens: new Map(),
    faults: [],
    outer: emptyOuter(),
    wrongSecrets: new Map(),
    calls: [],
    underWay: new Map(),
    actingAs: new Map(),
  }
}

/** Uses up one fault of these kinds, if one is on for this call; events have no path. Pages only when they are named. */
export function takeFault(state: WecomState, kinds: readonly Fault['kind'][], path: string | null): Fault | null {
  const names = path?.startsWith('/cgi-bin/') ? [null, path, path.replace('/cgi-bin/', '')] : [path]
  const fault = state.faults.find((one) => kinds.includes(one.kind) && names.includes(one.path))
  if (!fault) return null
  fault.left -= 1
  if (fault.left <= 0) state.faults = state.faults.filter((one) => one !== fault)
  return fault
}

/** A company without members and apps: the root department alone. */
export function newCorp(corpId: string, name: string, accountLimit: number): Corp {
  return {
    corpId,
    name,
    accountLimit,
    contactSecret: null,
    departments: new Map([[1, { id: 1, name, parentId: 0, order: 1 }]]),
    members: new Map(),
    byMobile: new Map(),
    byEmail: new Map(),
    byDepartment: new Map(),
    tags: new Map(),
    apps: new Map(),
    inbox: new Map(),
    messages: new Map(),
    media: new Map(),
    images: new Map(),
    drops: [],
    tickets: { hour: 0, count: 0, jsTicket: null },
    day: { number: 0, lookupErrors: 0, openIdErrors: 0, images: 0 },
    calls: new Map(),
    stats: emptyStats(),
    deliveries: [],
  }
}

/** An app that sees everybody and is on; `form` says what is different. The caller puts it into its company. */
export function newApp(form: Pick<App, 'agentId' | 'kind' | 'secret' | 'createdAtMs'> & Partial<App>): App {
  return {
    name: '福利卡',
    suiteId: null,
    providerId: null,
    visible: 'all',
    hidden: new Set(),
    unlicensed: new Set(),
    trustedDomains: [],
    trustedIps: [],
    suggestedKeys: null,
    callback: null,
    grants: new Set(),
    on: true,
    licencesFromMs: null,
    day: { number: 0, personSends: 0 },
    arrivals: new Map(),
    recent: new Map(),
    taskIds: new Set(),
    responseCodes: new Map(),
    tickets: { hour: 0, count: 0, jsTicket: null },
    miniPrograms: new Set(),
    ...form,
  }
}

/** Statistics before the first call. */
function emptyStats(): Stats {
  return {
    gettoken: 0,
    sends: 0,
    accepted: 0,
    delivered: 0,
    dropped: 0,
    suppressedDuplicates: 0,
    invalid: 0,
    unlicensed: 0,
    lookups: 0,
    lookupErrors: 0,
    codesExchanged: 0,
  }
}

/** The company of an id, without regard to case. */
export function corpOf(state: WecomState, corpId: string): Corp | undefined {
  return state.corps.get(corpId.toLowerCase())
}

/** The app of an id, or the first of the company where none is named. */
export function appOf(corp: Corp, agentId?: number): App | undefined {
  return agentId === undefined ? corp.apps.values().next().value : corp.apps.get(agentId)
}

/** Counts of a company's day, which begins anew at midnight in China. */
export function today(corp: Corp, nowMs: number): Corp['day'] {
  const number = dayNumber(nowMs)
  if (corp.day.number !== number) Object.assign(corp.day, { number, lookupErrors: 0, openIdErrors: 0, images: 0 })
  return corp.day
}

/** The number of the natural day in China, which begins at midnight there. */
export function dayNumber(nowMs: number): number {
  return Math.floor((nowMs + 8 * 3_600_000) / 86_400_000)
}

/** An unguessable text with a prefix that shows where it comes from. */
export function fakeId(kind: string, bytes = 16): string {
  return `SANDBOX${kind}${randomBytes(bytes).toString('hex')}`
}

/** A short digest for comparing bodies. */
export function digest(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex')
}
