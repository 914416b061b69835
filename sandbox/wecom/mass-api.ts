import { z } from 'zod'
import { readContactMessage } from './contact-message.ts'
import { ifAllowed } from './contact-way-api.ts'
import { contact, contactAllowed } from './contacts.ts'
import { customerFor } from './customer-api.ts'
import type { Customer, Follow, MassMember, MassTask } from './customer-state.ts'
import { appRoute, readJson, type Answer, type ApiRoute, type AppCall } from './gate.ts'
import { keyOf, userIdFor } from './ids.ts'
import { externalIdFor } from './outer-ids.ts'
import { taskContent } from './mass.ts'
import { fakeId } from './state.ts'

/** After its creation a task is being handed out for some seconds (41063). */
const DISPATCH_MS = 5_000
const MOST_CUSTOMERS = 10_000
const MOST_WINDOW_S = 31 * 86_400
/** How often members may be reminded of one task; the number is not published. */
const MOST_REMINDERS = 3
const cursor = z.string().optional()
const createForm = z.looseObject({
  chat_type: z.enum(['single', 'group']).default('single'),
  external_userid: z.array(z.string()).max(MOST_CUSTOMERS).optional(),
  tag_filter: z
    .looseObject({ group_list: z.array(z.looseObject({ tag_list: z.array(z.string()).max(100) })) })
    .optional(),
  sender: z.string().optional(),
})
const listForm = z.looseObject({
  chat_type: z.enum(['single', 'group']),
  start_time: z.number().int(),
  end_time: z.number().int(),
  creator: z.string().optional(),
  filter_type: z.number().int().min(0).max(2).default(2),
  limit: z.number().int().min(1).max(100).default(50),
  cursor,
})
const taskForm = z.looseObject({ msgid: z.string(), limit: z.number().int().min(1).max(1_000).default(500), cursor })
const resultForm = taskForm.extend({ userid: z.string() })

/** Mass sending (企业群发, protocol sheet 6.4): tasks that members must confirm, and what became of them. */
export const massRoutes: readonly ApiRoute[] = [
  appRoute('POST', '/externalcontact/add_msg_template', ifAllowed(createTask)),
  appRoute('POST', '/externalcontact/get_groupmsg_list_v2', ifAllowed(listTasks)),
  appRoute('POST', '/externalcontact/get_groupmsg_task', ifAllowed(membersOfTask)),
  appRoute('POST', '/externalcontact/get_groupmsg_send_result', ifAllowed(resultsOfTask)),
  appRoute('POST', '/externalcontact/remind_groupmsg_send', ifAllowed(remind)),
  appRoute('POST', '/externalcontact/cancel_groupmsg_send', ifAllowed(cancel)),
]

/** Makes a task and sends nothing. Each customer stands in the task of the member who last chatted with them. */
function createTask(call: AppCall): Answer {
  const { state, corp, app } = call
  const body = readJson(call.raw)
  const form = createForm.safeParse(body)
  if (!form.success) return { errcode: 40058 }
  const { external_userid: ids, tag_filter: filter, sender } = form.data
  if (ids === undefined && filter === undefined && sender === undefined) return { errcode: 40058 }
  const message = readContactMessage(corp, body, state.now())
  if (typeof message === 'number') return { errcode: message }
  if (form.data.chat_type === 'group') return { errcode: 41048 }
  const senderKey = sender === undefined ? null : keyOf(app, sender)
  if (sender !== undefined && (senderKey === null || !corp.members.has(senderKey))) return { errcode: 60111 }
  const failed: string[] = []
  const members = new Map<string, MassMember>()
  for (const { seen, customer } of targets(call, ids)) {
    const follow = customer && chatterOf(call, customer, senderKey, ids ? [] : tagsWanted(filter))
    if (!customer || !follow) {
      if (ids !== undefined) failed.push(seen)
      continue
    }
    const key = follow.userid.toLowerCase()
    const member = members.get(key) ?? { userid: follow.userid, sentAtMs: null, ignored: false, results: new Map() }
    members.set(key, member)
    member.results.set(customer.externalUserId, { status: 0, sentAtMs: null })
  }
  if (members.size === 0) return { errcode: 41048, fail_list: failed }
  const task: MassTask = {
    id: fakeId('MASS', 16),
    agentId: app.agentId,
    createdAtMs: state.now(),
    message,
    members,
    reminded: 0,
    cancelled: false,
  }
  contact(state, corp).tasks.set(task.id, task)
  return { errcode: 0, fail_list: failed, msgid: task.id }
}

/** Whom a task is for: those who are named, else every customer of the company, for the filters to choose from. */
function targets(call: AppCall, ids: readonly string[] | undefined): { seen: string; customer: Customer | null }[] {
  if (ids !== undefined) return [...new Set(ids)].map((seen) => ({ seen, customer: customerFor(call, seen) }))
  const { customers } = contact(call.state, call.corp)
  return [...customers.values()].map((customer) => ({ seen: '', customer }))
}

/** Groups of tags: one of each group is enough, every group must be met. Named customers make filters idle. */
type TagsWanted = readonly (readonly string[])[]
function tagsWanted(filter: z.output<typeof createForm>['tag_filter']): TagsWanted {
  return filter?.group_list.map((group) => group.tag_list) ?? []
}

/** The follower who last chatted with a customer, among those whom the app may act for. */
function chatterOf(
  { state, corp, app }: AppCall,
  customer: Customer,
  senderKey: string | null,
  tags: TagsWanted,
): Follow | undefined {
  const chats = state.outer.customers.people.get(customer.personId)?.chats
  const lastOf = (follow: Follow) => chats?.get(`${corp.corpId}/${follow.userid}`)?.at(-1)?.atMs ?? follow.addedAtMs
  return [...customer.followers]
    .filter(([key, follow]) => {
      const member = corp.members.get(key)
      if (!member || follow.half || (senderKey !== null && key !== senderKey)) return false
      if (!contactAllowed(state, corp, app, member)) return false
      return tags.every((group) => group.some((tag) => follow.tagIds.has(tag)))
    })
    .map(([, follow]) => follow)
    .sort((a, b) => lastOf(b) - lastOf(a))[0]
}

function listTasks({ state, corp, raw }: AppCall): Answer {
  const form = listForm.safeParse(readJson(raw))
  if (!form.success) return { errcode: 40058 }
  const { start_time: from, end_time: until, limit, cursor: at } = form.data
  if (until < from || until - from > MOST_WINDOW_S) return { errcode: 40058 }
  if (form.data.chat_type === 'group' || form.data.filter_type === 1) return { errcode: 0, group_msg_list: [] }
  const inside = [...contact(state, corp).tasks.values()].filter((one) => {
    const second = Math.floor(one.createdAtMs / 1_000)
    return second >= from && second <= until
  })
  const { page, next } = pageOf(inside, limit, at)
  const list = page.map((one) => ({
    msgid: one.id,
    create_time: Math.floor(one.createdAtMs / 1_000),
    create_type: 0,
    ...taskContent(one.message),
  }))
  return { errcode: 0, group_msg_list: list, next_cursor: next }
}

function pageOf<T>(all: readonly T[], limit: number, at: string | undefined): { page: readonly T[]; next: string } {
  const from = Number(/^P(\d+)$/.exec(at ?? '')?.[1] ?? 0)
  return { page: all.slice(from, from + limit), next: from + limit < all.length ? `P${from + limit}` : '' }
}

/** A task that may be asked about, or the code for why not: unknown, or still being handed out. */
function taskOf({ state, corp }: AppCall, id: string): MassTask | number {
  const task = contact(state, corp).tasks.get(id)
  if (!task) return 41047
  return state.now() < task.createdAtMs + DISPATCH_MS ? 41063 : task
}

function membersOfTask(call: AppCall): Answer {
  const form = taskForm.safeParse(readJson(call.raw))
  if (!form.success) return { errcode: 40058 }
  const task = taskOf(call, form.data.msgid)
  if (typeof task === 'number') return { errcode: task }
  const { page, next } = pageOf([...task.members.values()], form.data.limit, form.data.cursor)
  const list = page.map((one) => ({
    userid: userIdFor(call.app, one.userid),
    status: one.sentAtMs === null ? 0 : 2,
    ...sentAt(one.sentAtMs),
  }))
  return { errcode: 0, task_list: list, next_cursor: next }
}

function sentAt(ms: number | null): { send_time?: number } {
  return ms === null ? {} : { send_time: Math.floor(ms / 1_000) }
}

function resultsOfTask(call: AppCall): Answer {
  const form = resultForm.safeParse(readJson(call.raw))
  if (!form.success) return { errcode: 40058 }
  const task = taskOf(call, form.data.msgid)
  if (typeof task === 'number') return { errcode: task }
  const member = task.members.get(keyOf(call.app, form.data.userid) ?? '')
  if (!member) return { errcode: 60111 }
  const { page, next } = pageOf([...member.results], form.data.limit, form.data.cursor)
  const list = page.map(([id, result]) => ({
    external_userid: externalIdFor(call.app, call.corp, id),
    userid: userIdFor(call.app, member.userid),
    status: result.status,
    ...sentAt(result.sentAtMs),
  }))
  return { errcode: 0, send_list: list, next_cursor: next }
}

function remind(call: AppCall): Answer {
  const form = taskForm.safeParse(readJson(call.raw))
  if (!form.success) return { errcode: 40058 }
  const task = taskOf(call, form.data.msgid)
  if (typeof task === 'number') return { errcode: task }
  if (task.cancelled) return { errcode: 41093 }
  if (task.reminded >= MOST_REMINDERS) return { errcode: 41094 }
  task.reminded += 1
  for (const member of task.members.values()) member.ignored = false
  return { errcode: 0 }
}

/** What members have sent stays sent. */
function cancel(call: AppCall): Answer {
  const form = taskForm.safeParse(readJson(call.raw))
  if (!form.success) return { errcode: 40058 }
  const task = taskOf(call, form.data.msgid)
  if (typeof task === 'number') return { errcode: task }
  if (task.cancelled) return { errcode: 41093 }
  task.cancelled = true
  return { errcode: 0 }
}
