import { z } from 'zod'
import { eventNames, saveCallback, sendByHand, type CallbackRefusal } from './callback.ts'
import type { Delivery } from './callback-state.ts'
import { putMember } from './members.ts'
import { settingsForm } from './settings.ts'
import { endToken } from './tokens.ts'
import type { Received } from './message-state.ts'
import {
  appOf,
  corpOf,
  faultKinds,
  newApp,
  newCorp,
  type App,
  type Corp,
  type Fault,
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
  name: z.string().min(1).optional(),
  contactSecret: z.string().min(1).nullable().optional(),
  /** Added or renamed before the members, parents first. The root, 1, is always there. */
  departments: z
    .array(z.strictObject({ id: z.int().positive(), name: z.string().min(1), parentId: z.int().positive().default(1) }))
    .default([]),
  members: z.array(
    z.strictObject({
      userid: z.string().regex(/^[0-9A-Za-z][0-9A-Za-z_\-@.]{0,63}$/),
      name: z.string().min(1),
      mobile: z.string().nullish(),
      email: z.string().nullish(),
      departments: z.array(z.number().int().positive()).min(1).optional(),
      licensed: z.boolean().default(true),
      visible: z.boolean().default(true),
    }),
  ),
  callbackKeys: callbackKeys.optional(),
})
/** A fault: without a path it is meant for every call below /cgi-bin, or for an event. */
const faultForm = z.strictObject({
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
/** Without an agentId: the first app of the company. */
const callbackForm = z.strictObject({
  corpId: z.string(),
  agentId: z.coerce.number().int().optional(),
  ...callbackKeys.shape,
  url: httpUrl,
})
const eventForm = z.strictObject({
  corpId: z.string(),
  agentId: z.coerce.number().int().optional(),
  event: z.enum(eventNames),
  userid: z.string(),
})
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
  /** Ends every token by its time: 42001. */
  expireTokens(): void
  /** Ends every token before its time, as WeCom may: 40014. */
  voidTokens(): void
  /** Changes limits and switches. */
  set(form: Partial<z.input<typeof settingsForm>>): void
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
      const { corpId, agentId, ...callback } = callbackForm.parse(form)
      const corp = corpOf(state, corpId)
      const app = corp && appOf(corp, agentId)
      if (!corp || !app) throw new RangeError('no such company or app')
      return saveCallback(state, corp, app, callback)
    },
    sendEvent: (form) => {
      const { corpId, agentId, event, userid } = eventForm.parse(form)
      const corp = corpOf(state, corpId)
      const app = corp && appOf(corp, agentId)
      const member = corp?.members.get(userid.toLowerCase())
      return corp && app && member ? sendByHand(state, corp, app, event, member.userid) : null
    },
    deliveries: (corpId) => corpOf(state, corpId)?.deliveries ?? null,
    clearFaults: () => void (state.faults = []),
    expireTokens: () => {
      for (const [value, token] of state.tokens) state.tokens.set(value, { ...token, expiresAtMs: 0 })
      state.currentTokens.clear()
    },
    voidTokens: () => {
      for (const [value, token] of state.tokens) state.tokens.set(value, { ...token, voided: true })
      state.currentTokens.clear()
    },
    set: (form) => void Object.assign(state.settings, settingsForm.partial().parse(form)),
    advance: (ms) => state.clock.advance(ms),
    actAs: (corpId, userid) => {
      if (userid === null) state.actingAs.delete(corpId.toLowerCase())
      else state.actingAs.set(corpId.toLowerCase(), userid)
    },
  }
}

function upsertCorp(state: WecomState, form: z.output<typeof corpForm>): void {
  const corp = corpOf(state, form.corpId) ?? newCorp(form.corpId, form.name ?? form.corpId, form.accountLimit)
  state.corps.set(form.corpId.toLowerCase(), corp)
  corp.accountLimit = form.accountLimit
  if (form.name !== undefined) {
    const root = corp.departments.get(1)
    if (root?.name === corp.name) corp.departments.set(1, { ...root, name: form.name })
    corp.name = form.name
  }
  if (form.contactSecret !== undefined) corp.contactSecret = form.contactSecret
  const app = ownApp(state, corp, form)
  app.trustedDomains = form.trustedDomains
  if (form.callbackKeys) app.suggestedKeys = form.callbackKeys
  for (const { id, name, parentId } of form.departments)
    corp.departments.set(id, {
      id,
      name,
      parentId: id === 1 ? 0 : parentId,
      order: corp.departments.get(id)?.order ?? 0,
    })
  for (const { visible, licensed, mobile, email, departments, ...member } of form.members) {
    const key = member.userid.toLowerCase()
    const before = corp.members.get(key)
    const unknown = departments?.find((id) => !corp.departments.has(id))
    if (unknown !== undefined) throw new RangeError(`no department ${unknown}`)
    putMember(corp, {
      ...member,
      mobile: mobile || null,
      email: email || null,
      departments: departments ?? before?.departments ?? [1],
      status: before?.status ?? 1,
      licence: before?.licence ?? null,
    })
    mark(app.hidden, key, !visible)
    mark(app.unlicensed, key, !licensed)
  }
}

/** The self-built app that this form is about: made, or changed in its id and secret. */
function ownApp(state: WecomState, corp: Corp, form: z.output<typeof corpForm>): App {
  const { agentId, secret } = form
  const own = corp.apps.get(agentId) ?? [...corp.apps.values()].find((one) => one.kind === 'self_built')
  if (!own) {
    const app = newApp({ agentId, kind: 'self_built', secret, createdAtMs: state.now() })
    corp.apps.set(agentId, app)
    return app
  }
  if (own.kind !== 'self_built') throw new RangeError('this agentid is taken by an installed app')
  if (secret !== own.secret || agentId !== own.agentId)
    endToken(state, { kind: 'app', corpId: corp.corpId, agentId: own.agentId }, 42001)
  Object.assign(own, { agentId, secret })
  const apps = [...corp.apps.values()]
  corp.apps.clear()
  for (const app of apps) corp.apps.set(app.agentId, app)
  return own
}

function mark(set: Set<string>, key: string, on: boolean): void {
  if (on) set.add(key)
  else set.delete(key)
}

function histogram(corp: Corp): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const key of corp.members.keys()) {
    const received = String(corp.inbox.get(key)?.length ?? 0)
    counts[received] = (counts[received] ?? 0) + 1
  }
  return counts
}
