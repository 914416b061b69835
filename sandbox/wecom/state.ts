import { createHash, randomBytes } from 'node:crypto'

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
}

export interface Code {
  readonly corpId: string
  /** null: somebody outside the company. */
  readonly userid: string | null
  readonly expiresAtMs: number
  used: boolean
}

export const faultKinds = ['delay', 'status500_before', 'status500_after', 'cut_after', 'errcode'] as const
export interface Fault {
  readonly path: string
  readonly kind: (typeof faultKinds)[number]
  readonly errcode: number
  readonly delayMs: number
  left: number
}

export interface WecomState {
  readonly now: () => number
  readonly corps: Map<string, Corp>
  readonly codes: Map<string, Code>
  /** Dead tokens, so that an old one answers 42001 and an invented one 40014. */
  readonly tokens: Map<string, { readonly corpId: string; readonly expiresAtMs: number }>
  faults: Fault[]
  readonly wrongSecrets: { count: number; blockedUntilMs: number }
  /** Whom the authorise page takes without asking, per company, when the browser has no cookie. */
  readonly actingAs: Map<string, string>
  advance(ms: number): void
}

/** An empty sandbox whose clock is `now` plus what was added by hand. */
export function emptyState(now: () => number): WecomState {
  let offset = 0
  return {
    now: () => now() + offset,
    corps: new Map(),
    codes: new Map(),
    tokens: new Map(),
    faults: [],
    wrongSecrets: { count: 0, blockedUntilMs: 0 },
    actingAs: new Map(),
    advance: (ms) => void (offset += ms),
  }
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
