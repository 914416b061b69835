import { z } from 'zod'
import { ifAllowed } from './contact-way-api.ts'
import { contact, serves } from './contacts.ts'
import type { Customer, Follow } from './customer-state.ts'
import { appRoute, queryOf, readJson, type Answer, type ApiRoute, type AppCall } from './gate.ts'
import { memberFor, userIdFor } from './ids.ts'
import { licensed, sees } from './members.ts'
import { externalBehind, externalIdFor } from './outer-ids.ts'
import type { Member } from './state.ts'

const MOST_USERS = 100
const MOST_FOLLOWERS = 500
const short = (most: number) => z.string().refine((text) => Array.from(text).length <= most)
const batchForm = z.looseObject({
  userid_list: z.array(z.string()).min(1).max(MOST_USERS),
  cursor: z.string().optional(),
  limit: z.number().int().min(1).max(100).optional(),
})
const remarkForm = z.looseObject({
  userid: z.string(),
  external_userid: z.string(),
  remark: short(20).optional(),
  description: short(150).optional(),
  remark_company: short(20).optional(),
  remark_mobiles: z.array(z.string()).optional(),
  remark_pic_mediaid: z.string().optional(),
})

/** Members and their customers (protocol sheet 6.1). Nothing of it is told to anybody: apps hear only of what people do. */
export const customerRoutes: readonly ApiRoute[] = [
  appRoute('GET', '/externalcontact/get_follow_user_list', ifAllowed(followUsers)),
  appRoute('GET', '/externalcontact/list', ifAllowed(customersOf)),
  appRoute('GET', '/externalcontact/get', ifAllowed(oneCustomer)),
  appRoute('POST', '/externalcontact/batch/get_by_user', ifAllowed(byUsers)),
  appRoute('POST', '/externalcontact/remark', ifAllowed(remark)),
]

function followUsers({ state, corp, app }: AppCall): Answer {
  const found = [...corp.members.values()].filter((one) => serves(state, corp, one) && sees(corp, app, one))
  return { errcode: 0, follow_user: found.map((one) => userIdFor(app, one.userid)) }
}

/** A member whose customers an app may see, or the code for why not. */
function served({ state, corp, app }: AppCall, userid: string): Member | number {
  const member = memberFor(corp, app, userid)
  if (!member) return 60111
  return licensed(app, member, state.now(), 'interop') ? member : 701008
}

/** The full relations of a member; half ones are none yet. */
function relationsOf({ state, corp }: AppCall, member: Member): { customer: Customer; follow: Follow }[] {
  const { byFollower, customers } = contact(state, corp)
  const key = member.userid.toLowerCase()
  return [...(byFollower.get(key) ?? [])].flatMap((id) => {
    const customer = customers.get(id)
    const follow = customer?.followers.get(key)
    return customer && follow && !follow.half ? [{ customer, follow }] : []
  })
}

function customersOf(call: AppCall): Answer {
  const member = served(call, queryOf(call.ctx, 'userid'))
  if (typeof member === 'number') return { errcode: member }
  const found = relationsOf(call, member)
  if (found.length === 0) return { errcode: 84061 }
  const ids = found.map(({ customer }) => externalIdFor(call.app, call.corp, customer.externalUserId))
  return { errcode: 0, external_userid: ids }
}

/** The customer that an app means; null for an id that is none, or that this app was never given (40096). */
export function customerFor({ state, corp, app }: AppCall, seen: string): Customer | null {
  const plain = externalBehind(app, corp, seen)
  return plain === null ? null : (contact(state, corp).customers.get(plain) ?? null)
}

function oneCustomer(call: AppCall): Answer {
  const { corp, app, ctx } = call
  const customer = customerFor(call, queryOf(ctx, 'external_userid'))
  if (!customer) return { errcode: 40096 }
  const full = [...customer.followers].filter(([, follow]) => !follow.half)
  const members = full.flatMap(([key, follow]) => {
    const member = corp.members.get(key)
    return member && sees(corp, app, member) ? [{ member, follow }] : []
  })
  if (members.length === 0) return { errcode: 84061 }
  const licensedOnes = members.filter(({ member }) => licensed(app, member, call.state.now(), 'interop'))
  if (licensedOnes.length === 0) return { errcode: 701008 }
  const from = Number(queryOf(ctx, 'cursor').replace(/^F/, '') || 0)
  const page = licensedOnes.slice(from, from + MOST_FOLLOWERS)
  const next = from + MOST_FOLLOWERS < licensedOnes.length ? { next_cursor: `F${from + MOST_FOLLOWERS}` } : {}
  const follows = page.map(({ follow }) => ({ ...followView(call, follow), tags: tagsOf(call, follow) }))
  return { errcode: 0, external_contact: customerView(call, customer), follow_user: follows, ...next }
}

/** What an app may know of a customer: provider apps neither picture nor gender (section 0). */
function customerView({ state, corp, app }: AppCall, customer: Customer): Answer {
  const person = state.outer.customers.people.get(customer.personId)
  const own = app.kind === 'self_built' ? { avatar: `https://wx.qlogo.example/${customer.personId}` } : {}
  return {
    external_userid: externalIdFor(app, corp, customer.externalUserId),
    name: person?.name ?? '',
    type: 1,
    gender: 0,
    ...own,
  }
}

function followView({ app }: AppCall, follow: Follow): Record<string, unknown> {
  const mobiles = app.kind === 'self_built' ? { remark_mobiles: follow.remarkMobiles } : {}
  return {
    userid: userIdFor(app, follow.userid),
    remark: follow.remark,
    description: follow.description,
    createtime: Math.floor(follow.addedAtMs / 1_000),
    remark_corp_name: follow.remarkCompany,
    ...mobiles,
    oper_userid: userIdFor(app, follow.userid),
    add_way: follow.addWay,
    ...(follow.state === '' ? {} : { state: follow.state }),
  }
}

function tagsOf({ state, corp }: AppCall, follow: Follow): Answer[] {
  return [...contact(state, corp).tagGroups.values()].flatMap((group) =>
    [...group.tags.values()]
      .filter((tag) => follow.tagIds.has(tag.id))
      .map((tag) => ({ group_name: group.name, tag_name: tag.name, tag_id: tag.id, type: 1 })),
  )
}

function byUsers(call: AppCall): Answer {
  const form = batchForm.safeParse(readJson(call.raw))
  if (!form.success) return { errcode: 40058 }
  const { userid_list: ids, limit = 50, cursor = '' } = form.data
  const members = ids.map((id) => ({ id, member: served(call, id) }))
  if (members.some(({ member }) => member === 60111)) return { errcode: 60111 }
  const unlicensed = members.filter(({ member }) => member === 701008).map(({ id }) => id)
  if (unlicensed.length === ids.length) return { errcode: 701008 }
  const all = members.flatMap(({ member }) => (typeof member === 'number' ? [] : relationsOf(call, member)))
  const from = cursor === '' ? 0 : Number(/^B(\d+)$/.exec(cursor)?.[1] ?? Number.NaN)
  if (Number.isNaN(from)) return { errcode: 40058 }
  const list = all.slice(from, from + limit).map(({ customer, follow }) => ({
    external_contact: customerView(call, customer),
    follow_info: { ...followView(call, follow), tag_id: [...follow.tagIds] },
  }))
  const next = from + limit < all.length ? `B${from + limit}` : ''
  const failed = unlicensed.length > 0 ? { fail_info: { unlicensed_userid_list: unlicensed } } : {}
  return { errcode: 0, external_contact_list: list, next_cursor: next, ...failed }
}

/** The relation that an app names, or the code for why there is none. Half ones are none yet (84061). */
export function relationFor(call: AppCall, userid: string, externalUserId: string): Follow | number {
  const member = served(call, userid)
  if (typeof member === 'number') return member
  const customer = customerFor(call, externalUserId)
  if (!customer) return 40096
  const follow = customer.followers.get(member.userid.toLowerCase())
  return follow && !follow.half ? follow : 84061
}

function remark(call: AppCall): Answer {
  const form = remarkForm.safeParse(readJson(call.raw))
  if (!form.success) return { errcode: 40058 }
  const { userid, external_userid: id, remark: text, description, remark_company: company } = form.data
  const { remark_mobiles: mobiles, remark_pic_mediaid: picture } = form.data
  if ([text, description, company, mobiles, picture].every((one) => one === undefined)) return { errcode: 40058 }
  const follow = relationFor(call, userid, id)
  if (typeof follow === 'number') return { errcode: follow }
  if (text !== undefined) follow.remark = text
  if (description !== undefined) follow.description = description
  if (company !== undefined) follow.remarkCompany = company
  if (mobiles !== undefined) follow.remarkMobiles = mobiles.filter((one) => one !== '')
  return { errcode: 0 }
}
