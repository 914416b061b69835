import { z } from 'zod'
import { readJson, type Answer } from './gate.ts'
import { keyOf } from './ids.ts'
import { below, licensed, sees, seesDepartment } from './members.ts'
import { contentOf } from './message-content.ts'
import type { Drop, Message } from './message-state.ts'
import { dayNumber, digest, fakeId, type App, type Corp, type Member, type WecomState } from './state.ts'

const PER_MINUTE = 30
const PER_HOUR = 1_000
const SENDS_PER_ACCOUNT = 200
const MOST_USERS = 1_000
const MOST_PARTIES = 100
const MOST_TAGS = 100
const MOST_DROPS = 20_000
const RESPONSE_LIFE_MS = 72 * 3_600_000
const envelope = z.looseObject({
  touser: z.string().optional(),
  toparty: z.string().optional(),
  totag: z.string().optional(),
  msgtype: z.string().optional(),
  agentid: z.unknown().optional(),
  safe: z.union([z.literal(0), z.literal(1), z.literal(2)]).optional(),
  enable_id_trans: z.union([z.literal(0), z.literal(1)]).optional(),
  enable_duplicate_check: z.union([z.literal(0), z.literal(1)]).optional(),
  duplicate_check_interval: z.number().int().min(1).max(14_400).optional(),
})
type Envelope = z.output<typeof envelope>

/**
 * Carries out message/send for the app of the token (protocol sheet 5.1). `raw` decides what counts as the same request.
 * With `lose` it is accepted and nobody gets it.
 */
export function sendMessage(state: WecomState, corp: Corp, app: App, raw: Buffer, lose: boolean): Answer {
  const nowMs = state.now()
  corp.stats.sends += 1
  const parsed = envelope.safeParse(readJson(raw))
  if (!parsed.success) return { errcode: 40035 }
  const form = parsed.data
  const wrong = wrongAgent(app, form)
  if (wrong !== null) return { errcode: wrong }
  const content = contentOf(corp, app, form, nowMs)
  if ('errcode' in content) return content
  const to = targetsOf(form)
  if (typeof to === 'number') return { errcode: to }
  const key = form.enable_duplicate_check === 1 ? digest(raw) : null
  const earlier = key === null ? undefined : app.recent.get(key)
  if (earlier && nowMs < earlier.untilMs) {
    corp.stats.suppressedDuplicates += 1
    return { errcode: 0, ...(state.settings.duplicateAnswer === 'same' ? earlier.answer : {}) }
  }
  if (content.taskId !== null && app.taskIds.has(content.taskId)) return { errcode: 42014 }
  const sorted = sortRecipients(state, corp, app, to)
  if (!sorted.valid) return { errcode: 81013 }
  const today = dayNumber(nowMs)
  if (app.day.number !== today) Object.assign(app.day, { number: today, personSends: 0 })
  if (app.day.personSends + sorted.reached.size > corp.accountLimit * SENDS_PER_ACCOUNT) return { errcode: 45009 }
  app.day.personSends += sorted.reached.size
  const { interactive, ...said } = content
  const message: Message = {
    id: fakeId('MSG'),
    agentId: app.agentId,
    msgtype: form.msgtype ?? '',
    ...said,
    atMs: nowMs,
    recalledAtMs: null,
  }
  corp.messages.set(message.id, message)
  if (content.taskId !== null) app.taskIds.add(content.taskId)
  for (const member of sorted.reached) lay(corp, app, member, message, lose)
  const answer = {
    msgid: message.id,
    ...told(corp, sorted),
    ...(interactive ? { response_code: newResponseCode(app, message, nowMs) } : {}),
  }
  if (key !== null) remember(app, key, nowMs, (form.duplicate_check_interval ?? 1_800) * 1_000, answer)
  return { errcode: 0, ...answer }
}

/** A code with which a card can be changed once: with the answer to sending it, and with every press of a button. */
export function newResponseCode(app: App, message: Message, nowMs: number): string {
  const code = fakeId('RESPONSE', 24)
  app.responseCodes.set(code, { messageId: message.id, expiresAtMs: nowMs + RESPONSE_LIFE_MS, used: false })
  return code
}

/** A mini-program notice may leave the agentid out; whatever is written must be the app of the token. */
function wrongAgent(app: App, form: Envelope): number | null {
  const agent = form.agentid
  if (agent === undefined && form.msgtype === 'miniprogram_notice') return null
  if (typeof agent !== 'number' || !Number.isInteger(agent)) return 40056
  return agent === app.agentId ? null : 301002
}

interface Targets {
  readonly all: boolean
  readonly users: readonly string[]
  readonly parties: readonly string[]
  readonly tags: readonly string[]
}

function targetsOf(form: Envelope): Targets | number {
  const [users, parties, tags] = [form.touser, form.toparty, form.totag].map((list) =>
    (list ?? '').split('|').filter((one) => one !== ''),
  ) as [string[], string[], string[]]
  if (users.includes('@all')) {
    const refused = form.msgtype === 'miniprogram_notice'
    return refused ? 40058 : { all: true, users: [], parties: [], tags: [] }
  }
  if (users.length + parties.length + tags.length === 0) return 82001
  if (users.length > MOST_USERS) return 40032
  if (parties.length > MOST_PARTIES) return 82002
  return tags.length > MOST_TAGS ? 82003 : { all: false, users, parties, tags }
}

interface Sorted {
  readonly reached: Set<Member>
  readonly invalid: string[]
  readonly unlicensed: string[]
  readonly invalidParties: string[]
  readonly invalidTags: string[]
  /** Whether any recipient was one that the app may write to. */
  valid: boolean
}

/** Named people without a licence are told; those found through a department or a tag are left out silently. */
function sortRecipients(state: WecomState, corp: Corp, app: App, to: Targets): Sorted {
  const nowMs = state.now()
  const lists = { reached: new Set<Member>(), invalid: [], unlicensed: [], invalidParties: [], invalidTags: [] }
  const sorted: Sorted = { ...lists, valid: to.all }
  if (to.all) {
    for (const member of corp.members.values())
      if (sees(corp, app, member) && licensed(app, member, nowMs)) sorted.reached.add(member)
    return sorted
  }
  const lower = (name: string) => (app.providerId && !state.settings.lowerCipherIds ? name : name.toLowerCase())
  const seen = new Set<string>()
  for (const name of to.users) {
    const key = keyOf(app, name) ?? name
    if (seen.has(key)) continue
    seen.add(key)
    const member = corp.members.get(key)
    if (!member || !sees(corp, app, member)) sorted.invalid.push(lower(name))
    else if (licensed(app, member, nowMs)) sorted.reached.add(member)
    else sorted.unlicensed.push(lower(name))
  }
  const parties = roots(to.parties, (id) => seesDepartment(corp, app, id), sorted.invalidParties)
  const tags = roots(to.tags, (id) => seesTag(corp, app, id), sorted.invalidTags)
  if (parties.size + tags.size > 0)
    for (const [key, member] of corp.members)
      if (!seen.has(key) && inside(corp, member, parties, tags) && sees(corp, app, member))
        if (licensed(app, member, nowMs)) sorted.reached.add(member)
  sorted.valid = sorted.reached.size + sorted.unlicensed.length + parties.size + tags.size > 0
  return sorted
}

function roots(names: readonly string[], seen: (id: number) => boolean, invalid: string[]): Set<number> {
  const good = new Set<number>()
  for (const name of new Set(names)) {
    if (/^\d{1,9}$/.test(name) && seen(Number(name))) good.add(Number(name))
    else invalid.push(name)
  }
  return good
}

function seesTag(corp: Corp, app: App, id: number): boolean {
  return corp.tags.has(id) && (app.visible === 'all' || app.visible.tags.has(id))
}

function inside(corp: Corp, member: Member, parties: ReadonlySet<number>, tags: ReadonlySet<number>): boolean {
  if (member.departments.some((id) => below(corp, parties, id))) return true
  for (const id of tags) {
    const tag = corp.tags.get(id)
    if (tag?.userIds.has(member.userid.toLowerCase())) return true
    if (tag && member.departments.some((department) => below(corp, tag.departments, department))) return true
  }
  return false
}

/** The lists of an answer, only those that are not empty. */
function told(corp: Corp, sorted: Sorted): Record<string, string> {
  corp.stats.accepted += 1
  corp.stats.invalid += sorted.invalid.length
  corp.stats.unlicensed += sorted.unlicensed.length
  const lists = {
    invaliduser: sorted.invalid,
    invalidparty: sorted.invalidParties,
    invalidtag: sorted.invalidTags,
    unlicenseduser: sorted.unlicensed,
  }
  const filled = Object.entries(lists).filter(([, list]) => list.length > 0)
  return Object.fromEntries(filled.map(([name, list]) => [name, list.join('|')]))
}

/** Above 30 a minute or 1,000 an hour the message vanishes, as WeCom does it; only /__ctl/drops tells. */
function lay(corp: Corp, app: App, member: Member, message: Message, lose: boolean): void {
  const key = member.userid.toLowerCase()
  const lastHour = (app.arrivals.get(key) ?? []).filter((at) => at > message.atMs - 3_600_000)
  app.arrivals.set(key, lastHour)
  const lastMinute = lastHour.filter((at) => at > message.atMs - 60_000).length
  const full = lastMinute >= PER_MINUTE ? 'minute' : lastHour.length >= PER_HOUR ? 'hour' : null
  const why: Drop['why'] | null = lose ? 'dial' : full
  if (why !== null) {
    corp.stats.dropped += 1
    corp.drops.push({ agentId: app.agentId, userid: member.userid, messageId: message.id, atMs: message.atMs, why })
    if (corp.drops.length > MOST_DROPS) corp.drops.shift()
    return
  }
  lastHour.push(message.atMs)
  const chat = corp.inbox.get(key) ?? []
  chat.push({ message, seenAtMs: null, openedAtMs: null, update: null })
  corp.inbox.set(key, chat)
  corp.stats.delivered += 1
}

function remember(app: App, key: string, nowMs: number, forMs: number, answer: Record<string, unknown>): void {
  if (app.recent.size >= 10_000)
    for (const [old, entry] of app.recent) if (entry.untilMs <= nowMs) app.recent.delete(old)
  app.recent.set(key, { untilMs: nowMs + forMs, answer })
}
