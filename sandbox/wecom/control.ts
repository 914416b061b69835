import { z } from 'zod'
import {
  corpOf,
  emptyStats,
  faultKinds,
  type Corp,
  type Fault,
  type Member,
  type Received,
  type Stats,
  type WecomState,
} from './state.ts'

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
})
export const faultForm = z.strictObject({
  path: z.string().min(1),
  kind: z.enum(faultKinds),
  errcode: z.number().int().default(-1),
  delayMs: z.number().int().min(0).max(600_000).default(0),
  times: z.number().int().positive().default(1),
})
export const clockForm = z.strictObject({ advanceMs: z.number().int().min(0) })
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
    clearFaults: () => void (state.faults = []),
    expireTokens: () => {
      for (const [value, token] of state.tokens) state.tokens.set(value, { ...token, expiresAtMs: 0 })
      for (const corp of state.corps.values()) corp.token = null
    },
    advance: (ms) => state.advance(ms),
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
  for (const each of form.members) {
    const member: Member = { ...each, mobile: each.mobile || null }
    const before = corp.members.get(member.userid.toLowerCase())
    if (before?.mobile) corp.byMobile.delete(before.mobile)
    corp.members.set(member.userid.toLowerCase(), member)
    if (member.mobile) corp.byMobile.set(member.mobile, member)
  }
}

function newCorp(form: z.output<typeof corpForm>): Corp {
  const { members: _members, ...rest } = form
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
