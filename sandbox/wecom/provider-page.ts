import type { Context } from 'koa'
import Router from 'koa-router'
import { ZodError } from 'zod'
import { html, type Markup } from '../look/html.ts'
import { chinaMoment, goBack, heading, show, told, type Place } from '../look/page.ts'
import { foldingTable } from '../look/table.ts'
import { readBody } from './body.ts'
import type { CallbackRefusal } from './callback.ts'
import type { Delivery } from './callback-state.ts'
import type { WecomState } from './state.ts'
import type { SuiteControl } from './suite-control.ts'
import type { Suite } from './suite-state.ts'
import { installedApp } from './suites.ts'

const MOST_SHOWN = 30
const refusals: Record<CallbackRefusal, string> = {
  no_answer: '没有保存：这个地址在 1 秒内没有回答。',
  wrong_status: '没有保存：这个地址没有回答 200，请检查 Token 和 EncodingAESKey。',
  wrong_echo: '没有保存：回答的不是解密后的原文。',
}
const kindWords = { third_party: '第三方应用', customised: '代开发应用模板' } as const

/** The provider's console and the app market: where suites are set up, installed, cancelled and reset (row 19). */
export function providerRoutes(state: WecomState, control: SuiteControl, place: Place): Router {
  const router = new Router()
  router.get('/suites', (ctx) => suitesPage(state, place, ctx))
  const act = (path: string, run: (form: Record<string, string>) => Promise<string> | string) =>
    router.post(`/suites/${path}`, async (ctx) => {
      const form = Object.fromEntries(new URLSearchParams((await readBody(ctx, 64 * 1024)).toString('utf8')))
      try {
        goBack(ctx, '/suites', { done: await run(form) })
      } catch (error) {
        if (!(error instanceof ZodError) && !(error instanceof RangeError)) throw error
        goBack(ctx, '/suites', { wrong: error instanceof RangeError ? error.message : '填写有误，请检查网址。' })
      }
    })
  act('callbacks', async ({ suiteId = '', commandUrl, dataUrl, trustedDomains = '' }) => {
    const urls = { ...(commandUrl ? { commandUrl } : {}), ...(dataUrl ? { dataUrl } : {}) }
    const domains = trustedDomains.split(/[\s,，、]+/).filter(Boolean)
    const refusal = await control.saveSuiteCallbacks({ suiteId, ...urls, trustedDomains: domains })
    if (refusal !== null) throw new RangeError(refusals[refusal])
    return '已保存。suite_ticket 会每 10 分钟推送一次。'
  })
  act('ticket', ({ suiteId = '' }) => {
    control.pushTicket({ suiteId })
    return 'suite_ticket 已推送。'
  })
  act('install', ({ suiteId = '', corpId = '' }) => {
    control.installFromMarket({ suiteId, corpId })
    return '企业已从应用市场安装，create_auth 已发出。'
  })
  act('cancel', ({ suiteId = '', corpId = '' }) => {
    control.cancelAuth({ suiteId, corpId })
    return '企业已取消授权，永久授权码和令牌立即失效，cancel_auth 已发出。'
  })
  act('reset', ({ suiteId = '', corpId = '' }) => {
    control.resetPermanentCode({ suiteId, corpId })
    return '授权码已重置，reset_permanent_code 已发出。'
  })
  return router
}

function suitesPage(state: WecomState, place: Place, ctx: Context): void {
  const suites = [...state.outer.suites.suites.values()]
  const head = heading(
    '服务商',
    '相当于服务商后台和应用市场：设置回调，替企业安装、取消、重置。可见范围在“企业”里改。',
    'The provider’s console and the app market: callbacks, install, cancel, reset.',
  )
  const none = suites.length === 0 ? html`<p class="panel empty">还没有服务商。</p>` : null
  const panels = suites.map((suite) => suitePanel(state, suite))
  show(ctx, place, { title: '服务商', at: 'suites' }, html`${head}${told(ctx)}${none}${panels}`)
}

function suitePanel(state: WecomState, suite: Suite): Markup {
  const hidden = html`<input type="hidden" name="suiteId" value="${suite.suiteId}" />`
  const ticket = suite.tickets.at(-1)
  const fresh = ticket !== undefined && state.now() < ticket.untilMs
  const field = (name: string, label: string, value: string, hint: string) =>
    html`<label>${label}<input name="${name}" value="${value}" placeholder="${hint}" /></label>`
  return html`<section class="panel">
    <h2>${suite.name} <span class="tag">${kindWords[suite.kind]}</span></h2>
    <p class="soft">
      <code>${suite.suiteId}</code> ·
      ${fresh ? html`<span class="tag good">suite_ticket 有效</span>` : html`<span class="tag bad">没有可用的 suite_ticket</span>`}
    </p>
    <form method="post" action="/suites/callbacks" class="fields two">
      ${hidden}${field('commandUrl', '指令回调 URL', suite.command?.url ?? '', 'http://127.0.0.1:8080/callback/wecom-suite/…/command')}${field('dataUrl', '数据回调 URL', suite.data?.url ?? '', '…/data/$CORPID$')}${field('trustedDomains', '可信域名（含端口）', suite.trustedDomains.join('，'), '127.0.0.1:8080')}
      <div style="align-self:end"><button class="main">验证并保存</button></div>
    </form>
    <form method="post" action="/suites/ticket">${hidden}<button>立即推送 suite_ticket</button></form>
    ${installsTable(state, suite, hidden)}${deliveriesTable(suite.deliveries)}
  </section>`
}

function installsTable(state: WecomState, suite: Suite, hidden: Markup): Markup {
  const rows = [...state.corps.values()].slice(0, MOST_SHOWN).map((corp) => {
    const app = installedApp(suite, corp)
    const button = (path: string, label: string) =>
      html`<form method="post" action="/suites/${path}">
        ${hidden}<input type="hidden" name="corpId" value="${corp.corpId}" /><button>${label}</button>
      </form>`
    const exchanged = suite.installs.get(corp.corpId.toLowerCase())?.exchanged
    const status = !app
      ? html`<span class="tag off">未安装</span>`
      : html`<span class="tag ${exchanged ? 'good' : 'sand'}">${exchanged ? '已授权' : '等服务商换取授权码'}</span>`
    const range = html`<a
      class="button"
      href="/admin/${encodeURIComponent(corp.corpId)}/apps/${String(app?.agentId ?? '')}"
      >可见范围</a
    >`
    const acts = app
      ? html`${range}${suite.kind === 'customised' ? button('reset', '重置授权码') : null}${button('cancel', '取消授权')}`
      : button('install', '从市场安装')
    return html`<tr>
      <td data-name="企业">
        <span>${corp.name}<br /><span class="soft">${corp.corpId}</span></span>
      </td>
      <td data-name="状态">${status}</td>
      <td data-name="操作"><div class="acts end">${acts}</div></td>
    </tr>`
  })
  return foldingTable(['企业', '状态', { num: '操作' }], rows)
}

const deliveryWords = { waiting: '进行中', taken: '已送达', refused: '回答不对', 'given up': '已放弃', lost: '已丢失' }

function deliveriesTable(deliveries: readonly Delivery[]): Markup {
  const shown = deliveries.slice(0, 10)
  const stamp = shown.map((one) => `${one.id}${one.tries.length}${one.state}`).join('')
  const rows = shown.map(
    (one) =>
      html`<tr>
        <td data-name="时间" class="when">${chinaMoment(one.atMs)}</td>
        <td data-name="指令">
          ${one.event}${one.changeType ? html`<br /><span class="soft">${one.changeType}</span>` : null}
        </td>
        <td data-name="结果">
          <span
            ><span class="tag ${one.state === 'taken' ? 'good' : one.state === 'waiting' ? '' : 'bad'}"
              >${deliveryWords[one.state]}</span
            >
            <span class="soft"
              >${one.error ?? one.tries.map((each) => String(each.status || '无回答')).join('、')}</span
            >
          </span>
        </td>
      </tr>`,
  )
  return html`<div data-live="${stamp}" style="margin-top:16px">
    <h3>发出的指令</h3>
    ${rows.length === 0 ? html`<p class="soft">还没有发出指令。</p>` : foldingTable(['时间', '指令', '结果'], rows)}
  </div>`
}
