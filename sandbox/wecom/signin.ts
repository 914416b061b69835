import type { Context } from 'koa'
import Router from 'koa-router'
import { heading, queryText, show, type Place } from '../look/page.ts'
import { html } from '../look/html.ts'
import { PERSON, STRANGER, type Where } from './identity-state.ts'
import { corpIdFor } from './ids.ts'
import { licensed, sees } from './members.ts'
import { choosePage, consentPage, corpsPage } from './signin-pages.ts'
import { fakeId, type App, type Corp, type Member, type WecomState } from './state.ts'
import { installedApp, suiteOf } from './suites.ts'
import type { Suite } from './suite-state.ts'

const CODE_LIFE_MS = 5 * 60_000
const COOKIE = 'sandbox_wecom_as'
const PERSON_COOKIE = 'sandbox_wechat_as'
/** Above this many, codes that are long over are forgotten. */
const MOST_CODES = 10_000

/** Both sign-in addresses; who is asked for is chosen on a page, or known from the phone that was opened. */
export function signInRoutes(state: WecomState, place: Place): Router {
  const router = new Router()
  router.get('/connect/oauth2/authorize', (ctx) => authorise(state, place, ctx, 'client'))
  router.get('/wwlogin/sso/login', (ctx) => authorise(state, place, ctx, 'desktop'))
  return router
}

/** What a sign-in address asks for: an app of one company, or a suite that several have. */
interface Asked {
  readonly suite: Suite | null
  readonly choices: readonly { readonly corp: Corp; readonly app: App }[]
}

function askedFor(state: WecomState, ctx: Context): Asked | null {
  const appId = queryText(ctx, 'appid')
  const suite = suiteOf(state, appId)
  if (suite?.kind === 'third_party') {
    const choices = [...state.corps.values()].flatMap((corp) => {
      const app = installedApp(suite, corp)
      return app ? [{ corp, app }] : []
    })
    return { suite, choices }
  }
  const agentId = queryText(ctx, 'agentid')
  for (const corp of state.corps.values()) {
    const own = [...corp.apps.values()].filter((app) => app.kind !== 'third_party' && isOf(app, corp, appId))
    const app = own.find((one) => String(one.agentId) === agentId) ?? own[0]
    if (app) return { suite: null, choices: [{ corp, app }] }
  }
  return null
}

/** Plain ids are taken without regard to case, ciphers only exactly. */
function isOf(app: App, corp: Corp, appId: string): boolean {
  return app.providerId === null
    ? corp.corpId.toLowerCase() === appId.toLowerCase()
    : corpIdFor(app, corp.corpId) === appId
}

function authorise(state: WecomState, place: Place, ctx: Context, where: Where): void {
  const asked = askedFor(state, ctx)
  if (!asked) return refuse(ctx, place, 400, 40013, '企业不存在（appid）')
  const chosenOne = chooseCorp(state, ctx, asked)
  const domains = asked.suite?.trustedDomains ?? chosenOne?.app.trustedDomains ?? []
  const redirect = trusted(domains, queryText(ctx, 'redirect_uri'))
  if (!redirect) return refuse(ctx, place, 400, 50001, '回调地址不在可信域名内（redirect_uri）')
  const wrong = wrongQuery(asked, chosenOne?.app, ctx, where)
  if (wrong) return refuse(ctx, place, 400, wrong.code, wrong.reason)
  if (!chosenOne)
    return corpsPage(
      place,
      ctx,
      asked.choices.map((one) => one.corp),
    )
  const { corp, app } = chosenOne
  const as = queryText(ctx, 'as') || (where === 'client' ? knownPerson(state, ctx, corp) : '')
  const member = corp.members.get(as.toLowerCase())
  if (!member) return forOutsider(state, place, ctx, where, { corp, app, suite: asked.suite, redirect, as })
  if (app.providerId !== null && !licensed(app, member, state.now()))
    return refuse(ctx, place, 403, 701008, '该应用的接口许可未激活，请联系应用的服务商')
  const asking = queryText(ctx, 'scope') === 'snsapi_privateinfo' && queryText(ctx, 'agentid') !== ''
  const visible = sees(corp, app, member)
  if (asking && !visible) return refuse(ctx, place, 403, 60021, '您不在该应用的可见范围内')
  const consent = asking ? consentOf(state, ctx, corp, app, member) : false
  if (consent === null) return consentPage(place, ctx, corp, app, member)
  return goBack(state, ctx, redirect, {
    corpId: corp.corpId,
    agentId: app.agentId,
    suiteId: asked.suite?.suiteId ?? null,
    userid: member.userid,
    personId: null,
    ticket: asking && visible,
    consent,
  })
}

interface Outsider {
  readonly corp: Corp
  readonly app: App
  readonly suite: Suite | null
  readonly redirect: URL
  readonly as: string
}

function forOutsider(state: WecomState, place: Place, ctx: Context, where: Where, asked: Outsider): void {
  const { corp, app, suite, redirect, as } = asked
  const personId = as.startsWith(PERSON) ? as.slice(PERSON.length) : null
  const known = as === STRANGER || (personId !== null && state.outer.customers.people.has(personId))
  if (!known) return choosePage(state, place, ctx, corp, where)
  const suiteId = suite?.suiteId ?? null
  return goBack(state, ctx, redirect, {
    corpId: corp.corpId,
    agentId: app.agentId,
    suiteId,
    userid: null,
    personId,
    ticket: false,
    consent: false,
  })
}

type NewCode = Omit<Parameters<WecomState['codes']['set']>[1], 'expiresAtMs' | 'used'>

function goBack(state: WecomState, ctx: Context, redirect: URL, made: NewCode): void {
  if (state.codes.size >= MOST_CODES) forgetOld(state)
  const code = fakeId('CODE', 24)
  state.codes.set(code, { ...made, expiresAtMs: state.now() + CODE_LIFE_MS, used: false })
  redirect.searchParams.set('code', code)
  if (queryText(ctx, 'state') !== '') redirect.searchParams.set('state', queryText(ctx, 'state'))
  ctx.redirect(redirect.href)
}

/** The company: the only one, the one that was picked, or that of the phone in which the page was opened. */
function chooseCorp(state: WecomState, ctx: Context, asked: Asked): Asked['choices'][number] | undefined {
  if (asked.choices.length === 1) return asked.choices[0]
  const [cookie] = (ctx.cookies.get(COOKIE) ?? '').split('/')
  const wanted = [queryText(ctx, 'corp'), cookie ?? '', ...state.actingAs.keys()].map((one) => one.toLowerCase())
  for (const id of wanted) {
    const found = asked.choices.find((one) => id !== '' && one.corp.corpId.toLowerCase() === id)
    if (found) return found
  }
  return undefined
}

function wrongQuery(asked: Asked, app: App | undefined, ctx: Context, where: Where) {
  if (!/^[A-Za-z0-9]{0,128}$/.test(queryText(ctx, 'state')))
    return { code: 40035, reason: 'state 只能是字母和数字，至多 128 位' }
  const type = asked.suite ? 'ServiceApp' : 'CorpApp'
  if (where === 'desktop' && queryText(ctx, 'login_type') !== type)
    return { code: 40035, reason: `login_type 应为 ${type}` }
  const agent = queryText(ctx, 'agentid')
  const needed = where === 'desktop' && !asked.suite
  const agentWrong = app !== undefined && agent !== String(app.agentId)
  if (agentWrong && (needed || agent !== '')) return { code: 40056, reason: '应用不存在（agentid）' }
  if (where === 'desktop') return null
  if (queryText(ctx, 'response_type') !== 'code') return { code: 40035, reason: 'response_type 应为 code' }
  if (!['snsapi_base', 'snsapi_privateinfo'].includes(queryText(ctx, 'scope')))
    return { code: 40035, reason: 'scope 不正确' }
  return null
}

/** The redirect address when its host, port included, is one of the trusted domains. */
function trusted(domains: readonly string[], text: string): URL | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  return /^https?:$/.test(url.protocol) && domains.includes(url.host) ? url : null
}

/** Whose phone this browser is: a member's of this company, somebody's outside, or whom the control surface named. */
function knownPerson(state: WecomState, ctx: Context, corp: Corp): string {
  const [corpId, userid] = (ctx.cookies.get(COOKIE) ?? '').split('/')
  if (corpId?.toLowerCase() === corp.corpId.toLowerCase() && userid) return userid
  const personId = ctx.cookies.get(PERSON_COOKIE)
  if (personId && state.outer.customers.people.has(personId)) return PERSON + personId
  return state.actingAs.get(corp.corpId.toLowerCase()) ?? ''
}

/** What the member said, now or before; whoever the control surface named agrees. null: they must be asked. */
function consentOf(state: WecomState, ctx: Context, corp: Corp, app: App, member: Member): boolean | null {
  const { consents } = state.outer.identity
  const key = `${corp.corpId} ${app.agentId} ${member.userid}`.toLowerCase()
  const said = queryText(ctx, 'consent')
  if (said === '1' || said === '0') consents.set(key, said === '1')
  const acting = state.actingAs.get(corp.corpId.toLowerCase())?.toLowerCase() === member.userid.toLowerCase()
  return consents.get(key) ?? (acting ? true : null)
}

/** Makes this browser the phone of a member: the authorise page takes it from then on without asking. */
export function signInPhone(ctx: Context, corp: Corp, member: Member): void {
  const who = `${corp.corpId}/${member.userid}`
  ctx.cookies.set(COOKIE, who, { httpOnly: true, sameSite: 'lax', path: '/', overwrite: true })
  ctx.cookies.set(PERSON_COOKIE, null, { path: '/', overwrite: true })
}

/** Makes this browser the phone of a person outside, with WeChat and no account in any company. */
export function signInOutside(ctx: Context, personId: string): void {
  ctx.cookies.set(PERSON_COOKIE, personId, { httpOnly: true, sameSite: 'lax', path: '/', overwrite: true })
  ctx.cookies.set(COOKIE, null, { path: '/', overwrite: true })
}

function forgetOld(state: WecomState): void {
  const old = state.now() - 3_600_000
  for (const [value, code] of state.codes) if (code.expiresAtMs < old) state.codes.delete(value)
}

/** Says why WeCom would not go on. */
export function refuse(ctx: Context, place: Place, status: number, code: number, reason: string): void {
  const english = 'The sandbox refuses as WeCom would'
  show(
    ctx,
    place,
    { title: '无法继续', at: null },
    html`${heading('无法继续', reason, english)}
      <p class="soft">错误码 <code>${code}</code></p>`,
  )
  ctx.status = status
}
