import type { Context } from 'koa'
import { z } from 'zod'
import { contact, membersOfWay, serves } from './contacts.ts'
import type { ContactWay } from './customer-state.ts'
import { appRoute, readJson, type Answer, type ApiRoute, type AppCall } from './gate.ts'
import { memberFor, userIdFor } from './ids.ts'
import { licensed, seesDepartment } from './members.ts'
import { fakeId, type App, type Corp, type WecomState } from './state.ts'

const MOST_PEOPLE = 100
const LISTED_MS = 90 * 86_400_000
/** What comes back with the contact: letters and digits alone (6.2, 11.3). */
const stateText = z.string().regex(/^[0-9A-Za-z]{0,30}$/)
const remark = z.string().refine((text) => Array.from(text).length <= 30)
const wayForm = z.looseObject({
  type: z.union([z.literal(1), z.literal(2)]),
  scene: z.union([z.literal(1), z.literal(2)]),
  remark: remark.optional(),
  skip_verify: z.boolean().optional(),
  state: stateText.optional(),
  user: z.array(z.string()).optional(),
  party: z.array(z.number().int()).optional(),
})
const changeForm = wayForm.omit({ type: true, scene: true }).extend({ config_id: z.string() })
const idForm = z.looseObject({ config_id: z.string() })
const listForm = z.looseObject({
  start_time: z.number().int().optional(),
  end_time: z.number().int().optional(),
  cursor: z.string().optional(),
  limit: z.number().int().min(1).max(1_000).optional(),
})

/** "Contact me" (联系我, protocol sheet 6.2). */
export const contactWayRoutes: readonly ApiRoute[] = [
  appRoute('POST', '/externalcontact/add_contact_way', ifAllowed(addWay)),
  appRoute('POST', '/externalcontact/get_contact_way', ifAllowed(getWay)),
  appRoute('POST', '/externalcontact/list_contact_way', ifAllowed(listWays)),
  appRoute('POST', '/externalcontact/update_contact_way', ifAllowed(changeWay)),
  appRoute('POST', '/externalcontact/del_contact_way', ifAllowed(deleteWay)),
]

/** Only for apps that the company lets call customer contact (6.0). */
export function ifAllowed(
  run: (call: AppCall) => Answer | Promise<Answer>,
): (call: AppCall) => Answer | Promise<Answer> {
  return (call) => (contact(call.state, call.corp).barredApps.has(call.app.agentId) ? { errcode: 48002 } : run(call))
}

function addWay(call: AppCall): Answer {
  const { state, corp, app, ctx } = call
  const form = wayForm.safeParse(readJson(call.raw))
  if (!form.success) return { errcode: 40058 }
  const { ways, wayLimit } = contact(state, corp)
  const people = peopleOf(state, corp, app, form.data.type, form.data)
  if (typeof people === 'number') return { errcode: people }
  if (ways.size >= wayLimit) return { errcode: 41045 }
  const way: ContactWay = {
    configId: fakeId('WAY', 16),
    qrId: fakeId('QR', 12),
    agentId: app.agentId,
    type: form.data.type,
    scene: form.data.scene,
    createdAtMs: state.now(),
    state: form.data.state ?? '',
    remark: form.data.remark ?? '',
    skipVerify: form.data.skip_verify ?? true,
    ...people,
  }
  ways.set(way.configId, way)
  state.outer.customers.qrs.set(way.qrId, { corpId: corp.corpId, configId: way.configId })
  const qr = way.scene === 2 ? { qr_code: qrUrl(ctx, way) } : {}
  return { errcode: 0, config_id: way.configId, ...qr }
}

/** The address of a way's QR: for a browser the phone that scans it, for everybody else the picture of it. */
export function qrUrl(ctx: Context, way: ContactWay): string {
  return `${ctx.protocol}://${ctx.host}/qr/${way.qrId}`
}

/** Who stands behind a contact way, or the code for what is wrong with them. */
function peopleOf(
  state: WecomState,
  corp: Corp,
  app: App,
  type: 1 | 2,
  form: { readonly user?: readonly string[] | undefined; readonly party?: readonly number[] | undefined },
): Pick<ContactWay, 'userIds' | 'parties'> | number {
  const [users, parties] = [form.user ?? [], form.party ?? []]
  if (type === 1 && (users.length !== 1 || parties.length > 0)) return 41039
  if (users.length + parties.length === 0) return 41039
  const named = users.map((id) => memberFor(corp, app, id))
  if (named.some((one) => one === undefined)) return 60011
  if (parties.some((id) => !seesDepartment(corp, app, id))) return 60011
  const userIds = named.flatMap((one) => (one ? [one.userid] : []))
  const all = membersOfWay(corp, { userIds, parties })
  if (all.length > MOST_PEOPLE) return 41041
  for (const member of named) {
    if (!member) continue
    if (member.status !== 1) return 41054
    if (!serves(state, corp, member)) return 84074
    if (!licensed(app, member, state.now(), 'interop')) return 701008
  }
  return { userIds, parties }
}

/** A way that this company has; 41044 for any other. */
function wayOf({ state, corp, raw }: AppCall): ContactWay | number {
  const form = idForm.safeParse(readJson(raw))
  if (!form.success) return 40058
  return contact(state, corp).ways.get(form.data.config_id) ?? 41044
}

function getWay(call: AppCall): Answer {
  const way = wayOf(call)
  if (typeof way === 'number') return { errcode: way }
  const qr = way.scene === 2 ? { qr_code: qrUrl(call.ctx, way) } : {}
  const view = {
    config_id: way.configId,
    type: way.type,
    scene: way.scene,
    remark: way.remark,
    skip_verify: way.skipVerify,
    state: way.state,
    user: way.userIds.map((id) => userIdFor(call.app, id)),
    party: way.parties,
    is_temp: false,
    ...qr,
  }
  return { errcode: 0, contact_way: view }
}

/** Ids alone, the newest first; without times those of the last 90 days: an older one is lost to who lost its id. */
function listWays({ state, corp, raw }: AppCall): Answer {
  const form = listForm.safeParse(readJson(raw))
  if (!form.success) return { errcode: 40058 }
  const { limit = 100, cursor = '' } = form.data
  const fromMs = Math.max((form.data.start_time ?? 0) * 1_000, state.now() - LISTED_MS)
  const untilMs = form.data.end_time === undefined ? Infinity : form.data.end_time * 1_000 + 999
  const listed = [...contact(state, corp).ways.values()]
    .filter((one) => one.createdAtMs >= fromMs && one.createdAtMs <= untilMs)
    .reverse()
  const start = cursor === '' ? 0 : listed.findIndex((one) => `C${one.configId}` === cursor)
  if (start < 0) return { errcode: 40058 }
  const page = listed.slice(start, start + limit)
  const next = listed[start + limit]
  return {
    errcode: 0,
    contact_way: page.map((one) => ({ config_id: one.configId })),
    ...(next ? { next_cursor: `C${next.configId}` } : {}),
  }
}

/** What is named takes the place of what was; lists are replaced, not added to. */
function changeWay(call: AppCall): Answer {
  const way = wayOf(call)
  if (typeof way === 'number') return { errcode: way }
  const form = changeForm.safeParse(readJson(call.raw))
  if (!form.success) return { errcode: 40058 }
  const { user, party, state: given, remark: text, skip_verify: skip } = form.data
  if (user !== undefined || party !== undefined) {
    const people = peopleOf(call.state, call.corp, call.app, way.type, { user, party })
    if (typeof people === 'number') return { errcode: people }
    Object.assign(way, people)
  }
  if (given !== undefined) way.state = given
  if (text !== undefined) way.remark = text
  if (skip !== undefined) way.skipVerify = skip
  return { errcode: 0 }
}

function deleteWay(call: AppCall): Answer {
  const way = wayOf(call)
  if (typeof way === 'number') return { errcode: way }
  contact(call.state, call.corp).ways.delete(way.configId)
  call.state.outer.customers.qrs.delete(way.qrId)
  return { errcode: 0 }
}
