import { randomBytes } from 'node:crypto'
import { fakeId } from '../wecom/state.ts'
import { appRoute, type Answer, type AppCall, type Route } from './gate.ts'
import { personOf } from './ids.ts'
import { tellAccount } from './push.ts'
import { permissionOf, type Person, type WechatApp, type WechatState } from './state.ts'

/** What a value may be, by the letters of its key (10). */
const fits: Readonly<Record<string, (value: string) => boolean>> = {
  thing: (value) => Array.from(value).length <= 20,
  character_string: (value) => /^[\x20-\x7e]{1,32}$/.test(value),
  phrase: (value) => /^\p{Script=Han}{1,5}$/u.test(value),
  name: (value) => Array.from(value).length <= 10,
  number: (value) => /^\d{1,32}(\.\d+)?$/.test(value),
  amount: (value) => /^[¥￥]?\d{1,10}(\.\d{1,2})?元?$/.test(value),
  date: (value) => /\d{4}年?/.test(value),
  time: (value) => /\d{1,2}:\d{2}|\d{4}年/.test(value),
}

/** Subscription messages of a service account (protocols wechat-consumer 10). */
export const messageRoutes: readonly Route[] = [appRoute('POST', '/cgi-bin/message/subscribe/bizsend', send)]

function send({ state, app, body }: AppCall): Answer {
  const text = (name: string) => (typeof body[name] === 'string' ? body[name] : '')
  const person = personOf(state, app, text('touser'))
  if (!person) return { errcode: 40003 }
  const template = app.templates.get(text('template_id'))
  if (!template) return { errcode: 40037 }
  const rows = rowsOf(template.keys, body['data'])
  if (typeof rows === 'string') return { errcode: 47003, detail: `argument invalid! data.${rows}.value invalid` }
  const permission = permissionOf(state, app.appid, person.id, text('template_id'))
  if (!person.messagesOn || permission.left < 1) return { errcode: 43101 }
  permission.left -= 1
  // Beyond the whole numbers of JavaScript, and written bare, as WeChat does.
  const msgid = `3${String(randomBytes(6).readUIntBE(0, 6)).padStart(18, '0')}`
  const seen = { templateId: text('template_id'), title: template.title, rows, page: text('page') || null }
  state.notices.push({
    ...seen,
    id: fakeId('NOTICE', 8),
    appid: app.appid,
    personId: person.id,
    atMs: state.now(),
    seenAtMs: null,
  })
  tellSent(state, app, person, seen.templateId, msgid)
  return { errcode: 0, msgid: BigInt(msgid) }
}

/** The values in the template's order, each with its label, or the key that does not fit. */
function rowsOf(
  keys: Readonly<Record<string, string>>,
  data: unknown,
): readonly (readonly [string, string])[] | string {
  const given = (typeof data === 'object' && data !== null ? data : {}) as Record<
    string,
    { value?: unknown } | undefined
  >
  const rows: (readonly [string, string])[] = []
  for (const [key, label] of Object.entries(keys)) {
    const value = given[key]?.value
    if (typeof value !== 'string' || value === '') return key
    if (fits[key.replace(/\d+$/, '')]?.(value) === false) return key
    rows.push([label, value])
  }
  return Object.keys(given).find((key) => !(key in keys)) ?? rows
}

function tellSent(state: WechatState, app: WechatApp, person: Person, TemplateId: string, MsgID: string): void {
  tellAccount(state, app, person, 'subscribe_msg_sent_event', {
    SubscribeMsgSentEvent: { List: { TemplateId, MsgID, ErrorCode: 0, ErrorStatus: 'success' } },
  })
}

/** What somebody answered in the popup of a page, template by template: each yes is one message more. */
export function answerPopup(
  state: WechatState,
  app: WechatApp,
  person: Person,
  answers: Readonly<Record<string, boolean>>,
  always: boolean,
): void {
  const list = Object.entries(answers).map(([TemplateId, accepted]) => {
    const permission = permissionOf(state, app.appid, person.id, TemplateId)
    if (accepted) permission.left += 1
    if (always) permission.always = accepted ? 'accept' : 'reject'
    return { TemplateId, SubscribeStatusString: accepted ? 'accept' : 'reject', PopupScene: 1 }
  })
  if (list.length > 0)
    tellAccount(state, app, person, 'subscribe_msg_popup_event', { SubscribeMsgPopupEvent: { List: list } })
}

/** Somebody takes a permission back in WeChat's own settings. */
export function withdraw(state: WechatState, app: WechatApp, person: Person, TemplateId: string): void {
  Object.assign(permissionOf(state, app.appid, person.id, TemplateId), { left: 0, always: 'reject' })
  tellAccount(state, app, person, 'subscribe_msg_change_event', {
    SubscribeMsgChangeEvent: { List: { TemplateId, SubscribeStatusString: 'reject' } },
  })
}
