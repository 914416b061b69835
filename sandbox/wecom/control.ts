import { z } from 'zod'
import { eventNames, saveCallback, sendEvent, type CallbackRefusal } from './callback.ts'
import {
  corpOf,
  emptyStats,
  faultKinds,
  type Corp,
  type Delivery,
  type Fault,
  type Member,
  type Received,
  type Stats,
  type WecomState,
} from './state.ts'

const callbackKeys = z.strictObject({
  token: z.string().regex(/^[0-9A-Za-z]{1,32}$/),
  encodingAesKey: z.string().regex(/^[0-9A-Za-z]{43}$/),
})
const httpUrl = z.url({ protocol: /^https?$/ }).max(2048)
export const corpForm = z.strictObject({
  corpId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  agentId: z.number().int().positive(),
  secret: z.string().min(1),
  accountLimit: z.number().int().positive(),
  trustedDomains: z.array(z.string().min(1)),
  members: z.array(
    z.strictObject({
      userid: z.string().regex(/^[0-9A-Za-z][0-9A-Za-z_\-@.]{0,63}$/),
      name: z.string().min(1),
      mobile: z.string().nullish(),
      licensed: z.boolean().default(true),
      visible: z.boolean().default(true),
    }),
  ),
  callbackKeys: callbackKeys.optional(),
})
/** A fault: without a path it is meant for every call below /cgi-bin, or for an event. */
export const faultForm = z.strictObject({
  path: z.string().min(1).nullable().default(null),
  kind: z.enum(faultKinds),
  errcode: z.coerce.number().int().default(-1),
  delayMs: z.coerce.number().int().min(0).max(600_000).default(0),
  copies: z.coerce.number().int().min(1).max(1_000).default(2),
  times: z.coerce.number().int().positive().max(1_000_000).default(1),
})
/** At most a year at once. */
export const clockForm = z.strictObject({
  advanceMs: z.coerce
    .number()
    .int()
    .min(0)
    .max(366 * 86_400_000),
})
export const callbackForm = z.strictObject({ corpId: z.string(), ...callbackKeys.shape, url: httpUrl })
export const eventForm = z.strictObject({ corpId: z.string(), event: z.enum(eventNames), userid: z.string() })
export const asForm = z.strictObject({ corpId: z.string(), userid: z.string().nullable() })

/** Statistics with the histogram: how many members have received how many messages. */
export interface StatsView extends Stats {
  readonly members: number
  readonly perMember: Readonly<Record<string, number>>
}

/** The hand on the sandbox; the same over HTTP below /__ctl and, for tests in the process, as functions. */
export interface WecomControl {
  /** Adds or changes a company and its members; members that are not named stay as they are. */
  upsertCorp(form: z.input<typeof corpForm>): void
  inbox(corpId: string, userid: string): readonly Received[] | null
  stats(corpId: string): StatsView | null
  addFault(form: z.input<typeof faultForm>): void
  clearFaults(): void
  expireTokens(): void
  advance(ms: number): void
  /** Verifies a callback address and saves it when it answers rightly; null is success. Throws when nobody has the id. */
  saveCallback(form: z.input<typeof callbackForm>): Promise<CallbackRefusal | null>
  /** Sends an event in the background; null while there is no company, member or callback address for it. */
  sendEvent(form: z.input<typeof eventForm>): Delivery | null
  deliveries(corpId: string): readonly Delivery[] | null
  /** Whom sign-in takes without asking when the browser has not chosen; null asks again. */
  actAs(corpId: string, userid: string | null): void
}

/** The control functions over a state. */
export function controlOf(state: WecomState): WecomControl {
  return {
    upsertCorp: (form) => upsertCorp(state, corpForm.parse(form)),
    inbox: (corpId, userid) => {
      const corp = corpOf(state, corpId)
      return corp?.members.has(userid.toLowerCase()) ? (corp.inbox.get(userid.toLowerCase()) ?? []) : null
    },
    stats: (corpId) => {
      const corp = corpOf(state, corpId)
      return corp ? { ...corp.stats, members: corp.members.size, perMember: histogram(corp) } : null
    },
    addFault: (form) => {
      const { times, ...fault } = faultForm.parse(form)
      const added: Fault = { ...fault, left: times }
      state.faults.push(added)
    },
    saveCallback: async (form) => {
      const { corpId, ...callback } = callbackForm.parse(form)
      const corp = corpOf(state, corpId)
      if (!corp) throw new RangeError('no such company')
      return saveCallback(state, corp, callback)
    },
    sendEvent: (form) => {
      const { corpId, event, userid } = eventForm.parse(form)
      const corp = corpOf(state, corpId)
      const member = corp?.members.get(userid.toLowerCase())
      return corp && member ? sendEvent(state, corp, event, member.userid) : null
    },
    deliveries: (corpId) => corpOf(state, corpId)?.deliveries ?? null,
    clearFaults: () => void (state.faults = []),
    expireTokens: () => {
      for (const [value, token] of state.tokens) state.tokens.set(value, { ...token, expiresAtMs: 0 })
      for (const corp of state.corps.values()) corp.token = null
    },
    advance: (ms) => state.clock.advance(ms),
    actAs: (corpId, userid) => {
      if (userid === null) state.actingAs.delete(corpId.toLowerCase())
      else state.actingAs.set(corpId.toLowerCase(), userid)
    },
  }
}

function upsertCorp(state: WecomState, form: z.output<typeof corpForm>): void {
  const corp = corpOf(state, form.corpId) ?? newCorp(form)
  state.corps.set(form.corpId.toLowerCase(), corp)
  const { agentId, secret, accountLimit, trustedDomains } = form
  if (secret !== corp.secret && corp.token) {
    state.tokens.set(corp.token.value, { corpId: corp.corpId, expiresAtMs: 0 })
    corp.token = null
  }
  Object.assign(corp, { agentId, secret, accountLimit, trustedDomains })
  if (form.callbackKeys) corp.suggestedKeys = form.callbackKeys
  for (const each of form.members) {
    const member: Member = { ...each, mobile: each.mobile || null }
    const before = corp.members.get(member.userid.toLowerCase())
    if (before?.mobile) corp.byMobile.delete(before.mobile)
    corp.members.set(member.userid.toLowerCase(), member)
    if (member.mobile) corp.byMobile.set(member.mobile, member)
  }
}

function newCorp(form: z.output<typeof corpForm>): Corp {
  const { members: _members, callbackKeys: _keys, ...rest } = form
  return {
    ...rest,
    members: new Map(),
    byMobile: new Map(),
    inbox: new Map(),
    arrivals: new Map(),
    recent: new Map(),
    token: null,
    day: { number: 0, personSends: 0, lookupErrors: 0 },
    calls: new Map(),
    stats: emptyStats(),
    suggestedKeys: null,
    callback: null,
    deliveries: [],
  }
}

function histogram(corp: Corp): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const key of corp.members.keys()) {
    const received = String(corp.inbox.get(key)?.length ?? 0)
    counts[received] = (counts[received] ?? 0) + 1
  }
  return counts
}
