import { z } from 'zod'
import { agree, agreeToArchive, contact, part, say, scanWay, tellContact, transfer, type Scanned } from './contacts.ts'
import { confirmMass, ignoreMass } from './mass.ts'
import type { ContactWay, Customer, Person, ShortMessage } from './customer-state.ts'
import { corpOf, type Corp, type Member, type WecomState } from './state.ts'

const MOST_PEOPLE = 1_000_000
const id = z.string().regex(/^[0-9A-Za-z_-]{1,40}$/)
const peopleForm = z.strictObject({
  people: z.array(
    z.strictObject({
      id,
      name: z.string().min(1).max(40),
      mobile: z
        .string()
        .regex(/^\d{5,20}$/)
        .nullish(),
    }),
  ),
})
const scanForm = z.strictObject({ personId: id, url: z.string(), half: z.boolean().default(false) })
const pairForm = z.strictObject({ corpId: z.string(), personId: id, userid: z.string() })
const partForm = pairForm.extend({ by: z.enum(['member', 'customer']) })
const sayForm = pairForm.extend({ text: z.string().min(1).max(2_000) })
const editForm = pairForm.extend({ remark: z.string().max(20) })
const transferForm = z.strictObject({
  corpId: z.string(),
  personId: id,
  from: z.string(),
  to: z.string(),
  failure: z.enum(['customer_refused', 'customer_limit_exceed']).nullable().default(null),
})
const settingsForm = z.strictObject({
  corpId: z.string(),
  followUsers: z.array(z.string()).nullable().optional(),
  consoleWelcome: z.record(z.string(), z.string().min(1)).optional(),
  wayLimit: z.number().int().positive().optional(),
  archives: z.boolean().optional(),
  barredApps: z.array(z.number().int()).optional(),
})
const smsForm = z.strictObject({ key: z.string().min(1) })
const massForm = z.strictObject({ corpId: z.string(), msgid: z.string(), userid: z.string() })

/** The hand on people outside and on what members do with them; the same over HTTP below /__ctl. */
export interface CustomerControl {
  upsertPeople(form: z.input<typeof peopleForm>): void
  person(personId: string): { readonly chats: Record<string, unknown>; readonly texts: readonly unknown[] } | null
  /** An outside person scans a contact way's QR address; `half` leaves their confirmation open. */
  scan(form: z.input<typeof scanForm>): Scanned
  agree(form: z.input<typeof pairForm>): void
  /** The person agrees to the archiving of chats. */
  agreeToArchive(form: z.input<typeof pairForm>): void
  part(form: z.input<typeof partForm>): void
  say(form: z.input<typeof sayForm>): void
  /** A member edits the remark in WeCom. */
  edit(form: z.input<typeof editForm>): void
  transfer(form: z.input<typeof transferForm>): void
  setContact(form: z.input<typeof settingsForm>): void
  contact(corpId: string): Record<string, unknown> | null
  /** The shared key of the short message service. */
  setSmsKey(form: z.input<typeof smsForm>): void
  confirmMass(form: z.input<typeof massForm>): void
  ignoreMass(form: z.input<typeof massForm>): void
}

/** The control functions over a state. Every one throws RangeError when something that is named does not exist. */
export function customerControlOf(state: WecomState): CustomerControl {
  const pair = (form: z.input<typeof pairForm>) => {
    const { corpId, personId, userid } = form
    const corp = knownCorp(state, corpId)
    return { corp, person: knownPerson(state, personId), member: knownMember(corp, userid) }
  }
  const must = (done: boolean, what: string) => {
    if (!done) throw new RangeError(what)
  }
  return {
    upsertPeople: (form) => peopleForm.parse(form).people.forEach((one) => putPerson(state, one)),
    person: (personId) => {
      const person = state.outer.customers.people.get(personId)
      return person ? { ...person, chats: Object.fromEntries(person.chats), texts: textsOf(state, person) } : null
    },
    scan: (form) => {
      const { personId, url, half } = scanForm.parse(form)
      const found = wayBehind(state, url)
      if (!found) throw new RangeError('no contact way has this address')
      return scanWay(state, found.corp, found.way, knownPerson(state, personId), half)
    },
    agree: (form) => {
      const { corp, person, member } = pair(pairForm.parse(form))
      must(agree(state, corp, person, member), 'nothing waits to be agreed to')
    },
    agreeToArchive: (form) => {
      const { corp, person, member } = pair(pairForm.parse(form))
      must(agreeToArchive(state, corp, person, member), 'nothing waits to be agreed to')
    },
    part: (form) => {
      const { by, ...named } = partForm.parse(form)
      const { corp, person, member } = pair(named)
      must(part(state, corp, person, member, by), 'they are not in contact')
    },
    say: (form) => {
      const { text, ...named } = sayForm.parse(form)
      const { corp, person, member } = pair(named)
      const customer = contact(state, corp).byPerson.get(person.id)
      must(customer?.followers.has(member.userid.toLowerCase()) === true, 'they are not in contact')
      if (customer) say(state, corp, customer, member.userid, { from: 'person', text })
    },
    edit: (form) => {
      const { remark, ...named } = editForm.parse(form)
      const { corp, person, member } = pair(named)
      const customer = contact(state, corp).byPerson.get(person.id)
      const follow = customer?.followers.get(member.userid.toLowerCase())
      must(follow !== undefined, 'they are not in contact')
      if (follow) follow.remark = remark
      if (customer) tellContact(state, corp, 'edit_external_contact', customer, member)
    },
    transfer: (form) => {
      const { corpId, personId, from, to, failure } = transferForm.parse(form)
      const corp = knownCorp(state, corpId)
      const move = { from: knownMember(corp, from), to: knownMember(corp, to), failure }
      must(transfer(state, corp, knownPerson(state, personId), move), 'they are not in contact')
    },
    setContact: (form) => setContact(state, settingsForm.parse(form)),
    contact: (corpId) => {
      const corp = corpOf(state, corpId)
      return corp ? contactView(state, corp) : null
    },
    setSmsKey: (form) => void (state.outer.customers.sms.key = smsForm.parse(form).key),
    ...massControlOf(state),
  }
}

/** What members do with mass-sending tasks that wait for them. */
function massControlOf(state: WecomState): Pick<CustomerControl, 'confirmMass' | 'ignoreMass'> {
  return {
    confirmMass: (form) => {
      const { corpId, msgid, userid } = massForm.parse(form)
      if (!confirmMass(state, knownCorp(state, corpId), msgid, userid)) throw new RangeError('nothing to confirm')
    },
    ignoreMass: (form) => {
      const { corpId, msgid, userid } = massForm.parse(form)
      if (!ignoreMass(state, knownCorp(state, corpId), msgid, userid)) throw new RangeError('nothing to put away')
    },
  }
}

/** Adds a person, or changes name and mobile of one who is there; chats stay. */
export function putPerson(
  state: WecomState,
  form: { readonly id: string; readonly name: string; readonly mobile?: string | null | undefined },
): Person {
  const { people } = state.outer.customers
  const known = people.get(form.id)
  if (!known && people.size >= MOST_PEOPLE) throw new RangeError('too many people')
  const made: Person = {
    id: form.id,
    name: form.name,
    mobile: form.mobile ?? null,
    chats: known?.chats ?? new Map(),
  }
  people.set(form.id, made)
  return made
}

/** The short messages that came to a person's mobile, the newest last. */
export function textsOf(state: WecomState, person: Person): readonly ShortMessage[] {
  return person.mobile === null ? [] : (state.outer.customers.sms.texts.get(person.mobile) ?? [])
}

/** The contact way behind the address that its QR says. */
export function wayBehind(state: WecomState, url: string): { readonly corp: Corp; readonly way: ContactWay } | null {
  const qrId = /\/qr\/([0-9A-Za-z]+)$/.exec(url.trim())?.[1] ?? ''
  const known = state.outer.customers.qrs.get(qrId)
  const corp = known && corpOf(state, known.corpId)
  const way = corp && contact(state, corp).ways.get(known.configId)
  return corp && way ? { corp, way } : null
}

function setContact(state: WecomState, form: z.output<typeof settingsForm>): void {
  const here = contact(state, knownCorp(state, form.corpId))
  const lower = (text: string) => text.toLowerCase()
  if (form.followUsers !== undefined) here.followUsers = form.followUsers && new Set(form.followUsers.map(lower))
  if (form.consoleWelcome)
    here.consoleWelcome = new Map(Object.entries(form.consoleWelcome).map(([userid, text]) => [lower(userid), text]))
  if (form.wayLimit !== undefined) here.wayLimit = form.wayLimit
  if (form.archives !== undefined) here.archives = form.archives
  if (!form.barredApps) return
  here.barredApps.clear()
  for (const agentId of form.barredApps) here.barredApps.add(agentId)
}

function contactView(state: WecomState, corp: Corp): Record<string, unknown> {
  const here = contact(state, corp)
  return {
    ways: [...here.ways.values()],
    customers: [...here.customers.values()].map((one: Customer) => ({
      externalUserId: one.externalUserId,
      personId: one.personId,
      followers: [...one.followers.values()].map((follow) => ({ ...follow, tagIds: [...follow.tagIds] })),
    })),
    tasks: [...here.tasks.values()].map((task) => ({
      id: task.id,
      cancelled: task.cancelled,
      members: [...task.members.values()].map((one) => ({ ...one, results: Object.fromEntries(one.results) })),
    })),
  }
}

function knownCorp(state: WecomState, corpId: string): Corp {
  const corp = corpOf(state, corpId)
  if (!corp) throw new RangeError('no such company')
  return corp
}

function knownPerson(state: WecomState, personId: string): Person {
  const person = state.outer.customers.people.get(personId)
  if (!person) throw new RangeError('no such person')
  return person
}

function knownMember(corp: Corp, userid: string): Member {
  const member = corp.members.get(userid.toLowerCase())
  if (!member) throw new RangeError('no such member')
  return member
}
