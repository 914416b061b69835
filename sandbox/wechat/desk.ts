import type { Context } from 'koa'
import Router from 'koa-router'
import { ZodError } from 'zod'
import { clockPanel, dialsPanel } from '../look/dials-page.ts'
import { html } from '../look/html.ts'
import { chinaMoment, goBack, heading, show, told, type Place } from '../look/page.ts'
import { foldingTable } from '../look/table.ts'
import { readBody } from '../wecom/body.ts'
import { addFault, clockForm, killTokens, snapshotForm } from './control.ts'
import { wechatDials, wechatPaths } from './dials.ts'
import type { WechatState } from './state.ts'

const MOST_SHOWN = 20
const modes = {
  off: '关',
  on: '快照页，带标记',
  flag_missing: '快照页，漏掉标记',
  real_id: '带标记，却是真实的 openid',
} as const

/** The pages from which the sandbox is worked: start, and dials with clock, snapshot page and pushes. */
export function deskRoutes(state: WechatState, place: Place): Router {
  const router = new Router()
  router.get('/', (ctx) => startPage(ctx, state, place))
  router.get('/dials', (ctx) => dialsPage(ctx, state, place))
  const act = (path: string, run: (form: Record<string, string>) => Promise<string> | string) =>
    router.post(path, async (ctx) => {
      const form = Object.fromEntries(new URLSearchParams((await readBody(ctx, 64 * 1024)).toString('utf8')))
      try {
        goBack(ctx, '/dials', { done: await run(form) })
      } catch (error) {
        if (!(error instanceof ZodError) && !(error instanceof RangeError)) throw error
        const fields = error instanceof ZodError ? error.issues.map((issue) => issue.path.join('.')).join('、') : ''
        goBack(ctx, '/dials', { wrong: error instanceof ZodError ? `填写有误：${fields}` : error.message })
      }
    })
  act('/dials', ({ path, ...form }) => {
    addFault(state, { ...form, path: path || null })
    return '故障已打开，用完会自动关闭。'
  })
  act('/dials/clear', () => {
    state.faults = []
    return '全部故障已关闭。'
  })
  act('/dials/snapshot', (form) => {
    state.snapshot = snapshotForm.parse(form).mode
    return `快照页：${modes[state.snapshot]}。`
  })
  act('/dials/kill-tokens', () => {
    killTokens(state)
    return '令牌和票据已作废：下一次调用会得到 40014，福利卡应重新取。'
  })
  act('/clock', async (form) => {
    await state.clock.advance(clockForm.parse(form).advanceMs)
    return '时钟已拨快。'
  })
  return router
}

function startPage(ctx: Context, state: WechatState, place: Place): void {
  const tile = (path: string, title: string, text: string, english: string) =>
    html`<a class="panel tile" href="${path}"
      ><h2>${title}</h2>
      <p>${text}</p>
      <p class="en" lang="en">${english}</p></a
    >`
  const rows = [...state.apps.values()].map(
    (app) =>
      html`<tr>
        <td data-name="名称">${app.kind === 'service' ? '服务号' : '小程序'}</td>
        <td data-name="appid"><code>${app.appid}</code></td>
        <td data-name="授权域名">${app.domains.join('、') || '还没有'}</td>
        <td data-name="推送地址">${app.callback?.url ?? '还没有'}</td>
      </tr>`,
  )
  const head = heading('微信沙箱', '代替微信的公众号和网页授权，供试用和测试。', 'Stands in for WeChat.')
  show(
    ctx,
    place,
    { title: '微信沙箱', at: 'home' },
    html`${head}
      <div class="grid three">
        ${tile('/phone', '买家微信', '选一位，进商城、付款、把卡转给好友。', 'Buyers and their friends')}
        ${tile('/dials', '微信旋钮', '快照页、重复跳转、丢失的回答、付款结果、推送。', 'Faults, snapshot pages and clock')}
      </div>
      <section class="panel">
        <h2>账号</h2>
        ${rows.length === 0 ? html`<p class="soft">还没有账号。</p>` : foldingTable(['名称', 'appid', '授权域名', '推送地址'], rows)}
      </section>`,
  )
}

function dialsPage(ctx: Context, state: WechatState, place: Place): void {
  const choices = Object.entries(modes).map(([mode, label]) => {
    const main = mode === state.snapshot ? html`class="main" aria-pressed="true"` : null
    return html`<button ${main} name="mode" value="${mode}">${label}</button>`
  })
  const between = html`<section class="panel">
      <h2>快照页</h2>
      <p class="soft">打开后，每次网页授权得到的都是快照页的身份：只能浏览，不应留下任何记录。</p>
      <form method="post" action="/dials/snapshot" class="acts">${choices}</form>
    </section>
    <section class="panel">
      <h2>令牌</h2>
      <form method="post" action="/dials/kill-tokens"><button>令牌和票据立即作废</button></form>
    </section>
    ${pushesPanel(state)} ${clockPanel(state.clock, '授权 code、令牌、票据的有效期', '签名和推送里的时间')}`
  const active = state.faults.map(({ left, ...fault }) => ({
    ...fault,
    times: left,
    errcode: fault.kind === 'errcode' ? fault.errcode : null,
    delayMs: fault.kind === 'delay' || fault.kind === 'push_delay' ? fault.delayMs : 0,
    copies: fault.kind === 'push_repeat' ? fault.copies : 1,
  }))
  const head = heading('微信旋钮', '让微信变慢、出错、重复、说谎。', 'Make WeChat slow, wrong, double or lying.')
  const panel = dialsPanel(wechatDials, active, wechatPaths, between)
  show(ctx, place, { title: '微信旋钮', at: 'wechat-dials' }, html`${head}${told(ctx)}${panel}`)
}

function pushesPanel(state: WechatState) {
  const rows = state.pushes.slice(0, MOST_SHOWN).map(
    (push) =>
      html`<tr>
        <td data-name="时间" class="when">${chinaMoment(push.atMs)}</td>
        <td data-name="事件"><code>${push.event}</code></td>
        <td data-name="状态">${push.state}</td>
        <td data-name="回答">${push.statuses.join('、') || '无'}</td>
      </tr>`,
  )
  const stamp = state.pushes.slice(0, MOST_SHOWN).map((push) => push.id + push.state)
  return html`<section class="panel" data-live="${stamp.join()}">
    <h2>推送记录</h2>
    ${rows.length === 0 ? html`<p class="soft">还没有推送。</p>` : foldingTable(['时间', '事件', '状态', '回答'], rows)}
  </section>`
}
