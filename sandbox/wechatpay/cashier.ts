import type { Context } from 'koa'
import type Router from 'koa-router'
import { html, type Markup } from '../look/html.ts'
import { chinaMoment, goBack, heading, pageNumber, pager, queryText, show, told, type Place } from '../look/page.ts'
import { outcomes, pay, type Outcome } from './pay.ts'
import { findTrade, type Merchant, type Trade, type World } from './state.ts'

const PAGE_SIZE = 30
/** Whoever pays at the cashier when nobody else is named. */
const PAYER = 'oSandboxPayer0001'

/** The buttons of the cashier with what each does. */
const buttons: Record<Outcome, readonly [label: string, does: string]> = {
  success: ['支付', '付清全款，随后通知福利卡。'],
  bank_limit: ['银行限额', '超出银行卡限额，没有付成，订单仍可再付。'],
  no_money: ['余额不足', '零钱不够，没有付成，订单仍可再付。'],
  cancel: ['取消', '付款人放弃，订单仍可再付。'],
  risk: ['拒绝付款', '微信判为有风险而拦下，订单仍可再付。'],
}
const states = { NOTPAY: '待支付', SUCCESS: '支付成功', CLOSED: '订单已关闭' } as const

/** The cashier: the open orders, one order with what its payer may do, and the address behind a QR code. */
export function mountCashier(router: Router, world: World, place: Place): void {
  router.get('/scan', (ctx) => {
    const wanted = queryText(ctx, 'code_url')
    if (wanted === '') return ctx.redirect('/cashier')
    for (const trade of world.trades.values()) if (trade.codeUrl === wanted) return ctx.redirect(addressOf(trade))
    return missing(ctx, place)
  })
  router.get('/cashier', (ctx) => listPage(ctx, world, place))
  router.get('/cashier/:no', (ctx) => {
    const mchid = queryText(ctx, 'mchid')
    const [merchant, trade] = [world.merchants.get(mchid), findTrade(world, mchid, ctx.params['no'] ?? '')]
    if (!merchant || !trade) return missing(ctx, place)
    return show(ctx, place, { title: '微信支付收银台', at: 'cashier' }, cashier(merchant, trade, world.now()))
  })
  router.post('/cashier/:no', (ctx) => {
    const form = new URLSearchParams((ctx.state['raw'] as Buffer).toString('utf8'))
    const outcome = outcomes.find((one) => one === form.get('outcome'))
    if (!outcome) return ctx.throw(400)
    pay(world, queryText(ctx, 'mchid'), ctx.params['no'] ?? '', form.get('openid') || PAYER, outcome)
    return ctx.redirect(ctx.url)
  })
  router.post('/cashier', (ctx) => goBack(ctx, '/cashier', { wrong: '请先选一笔订单。' }))
}

/** As WeChat writes an amount, without marks between thousands. */
const plainYuan = (fen: number): string => (fen / 100).toFixed(2)
const addressOf = (trade: Trade): string => `/cashier/${encodeURIComponent(trade.outTradeNo)}?mchid=${trade.mchid}`

function missing(ctx: Context, place: Place): void {
  const head = heading(
    '订单不存在或二维码已失效',
    '同一订单再次下单会换一个二维码，旧的随即失效。',
    'No such order, or the QR code is stale.',
  )
  show(
    ctx,
    place,
    { title: '订单不存在', at: 'cashier' },
    html`${head}
      <p><a class="button" href="/cashier">看待付订单</a></p>`,
  )
  ctx.status = 404
}

function listPage(ctx: Context, world: World, place: Place): void {
  const all = queryText(ctx, 'show') === 'all'
  const trades = [...world.trades.values()].reverse().filter((trade) => {
    findTrade(world, trade.mchid, trade.outTradeNo)
    return all || trade.state === 'NOTPAY'
  })
  const page = pageNumber(ctx)
  const shown = trades.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE)
  const head = heading(
    '收银台',
    '微信支付的订单，最新的在前。点开一笔就能付，不用扫码。',
    'WeChat Pay orders, newest first. Open one to pay it: no scanner needed.',
  )
  const rows = shown.map((trade) => {
    const kind = { NOTPAY: '', SUCCESS: 'good', CLOSED: 'off' }[trade.state]
    const merchant = world.merchants.get(trade.mchid)?.shortName ?? trade.mchid
    return html`<li>
      <a class="order" href="${addressOf(trade)}"
        ><span>${trade.description}</span><b>¥${plainYuan(trade.total)}</b
        ><span class="soft"
          >${merchant} · <span class="when">${chinaMoment(trade.createdAtMs)}</span><br /><code
            >${trade.outTradeNo}</code
          ></span
        ><span style="text-align:right"><span class="tag ${kind}">${states[trade.state]}</span></span></a
      >
    </li>`
  })
  const empty = all ? '还没有订单。' : '没有待付的订单。在福利卡的付款页选择微信支付，订单会出现在这里。'
  const list =
    rows.length > 0
      ? html`<ul class="panel list">
          ${rows}
        </ul>`
      : html`<p class="panel empty">${empty}</p>`
  const hrefOf = (at: number) => `/cashier?page=${at}${all ? '&show=all' : ''}`
  const pages = trades.length > PAGE_SIZE ? pager(trades.length, PAGE_SIZE, page, hrefOf) : null
  const filter = html`<div class="acts">
    <a class="button" href="${all ? '/cashier' : '/cashier?show=all'}">${all ? '只看待付' : '看全部订单'}</a>
  </div>`
  const stamp = shown.map((trade) => trade.outTradeNo + trade.state).join()
  show(
    ctx,
    place,
    { title: '收银台', at: 'cashier' },
    html`${head}${told(ctx)}${filter}
      <div data-live="${stamp}">${list}${pages}</div>`,
  )
}

function cashier(merchant: Merchant, trade: Trade, nowMs: number): Markup {
  const failure = trade.lastFailure !== null && trade.state === 'NOTPAY' ? `（${trade.lastFailure}）` : ''
  const minutes = Math.max(0, Math.ceil((trade.expireAtMs - nowMs) / 60_000))
  const left = minutes < 60 ? `${minutes} 分钟` : `${Math.floor(minutes / 60)} 小时 ${minutes % 60} 分钟`
  const until = minutes < 1_440 ? `还有 ${left}` : `${chinaMoment(trade.expireAtMs)} 之前`
  const open = trade.state === 'NOTPAY'
  const facts = html`<dl class="facts">
    <dt>收款方</dt>
    <dd>${merchant.shortName}</dd>
    <dt>商品</dt>
    <dd>${trade.description}</dd>
    <dt>商户订单号</dt>
    <dd><code>${trade.outTradeNo}</code></dd>
    <dt>状态</dt>
    <dd id="state">${states[trade.state]}${failure}</dd>
    ${
      open
        ? html`<dt>付款期限</dt>
            <dd>${until}</dd>`
        : null
    }${
      trade.transactionId === null
        ? null
        : html`<dt>微信支付单号</dt>
            <dd><code>${trade.transactionId}</code></dd>
            <dt>付款时间</dt>
            <dd class="num">${chinaMoment(trade.successAtMs ?? 0)}</dd>`
    }
  </dl>`
  const head = html`<section class="panel cash">
    <h1 class="soft">微信支付收银台</h1>
    <p class="fen">¥${plainYuan(trade.total)}</p>
    <p class="en" lang="en">WeChat Pay cashier</p>
  </section>`
  const after = open ? acts(trade) : html`<p><a class="button" href="/cashier">回到待付订单</a></p>`
  return html`<div class="stack" style="max-width:480px;margin:0 auto">
    ${head}
    <section class="panel">${facts}</section>
    ${after}
  </div>`
}

function acts(trade: Trade): Markup {
  const choices = outcomes.map((outcome) => {
    const [label, does] = buttons[outcome]
    const main = outcome === 'success' ? html`class="main"` : null
    return html`<div class="choice">
      <button ${main} name="outcome" value="${outcome}">${label}</button>
      <p class="soft">${does}</p>
    </div>`
  })
  return html`<section class="panel cash">
    <form method="post" action="${addressOf(trade)}">
      <input type="hidden" name="openid" value="${trade.openid ?? PAYER}" />${choices}
    </form>
    <p class="soft" style="margin-top:16px">
      微信支付一笔订单要么全付，要么不付，没有付一部分。要分开付，请在福利卡里为同一张订单开几笔付款。
    </p>
    <p class="en" lang="en">WeChat Pay takes an order whole or not at all.</p>
  </section>`
}
