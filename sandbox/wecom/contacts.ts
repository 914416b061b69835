import { tellApps } from './callback.ts'
import {
  contactOf,
  type ChatLine,
  type ContactState,
  type ContactWay,
  type Customer,
  type Follow,
  type Greeting,
  type Person,
} from './customer-state.ts'
import { userIdFor } from './ids.ts'
import { below, licensed, sees } from './members.ts'
import { externalIdFor } from './outer-ids.ts'
import { digest, fakeId, type App, type Corp, type Member, type WecomState } from './state.ts'

const WELCOME_LIFE_MS = 20_000
/** 1: by scanning a QR code. */
const BY_QR = 1

/** The customer contact of a company. */
export function contact(state: WecomState, corp: Corp): ContactState {
  return contactOf(state.outer.customers, corp.corpId)
}

/** Whether a member may serve customers: the company lets them, and they are active. */
export function serves(state: WecomState, corp: Corp, member: Member): boolean {
  const { followUsers } = contact(state, corp)
  return member.status === 1 && (followUsers === null || followUsers.has(member.userid.toLowerCase()))
}

/** Whether an app hears of and may ask about what a member does with customers (6.0). */
export function contactAllowed(state: WecomState, corp: Corp, app: App, member: Member): boolean {
  if (contact(state, corp).barredApps.has(app.agentId)) return false
  return sees(corp, app, member) && licensed(app, member, state.now(), 'interop')
}

/** The members behind a contact way, parties expanded as the company is now. */
export function membersOfWay(corp: Corp, way: Pick<ContactWay, 'userIds' | 'parties'>): Member[] {
  const named = way.userIds.flatMap((id) => corp.members.get(id.toLowerCase()) ?? [])
  if (way.parties.length === 0) return named
  const roots = new Set(way.parties)
  const inside = [...corp.members.values()].filter((one) => one.departments.some((id) => below(corp, roots, id)))
  return [...new Set([...named, ...inside])]
}

/** What scanning a contact way came to. */
export type Scanned =
  { readonly kind: 'added' | 'half' | 'asked' | 'known'; readonly userid: string } | { readonly kind: 'nobody' }

/**
 * An outside person scans a contact way: the member who has served the fewest so far adds them. `half`: the person has
 * yet to confirm. Whoever is a contact of one of the members already hears nothing new, and neither does any app.
 */
export function scanWay(state: WecomState, corp: Corp, way: ContactWay, person: Person, half: boolean): Scanned {
  const customer = customerOf(state, corp, person)
  const members = membersOfWay(corp, way).filter((one) => serves(state, corp, one))
  const known = members.find((one) => customer.followers.get(one.userid.toLowerCase())?.left === false)
  if (known) return { kind: 'known', userid: known.userid }
  const { byFollower } = contact(state, corp)
  const load = (one: Member) => byFollower.get(one.userid.toLowerCase())?.size ?? 0
  const [member] = members.sort((a, b) => load(a) - load(b))
  if (!member) return { kind: 'nobody' }
  if (!way.skipVerify) {
    customer.requests.set(member.userid.toLowerCase(), way)
    return { kind: 'asked', userid: member.userid }
  }
  addContact(state, corp, customer, member, way.state, half)
  return { kind: half ? 'half' : 'added', userid: member.userid }
}

/** The customer that a person is for a company, made when it is the first contact. */
export function customerOf(state: WecomState, corp: Corp, person: Person): Customer {
  const { byPerson, customers } = contact(state, corp)
  const known = byPerson.get(person.id)
  if (known) return known
  const externalUserId = `wm${digest(`${corp.corpId} ${person.id}`).slice(0, 30)}`
  const made: Customer = {
    externalUserId,
    personId: person.id,
    followers: new Map(),
    greetings: new Map(),
    requests: new Map(),
  }
  byPerson.set(person.id, made)
  customers.set(externalUserId, made)
  return made
}

function addContact(
  state: WecomState,
  corp: Corp,
  customer: Customer,
  member: Member,
  given: string,
  half: boolean,
): void {
  const key = member.userid.toLowerCase()
  customer.followers.set(key, newFollow(state, member, given, half))
  const { byFollower, consoleWelcome } = contact(state, corp)
  const added = byFollower.get(key) ?? new Set()
  byFollower.set(key, added.add(customer.externalUserId))
  say(state, corp, customer, member.userid, {
    from: 'system',
    text: half ? '对方已添加你，确认后可以聊天。' : '你已添加了对方，现在可以开始聊天了。',
  })
  const greeting: Greeting = {
    corpId: corp.corpId,
    personId: customer.personId,
    userid: member.userid,
    by: null,
    chatBegun: false,
    agreed: !contact(state, corp).archives,
  }
  customer.greetings.set(key, greeting)
  const own = consoleWelcome.get(key)
  if (own !== undefined) say(state, corp, customer, member.userid, { from: 'member', text: own })
  tellAdded(state, corp, customer, member, own === undefined ? greeting : null)
}

function newFollow(state: WecomState, member: Member, given: string, half: boolean): Follow {
  return {
    userid: member.userid,
    addedAtMs: state.now(),
    state: given,
    addWay: BY_QR,
    half,
    left: false,
    remark: '',
    description: '',
    remarkCompany: '',
    remarkMobiles: [],
    tagIds: new Set(),
  }
}

/** Tells every app that may know, each with a code of its own; without a greeting there is none. */
function tellAdded(state: WecomState, corp: Corp, customer: Customer, member: Member, greeting: Greeting | null): void {
  const follow = customer.followers.get(member.userid.toLowerCase())
  const changeType = follow?.half ? 'add_half_external_contact' : 'add_external_contact'
  const given = { State: follow?.state ?? '' }
  tellContact(state, corp, changeType, customer, member, (app) => ({
    ...given,
    ...(greeting ? codeFor(state, corp, app, greeting) : {}),
  }))
}

function codeFor(state: WecomState, corp: Corp, app: App, greeting: Greeting): { readonly WelcomeCode: string } {
  const { welcomeCodes } = contact(state, corp)
  if (welcomeCodes.size > 50_000) forgetCodes(state, welcomeCodes)
  const code = fakeId('WELCOME', 16)
  welcomeCodes.set(code, { agentId: app.agentId, untilMs: state.now() + WELCOME_LIFE_MS, greeting })
  return { WelcomeCode: code }
}

/** The person agrees to the archiving of chats: whoever was not greeted yet may be greeted by a code of its own (6.9). */
export function agreeToArchive(state: WecomState, corp: Corp, person: Person, member: Member): boolean {
  const customer = customerOf(state, corp, person)
  const greeting = customer.greetings.get(member.userid.toLowerCase())
  if (!greeting || greeting.agreed) return false
  greeting.agreed = true
  const open = !greeting.chatBegun && greeting.by === null
  tellContact(state, corp, 'msg_audit_approved', customer, member, (app) =>
    open ? codeFor(state, corp, app, greeting) : {},
  )
  return true
}

function forgetCodes(state: WecomState, codes: ContactState['welcomeCodes']): void {
  for (const [code, { untilMs }] of codes) if (untilMs < state.now() - 3_600_000) codes.delete(code)
}

/** Tells the apps of a change of one relation. Only what people do is told, never what an app did (6.9). */
export function tellContact(
  state: WecomState,
  corp: Corp,
  changeType: string,
  customer: Customer,
  member: Member,
  more: (app: App) => Record<string, string> = () => ({}),
): void {
  tellApps(state, corp, (app) => {
    if (!contactAllowed(state, corp, app, member)) return null
    const filled = Object.entries(more(app)).filter(([, value]) => value !== '')
    const ids = {
      UserID: userIdFor(app, member.userid),
      ExternalUserID: externalIdFor(app, corp, customer.externalUserId),
    }
    return { name: 'change_external_contact', changeType, elements: { ...ids, ...Object.fromEntries(filled) } }
  })
}

/** The other side of what was begun: the person confirms a half contact, or the member accepts a request. */
export function agree(state: WecomState, corp: Corp, person: Person, member: Member): boolean {
  const customer = customerOf(state, corp, person)
  const key = member.userid.toLowerCase()
  const way = customer.requests.get(key)
  if (way) {
    customer.requests.delete(key)
    addContact(state, corp, customer, member, way.state, false)
    return true
  }
  const follow = customer.followers.get(key)
  if (!follow?.half) return false
  follow.half = false
  say(state, corp, customer, member.userid, { from: 'system', text: '你已添加了对方，现在可以开始聊天了。' })
  const greeting = customer.greetings.get(key)
  const open = greeting && !greeting.chatBegun && greeting.by === null
  const own = contact(state, corp).consoleWelcome.has(key)
  tellAdded(state, corp, customer, member, open && !own ? greeting : null)
  return true
}

/** One side takes the other out of its contacts. What the person leaves stays readable, one way. */
export function part(
  state: WecomState,
  corp: Corp,
  person: Person,
  member: Member,
  by: 'member' | 'customer' | 'transfer',
): boolean {
  const customer = customerOf(state, corp, person)
  const key = member.userid.toLowerCase()
  const follow = customer.followers.get(key)
  if (!follow || (by === 'customer' && follow.left)) return false
  if (by === 'customer') {
    follow.left = true
    tellContact(state, corp, 'del_follow_user', customer, member)
    return true
  }
  customer.followers.delete(key)
  contact(state, corp).byFollower.get(key)?.delete(customer.externalUserId)
  const source = by === 'transfer' ? { Source: 'DELETE_BY_TRANSFER' } : {}
  tellContact(state, corp, 'del_external_contact', customer, member, () => source)
  return true
}

/** A customer goes over to another member, or refuses to: the two events of a transfer, or transfer_fail (6.7). */
export function transfer(
  state: WecomState,
  corp: Corp,
  person: Person,
  to: { readonly from: Member; readonly to: Member; readonly failure: string | null },
): boolean {
  const customer = customerOf(state, corp, person)
  const before = customer.followers.get(to.from.userid.toLowerCase())
  if (!before) return false
  if (to.failure !== null) {
    const reason = to.failure
    tellContact(state, corp, 'transfer_fail', customer, to.to, () => ({ FailReason: reason }))
    return true
  }
  part(state, corp, person, to.from, 'transfer')
  addContact(state, corp, customer, to.to, before.state, false)
  return true
}

/** Adds a line to the chat between a person and a member. What the person says begins the chat: no more welcome. */
export function say(
  state: WecomState,
  corp: Corp,
  customer: Customer,
  userid: string,
  line: Pick<ChatLine, 'from' | 'text'> & Partial<ChatLine>,
): void {
  const person = state.outer.customers.people.get(customer.personId)
  if (!person) return
  const key = `${corp.corpId}/${userid}`
  const lines = person.chats.get(key) ?? []
  person.chats.set(key, lines)
  lines.push({ id: fakeId('LINE', 8), link: null, atMs: state.now(), ...line })
  const greeting = customer.greetings.get(userid.toLowerCase())
  if (greeting && line.from === 'person') greeting.chatBegun = true
}
