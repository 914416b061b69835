import type { Context } from 'koa'
import type Router from 'koa-router'
import { z, ZodError } from 'zod'
import { clockPanel, dialsPanel } from '../look/dials-page.ts'
import { html, type Markup } from '../look/html.ts'
import { chinaMoment, goBack, heading, linkTo, queryText, show, told, yuan, type Place } from '../look/page.ts'
import { foldingTable } from '../look/table.ts'
import { clockInput, faultInput, noticeInput, sendNotice } from './control.ts'
import { noticeWords, payDials, payPaths } from './dials.ts'
import { mountMoneyForms } from './money-forms.ts'
import { moneyPage } from './money-page.ts'
import { allMutations } from './notices.ts'
import type { Trade, World } from './state.ts'

const MOST_PAID = 20

/** The pages from which the sandbox is worked: start, dials with clock, and notices by hand. */
export function mountDesk(router: Router, world: World, place: Place): void {
  router.get('/', (ctx) => startPage(ctx, world, place))
  router.get('/dials', (ctx) => dialsPage(ctx, world, place))
  router.get('/money', (ctx) => moneyPage(ctx, world, place))
  mountMoneyForms(router, world)
  const act = (path: string, run: (form: Record<string, string>) => Promise<string> | string) =>
    router.post(path, async (ctx) => {
      const form = Object.fromEntries(new URLSearchParams((ctx.state['raw'] as Buffer).toString('utf8')))
      try {
        goBack(ctx, '/dials', { done: await run(form) })
      } catch (error) {
        if (!(error instanceof ZodError) && !(error instanceof RangeError)) throw error
        goBack(ctx, '/dials', { wrong: error instanceof RangeError ? error.message : `填写有误：${fieldsOf(error)}` })
      }
    })
  act('/dials', ({ path, ...form }) => {
    const { path: _all, ...fault } = faultInput.parse(form)
    world.faults.push({ ...fault, path: path || null })
    return '故障已打开，用完会自动关闭。'
  })
  act('/dials/clear', () => {
    world.faults = []
    return '全部故障已关闭。'
  })
  act('/clock', async (form) => {
    await world.clock.advance(clockInput.parse(form).advanceMs)
    return '时钟已拨快。'
  })
  act('/dials/notice', async ({ order = '', mutate = '', copies = '' }) => {
    const [mchid = '', outTradeNo = ''] = order.split(' ')
    const count = z.coerce.number().parse(copies)
    const input = noticeInput.parse({ mchid, outTradeNo, copies: count, ...(mutate ? { mutate } : {}) })
    const statuses = await sendNotice(world, input)
    if (statuses === null) throw new RangeError('没有这笔已付的订单。')
    const seen = [...new Set(statuses)].map((status) => status || '无回答')
    return `通知已发出 ${statuses.length} 份，福利卡回答：${seen.join('、')}。`
  })
}

function fieldsOf(error: ZodError): string {
  return error.issues.map((issue) => issue.path.join('.')).join('、')
}

function startPage(ctx: Context, world: World, place: Place): void {
  const tile = (side: 'wecom' | 'pay', path: string, title: string, text: string, english: string) => {
    const href = linkTo(ctx, place, side, path)
    if (href === null) return html``
    return html`<a class="panel tile" href="${href}"
      ><h2>${title}</h2>
      <p>${text}</p>
      <p class="en" lang="en">${english}</p></a
    >`
  }
  const tiles = [
    tile('pay', '/cashier', '收银台', '待付的微信支付订单，不用扫码，点开就付。', 'Pay open WeChat orders'),
    tile(
      'pay',
      '/till',
      '收银机',
      '按 POS 协议收福利卡，在任何一步断网，日终对账。',
      'A till with a network that can be cut',
    ),
    tile('pay', '/bank', '企业网银', '转一笔账，下载对账单交给平台。', 'Transfer money, download the statement'),
    tile(
      'pay',
      '/money',
      '资金',
      '每个商户的余额和待分账，分账、回退、退款的进度和旋钮，账单的旋钮。',
      'Accounts, shares, refunds, bills',
    ),
    tile(
      'pay',
      '/dials',
      '支付旋钮',
      '让支付通知丢失、重复、乱序，让接口限流，拨快时钟。',
      'Faults, notices and clock',
    ),
    tile('wecom', '/phone', '员工手机', '选一位员工，看他收到的消息，点开卡片。', 'Any employee’s WeCom'),
    tile('wecom', '/', '企业微信沙箱', '手机、回调和企业微信的旋钮都在那边。', 'The WeCom half'),
  ]
  const rows = [...world.merchants.values()].map(
    (one) =>
      html`<tr>
        <td data-name="商户">${one.shortName}</td>
        <td data-name="商户号"><code>${one.mchid}</code></td>
        <td data-name="appid"><code>${one.appid}</code></td>
      </tr>`,
  )
  const merchants = html`<section class="panel">
    <h2>商户</h2>
    ${rows.length === 0 ? html`<p class="soft">还没有商户。</p>` : foldingTable(['名称', '商户号', 'appid'], rows)}
  </section>`
  const head = heading('支付沙箱', '代替微信支付和银行，供试用和测试。', 'Stands in for WeChat Pay and a bank.')
  show(
    ctx,
    place,
    { title: '支付沙箱', at: 'home' },
    html`${head}
      <div class="grid three">${tiles}</div>
      ${merchants}`,
  )
}

function dialsPage(ctx: Context, world: World, place: Place): void {
  const active = world.faults.map((fault) => ({
    ...fault,
    delayMs: /delay/.test(fault.kind) ? fault.delayMs : 0,
    copies: fault.kind === 'notice_repeat' ? fault.copies : 1,
    errcode: null,
  }))
  const head = heading(
    '支付旋钮',
    '每个旋钮让一种故障发生几次，用完自动关闭。',
    'Each dial makes one kind of fault happen a few times.',
  )
  const clock = clockPanel(
    world.clock,
    '订单的付款期限，通知的补发和分账、退款的结果（到时间的立刻发生），付款时间，账单，银行流水的时间。',
    '请求、回答和通知的签名时间：两边都按真实时间核对，相差超过 5 分钟就会拒绝。',
  )
  const between = html`<div class="grid two">${clock}${noticePanel(world, queryText(ctx, 'order'))}</div>`
  const panels = dialsPanel(payDials, active, payPaths, between)
  show(ctx, place, { title: '支付旋钮', at: 'pay-dials' }, html`${head}${told(ctx)}${panels}${logPanel(world)}`)
}

/** Notices by hand, about one of the orders that were paid last. */
function noticePanel(world: World, chosen: string): Markup {
  const paid: Trade[] = []
  for (const trade of [...world.trades.values()].reverse()) {
    if (trade.state === 'SUCCESS') paid.push(trade)
    if (paid.length === MOST_PAID) break
  }
  const orders = paid.map((trade) => {
    const value = `${trade.mchid} ${trade.outTradeNo}`
    return html`<option value="${value}" ${value === chosen ? html`selected` : null}>
      ¥${yuan(trade.total)} · ${trade.outTradeNo}
    </option>`
  })
  const kinds = allMutations.map((one) => html`<option value="${one}">${noticeWords[one]}</option>`)
  const form = html`<form method="post" action="/dials/notice" class="fields">
    <label
      >已付的订单<select name="order">
        ${orders}
      </select></label
    ><label
      >通知<select name="mutate">
        <option value="">与原来一样</option>
        ${kinds}
      </select></label
    ><label>同时发出几份<input type="number" name="copies" value="1" min="1" max="1000" required /></label>
    <div><button>发送通知</button></div>
  </form>`
  return html`<section class="panel">
    <h2>再发一次通知</h2>
    <p class="soft">对着已付的订单再发一次通知，或发一条有问题的。除了“与原来一样”，都应被拒绝，或记下来等人处理。</p>
    ${orders.length > 0 ? form : html`<p class="soft">还没有付款成功的订单。</p>`}
  </section>`
}

const logWords: Record<string, string> = {
  call: '接口',
  notice: '通知',
  notice_lost: '通知丢失',
  notice_held: '通知攒着',
  pay: '付款',
  share: '分账',
  return: '分账回退',
  refund: '退款',
}

function logPanel(world: World): Markup {
  const lines = world.log.slice(-12).reverse()
  const rows = lines.map((line) => {
    const text = (name: string) => (['string', 'number'].includes(typeof line[name]) ? String(line[name]) : '')
    return html`<tr>
      <td data-name="时间" class="when">${chinaMoment(Number(line['atMs']))}</td>
      <td data-name="事情">${logWords[text('kind')] ?? text('kind')}</td>
      <td data-name="内容">
        <code
          >${[text('method'), text('url').split('?')[0] ?? '', text('outTradeNo'), text('outcome')].filter(Boolean).join(' ')}</code
        >
      </td>
      <td data-name="结果">${[text('status'), text('fault'), text('state')].filter(Boolean).join(' ')}</td>
    </tr>`
  })
  const table = foldingTable(['时间', '事情', '内容', '结果'], rows)
  const stamp = `${world.log.length} ${Number(lines[0]?.['atMs'] ?? 0)}`
  return html`<section class="panel" data-live="${stamp}">
    <h2>最近发生的事</h2>
    ${rows.length > 0 ? table : html`<p class="soft">还没有。</p>`}
  </section>`
}
