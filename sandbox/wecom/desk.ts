import type { Context } from 'koa'
import Router from 'koa-router'
import { ZodError } from 'zod'
import { clockPanel, dialsPanel } from '../look/dials-page.ts'
import { html, type Markup } from '../look/html.ts'
import { chinaMoment, goBack, heading, linkTo, queryText, show, told, type Place } from '../look/page.ts'
import { foldingTable } from '../look/table.ts'
import { readBody } from './body.ts'
import { eventNames, type CallbackRefusal, type EventName } from './callback.ts'
import { clockForm, type WecomControl } from './control.ts'
import { settingsOf, settingsPanel } from './settings-page.ts'
import { wecomDials, wecomPaths } from './dials.ts'
import type { Delivery } from './callback-state.ts'
import { appOf, type Corp, type WecomState } from './state.ts'

/** The pages from which the sandbox is worked: start, dials with clock and token, and the console's callback page. */
export function deskRoutes(state: WecomState, control: WecomControl, place: Place): Router {
  const router = new Router()
  router.get('/', (ctx) => startPage(ctx, state, place))
  router.get('/dials', (ctx) => dialsPage(ctx, state, place))
  router.get('/callback', (ctx) => callbackPage(ctx, state, place))
  const act = (path: string, page: string, run: (form: Record<string, string>) => Promise<string> | string) =>
    router.post(path, async (ctx) => {
      const form = Object.fromEntries(new URLSearchParams((await readBody(ctx, 64 * 1024)).toString('utf8')))
      try {
        goBack(ctx, page, { done: await run(form) }, keptOf(form))
      } catch (error) {
        if (!(error instanceof ZodError) && !(error instanceof RangeError)) throw error
        const wrong = error instanceof RangeError ? error.message : `填写有误：${fieldsOf(error)}`
        goBack(ctx, page, { wrong }, keptOf(form))
      }
    })
  act('/dials', '/dials', ({ path, ...form }) => {
    control.addFault({ ...form, path: path || null } as Parameters<WecomControl['addFault']>[0])
    return '故障已打开，用完会自动关闭。'
  })
  act('/dials/clear', '/dials', () => {
    control.clearFaults()
    return '全部故障已关闭。'
  })
  act('/dials/expire-tokens', '/dials', () => {
    control.expireTokens()
    return '令牌已作废：下一次调用会得到 42001，福利卡应重新取令牌。'
  })
  act('/dials/void-tokens', '/dials', () => {
    control.voidTokens()
    return '令牌已提前作废：下一次调用会得到 40014，福利卡应重新取令牌。'
  })
  act('/dials/settings', '/dials', (form) => {
    control.set(settingsOf(form))
    return '限额和开关已保存。'
  })
  act('/clock', '/dials', ({ advanceMs }) => {
    control.advance(clockForm.parse({ advanceMs }).advanceMs)
    return '时钟已拨快。'
  })
  act('/callback', '/callback', async (form) => {
    const refusal = await control.saveCallback(form as Parameters<WecomControl['saveCallback']>[0])
    if (refusal !== null) throw new RangeError(refusals[refusal])
    return '验证通过，回调地址已保存。'
  })
  act('/callback/events', '/callback', (form) => {
    const sent = control.sendEvent(form as Parameters<WecomControl['sendEvent']>[0])
    if (sent === null) throw new RangeError('没有这个员工，或还没有保存回调地址。')
    return '事件已发出，结果见下表。'
  })
  return router
}

const refusals: Record<CallbackRefusal, string> = {
  no_answer: '没有保存：这个地址在 1 秒内没有回答。请检查地址，以及福利卡是否在运行。',
  wrong_status:
    '没有保存：这个地址没有回答 200。请检查地址里的企业编号，以及 Token 和 EncodingAESKey 是否与福利卡里的一致。',
  wrong_echo: '没有保存：回答的不是解密后的原文。',
}

/** Which company and app a form was about: the page that it leads back to shows the same. */
function keptOf({ corpId, agentId }: Readonly<Record<string, string>>): Record<string, string> {
  return { ...(corpId ? { corp: corpId } : {}), ...(agentId ? { agent: agentId } : {}) }
}

function fieldsOf(error: ZodError): string {
  return error.issues.map((issue) => issue.path.join('.')).join('、')
}

function startPage(ctx: Context, state: WecomState, place: Place): void {
  const tile = (side: 'wecom' | 'pay', path: string, title: string, text: string, english: string) => {
    const href = linkTo(ctx, place, side, path)
    return href === null
      ? null
      : html`<a class="panel tile" href="${href}"
          ><h2>${title}</h2>
          <p>${text}</p>
          <p class="en" lang="en">${english}</p></a
        >`
  }
  const tiles = [
    tile('wecom', '/phone', '员工手机', '选一位员工，看他收到的消息，点开卡片。', 'Any employee’s WeCom'),
    tile(
      'wecom',
      '/admin',
      '企业管理',
      '改可见范围，成员入职、调动、离职，停用应用。',
      'Apps, departments and members',
    ),
    tile(
      'wecom',
      '/worker',
      '外部人员的手机',
      '没有企业账号的人：扫墙上的码，看欢迎语、短信和领取页。',
      'Outside workers’ WeChat and SMS',
    ),
    tile('wecom', '/contacts', '客户联系', '成员确认企业群发，看“联系我”二维码。', 'Mass messages and contact codes'),
    tile('wecom', '/suites', '服务商', '从市场安装应用，取消授权，重置授权码。', 'Install, cancel and reset suites'),
    tile('pay', '/cashier', '收银台', '待付的微信支付订单，不用扫码，点开就付。', 'Pay open WeChat orders'),
    tile('pay', '/bank', '企业网银', '转一笔账，下载对账单交给平台。', 'Transfer money, download the statement'),
    tile(
      'wecom',
      '/dials',
      '企业微信旋钮',
      '让接口变慢、出错、丢失，让令牌过期，拨快时钟。',
      'Faults, tokens and clock of WeCom',
    ),
    tile(
      'pay',
      '/dials',
      '支付旋钮',
      '让支付通知丢失、重复、乱序，让接口限流，拨快时钟。',
      'Faults, notices and clock of WeChat Pay',
    ),
    tile('wecom', '/callback', '回调', '填写回调地址，向福利卡发送事件。', 'Callback address and events'),
  ]
  const head = heading(
    '沙箱',
    '代替企业微信、微信支付和银行，供试用和测试。',
    'Stands in for WeCom, WeChat Pay and a bank.',
  )
  const corps = [...state.corps.values()].map(corpPanel)
  const none = corps.length === 0 ? html`<section class="panel"><p class="soft">还没有企业。</p></section>` : null
  show(
    ctx,
    place,
    { title: '沙箱', at: 'home' },
    html`${head}
      <div class="grid three">${tiles.map((one) => one ?? html``)}</div>
      ${corps}${none}`,
  )
}

function corpPanel(corp: Corp): Markup {
  const { stats } = corp
  const count = (name: string, value: number) =>
    html`<div>
      <dt>${name}</dt>
      <dd class="num">${value.toLocaleString('en-US')}</dd>
    </div>`
  return html`<section class="panel">
    <h2>${corp.name} <code>${corp.corpId}</code></h2>
    <p class="soft">可信域名：${appOf(corp)?.trustedDomains.join('、') || '无'}</p>
    <dl class="stats" style="margin-top:12px">
      ${count('通讯录', corp.members.size)}${count('送达（人次）', stats.delivered)}${count('发送调用', stats.sends)}${count('排重挡下', stats.suppressedDuplicates)}${count('被丢弃（人次）', stats.dropped)}${count('不可见或不存在', stats.invalid)}${count('未激活', stats.unlicensed)}${count('取令牌', stats.gettoken)}${count('手机号查找', stats.lookups)}
    </dl>
  </section>`
}

function dialsPage(ctx: Context, state: WecomState, place: Place): void {
  const active = state.faults.map((fault) => ({
    ...fault,
    times: fault.left,
    delayMs: /delay/.test(fault.kind) ? fault.delayMs : 0,
    copies: fault.kind === 'callback_repeat' ? fault.copies : 1,
    errcode: fault.kind === 'errcode' ? fault.errcode : null,
  }))
  const head = heading(
    '企业微信旋钮',
    '每个旋钮让一种故障发生几次，用完自动关闭。',
    'Each dial makes one kind of fault happen a few times.',
  )
  const tokens = html`<section class="panel">
    <h2>访问令牌</h2>
    <p class="soft">令牌有效 2 小时。过期后，福利卡的下一次调用得到 errcode 42001；提前作废则得到 40014。</p>
    <div class="acts" style="margin-top:12px">
      <form method="post" action="/dials/expire-tokens"><button>让全部令牌过期</button></form>
      <form method="post" action="/dials/void-tokens"><button>提前作废令牌</button></form>
    </div>
  </section>`
  const clock = clockPanel(
    state.clock,
    '令牌和登录码的有效期、每分钟、每小时和每天的限额、消息排重的时段、密钥错误后的锁定、事件的补发、消息上的时间。',
    '回调签名里的时间：福利卡按自己的时钟核对，超过 5 分钟就会拒绝。',
  )
  const between = html`<div class="grid two">${clock}${tokens}</div>`
  const corps = [...state.corps.values()].map(corpPanel)
  show(
    ctx,
    place,
    { title: '企业微信旋钮', at: 'wecom-dials' },
    html`${head}${told(ctx)}${dialsPanel(wecomDials, active, wecomPaths, between)}${settingsPanel(state.settings)}${corps}`,
  )
}

const eventWords: Record<EventName, string> = {
  enter_agent: '员工进入应用',
  click: '点击菜单',
  view: '点击菜单里的链接',
  template_card_event: '点击卡片上的按钮',
  subscribe: '员工进入可见范围',
  unsubscribe: '员工离开可见范围',
  sandbox_unknown: '福利卡不认识的事件',
}

function callbackPage(ctx: Context, state: WecomState, place: Place): void {
  const corp =
    [...state.corps.values()].find((one) => one.corpId === queryText(ctx, 'corp')) ?? [...state.corps.values()][0]
  const head = heading(
    '回调',
    '相当于企业微信管理后台里应用的“接收消息”设置：保存之前，企业微信会先验证这个地址。',
    'The callback settings of the app. The address is verified before it is saved.',
  )
  if (!corp)
    return show(
      ctx,
      place,
      { title: '回调', at: 'callback' },
      html`${head}
        <p class="panel empty">还没有企业。</p>`,
    )
  const asked = queryText(ctx, 'agent')
  const app = appOf(corp, asked === '' ? undefined : Number(asked))
  const keys = app?.callback ?? app?.suggestedKeys
  const field = (name: string, label: string, value: string, hint = '') =>
    html`<label>${label}<input name="${name}" value="${value}" placeholder="${hint}" required /></label>`
  const hidden = html`<input type="hidden" name="corpId" value="${corp.corpId}" /><input
      type="hidden"
      name="agentId"
      value="${app?.agentId ?? ''}"
    />`
  const saved = app?.callback
    ? html`<span class="tag good">已验证 ${chinaMoment(app.callback.verifiedAtMs)}</span>`
    : html`<span class="tag off">未设置</span>`
  const settings = html`<section class="panel">
    <h2>回调地址 ${saved}</h2>
    <p class="soft">地址写在福利卡管理后台的“设置”里，形如 …/callback/wecom/企业编号。</p>
    <form method="post" action="/callback" class="fields">
      ${hidden}${field('url', 'URL', app?.callback?.url ?? '', 'http://127.0.0.1:8080/callback/wecom/…')}${field('token', 'Token', keys?.token ?? '')}${field('encodingAesKey', 'EncodingAESKey', keys?.encodingAesKey ?? '')}
      <div><button class="main">验证并保存</button></div>
    </form>
  </section>`
  const [first] = corp.members.values()
  const options = eventNames.map((name) => html`<option value="${name}">${eventWords[name]}（${name}）</option>`)
  const send = html`<section class="panel">
    <h2>发送事件</h2>
    <p class="soft">签名并加密后发给上面的地址。企业微信不会告诉应用“消息已读”；员工点开消息时，发的是“进入应用”。</p>
    <form method="post" action="/callback/events" class="fields">
      ${hidden}<label
        >事件<select name="event">
          ${options}
        </select></label
      >${field('userid', '员工账号', first?.userid ?? '')}
      <div><button class="main">发送事件</button></div>
    </form>
  </section>`
  show(
    ctx,
    place,
    { title: '回调', at: 'callback' },
    html`${head}${told(ctx)}
      <div class="grid two">${settings}${send}</div>
      ${deliveriesPanel(corp.deliveries)}`,
  )
}

const deliveryWords = {
  waiting: '进行中',
  taken: '已送达',
  refused: '回答不对',
  'given up': '已放弃',
  lost: '已丢失',
} as const

function deliveriesPanel(deliveries: readonly Delivery[]): Markup {
  const stamp = deliveries.map((one) => `${one.id}${one.tries.length}${one.state}`).join('')
  const rows = deliveries.slice(0, 50).map((one) => {
    const tries = one.tries.map((each) => `${each.status || '无回答'}（${each.tookMs} 毫秒）`)
    const kind = one.state === 'taken' ? 'good' : one.state === 'waiting' ? '' : 'bad'
    return html`<tr>
      <td data-name="时间" class="when">${chinaMoment(one.atMs)}</td>
      <td data-name="事件">${one.event}</td>
      <td data-name="员工">${one.userid}</td>
      <td data-name="结果"><span class="tag ${kind}">${deliveryWords[one.state]}</span></td>
      <td data-name="每次回答">${tries.join('、') || '无'}</td>
    </tr>`
  })
  const table = foldingTable(['时间', '事件', '员工', '结果', '每次回答'], rows)
  return html`<section class="panel" data-live="${stamp}">
    <h2>发出的事件</h2>
    ${rows.length > 0 ? table : html`<p class="soft">还没有发出事件。</p>`}
  </section>`
}
