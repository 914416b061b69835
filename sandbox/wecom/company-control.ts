import { z } from 'zod'
import { tellApp } from './callback.ts'
import { changeDepartment, changeMember, changeTag } from './change-directory.ts'
import { userIdFor } from './ids.ts'
import { judgeSignature } from './js-tickets.ts'
import { below } from './members.ts'
import type { Drop, Received } from './message-state.ts'
import { pressCard } from './press-card.ts'
import {
  appOf,
  corpOf,
  fakeId,
  newApp,
  type App,
  type Corp,
  type LoggedCall,
  type Member,
  type WecomState,
} from './state.ts'
import { rangeForm, rangeOf } from './suite-control.ts'
import { suiteOf, tellChangedAuth } from './suites.ts'
import { endToken } from './tokens.ts'
import { changeRange } from './visible-range.ts'

const userid = z.string().regex(/^[0-9A-Za-z][0-9A-Za-z_\-@.]{0,63}$/)
const status = z.union([z.literal(1), z.literal(2), z.literal(4), z.literal(5)])
const departments = z.array(z.int().positive()).min(1).max(100)
/** An app of a company: made as a self-built one when the id is new; what is left out stays as it is. */
const appForm = z.strictObject({
  corpId: z.string(),
  agentId: z.int().positive(),
  name: z.string().min(1).max(32).optional(),
  secret: z.string().min(1).optional(),
  on: z.boolean().optional(),
  visible: rangeForm.optional(),
  trustedDomains: z.array(z.string().min(1)).optional(),
  trustedIps: z.array(z.string().min(1)).optional(),
  createdAtMs: z.int().optional(),
  grants: z.array(z.string().min(1)).optional(),
  miniPrograms: z.array(z.string().min(1)).optional(),
})
export const memberForm = z.strictObject({
  corpId: z.string(),
  name: z.string().min(1).max(64),
  mobile: z.string().min(5).max(32).nullable().default(null),
  email: z.string().min(3).max(64).nullable().default(null),
  departments: departments.default([1]),
  status: status.default(1),
})
const memberChangeForm = z.strictObject({
  corpId: z.string(),
  userid: userid.optional(),
  name: z.string().min(1).max(64).optional(),
  mobile: z.string().min(5).max(32).nullable().optional(),
  email: z.string().min(3).max(64).nullable().optional(),
  departments: departments.optional(),
  status: status.optional(),
})
const departmentForm = z.strictObject({
  corpId: z.string(),
  id: z.int().positive().optional(),
  name: z.string().min(1).max(64),
  parentId: z.int().min(0).default(1),
  order: z.int().min(0).default(0),
})
const tagForm = z.strictObject({
  corpId: z.string(),
  id: z.int().positive(),
  name: z.string().min(1),
  userIds: z.array(z.string()).default([]),
  departments: z.array(z.int().positive()).default([]),
})
const messageForm = z.strictObject({ corpId: z.string(), messageId: z.string().optional() })
const pressForm = messageForm.extend({
  key: z.string(),
  options: z.record(z.string(), z.array(z.string())).default({}),
})
const signatureForm = z.strictObject({
  corpId: z.string(),
  agentId: z.int().optional(),
  kind: z.enum(['config', 'agent']),
  url: z.string(),
  nonceStr: z.string(),
  timestamp: z.union([z.string(), z.number()]).transform(String),
  signature: z.string(),
})

/** What people do in the console and on their phones; the same below /__ctl. All throw RangeError when something is not there. */
export interface CompanyControl {
  putApp(form: z.input<typeof appForm>): void
  /** Opens contact sync (通讯录同步), or gives it a new secret; the old one is dead at once. */
  openContactSync(form: { readonly corpId: string }): { readonly secret: string }
  /** Puts a member in: apps that see them hear it (create_user, subscribe). */
  enter(userid: string, form: z.input<typeof memberForm>): void
  leave(userid: string, form: { readonly corpId: string }): void
  /** Moves, renames, activates a member; another userid is a rename of the account (NewUserID). */
  changeMember(userid: string, form: z.input<typeof memberChangeForm>): void
  /** Makes a department, or changes the one of the id; answers its id. */
  putDepartment(form: z.input<typeof departmentForm>): { readonly id: number }
  removeDepartment(form: { readonly corpId: string; readonly id: number }): void
  putTag(form: z.input<typeof tagForm>): void
  /** Taps a message, the newest where none is named; answers where it leads. */
  openMessage(userid: string, form: z.input<typeof messageForm>): { readonly url: string | null }
  /** Presses a button of a card, the newest that has one where none is named. */
  press(userid: string, form: z.input<typeof pressForm>): void
  /** What WeCom's client would say of a JS signature: an errcode. */
  verifySignature(form: z.input<typeof signatureForm>): { readonly errcode: number }
  /** Calls of a company or of all, of one API or of all, the newest last. */
  log(wish: { readonly corpId?: string; readonly api?: string }): readonly LoggedCall[]
  /** Messages that vanished silently, the newest last. */
  drops(corpId: string): readonly Drop[] | null
  /** Of the messages whose link holds a text: how many members have how many of them. */
  received(corpId: string, link: string): Readonly<Record<string, number>> | null
}

/** The control functions over a state. */
export function companyControlOf(state: WecomState): CompanyControl {
  const change = (corpId: string, id: string, to: (member: Member) => Member | null): void => {
    const corp = knownCorp(state, corpId)
    const before = knownMember(corp, id)
    changeMember(state, corp, before, to(before))
  }
  return {
    putApp: (form) => putApp(state, appForm.parse(form)),
    openContactSync: ({ corpId }) => ({ secret: openContactSync(state, knownCorp(state, corpId)) }),
    enter: (id, form) => {
      const { corpId, ...rest } = memberForm.parse(form)
      const corp = knownCorp(state, corpId)
      if (corp.members.has(id.toLowerCase())) throw new RangeError('this userid is taken')
      knowsDepartments(corp, rest.departments)
      changeMember(state, corp, null, { ...rest, userid: userid.parse(id), licence: null })
    },
    leave: (id, { corpId }) => change(corpId, id, () => null),
    changeMember: (id, form) => {
      const { corpId, userid: renamed, ...rest } = memberChangeForm.parse(form)
      const corp = knownCorp(state, corpId)
      knowsDepartments(corp, rest.departments ?? [])
      const taken = renamed !== undefined && renamed.toLowerCase() !== id.toLowerCase()
      if (taken && corp.members.has(renamed.toLowerCase())) throw new RangeError('this userid is taken')
      const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
      change(corpId, id, (before) => ({ ...before, ...said, userid: renamed ?? before.userid }))
    },
    putDepartment: (form) => putDepartment(state, departmentForm.parse(form)),
    removeDepartment: ({ corpId, id }) => {
      const corp = knownCorp(state, corpId)
      const children = [...corp.departments.values()].some((one) => one.parentId === id)
      if (id === 1 || children || (corp.byDepartment.get(id)?.size ?? 0) > 0)
        throw new RangeError('a department goes when nobody and nothing is in it')
      changeDepartment(state, corp, id, null)
    },
    putTag: (form) => {
      const { corpId, ...tag } = tagForm.parse(form)
      const userIds = new Set(tag.userIds.map((one) => one.toLowerCase()))
      changeTag(state, knownCorp(state, corpId), { ...tag, userIds, departments: new Set(tag.departments) })
    },
    openMessage: (id, form) => {
      const { corpId, messageId } = messageForm.parse(form)
      const corp = knownCorp(state, corpId)
      const member = knownMember(corp, id)
      const received = heldMessage(corp, member, (one) => messageId === undefined || one.message.id === messageId)
      return { url: openMessage(state, corp, member, received) }
    },
    press: (id, form) => {
      const { corpId, messageId, ...pressed } = pressForm.parse(form)
      const corp = knownCorp(state, corpId)
      const member = knownMember(corp, id)
      const wanted = (one: Received) =>
        messageId === undefined ? one.message.msgtype === 'template_card' : one.message.id === messageId
      pressCard(state, corp, member, heldMessage(corp, member, wanted), pressed)
    },
    verifySignature: (form) => {
      const { corpId, agentId, kind, ...page } = signatureForm.parse(form)
      const corp = knownCorp(state, corpId)
      const app = appOf(corp, agentId)
      if (!app) throw new RangeError('no such app')
      return { errcode: judgeSignature(state, corp, app, kind, page) }
    },
    log: (wish) => state.calls.filter((one) => fits(one.corpId, wish.corpId) && fits(one.api, wish.api)),
    drops: (corpId) => corpOf(state, corpId)?.drops ?? null,
    received: (corpId, link) => {
      const corp = corpOf(state, corpId)
      return corp ? countReceived(corp, link) : null
    },
  }
}

function countReceived(corp: Corp, link: string): Record<string, number> {
  const counts: Record<string, number> = {}
  const wanted = new Set([...corp.messages.values()].filter(({ url }) => url?.includes(link) === true))
  for (const key of corp.members.keys()) {
    const held = corp.inbox.get(key)?.filter(({ message }) => wanted.has(message)).length ?? 0
    counts[held] = (counts[held] ?? 0) + 1
  }
  return counts
}

/** A member taps a message: it counts as opened, and its app hears that they entered. Answers where it leads. */
export function openMessage(state: WecomState, corp: Corp, member: Member, received: Received): string | null {
  received.seenAtMs ??= state.now()
  received.openedAtMs ??= state.now()
  const app = appOf(corp, received.message.agentId)
  const from = app && userIdFor(app, member.userid)
  if (app) tellApp(state, corp, app, { name: 'enter_agent', from: from ?? '', elements: { EventKey: '' }, ofApp: true })
  const { update, message } = received
  return update && 'body' in update ? update.url : message.url
}

function openContactSync(state: WecomState, corp: Corp): string {
  endToken(state, { kind: 'contact', corpId: corp.corpId }, 40014)
  return (corp.contactSecret = fakeId('CONTACT', 24))
}

function fits(value: string | null, wished: string | undefined): boolean {
  return wished === undefined || value === wished
}

function putApp(state: WecomState, form: z.output<typeof appForm>): void {
  const { corpId, agentId, visible, grants, miniPrograms, ...rest } = form
  const corp = knownCorp(state, corpId)
  const app = corp.apps.get(agentId) ?? addApp(state, corp, agentId, form.secret)
  const secret = rest.secret ?? app.secret
  if (secret !== app.secret) endToken(state, { kind: 'app', corpId: corp.corpId, agentId }, 42001)
  const wasOn = app.on
  const said = Object.fromEntries(Object.entries({ ...rest, secret }).filter(([, value]) => value !== undefined))
  Object.assign(app, said)
  if (grants) refill(app.grants, grants)
  if (miniPrograms) refill(app.miniPrograms, miniPrograms)
  if (visible) changeRange(state, corp, app, rangeOf(visible))
  const suite = suiteOf(state, app.suiteId ?? '')
  if (suite && wasOn !== app.on) tellChangedAuth(state, suite, corp)
}

function addApp(state: WecomState, corp: Corp, agentId: number, secret: string | undefined): App {
  if (secret === undefined) throw new RangeError('a new app needs a secret')
  const app = newApp({ agentId, kind: 'self_built', secret, createdAtMs: state.now() })
  corp.apps.set(agentId, app)
  return app
}

function putDepartment(state: WecomState, form: z.output<typeof departmentForm>): { readonly id: number } {
  const { corpId, ...rest } = form
  const corp = knownCorp(state, corpId)
  const id = rest.id ?? Math.max(...corp.departments.keys()) + 1
  const root = id === 1
  if (!root && !corp.departments.has(rest.parentId)) throw new RangeError('no such parent department')
  if (!root && below(corp, new Set([id]), rest.parentId)) throw new RangeError('a department does not lie below itself')
  changeDepartment(state, corp, id, { ...rest, id, parentId: root ? 0 : rest.parentId })
  return { id }
}

function refill(set: Set<string>, values: readonly string[]): void {
  set.clear()
  for (const value of values) set.add(value)
}

/** The newest message of a member's chat that is the wanted one. */
function heldMessage(corp: Corp, member: Member, wanted: (one: Received) => boolean): Received {
  const found = corp.inbox.get(member.userid.toLowerCase())?.findLast(wanted)
  if (!found) throw new RangeError('no such message')
  return found
}

function knownCorp(state: WecomState, corpId: string): Corp {
  const corp = corpOf(state, corpId)
  if (!corp) throw new RangeError('no such company')
  return corp
}

function knownMember(corp: Corp, id: string): Member {
  const member = corp.members.get(id.toLowerCase())
  if (!member) throw new RangeError('no such member')
  return member
}

function knowsDepartments(corp: Corp, ids: readonly number[]): void {
  for (const id of ids) if (!corp.departments.has(id)) throw new RangeError(`no department ${id}`)
}
