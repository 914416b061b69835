import type { Context } from 'koa'
import Router from 'koa-router'
import { html } from '../look/html.ts'
import { heading, pageNumber, queryText, show, type Place } from '../look/page.ts'
import { peopleList } from './people-page.ts'
import { corpOf, fakeId, type Corp, type Member, type WecomState } from './state.ts'

const CODE_LIFE_MS = 5 * 60_000
const COOKIE = 'sandbox_wecom_as'
/** Above this many, codes that are long over are forgotten. */
const MOST_CODES = 10_000
/** What stands in place of a userid for somebody who is not a member. No userid may begin with a tilde. */
const OUTSIDER = '~outsider'

/** Both sign-in addresses; who is asked for is chosen on a page, or known from the phone that was opened. */
export function signInRoutes(state: WecomState, place: Place): Router {
  const router = new Router()
  router.get('/connect/oauth2/authorize', (ctx) => authorise(state, place, ctx, 'client'))
  router.get('/wwlogin/sso/login', (ctx) => authorise(state, place, ctx, 'desktop'))
  return router
}

function authorise(state: WecomState, place: Place, ctx: Context, where: 'client' | 'desktop'): void {
  const corp = corpOf(state, queryText(ctx, 'appid'))
  if (!corp) return refuse(ctx, place, 400, 40013, '企业不存在（appid）')
  const redirect = trusted(corp, queryText(ctx, 'redirect_uri'))
  if (!redirect) return refuse(ctx, place, 400, 50001, '回调地址不在可信域名内（redirect_uri）')
  const wrong = wrongQuery(corp, ctx, where)
  if (wrong) return refuse(ctx, place, 400, wrong.code, wrong.reason)
  const as = queryText(ctx, 'as') || (where === 'client' ? chosen(state, ctx, corp) : '')
  const member = corp.members.get(as.toLowerCase())
  if (!member && as !== OUTSIDER) return choice(corp, place, ctx, where)
  const code = fakeId('CODE', 24)
  const userid = member?.userid ?? null
  if (state.codes.size >= MOST_CODES) forgetOld(state)
  state.codes.set(code, { corpId: corp.corpId, userid, expiresAtMs: state.now() + CODE_LIFE_MS, used: false })
  redirect.searchParams.set('code', code)
  if (queryText(ctx, 'state') !== '') redirect.searchParams.set('state', queryText(ctx, 'state'))
  ctx.redirect(redirect.href)
}

function wrongQuery(corp: Corp, ctx: Context, where: 'client' | 'desktop') {
  if (!/^[A-Za-z0-9]{0,128}$/.test(queryText(ctx, 'state')))
    return { code: 40035, reason: 'state 只能是字母和数字，至多 128 位' }
  const agent = queryText(ctx, 'agentid')
  const agentWrong = agent !== String(corp.agentId)
  if (agentWrong && (where === 'desktop' || agent !== '')) return { code: 40056, reason: '应用不存在（agentid）' }
  if (where === 'desktop')
    return queryText(ctx, 'login_type') === 'CorpApp' ? null : { code: 40035, reason: 'login_type 应为 CorpApp' }
  if (queryText(ctx, 'response_type') !== 'code') return { code: 40035, reason: 'response_type 应为 code' }
  if (!['snsapi_base', 'snsapi_privateinfo'].includes(queryText(ctx, 'scope')))
    return { code: 40035, reason: 'scope 不正确' }
  return null
}

/** The redirect address when its host, port included, is one of the app's trusted domains. */
function trusted(corp: Corp, text: string): URL | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  return /^https?:$/.test(url.protocol) && corp.trustedDomains.includes(url.host) ? url : null
}

function chosen(state: WecomState, ctx: Context, corp: Corp): string {
  const [corpId, userid] = (ctx.cookies.get(COOKIE) ?? '').split('/')
  if (corpId?.toLowerCase() === corp.corpId.toLowerCase() && userid) return userid
  return state.actingAs.get(corp.corpId.toLowerCase()) ?? ''
}

function choice(corp: Corp, place: Place, ctx: Context, where: 'client' | 'desktop'): void {
  const query = Object.entries(ctx.query).filter(
    ([name, value]) => !['q', 'as', 'page'].includes(name) && typeof value === 'string',
  )
  const hidden = Object.fromEntries(query) as Record<string, string>
  const hrefOf = (as: string) => `${ctx.path}?${new URLSearchParams({ ...hidden, as }).toString()}`
  const head =
    where === 'desktop'
      ? heading(
          '企业微信扫码登录',
          '以谁的企业微信扫码？',
          'Whose WeCom scans the code? Choose a person to sign in as.',
        )
      : heading(
          '企业微信授权',
          '这台手机还没有登录，以谁的身份打开？',
          'Nobody is signed in on this phone. Choose a person.',
        )
  const list = peopleList(corp, {
    action: ctx.path,
    search: queryText(ctx, 'q'),
    unreadOnly: false,
    page: pageNumber(ctx),
    hidden,
    hrefOf,
    outsiderHref: hrefOf(OUTSIDER),
    unread: false,
  })
  const frame = { title: where === 'desktop' ? '企业微信扫码登录' : '企业微信授权', at: null } as const
  show(
    ctx,
    place,
    frame,
    html`<div class="stack" style="max-width:560px;margin:0 auto">
      ${head}
      <section class="panel list">${list}</section>
    </div>`,
  )
}

/** Makes this browser the phone of a member: the authorise page takes it from then on without asking. */
export function signInPhone(ctx: Context, corp: Corp, member: Member): void {
  const who = `${corp.corpId}/${member.userid}`
  ctx.cookies.set(COOKIE, who, { httpOnly: true, sameSite: 'lax', path: '/', overwrite: true })
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
