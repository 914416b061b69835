import { z } from 'zod'
import type { WecomMassSendResult, WecomPort } from '../ports.ts'
import { cursorForm, fieldsOf, listOf, type Api } from './call.ts'

type MassSendPort = Pick<
  WecomPort,
  'createMassSend' | 'massSends' | 'massSendTasks' | 'massSendResults' | 'remindMassSend' | 'cancelMassSend'
>

const Created = z.object({ msgid: z.string().min(1), fail_list: listOf(z.string()) })
const List = z.object({
  group_msg_list: listOf(
    z.object({
      msgid: z.string(),
      create_time: z.coerce.number(),
      text: z.object({ content: z.string().nullish() }).nullish(),
    }),
  ),
  next_cursor: cursorForm,
})
const Tasks = z.object({
  task_list: listOf(z.object({ userid: z.string(), status: z.int() })),
  next_cursor: cursorForm,
})
const Results = z.object({
  send_list: listOf(z.object({ external_userid: z.string().nullish(), status: z.int() })),
  next_cursor: cursorForm,
})

/** The most of a page: 100 tasks made, 1,000 people. */
const MOST_SENDS = 100
const MOST_PEOPLE = 1_000
const CONFIRMED = 2
const states: Readonly<Record<number, WecomMassSendResult['state']>> = {
  0: 'unsent',
  1: 'sent',
  2: 'not_friend',
  3: 'over_quota',
}

/** Tasks that members must confirm before anything reaches a customer, and what became of them (protocols wecom 6.4). */
export function massSendCalls(api: Api): MassSendPort {
  const path = (name: string): string => `externalcontact/${name}`
  const at = (cursor: string | null) => (cursor === null ? {} : { cursor })
  return {
    async createMassSend(app, body) {
      const call = { api: path('add_msg_template'), body, effect: true }
      const { msgid: messageId, fail_list: failed } = fieldsOf(Created, call, await api.app(app, call))
      return { messageId, failed }
    },
    async massSends(app, { fromMs, toMs }, cursor) {
      const window = { start_time: Math.floor(fromMs / 1_000), end_time: Math.ceil(toMs / 1_000) }
      const body = JSON.stringify({ chat_type: 'single', ...window, limit: MOST_SENDS, ...at(cursor) })
      const call = { api: path('get_groupmsg_list_v2'), body, effect: false }
      const { group_msg_list: list, next_cursor: next } = fieldsOf(List, call, await api.app(app, call))
      const items = list.map(({ msgid: messageId, text, create_time: seconds }) => {
        return { messageId, text: text?.content ?? '', atMs: seconds * 1_000 }
      })
      return { items, next }
    },
    async massSendTasks(app, messageId, cursor) {
      const body = JSON.stringify({ msgid: messageId, limit: MOST_PEOPLE, ...at(cursor) })
      const call = { api: path('get_groupmsg_task'), body, effect: false }
      const { task_list: list, next_cursor: next } = fieldsOf(Tasks, call, await api.app(app, call))
      return { items: list.map(({ userid, status }) => ({ userid, sent: status === CONFIRMED })), next }
    },
    async massSendResults(app, messageId, userid, cursor) {
      const body = JSON.stringify({ msgid: messageId, userid, limit: MOST_PEOPLE, ...at(cursor) })
      const call = { api: path('get_groupmsg_send_result'), body, effect: false }
      const { send_list: list, next_cursor: next } = fieldsOf(Results, call, await api.app(app, call))
      const items = list.flatMap(({ external_userid: externalUserId, status }) =>
        externalUserId ? [{ externalUserId, state: states[status] ?? 'unsent' }] : [],
      )
      return { items, next }
    },
    async remindMassSend(app, messageId) {
      const body = JSON.stringify({ msgid: messageId })
      await api.app(app, { api: path('remind_groupmsg_send'), body, effect: true })
    },
    async cancelMassSend(app, messageId) {
      const body = JSON.stringify({ msgid: messageId })
      await api.app(app, { api: path('cancel_groupmsg_send'), body, effect: false })
    },
  }
}
