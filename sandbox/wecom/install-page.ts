import type { Context } from 'koa'
import Router from 'koa-router'
import { html } from '../look/html.ts'
import { heading, queryText, show, type Place } from '../look/page.ts'
import { readBody } from './body.ts'
import { refuse } from './signin.ts'
import { corpOf, type Corp, type VisibleRange, type WecomState } from './state.ts'
import { firstMember } from './suite-control.ts'
import type { Suite } from './suite-state.ts'
import { AUTH_CODE_LIFE_S, install, installedApp, suiteOf } from './suites.ts'

const MOST_FORM = 64 * 1024

interface Asked {
  readonly suite: Suite
  readonly preAuthCode: string
  readonly redirect: URL
  readonly state: string
}

/** Where an administrator authorises a suite from the provider's own site (8.2): no create_auth follows. */
export function installRoutes(state: WecomState, place: Place): Router {
  const router = new Router()
  router.get('/3rdapp/install', (ctx) => {
    const asked = askedFor(state, ctx)
    if ('code' in asked) return refuse(ctx, place, 400, asked.code, asked.reason)
    return installPage(state, place, ctx, asked, null)
  })
  router.post('/3rdapp/install', async (ctx) => {
    const asked = askedFor(state, ctx)
    if ('code' in asked) return refuse(ctx, place, 400, asked.code, asked.reason)
    const form = new URLSearchParams((await readBody(ctx, MOST_FORM)).toString('utf8'))
    const corp = corpOf(state, form.get('corpId') ?? '')
    if (!corp) return installPage(state, place, ctx, asked, '请选择企业。')
    const visible = rangeAsked(corp, form)
    if ('wrong' in visible) return installPage(state, place, ctx, asked, visible.wrong)
    const consent = { adminUserId: firstMember(corp), visible: visible.range, state: asked.state }
    const code = install(state, asked.suite, corp, 'site', consent)
    asked.suite.preAuthCodes.delete(asked.preAuthCode)
    asked.redirect.searchParams.set('auth_code', code)
    asked.redirect.searchParams.set('expires_in', String(AUTH_CODE_LIFE_S))
    if (asked.state !== '') asked.redirect.searchParams.set('state', asked.state)
    ctx.status = 303
    return ctx.redirect(asked.redirect.href)
  })
  return router
}

function askedFor(state: WecomState, ctx: Context): Asked | { readonly code: number; readonly reason: string } {
  const suite = suiteOf(state, queryText(ctx, 'suite_id'))
  if (!suite) return { code: 40013, reason: '应用不存在（suite_id）' }
  const preAuthCode = queryText(ctx, 'pre_auth_code')
  const known = suite.preAuthCodes.get(preAuthCode)
  if (!known) return { code: 40077, reason: '预授权码不存在或已使用（pre_auth_code）' }
  if (state.now() >= known.untilMs) return { code: 42007, reason: '预授权码已过期，请从服务商的网站重新开始' }
  const given = queryText(ctx, 'state')
  if (!/^[A-Za-z0-9]{0,128}$/.test(given)) return { code: 40035, reason: 'state 只能是字母和数字，至多 128 位' }
  const text = queryText(ctx, 'redirect_uri')
  const redirect = URL.canParse(text) ? new URL(text) : null
  const trusted = redirect && /^https?:$/.test(redirect.protocol) && suite.trustedDomains.includes(redirect.host)
  if (!redirect || !trusted) return { code: 50001, reason: '回调地址不在应用的可信域名内（redirect_uri）' }
  return { suite, preAuthCode, redirect, state: given }
}

/** The range that was filled in, or what is wrong with it. */
function rangeAsked(corp: Corp, form: URLSearchParams): { readonly range: VisibleRange } | { readonly wrong: string } {
  if (form.get('range') !== 'some') return { range: 'all' }
  const departments = (form.get('departments') ?? '').split(/[\s,，、]+/).filter(Boolean)
  const userIds = (form.get('userIds') ?? '').split(/[\s,，、]+/).filter(Boolean)
  const ids = departments.map(Number)
  const strange = departments.find((_, index) => !corp.departments.has(ids[index] ?? 0))
  if (strange !== undefined) return { wrong: `没有编号为 ${strange} 的部门。` }
  const nobody = userIds.find((id) => !corp.members.has(id.toLowerCase()))
  if (nobody !== undefined) return { wrong: `没有账号为 ${nobody} 的成员。` }
  if (ids.length + userIds.length === 0) return { wrong: '请填写至少一个部门或成员。' }
  const keys = new Set(userIds.map((id) => id.toLowerCase()))
  return { range: { departments: new Set(ids), userIds: keys, tags: new Set() } }
}

function installPage(state: WecomState, place: Place, ctx: Context, asked: Asked, wrong: string | null): void {
  const corps = [...state.corps.values()].map((corp, index) => {
    const installed = installedApp(asked.suite, corp) ? html` <span class="tag good">已安装</span>` : null
    return html`<label class="pick"
      ><input type="radio" name="corpId" value="${corp.corpId}" ${index === 0 ? html`checked` : null} /><span
        >${corp.name}${installed}<br /><span class="soft">${corp.corpId} · ${corp.members.size} 人</span></span
      ></label
    >`
  })
  const kind = asked.suite.kind === 'customised' ? '代开发应用模板' : '第三方应用'
  const head = heading(
    `安装“${asked.suite.name}”`,
    '您正以企业管理员的身份授权。选择企业和可见范围，然后确认。',
    'You authorise this app as a company administrator.',
  )
  const refused = wrong === null ? null : html`<p class="told bad" role="alert">${wrong}</p>`
  show(
    ctx,
    place,
    { title: `安装${asked.suite.name}`, at: null },
    html`<div class="stack" style="max-width:560px;margin:0 auto">
      ${head}${refused}
      <form method="post" action="${ctx.url}" class="stack">
        <fieldset class="panel">
          <legend>企业 <span class="en" lang="en">Company</span></legend>
          ${corps}${corps.length === 0 ? html`<p class="empty">沙箱里还没有企业</p>` : null}
        </fieldset>
        <fieldset class="panel">
          <legend>可见范围 <span class="en" lang="en">Visible range</span></legend>
          <label class="pick"><input type="radio" name="range" value="all" checked /><span>全部成员</span></label>
          <label class="pick"><input type="radio" name="range" value="some" /><span>指定部门和成员</span></label>
          <div class="fields">
            <label>部门编号，用逗号隔开<input name="departments" placeholder="2,3" inputmode="numeric" /></label>
            <label>成员账号，用逗号隔开<input name="userIds" placeholder="zhangsan,lisi" /></label>
          </div>
        </fieldset>
        <p class="soft">${kind}。确认后回到 ${asked.redirect.host}，授权码 10 分钟内有效。</p>
        <button class="main">确认授权</button>
      </form>
    </div>`,
  )
}
