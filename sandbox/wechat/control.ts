import Router from 'koa-router'
import { z } from 'zod'
import { changeRoute, showValue } from '../wecom/ctl.ts'
import { judgePage, pageConfig } from './judge-page.ts'
import { openidOf, unionidOf } from './ids.ts'
import { answerPopup, withdraw } from './message-api.ts'
import { saveCallback } from './push.ts'
import { sendLink } from './send-link.ts'
import {
  faultKinds,
  newCode,
  newPerson,
  permissionOf,
  snapshotModes,
  type Person,
  type WechatApp,
  type WechatState,
} from './state.ts'

const text = z.string().min(1).max(400)
const callback = z.object({ token: z.string(), encodingAesKey: z.string().length(43) })
const template = z.object({ id: text, title: text, keys: z.record(z.string(), text) })
/** A service account or a mini program; what is left out stays as it is. */
export const appForm = z.object({
  appid: text,
  kind: z.enum(['service', 'mini_program']).optional(),
  name: text.optional(),
  secret: text.optional(),
  openPlatformId: text.nullable().optional(),
  domains: z.array(text).optional(),
  homeUrl: z.url().nullable().optional(),
  trustedIps: z.array(text).nullable().optional(),
  frozen: z.boolean().optional(),
  callback: callback.nullable().optional(),
  templates: z.array(template).optional(),
})
const personForm = z.object({
  id: z.string().regex(/^[a-z0-9_]{1,40}$/),
  name: text.optional(),
  blocked: z.boolean().optional(),
  messagesOn: z.boolean().optional(),
})
/** A fault of the dials page or of a control call. */
export const faultForm = z.object({
  kind: z.enum(faultKinds),
  path: z.string().nullable().default(null),
  times: z.coerce.number().int().min(1).max(100_000).default(1),
  delayMs: z.coerce.number().int().min(0).max(600_000).default(3_000),
  copies: z.coerce.number().int().min(1).max(100).default(2),
  errcode: z.coerce.number().int().default(-1),
})
export const clockForm = z.object({ advanceMs: z.coerce.number() })
export const snapshotForm = z.object({ mode: z.enum(snapshotModes) })
const codeForm = z.object({
  appid: text,
  personId: text,
  scope: z.enum(['snsapi_base', 'snsapi_userinfo']).default('snsapi_base'),
  snapshot: z.enum(snapshotModes).default('off'),
})
const subscribeForm = z.object({
  appid: text,
  personId: text,
  templateId: text,
  act: z.enum(['accept', 'reject', 'always', 'drop']),
})
const linkForm = z.object({
  from: text,
  to: text,
  link: text,
  title: z.string(),
  desc: z.string().default(''),
  imgUrl: z.string().default(''),
})

/** Puts an app in, or changes it. */
export function putApp(state: WechatState, input: z.input<typeof appForm>): WechatApp {
  const { appid, kind, callback: keys, templates, ...change } = appForm.parse(input)
  const before = state.apps.get(appid)
  const app: WechatApp = before ?? {
    appid,
    kind: kind ?? 'service',
    name: '福利卡商城',
    secret: '',
    openPlatformId: null,
    domains: [],
    homeUrl: null,
    trustedIps: null,
    frozen: false,
    callback: null,
    templates: new Map(),
    families: { plain: { value: null, forcedAtMs: [] }, stable: { value: null, forcedAtMs: [] } },
    day: { number: 0, tokens: 0 },
    ticket: null,
  }
  Object.assign(app, Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)))
  if (keys !== undefined) app.callback = keys && { ...keys, url: before?.callback?.url ?? null }
  for (const { id, ...more } of templates ?? []) app.templates.set(id, more)
  state.apps.set(appid, app)
  return app
}

/** Puts a fault on. */
export function addFault(state: WechatState, input: unknown): void {
  const { times, ...fault } = faultForm.parse(input)
  state.faults.push({ ...fault, left: times })
}

/** Ends every token and ticket before its time. */
export function killTokens(state: WechatState): void {
  for (const token of state.tokens.values()) token.killed = true
  for (const app of state.apps.values()) app.ticket = null
}

const appOf = (state: WechatState, appid: string): WechatApp => {
  const app = state.apps.get(appid)
  if (!app) throw new RangeError('no such app')
  return app
}
const personOf = (state: WechatState, id: string): Person => {
  const person = state.persons.get(id)
  if (!person) throw new RangeError('no such person')
  return person
}

/** What tests and scripts turn (protocols wechat-consumer 15.3). It is no part of WeChat. */
export function controlRoutes(state: WechatState): Router {
  const router = new Router({ prefix: '/__ctl' })
  const change = (path: string, run: (body: never) => unknown) => changeRoute(router, path, run)
  change('/clock', async (body) => {
    await state.clock.advance(clockForm.parse(body).advanceMs)
    return { nowMs: state.now() }
  })
  change('/apps', (body) => void putApp(state, body))
  change('/persons', (body) => {
    const { id, name, ...more } = personForm.parse(body)
    const person = state.persons.get(id) ?? newPerson(id, name ?? id)
    state.persons.set(id, Object.assign(person, more))
  })
  change('/callback', async (body) => {
    const { appid, url } = z.object({ appid: text, url: z.url() }).parse(body)
    const refusal = await saveCallback(state, appOf(state, appid), url)
    if (refusal !== null) throw new RangeError(refusal)
  })
  change('/snapshot', (body) => void (state.snapshot = snapshotForm.parse(body).mode))
  change('/subscribe', (body) => subscribe(state, subscribeForm.parse(body)))
  change('/share', (body) => {
    const { from, to, ...link } = linkForm.parse(body)
    const message = sendLink(state, from, to, link)
    if (message === null) throw new RangeError('nobody there, or no address of the web')
    return { id: message.id }
  })
  change('/code', (body) => {
    const { appid, personId, ...more } = codeForm.parse(body)
    const kind = appOf(state, appid).kind === 'service' ? 'page' : 'mini_program'
    return { code: newCode(state, { ...more, kind, appid, personId: personOf(state, personId).id }) }
  })
  change('/jsapi/verify', (body) => judgePage(state, pageConfig.parse(body)) ?? { errMsg: 'config:ok' })
  change('/kill-tokens', () => killTokens(state))
  change('/faults', (body) => addFault(state, body))
  router.delete('/faults', (ctx) => {
    state.faults = []
    ctx.body = { ok: true }
  })
  readings(router, state)
  return router
}

function subscribe(state: WechatState, { appid, personId, templateId, act }: z.output<typeof subscribeForm>): object {
  const [app, person] = [appOf(state, appid), personOf(state, personId)]
  if (act === 'drop') withdraw(state, app, person, templateId)
  else answerPopup(state, app, person, { [templateId]: act !== 'reject' }, act === 'always')
  return { left: permissionOf(state, appid, personId, templateId).left }
}

function readings(router: Router, state: WechatState): void {
  router.get('/faults', (ctx) => showValue(ctx, { faults: state.faults }))
  router.get('/share', (ctx) => showValue(ctx, { presets: [...state.presets.values()] }))
  router.get('/persons/:id', (ctx) => {
    const person = state.persons.get(ctx.params['id'] ?? '')
    if (!person) return showValue(ctx, null)
    const apps = [...state.apps.values()]
    return showValue(ctx, {
      name: person.name,
      openids: Object.fromEntries(apps.map((app) => [app.appid, openidOf(app, person)])),
      unionid: apps.map((app) => unionidOf(app, person)).find((one) => one !== null) ?? null,
      chats: state.chats.filter((one) => one.from === person.id || one.to === person.id),
      notices: state.notices.filter((one) => one.personId === person.id),
    })
  })
  router.get('/pushes', (ctx) => showValue(ctx, { pushes: state.pushes }))
  router.get('/log', (ctx) => showValue(ctx, { calls: state.calls }))
}
