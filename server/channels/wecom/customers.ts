import { z } from 'zod'
import { OutsideError } from '../../kernel/outside.ts'
import type { WecomApp, WecomPort } from '../ports.ts'
import { cursorForm, fieldsOf, listOf, type Api } from './call.ts'
import { NO_RELATION } from './errors.ts'

type CustomerPort = Pick<
  WecomPort,
  'followUsers' | 'addContactWay' | 'contactWays' | 'deleteContactWay' | 'customersOf' | 'customer' | 'sendWelcome'
>

const FollowUsers = z.object({ follow_user: listOf(z.string()) })
const AddedWay = z.object({ config_id: z.string().min(1), qr_code: z.string().min(1) })
const Ways = z.object({ contact_way: listOf(z.object({ config_id: z.string() })), next_cursor: cursorForm })
const Way = z.object({ contact_way: z.object({ config_id: z.string(), state: z.string().nullish() }) })
const Customers = z.object({ external_userid: listOf(z.string()) })
const Customer = z.object({
  external_contact: z.object({ external_userid: z.string() }),
  follow_user: listOf(z.object({ userid: z.string(), state: z.string().nullish(), createtime: z.number() })),
  next_cursor: cursorForm,
})

const noRelation: ReadonlySet<number> = new Set([NO_RELATION])
/** How far back contact ways are listed: an unknown outcome is asked about within minutes, or after a night's outage. */
const LATELY_MS = 2 * 86_400_000
const WAYS_AT_ONCE = 50
/** A customer with more pages of followers than this is not read to the end. */
const MOST_PAGES = 100

/** Contact ways, customers and welcome messages (protocols wecom 6.1 to 6.3). */
export function customerCalls(api: Api, now: () => number): CustomerPort {
  const path = (name: string): string => `externalcontact/${name}`
  return {
    async followUsers(app) {
      const call = { api: path('get_follow_user_list'), effect: false }
      return fieldsOf(FollowUsers, call, await api.app(app, call)).follow_user
    },
    async addContactWay(app, { userIds, state, remark }) {
      if (!/^[A-Za-z0-9]{1,30}$/.test(state)) throw new RangeError('state takes up to 30 letters and digits')
      const type = userIds.length === 1 ? 1 : 2
      const body = JSON.stringify({ type, scene: 2, remark, skip_verify: true, state, user: userIds })
      const call = { api: path('add_contact_way'), body, effect: true }
      const { config_id: configId, qr_code: qrUrl } = fieldsOf(AddedWay, call, await api.app(app, call))
      return { configId, qrUrl }
    },
    async contactWays(app, cursor) {
      const end = Math.floor(now() / 1_000)
      // The window must not change between pages: the cursor carries the end of the one that was begun with.
      const [until, at] = cursor === null ? [end, ''] : splitCursor(cursor)
      const window = { start_time: until - LATELY_MS / 1_000, end_time: until, limit: WAYS_AT_ONCE }
      const body = JSON.stringify({ ...window, ...(at === '' ? {} : { cursor: at }) })
      const call = { api: path('list_contact_way'), body, effect: false }
      const { contact_way: ways, next_cursor: next } = fieldsOf(Ways, call, await api.app(app, call))
      const items = []
      for (const { config_id } of ways) {
        const state = await stateOf(api, app, config_id)
        if (state !== null) items.push({ configId: config_id, state })
      }
      return { items, next: next === null ? null : `${until}:${next}` }
    },
    async deleteContactWay(app, configId) {
      // Deleting twice leaves the same: silence is merely busy.
      const body = JSON.stringify({ config_id: configId })
      await api.app(app, { api: path('del_contact_way'), body, effect: false })
    },
    async customersOf(app, userid) {
      const call = { api: path('list'), query: { userid }, effect: false, expects: noRelation }
      return fieldsOf(Customers, call, await api.app(app, call)).external_userid
    },
    async customer(app, externalUserId) {
      const followers = []
      let cursor: string | null = null
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const query = { external_userid: externalUserId, ...(cursor === null ? {} : { cursor }) }
        const call = { api: path('get'), query, effect: false, expects: noRelation }
        const answer = await api.app(app, call)
        if (answer.errcode === NO_RELATION) return null
        const told: z.infer<typeof Customer> = fieldsOf(Customer, call, answer)
        for (const { userid, state, createtime } of told.follow_user)
          followers.push({ userid, state: state || null, addedAtMs: createtime * 1_000 })
        cursor = told.next_cursor
        if (cursor === null) break
      }
      return { externalUserId, followers }
    },
    async sendWelcome(app, welcomeCode, { text, link }) {
      const { title, desc, url, picUrl } = link
      const card = { title, desc, url, ...(picUrl === null ? {} : { picurl: picUrl }) }
      const body = JSON.stringify({
        welcome_code: welcomeCode,
        text: { content: text },
        attachments: [{ msgtype: 'link', link: card }],
      })
      await api.app(app, { api: path('send_welcome_msg'), body, effect: true })
    },
  }
}

/** The state of a contact way; null for one that was deleted since it was listed. */
async function stateOf(api: Api, app: WecomApp, config_id: string): Promise<string | null> {
  const call = { api: 'externalcontact/get_contact_way', body: JSON.stringify({ config_id }), effect: false }
  try {
    return fieldsOf(Way, call, await api.app(app, call)).contact_way.state ?? ''
  } catch (error) {
    if (error instanceof OutsideError && error.outcome === 'refused') return null
    throw error
  }
}

function splitCursor(cursor: string): [number, string] {
  const colon = cursor.indexOf(':')
  return [Number(cursor.slice(0, colon)), cursor.slice(colon + 1)]
}
