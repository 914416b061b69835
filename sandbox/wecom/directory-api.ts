import { z } from 'zod'
import { cipherOf, plainOf } from './cipher.ts'
import {
  appRoute,
  directoryRoute,
  queryOf,
  readJson,
  type Answer,
  type ApiRoute,
  type AppCall,
  type DirectoryCall,
} from './gate.ts'
import { keyOf, memberFor, userIdFor } from './ids.ts'
import { sees, seesDepartment, subtree } from './members.ts'
import { today, type App, type Corp, type Department, type Member } from './state.ts'

const MOST_WRONG_LOOKUPS = 0.2
const MOST_IDS = 1_000
/** A page holds fewer than were asked for, so that clients go by the cursor. */
const PAGE_SHARE = 0.9
/** Apps made before see what members put into their profile (protocol sheet 4.1). */
const PROFILES_UNTIL_MS = Date.UTC(2022, 5, 20, 12)
const mobileForm = z.looseObject({ mobile: z.string().min(5).max(32) })
const emailForm = z.looseObject({
  email: z.string().min(3),
  email_type: z.union([z.literal(1), z.literal(2)]).default(1),
})
const listForm = z.looseObject({
  cursor: z.string().default(''),
  limit: z.number().int().min(1).max(10_000).default(10_000),
})
const userIdsForm = z.looseObject({ userid_list: z.array(z.string()).min(1) })
const openUserIdsForm = z.looseObject({
  open_userid_list: z.array(z.string()).min(1),
  source_agentid: z.number().int(),
})

/** The calls that read departments and members (protocol sheet 4.1, 4.2, 8.7). */
export const directoryRoutes: readonly ApiRoute[] = [
  directoryRoute('GET', '/department/simplelist', (call) =>
    departments(call, 'department_id', (_app, { id, parentId, order }) => ({ id, parentid: parentId, order })),
  ),
  detailRoute('/department/list', (call) => departments(call, 'department', departmentView)),
  detailRoute('/department/get', oneDepartment),
  detailRoute('/user/simplelist', (call) => members(call, briefView)),
  detailRoute('/user/list', (call) => members(call, memberView)),
  detailRoute('/user/get', oneMember),
  directoryRoute('POST', '/user/list_id', listIds),
  appRoute('POST', '/user/getuserid', byMobile),
  appRoute('POST', '/user/get_userid_by_email', byEmail),
  appRoute('POST', '/batch/userid_to_openuserid', toOpenIds),
  appRoute('POST', '/batch/openuserid_to_userid', fromOpenIds),
]

/** Details are for apps; the contact-sync secret gets ids only (48009). */
function detailRoute(path: string, run: (call: AppCall) => Answer): ApiRoute {
  return directoryRoute('GET', path, (call) => (call.app ? run({ ...call, app: call.app }) : { errcode: 48009 }))
}

function departments(
  { ctx, corp, app }: DirectoryCall,
  name: string,
  view: (app: App | null, one: Department) => Record<string, unknown>,
): Answer {
  const asked = queryOf(ctx, 'id')
  const root = asked === '' ? 1 : Number(asked)
  if (!corp.departments.has(root)) return { errcode: 60123 }
  const seen = subtree(corp, root).filter((one) => !app || seesDepartment(corp, app, one.id))
  if (asked !== '' && seen.length === 0) return { errcode: 60011 }
  return { errcode: 0, [name]: seen.map((one) => view(app, one)) }
}

function oneDepartment({ ctx, corp, app }: AppCall): Answer {
  const department = corp.departments.get(Number(queryOf(ctx, 'id')))
  if (!department) return { errcode: 60123 }
  if (!seesDepartment(corp, app, department.id)) return { errcode: 60011 }
  return { errcode: 0, department: departmentView(app, department) }
}

function departmentView(app: App | null, one: Department): Record<string, unknown> {
  const name = knowsNames(app) ? one.name : String(one.id)
  return { id: one.id, name, name_en: '', department_leader: [], parentid: one.parentId, order: one.order }
}

function members({ state, ctx, corp, app }: AppCall, view: (app: App, one: Member) => Record<string, unknown>): Answer {
  const asked = queryOf(ctx, 'department_id')
  const department = corp.departments.get(Number(asked))
  if (asked === '' || !department) return { errcode: 60123 }
  if (!seesDepartment(corp, app, department.id)) return { errcode: 60011 }
  const keys = corp.byDepartment.get(department.id) ?? new Set<string>()
  const userlist: Record<string, unknown>[] = []
  for (const key of keys) {
    const member = corp.members.get(key)
    if (member && sees(corp, app, member)) userlist.push(view(app, member))
  }
  const tooBig = view === memberView && userlist.length > state.settings.mostDetails
  return tooBig ? { errcode: 45029 } : { errcode: 0, userlist }
}

function oneMember({ ctx, corp, app }: AppCall): Answer {
  const userid = queryOf(ctx, 'userid')
  const member = memberFor(corp, app, userid)
  if (member) return { errcode: 0, ...memberView(app, member) }
  return { errcode: corp.members.has(keyOf(app, userid) ?? '') ? 60021 : 60111 }
}

function briefView(app: App, member: Member): Record<string, unknown> {
  const userid = userIdFor(app, member.userid)
  const open = app.kind === 'third_party' ? { open_userid: userid } : {}
  return { userid, name: knowsNames(app) ? member.name : userid, department: member.departments, ...open }
}

/** What an app may know of a member, by its kind and age (protocol sheet 0, 4.1). */
function memberView(app: App, member: Member): Record<string, unknown> {
  const profile = app.kind === 'self_built' && app.createdAtMs < PROFILES_UNTIL_MS
  return {
    ...briefView(app, member),
    order: member.departments.map(() => 0),
    position: '',
    status: member.status,
    is_leader_in_dept: member.departments.map(() => 0),
    direct_leader: [],
    main_department: member.departments[0],
    alias: '',
    telephone: '',
    extattr: { attrs: [] },
    ...(profile
      ? { mobile: member.mobile ?? '', email: member.email ?? '', gender: '0', avatar: '', qr_code: '', address: '' }
      : {}),
  }
}

function knowsNames(app: App | null): boolean {
  return app?.kind === 'self_built' || (app?.kind === 'customised' && app.grants.has('name'))
}

/** user/list_id: ids of everybody, for the contact-sync secret alone; once for each department of a member. */
function listIds({ corp, app, raw }: DirectoryCall): Answer {
  if (app) return { errcode: 48002 }
  const parsed = listForm.safeParse(readJson(raw))
  if (!parsed.success) return { errcode: 40058 }
  const { cursor, limit } = parsed.data
  const from = cursor === '' ? 0 : offsetOf(corp, cursor)
  if (from === null) return { errcode: 50100 }
  const size = Math.max(1, Math.floor(limit * PAGE_SHARE))
  const found: { userid: string; department: number }[] = []
  let at = 0
  for (const member of corp.members.values())
    for (const department of member.departments) {
      if (at >= from && found.length <= size) found.push({ userid: member.userid, department })
      at += 1
    }
  const more = found.length > size
  return { errcode: 0, next_cursor: more ? cursorOf(corp, from + size) : '', dept_user: found.slice(0, size) }
}

/** Nobody can tell from a cursor where it stands, nor make one. */
function cursorOf(corp: Corp, offset: number): string {
  return cipherOf(`cursor ${corp.corpId}`, String(offset), 'CURSOR')
}

function offsetOf(corp: Corp, cursor: string): number | null {
  const plain = plainOf(`cursor ${corp.corpId}`, cursor, 'CURSOR')
  return plain === null ? null : Number(plain)
}

/** user/getuserid. Wrong mobiles above a fifth of the accounts bar the API until the next day. */
function byMobile({ state, corp, app, raw }: AppCall): Answer {
  const day = today(corp, state.now())
  if (day.lookupErrors > corp.accountLimit * MOST_WRONG_LOOKUPS) return { errcode: 45009 }
  const parsed = mobileForm.safeParse(readJson(raw))
  if (!parsed.success) return { errcode: 40035 }
  corp.stats.lookups += 1
  const member = corp.members.get(corp.byMobile.get(parsed.data.mobile) ?? '')
  if (member && sees(corp, app, member)) return { errcode: 0, userid: userIdFor(app, member.userid) }
  day.lookupErrors += 1
  corp.stats.lookupErrors += 1
  return { errcode: 46004 }
}

/** user/get_userid_by_email: members of the sandbox have a company mailbox and no personal address. */
function byEmail({ corp, app, raw }: AppCall): Answer {
  const parsed = emailForm.safeParse(readJson(raw))
  if (!parsed.success) return { errcode: 40035 }
  const key = parsed.data.email_type === 1 ? corp.byEmail.get(parsed.data.email.toLowerCase()) : undefined
  const member = corp.members.get(key ?? '')
  return member && sees(corp, app, member) ? { errcode: 0, userid: userIdFor(app, member.userid) } : { errcode: 46004 }
}

/** The one call in which a provider's app says plain userids. Too many wrong ones bar it for the day as well. */
function toOpenIds({ state, corp, app, raw }: AppCall): Answer {
  if (!app.providerId) return { errcode: 48002 }
  const day = today(corp, state.now())
  if (day.openIdErrors > corp.accountLimit * MOST_WRONG_LOOKUPS) return { errcode: 45009 }
  const parsed = userIdsForm.safeParse(readJson(raw))
  if (!parsed.success) return { errcode: 40058 }
  if (parsed.data.userid_list.length > MOST_IDS) return { errcode: 40032 }
  const open: { userid: string; open_userid: string }[] = []
  const invalid: string[] = []
  for (const userid of parsed.data.userid_list) {
    const member = corp.members.get(userid.toLowerCase())
    if (member && sees(corp, app, member)) open.push({ userid, open_userid: userIdFor(app, member.userid) })
    else invalid.push(userid)
  }
  day.openIdErrors += invalid.length
  return { errcode: 0, open_userid_list: open, invalid_userid_list: invalid }
}

/** For self-built apps: the plain userids behind those of another app of the company, which a provider made. */
function fromOpenIds({ corp, app, raw }: AppCall): Answer {
  if (app.kind !== 'self_built') return { errcode: 48002 }
  const parsed = openUserIdsForm.safeParse(readJson(raw))
  if (!parsed.success) return { errcode: 40058 }
  if (parsed.data.open_userid_list.length > MOST_IDS) return { errcode: 40032 }
  const source = corp.apps.get(parsed.data.source_agentid)
  if (!source?.providerId) return { errcode: 40056 }
  const plain: { open_userid: string; userid: string }[] = []
  const invalid: string[] = []
  for (const openUserId of parsed.data.open_userid_list) {
    const member = corp.members.get(keyOf(source, openUserId) ?? '')
    if (member && sees(corp, app, member)) plain.push({ open_userid: openUserId, userid: member.userid })
    else invalid.push(openUserId)
  }
  return { errcode: 0, userid_list: plain, invalid_open_userid_list: invalid }
}
