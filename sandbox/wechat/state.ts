import { callFaultKinds } from '../call-faults.ts'
import { startClock, type Clock } from '../clock.ts'
import { fakeId } from '../wecom/state.ts'

/** A service account or a mini program. */
export interface WechatApp {
  readonly appid: string
  readonly kind: 'service' | 'mini_program'
  name: string
  secret: string
  /** Null: it hangs on no Open Platform account, and nobody gets a unionid. */
  openPlatformId: string | null
  /** Hosts to which the authorise page leads back, ports included: exact, without sub-domains. */
  domains: readonly string[]
  /** Where the account's menu leads. */
  homeUrl: string | null
  /** Who may call; null: anybody. */
  trustedIps: readonly string[] | null
  frozen: boolean
  callback: { readonly token: string; readonly encodingAesKey: string; url: string | null } | null
  /** Templates of subscription messages by id: title, and the keys that a message must fill, each with its label. */
  readonly templates: Map<string, { readonly title: string; readonly keys: Readonly<Record<string, string>> }>
  readonly families: Record<TokenFamily, { value: string | null; forcedAtMs: number[] }>
  /** Calls of cgi-bin/token on a day, which it counts by. */
  day: { number: number; tokens: number }
  ticket: { readonly value: string; readonly untilMs: number } | null
}
export type TokenFamily = 'plain' | 'stable'

/** A person with WeChat on a phone; everybody is everybody's friend. */
export interface Person {
  readonly id: string
  readonly name: string
  /** Apps that may read their profile. */
  readonly consents: Set<string>
  /** WeChat holds them for dangerous (40226). */
  blocked: boolean
  /** Takes messages of accounts at all. */
  messagesOn: boolean
}

export interface Code {
  readonly kind: 'page' | 'mini_program'
  readonly appid: string
  readonly personId: string
  readonly scope: 'snsapi_base' | 'snsapi_userinfo'
  readonly snapshot: SnapshotMode
  readonly untilMs: number
  used: boolean
}
/** What a visitor's next page is: a snapshot, one whose flag is forgotten, or one with the visitor's own ids. */
export const snapshotModes = ['off', 'on', 'flag_missing', 'real_id'] as const
export type SnapshotMode = (typeof snapshotModes)[number]

export interface AppToken {
  readonly appid: string
  /** Until then it lives; five minutes longer where the next one was asked for. */
  untilMs: number
  killed: boolean
}
/** A token of one person, from the authorise page. */
export interface UserToken {
  readonly appid: string
  readonly personId: string
  readonly code: Code
  readonly untilMs: number
}

/** What a page wants shared, by the address it stands at. */
export interface SharePreset {
  readonly personId: string
  readonly pageUrl: string
  readonly kind: 'friend' | 'timeline'
  readonly title: string
  readonly desc: string
  readonly link: string
  readonly imgUrl: string
}
/** A link that somebody sent to a friend. */
export interface ChatMessage {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly title: string
  readonly desc: string
  readonly link: string
  readonly imgUrl: string
  readonly atMs: number
  seenAtMs: number | null
}
/** A subscription message as its reader sees it. */
export interface Notice {
  readonly id: string
  readonly appid: string
  readonly personId: string
  readonly templateId: string
  readonly title: string
  readonly rows: readonly (readonly [label: string, value: string])[]
  readonly page: string | null
  readonly atMs: number
  seenAtMs: number | null
}
/** How many messages of a template somebody still allows, and what they always answer. */
export interface Permission {
  left: number
  always: 'accept' | 'reject' | null
}

export const faultKinds = [
  ...callFaultKinds,
  'double_redirect',
  'pay_says_ok',
  'pay_says_cancel',
  'pay_says_fail',
  'tags_unsupported',
  'push_lose',
  'push_delay',
  'push_repeat',
  'push_wrong_signature',
  'push_stale',
  'push_plain',
] as const
export interface Fault {
  readonly kind: (typeof faultKinds)[number]
  readonly path: string | null
  readonly delayMs: number
  readonly copies: number
  readonly errcode: number
  left: number
}

export interface Push {
  readonly id: string
  readonly event: string
  readonly appid: string
  readonly plain: string
  readonly atMs: number
  readonly statuses: number[]
  state: 'waiting' | 'taken' | 'given up' | 'lost'
}

export interface WechatState {
  readonly clock: Clock
  readonly now: () => number
  readonly apps: Map<string, WechatApp>
  readonly persons: Map<string, Person>
  readonly codes: Map<string, Code>
  readonly tokens: Map<string, AppToken>
  readonly userTokens: Map<string, UserToken>
  readonly refreshTokens: Map<string, UserToken>
  readonly presets: Map<string, SharePreset>
  readonly chats: ChatMessage[]
  readonly notices: Notice[]
  /** By app, person and template. */
  readonly permissions: Map<string, Permission>
  readonly pushes: Push[]
  readonly calls: {
    readonly atMs: number
    readonly api: string
    readonly appid: string | null
    readonly errcode: number
  }[]
  faults: Fault[]
  snapshot: SnapshotMode
  location: { readonly latitude: number; readonly longitude: number }
}

const people = [
  ['chenyu', '陈雨'],
  ['wangfang', '王芳'],
  ['lina', '李娜'],
  ['zhaolei', '赵磊'],
  ['liuyang', '刘洋'],
  ['sunmei', '孙梅'],
  ['zhouqi', '周琪'],
  ['huangtao', '黄涛'],
] as const
const MOST_LOGGED = 50_000

/** WeChat with eight people and no app yet. */
export function emptyState(base: () => number): WechatState {
  const clock = startClock(base)
  return {
    clock,
    now: () => clock.now(),
    apps: new Map(),
    persons: new Map(people.map(([id, name]) => [id, newPerson(id, name)])),
    codes: new Map(),
    tokens: new Map(),
    userTokens: new Map(),
    refreshTokens: new Map(),
    presets: new Map(),
    chats: [],
    notices: [],
    permissions: new Map(),
    pushes: [],
    calls: [],
    faults: [],
    snapshot: 'off',
    location: { latitude: 31.2304, longitude: 121.4737 },
  }
}

export const newPerson = (id: string, name: string): Person => ({
  id,
  name,
  consents: new Set(),
  blocked: false,
  messagesOn: true,
})

/** Uses up one fault of these kinds that is on for this path, or for all. */
export function takeFault(state: WechatState, kinds: readonly Fault['kind'][], path: string | null): Fault | null {
  const names = path === null ? [null] : [null, path, path.replace(/^\//, '')]
  const fault = state.faults.find((one) => kinds.includes(one.kind) && names.includes(one.path))
  if (!fault) return null
  fault.left -= 1
  if (fault.left <= 0) state.faults = state.faults.filter((one) => one !== fault)
  return fault
}

/** Notes a call: which API, for whom, how it ended, and nothing secret. */
export function note(state: WechatState, api: string, appid: string | null, errcode: number): void {
  state.calls.push({ atMs: state.now(), api, appid, errcode })
  if (state.calls.length > 2 * MOST_LOGGED) state.calls.splice(0, MOST_LOGGED)
}

/** What somebody allows of a template. */
export function permissionOf(state: WechatState, appid: string, personId: string, templateId: string): Permission {
  const key = `${appid} ${personId} ${templateId}`
  const known = state.permissions.get(key) ?? { left: 0, always: null }
  state.permissions.set(key, known)
  return known
}

/** Makes a one-time code, as a page or a mini program gets it. */
export function newCode(state: WechatState, form: Omit<Code, 'untilMs' | 'used'>): string {
  const value = fakeId('CODE', 12)
  state.codes.set(value, { ...form, untilMs: state.now() + CODE_LIFE_MS, used: false })
  for (const [old, code] of state.codes) {
    if (state.codes.size <= MOST_CODES) break
    if (code.untilMs + 3_600_000 < state.now()) state.codes.delete(old)
  }
  return value
}

const CODE_LIFE_MS = 5 * 60_000
const MOST_CODES = 20_000
