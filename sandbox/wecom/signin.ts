import type { Context } from 'koa'
import Router from 'koa-router'
import { chatPage, membersPage, refusalPage } from './pages.ts'
import { corpOf, fakeId, type Corp, type WecomState } from './state.ts'

const CODE_LIFE_MS = 5 * 60_000
const COOKIE = 'sandbox_wecom_as'
/** What stands in place of a userid for somebody who is not a member. No userid may begin with a tilde. */
const OUTSIDER = '~outsider'

/** The pages that people see: both sign-in addresses and the phone. */
export function signInRoutes(state: WecomState): Router {
  const router = new Router()
  router.get('/connect/oauth2/authorize', (ctx) => authorise(state, ctx, 'client'))
  router.get('/wwlogin/sso/login', (ctx) => authorise(state, ctx, 'desktop'))
  router.get('/phone', (ctx) => {
    const [first] = state.corps.values()
    if (first) ctx.redirect(`/phone/${encodeURIComponent(first.corpId)}`)
    else refuse(ctx, 404, 40013, '沙箱里还没有企业')
  })
  router.get('/phone/:corpId', (ctx) => {
    const corp = corpOf(state, ctx.params['corpId'] ?? '')
    if (!corp) return refuse(ctx, 404, 40013, '没有这个企业')
    const base = `/phone/${encodeURIComponent(corp.corpId)}/`
    const hrefOf = (userid: string) => base + encodeURIComponent(userid)
    html(
      ctx,
      membersPage(corp, {
        title: '选择员工',
        lead: '打开谁的企业微信？',
        search: queryOf(ctx, 'q'),
        hidden: {},
        hrefOf,
      }),
    )
  })
  router.get('/phone/:corpId/:userid', (ctx) => {
    const corp = corpOf(state, ctx.params['corpId'] ?? '')
    const member = corp?.members.get((ctx.params['userid'] ?? '').toLowerCase())
    if (!corp || !member) return refuse(ctx, 404, 60111, '没有这个员工')
    html(ctx, chatPage(corp, member, corp.inbox.get(member.userid.toLowerCase()) ?? []))
  })
  router.get('/phone/:corpId/:userid/open', (ctx) => {
    const corp = corpOf(state, ctx.params['corpId'] ?? '')
    const member = corp?.members.get((ctx.params['userid'] ?? '').toLowerCase())
    if (!corp || !member) return refuse(ctx, 404, 60111, '没有这个员工')
    const chat = corp.inbox.get(member.userid.toLowerCase()) ?? []
    const received = chat.find((each) => each.message.id === queryOf(ctx, 'message'))
    if (!received?.message.url) return refuse(ctx, 404, 40035, '没有这条消息，或它没有链接')
    received.openedAtMs ??= state.now()
    const who = `${corp.corpId}/${member.userid}`
    ctx.cookies.set(COOKIE, who, { httpOnly: true, sameSite: 'lax', path: '/', overwrite: true })
    ctx.redirect(received.message.url)
  })
  return router
}

function authorise(state: WecomState, ctx: Context, where: 'client' | 'desktop'): void {
  const corp = corpOf(state, queryOf(ctx, 'appid'))
  if (!corp) return refuse(ctx, 400, 40013, '企业不存在（appid）')
  const redirect = trusted(corp, queryOf(ctx, 'redirect_uri'))
  if (!redirect) return refuse(ctx, 400, 50001, '回调地址不在可信域名内（redirect_uri）')
  const wrong = wrongQuery(corp, ctx, where)
  if (wrong) return refuse(ctx, 400, wrong.code, wrong.reason)
  const as = queryOf(ctx, 'as') || (where === 'client' ? chosen(state, ctx, corp) : '')
  const member = corp.members.get(as.toLowerCase())
  if (!member && as !== OUTSIDER) return html(ctx, choice(corp, ctx, where))
  const code = fakeId('CODE', 24)
  const userid = member?.userid ?? null
  state.codes.set(code, { corpId: corp.corpId, userid, expiresAtMs: state.now() + CODE_LIFE_MS, used: false })
  redirect.searchParams.set('code', code)
  if (queryOf(ctx, 'state') !== '') redirect.searchParams.set('state', queryOf(ctx, 'state'))
  ctx.redirect(redirect.href)
}

function wrongQuery(corp: Corp, ctx: Context, where: 'client' | 'desktop') {
  if (!/^[A-Za-z0-9]{0,128}$/.test(queryOf(ctx, 'state')))
    return { code: 40035, reason: 'state 只能是字母和数字，至多 128 位' }
  const agent = queryOf(ctx, 'agentid')
  const agentWrong = agent !== String(corp.agentId)
  if (agentWrong && (where === 'desktop' || agent !== '')) return { code: 40056, reason: '应用不存在（agentid）' }
  if (where === 'desktop')
    return queryOf(ctx, 'login_type') === 'CorpApp' ? null : { code: 40035, reason: 'login_type 应为 CorpApp' }
  if (queryOf(ctx, 'response_type') !== 'code') return { code: 40035, reason: 'response_type 应为 code' }
  if (!['snsapi_base', 'snsapi_privateinfo'].includes(queryOf(ctx, 'scope')))
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

function choice(corp: Corp, ctx: Context, where: 'client' | 'desktop'): string {
  const query = Object.entries(ctx.query).filter(
    ([name, value]) => !['q', 'as'].includes(name) && typeof value === 'string',
  )
  const hidden = Object.fromEntries(query) as Record<string, string>
  const hrefOf = (as: string) => `${ctx.path}?${new URLSearchParams({ ...hidden, as }).toString()}`
  return membersPage(corp, {
    title: where === 'desktop' ? '企业微信扫码登录' : '企业微信授权',
    lead: where === 'desktop' ? '以谁的企业微信扫码？' : '这台手机还没有登录，以谁的身份打开？',
    search: queryOf(ctx, 'q'),
    hidden,
    hrefOf,
    outsiderHref: hrefOf(OUTSIDER),
  })
}

function queryOf(ctx: Context, name: string): string {
  const value = ctx.query[name]
  return typeof value === 'string' ? value : ''
}

function html(ctx: Context, text: string): void {
  ctx.type = 'text/html; charset=utf-8'
  ctx.set('cache-control', 'no-store')
  ctx.body = text
}

function refuse(ctx: Context, status: number, code: number, reason: string): void {
  html(ctx, refusalPage(code, reason))
  ctx.status = status
}
