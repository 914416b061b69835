import { z } from 'zod'
import { OutsideError } from '../../kernel/outside.ts'
import type { WecomApp, WecomMember, WecomPort } from '../ports.ts'
import { cursorForm, fieldsOf, listOf, type Api } from './call.ts'
import { NO_SUCH_MEMBER } from './errors.ts'

type DirectoryPort = Pick<
  WecomPort,
  'userIdByMobile' | 'departments' | 'membersOf' | 'memberIds' | 'member' | 'openUserIds'
>

const UserId = z.object({ userid: z.string().nullish() })
const DepartmentIds = z.object({ department_id: listOf(z.object({ id: z.int(), parentid: z.int() })) })
const Departments = z.object({ department: listOf(z.object({ id: z.int(), name: z.string().nullish() })) })
const Department = z.object({ department: z.object({ id: z.int(), name: z.string().nullish() }) })
const memberForm = z.object({
  userid: z.string(),
  name: z.string().nullish(),
  department: listOf(z.int()),
  /** 1 active, 2 disabled, 4 not activated, 5 left; lists do not tell it. */
  status: z.int().nullish(),
})
const Members = z.object({ userlist: listOf(memberForm) })
const MemberIds = z.object({
  dept_user: listOf(z.object({ userid: z.string(), department: z.int() })),
  next_cursor: cursorForm,
})
const OpenIds = z.object({ open_userid_list: listOf(z.object({ userid: z.string(), open_userid: z.string() })) })

/** The most of a page that WeCom allows. */
const IDS_AT_ONCE = 10_000
const OPEN_IDS_AT_ONCE = 1_000
const LEFT = 5
const ANSWER_TOO_BIG = '45029'

/** Departments and members as far as an app or contact sync may see them (protocols wecom 4.1 and 4.2). */
export function directoryCalls(api: Api): DirectoryPort {
  return {
    async userIdByMobile(app, mobile) {
      const body = JSON.stringify({ mobile })
      const call = { api: 'user/getuserid', body, effect: false, expects: NO_SUCH_MEMBER }
      return fieldsOf(UserId, call, await api.app(app, call)).userid || null
    },
    async departments(app) {
      const call = { api: 'department/simplelist', effect: false }
      const { department_id: found } = fieldsOf(DepartmentIds, call, await api.app(app, call))
      const names = await namesOf(api, app, found)
      return found.map(({ id, parentid: parentId }) => ({ id, parentId, name: names.get(id) ?? null }))
    },
    async membersOf(app, departmentId) {
      const query = { department_id: String(departmentId) }
      const call = { api: 'user/simplelist', query, effect: false }
      return fieldsOf(Members, call, await api.app(app, call)).userlist.map((one) => memberOf(app, one))
    },
    async memberIds(app, cursor) {
      const body = JSON.stringify({ ...(cursor === null ? {} : { cursor }), limit: IDS_AT_ONCE })
      const call = { api: 'user/list_id', body, effect: false }
      const { dept_user: items, next_cursor: next } = fieldsOf(MemberIds, call, await api.contactSync(app, call))
      return { items, next }
    },
    async member(app, userid) {
      const call = { api: 'user/get', query: { userid }, effect: false, expects: NO_SUCH_MEMBER }
      const answer = await api.app(app, call)
      if ((answer.errcode ?? 0) !== 0) return null
      const found = fieldsOf(memberForm, call, answer)
      return found.status === LEFT ? null : memberOf(app, found)
    },
    async openUserIds(app, userIds) {
      if (userIds.length > OPEN_IDS_AT_ONCE) throw new RangeError('at most 1,000 userids at once')
      if (userIds.length === 0) return new Map()
      const body = JSON.stringify({ userid_list: userIds })
      const call = { api: 'batch/userid_to_openuserid', body, effect: false }
      const { open_userid_list: pairs } = fieldsOf(OpenIds, call, await api.app(app, call))
      return new Map(pairs.map((one) => [one.userid, one.open_userid]))
    },
  }
}

/** A third-party app is told the userid where a name should be (section 0). */
function memberOf(app: WecomApp, told: z.infer<typeof memberForm>): WecomMember {
  const name = app.kind === 'third_party' || told.name === told.userid ? null : told.name || null
  return { userid: told.userid, name, departments: told.department }
}

interface Node {
  readonly id: number
  readonly parentid: number
}

/**
 * Names by department, as many as the app may know: none for third-party apps, and none where WeCom refuses. One list
 * for all of them; where that is too big an answer, one for each part of the tree below.
 */
async function namesOf(api: Api, app: WecomApp, nodes: readonly Node[]): Promise<ReadonlyMap<number, string>> {
  const names = new Map<number, string>()
  if (app.kind === 'third_party' || nodes.length === 0) return names
  const known = new Set(nodes.map((node) => node.id))
  let parts: (number | null)[] = [null]
  while (parts.length > 0) {
    const tooBig: (number | null)[] = []
    for (const part of parts) {
      const heard = await listNames(api, app, part)
      if (heard === 'refused') return names
      if (heard === 'too_big') tooBig.push(part)
      else for (const { id, name } of heard) if (isName(id, name)) names.set(id, name)
    }
    for (const part of tooBig) if (part !== null) await addName(api, app, part, names)
    parts = nodes
      .filter((node) => tooBig.includes(node.parentid) || (tooBig.includes(null) && !known.has(node.parentid)))
      .map((node) => node.id)
  }
  return names
}

async function listNames(api: Api, app: WecomApp, below: number | null) {
  const call = { api: 'department/list', query: below === null ? {} : { id: String(below) }, effect: false }
  try {
    return fieldsOf(Departments, call, await api.app(app, call)).department
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    if (error.code === ANSWER_TOO_BIG) return 'too_big'
    if (error.outcome === 'busy') throw error
    return 'refused'
  }
}

async function addName(api: Api, app: WecomApp, id: number, names: Map<number, string>): Promise<void> {
  const call = { api: 'department/get', query: { id: String(id) }, effect: false }
  const { name } = fieldsOf(Department, call, await api.app(app, call)).department
  if (isName(id, name)) names.set(id, name)
}

/** Where an app may not know a name it is told the id in its place (section 0). */
const isName = (id: number, name: string | null | undefined): name is string => Boolean(name) && name !== String(id)
