import { createHash, randomBytes } from 'node:crypto'
import { startClock, type Clock } from '../clock.ts'

/** A member of a sandbox company. `visible`: inside the visible range of the app; `licensed`: has a base account. */
export interface Member {
  readonly userid: string
  readonly name: string
  readonly mobile: string | null
  readonly licensed: boolean
  readonly visible: boolean
}

/** A message as it lies in the chats of its receivers. `body` is the part under its msgtype. */
export interface Message {
  readonly id: string
  readonly msgtype: string
  readonly body: Readonly<Record<string, unknown>>
  readonly url: string | null
  readonly atMs: number
}

export interface Received {
  readonly message: Message
  /** When the chat was looked at; until then the message counts as unread. */
  seenAtMs: number | null
  /** When the message was tapped. */
  openedAtMs: number | null
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

/** The token and key with which a company's callback is signed and encrypted. */
export interface CallbackKeys {
  readonly token: string
  readonly encodingAesKey: string
}

/** One event on its way to the callback address, with every try. */
export interface Delivery {
  readonly id: string
  readonly event: string
  readonly userid: string
  readonly atMs: number
  /** Status 0: no answer. */
  readonly tries: { readonly status: number; readonly tookMs: number; readonly crooked: string | null }[]
  state: 'waiting' | 'taken' | 'given up' | 'lost'
}

export interface Corp {
  readonly corpId: string
  agentId: number
  secret: string
  accountLimit: number
  trustedDomains: readonly string[]
  /** By lower-cased userid. */
  readonly members: Map<string, Member>
  readonly byMobile: Map<string, Member>
  readonly inbox: Map<string, Received[]>
  /** Moments of the messages of the last hour, per member. */
  readonly arrivals: Map<string, number[]>
  /** Digest of a message body to its answer, with the moment until which repeats are suppressed. */
  readonly recent: Map<string, { readonly untilMs: number; readonly answer: Record<string, unknown> }>
  token: { readonly value: string; readonly expiresAtMs: number } | null
  day: { number: number; personSends: number; lookupErrors: number }
  readonly calls: Map<string, { minute: number; inMinute: number; hour: number; inHour: number }>
  stats: Stats
  /** What the console of WeCom offers to fill in; the address itself is saved only after it was verified. */
  suggestedKeys: CallbackKeys | null
  callback: (CallbackKeys & { readonly url: string; readonly verifiedAtMs: number }) | null
  /** The newest first, at most 100. */
  readonly deliveries: Delivery[]
}

export interface Code {
  readonly corpId: string
  /** null: somebody outside the company. */
  readonly userid: string | null
  readonly expiresAtMs: number
  used: boolean
}

/** What can go wrong with a call. */
export const callFaults = [
  'delay',
  'status500_before',
  'status500_after',
  'cut_before',
  'cut_after',
  'errcode',
  'message_lose',
] as const
/** What can go wrong with an event on its way to the callback address. */
export const callbackFaults = [
  'callback_lose',
  'callback_delay',
  'callback_repeat',
  'callback_reorder',
  'callback_wrong_signature',
  'callback_stale',
  'callback_wrong_receiver',
] as const
export const faultKinds = [...callFaults, ...callbackFaults] as const

export interface Fault {
  /** Which call; null stands for every call, and for events, which have no path. */
  readonly path: string | null
  readonly kind: (typeof faultKinds)[number]
  readonly errcode: number
  readonly delayMs: number
  readonly copies: number
  left: number
}

export interface WecomState {
  readonly clock: Clock
  /** The moved time of the clock. */
  readonly now: () => number
  readonly corps: Map<string, Corp>
  readonly codes: Map<string, Code>
  /** Dead tokens, so that an old one answers 42001 and an invented one 40014. */
  readonly tokens: Map<string, { readonly corpId: string; readonly expiresAtMs: number }>
  faults: Fault[]
  /** Events that wait to be sent in reverse. */
  held: (() => Promise<void>)[]
  readonly wrongSecrets: { count: number; blockedUntilMs: number }
  /** Whom the authorise page takes without asking, per company, when the browser has no cookie. */
  readonly actingAs: Map<string, string>
}

/** An empty sandbox whose clock is `now` plus what it was moved by. */
export function emptyState(now: () => number): WecomState {
  const clock = startClock(now)
  return {
    clock,
    now: () => clock.now(),
    corps: new Map(),
    codes: new Map(),
    tokens: new Map(),
    faults: [],
    held: [],
    wrongSecrets: { count: 0, blockedUntilMs: 0 },
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

/** Statistics before the first call. */
export function emptyStats(): Stats {
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

/** Counts of the natural day in China; begins anew at midnight there. */
export function today(corp: Corp, nowMs: number): Corp['day'] {
  const number = Math.floor((nowMs + 8 * 3_600_000) / 86_400_000)
  if (corp.day.number !== number) corp.day = { number, personSends: 0, lookupErrors: 0 }
  return corp.day
}

/** An unguessable text with a prefix that shows where it comes from. */
export function fakeId(kind: string, bytes = 16): string {
  return `SANDBOX${kind}${randomBytes(bytes).toString('hex')}`
}

/** A short digest for comparing bodies. */
export function digest(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex')
}
