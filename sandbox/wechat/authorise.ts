import type { Context } from 'koa'
import Router from 'koa-router'
import { html, type Markup } from '../look/html.ts'
import { heading, queryText, show, type Place } from '../look/page.ts'
import { newCode, takeFault, type Code, type Person, type WechatApp, type WechatState } from './state.ts'

const COOKIE = 'sandbox_wechat_phone'

/** The authorise page (protocols wechat-consumer 2.1): silent for a phone that was chosen, unless it must ask for consent. */
export function authoriseRoutes(state: WechatState, place: Place): Router {
  const router = new Router()
  router.get('/connect/oauth2/authorize', (ctx) => authorise(state, place, ctx))
  return router
}

/** Makes this browser the phone of a person. */
export function choosePhone(ctx: Context, person: Person): void {
  ctx.cookies.set(COOKIE, person.id, { httpOnly: true, sameSite: 'lax', path: '/', overwrite: true })
}

/** Whose phone this browser is; null before one was chosen. */
export function phoneOf(state: WechatState, ctx: Context): Person | null {
  return state.persons.get(ctx.cookies.get(COOKIE) ?? '') ?? null
}

function authorise(state: WechatState, place: Place, ctx: Context): void {
  const app = state.apps.get(queryText(ctx, 'appid'))
  if (app?.kind !== 'service') return refuse(ctx, place, 40013, '没有这个公众号（appid）')
  const wrong = wrongQuery(ctx, app)
  if (wrong) return refuse(ctx, place, ...wrong)
  const chosen = state.persons.get(queryText(ctx, 'as'))
  if (chosen) choosePhone(ctx, chosen)
  const person = chosen ?? phoneOf(state, ctx)
  if (!person) return pickPage(ctx, place, state)
  const scope = queryText(ctx, 'scope') as Code['scope']
  const snapshot = state.snapshot
  const said = queryText(ctx, 'consent')
  if (said === 'no') return leave(state, ctx, null)
  if (said === 'yes') person.consents.add(app.appid)
  // On a snapshot page the question is passed over, and a code comes all the same.
  const asks = scope === 'snsapi_userinfo' && snapshot === 'off' && !person.consents.has(app.appid)
  if (asks) return consentPage(ctx, place, app, person)
  const { appid } = app
  leave(state, ctx, newCode(state, { kind: 'page', appid, personId: person.id, scope, snapshot }))
}

/** WeChat's own numbers of error pages: 10003 the host is not a registered one, 10013 none is named. */
function wrongQuery(ctx: Context, app: WechatApp): readonly [number, string] | null {
  const text = queryText(ctx, 'redirect_uri')
  if (text === '') return [10013, '缺少回调地址（redirect_uri）']
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || !app.domains.includes(url.host))
    return [10003, '回调地址的域名与后台配置不一致（redirect_uri）']
  if (queryText(ctx, 'response_type') !== 'code') return [40035, 'response_type 应为 code']
  if (!['snsapi_base', 'snsapi_userinfo'].includes(queryText(ctx, 'scope'))) return [10005, '没有这个 scope 的权限']
  if (!/^[A-Za-z0-9]{0,128}$/.test(queryText(ctx, 'state'))) return [40035, 'state 只能是字母和数字，至多 128 位']
  return null
}

/** Back to the page with a code; without one where the person refused. With the dial on, the page is asked for twice. */
function leave(state: WechatState, ctx: Context, code: string | null): void {
  const back = new URL(queryText(ctx, 'redirect_uri'))
  if (code !== null) back.searchParams.set('code', code)
  back.searchParams.set('state', queryText(ctx, 'state'))
  if (code === null || !takeFault(state, ['double_redirect'], null)) return ctx.redirect(back.href)
  ctx.type = 'text/html; charset=utf-8'
  ctx.set('cache-control', 'no-store')
  ctx.body = twice(back.href)
}

/** Asks for the address in the background, and goes there with the same code. */
const twice = (href: string): string =>
  html`<!doctype html>
    <meta charset="utf-8" />
    <title>沙箱：重复跳转</title>
    <a id="go" href="${href}">继续</a>
    <script>
      const { href } = document.querySelector('#go')
      fetch(href, { mode: 'no-cors', credentials: 'include' })
        .catch(() => null)
        .then(() => location.replace(href))
    </script>`.markup

function withChoice(ctx: Context, choice: Readonly<Record<string, string>>): string {
  const kept = Object.entries(ctx.query).filter(([, value]) => typeof value === 'string') as [string, string][]
  return `${ctx.path}?${new URLSearchParams({ ...Object.fromEntries(kept), ...choice }).toString()}`
}

function narrow(ctx: Context, place: Place, title: string, inner: Markup): void {
  show(ctx, place, { title, at: null }, html`<div class="stack" style="max-width:560px;margin:0 auto">${inner}</div>`)
}

/** `#wechat_redirect` never reaches a server: the page itself looks whether the address had it. */
function pickPage(ctx: Context, place: Place, state: WechatState): void {
  const rows = [...state.persons.values()].map(
    (person) =>
      html`<li>
        <a href="${withChoice(ctx, { as: person.id })}"
          ><span class="face out" aria-hidden="true">${person.name.slice(-1)}</span><span>${person.name}</span
          ><span></span
        ></a>
      </li>`,
  )
  const head = heading(
    '微信授权',
    '这是谁的微信？选一位，这台浏览器就是他的手机。',
    'Whose WeChat is this? Choose a person.',
  )
  narrow(
    ctx,
    place,
    '微信授权',
    html`${head}
      <section class="panel list">
        <ul class="people">
          ${rows}
        </ul>
      </section>
      <script>
        if (location.hash !== '#wechat_redirect')
          document.querySelector('main').innerHTML = '<h1>链接缺少 #wechat_redirect</h1><p>微信不会打开这样的链接。</p>'
      </script>`,
  )
}

function consentPage(ctx: Context, place: Place, app: WechatApp, person: Person): void {
  const head = heading(
    `${app.name} 申请`,
    `获取${person.name}的昵称、头像`,
    'The account asks for your name and picture.',
  )
  narrow(
    ctx,
    place,
    '微信授权',
    html`<section class="panel stack">
      ${head}
      <p class="acts">
        <a class="button main" href="${withChoice(ctx, { consent: 'yes' })}">允许</a
        ><a class="button" href="${withChoice(ctx, { consent: 'no' })}">拒绝</a>
      </p>
    </section>`,
  )
}

/** Says why WeChat would not go on. */
export function refuse(ctx: Context, place: Place, code: number, reason: string, status = 400): void {
  const head = heading('无法继续', reason, 'The sandbox refuses as WeChat would')
  show(
    ctx,
    place,
    { title: '无法继续', at: null },
    html`${head}
      <p class="soft">错误码 <code>${code}</code></p>`,
  )
  ctx.status = status
}
