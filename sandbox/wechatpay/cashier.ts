import type { Context } from 'koa'
import type Router from 'koa-router'
import { html, type Markup } from '../look/html.ts'
import { chinaMoment, goBack, heading, pageNumber, pager, queryText, show, told, type Place } from '../look/page.ts'
import { enterByAddress, enterByCode, enterInWechat, STALE } from './enter-cashier.ts'
import type { Entry } from './enter-cashier.ts'
import { findPayable, outcomes, pay, PAYER, type Outcome, type Payable } from './pay.ts'
import type { Product, World } from './state.ts'

const PAGE_SIZE = 30

/** The buttons of the cashier with what each does. */
const buttons: Record<Outcome, readonly [label: string, does: string]> = {
  success: ['支付', '付清全款，随后通知福利卡。'],
  bank_limit: ['银行限额', '超出银行卡限额，没有付成，订单仍可再付。'],
  no_money: ['余额不足', '零钱不够，没有付成，订单仍可再付。'],
  cancel: ['取消', '付款人放弃，订单仍可再付。'],
  risk: ['拒绝付款', '微信判为有风险而拦下，订单仍可再付。'],
}
const states = { NOTPAY: '待支付', SUCCESS: '支付成功', CLOSED: '订单已关闭' } as const
const productWords: Record<Product, string> = { native: '扫码', jsapi: '微信内', h5: '手机浏览器' }

/** The cashier: the open orders, one order with what its payer may do, and the three ways in that payers have. */
export function mountCashier(router: Router, world: World, place: Place): void {
  const enter = (ctx: Context, entry: Entry) =>
    'refused' in entry ? missing(ctx, place, entry.refused) : ctx.redirect(withReturn(addressOf(entry.order), ctx))
  router.get('/scan', (ctx) => {
    const wanted = queryText(ctx, 'code_url')
    return wanted === '' ? ctx.redirect('/cashier') : enter(ctx, enterByCode(world, wanted))
  })
  router.get('/cgi-bin/mmpayweb-bin/checkmweb', (ctx) => enter(ctx, enterByAddress(world, queryText(ctx, 'prepay_id'))))
  router.get('/jsapi', (ctx) =>
    enter(
      ctx,
      enterInWechat(world, (name) => queryText(ctx, name)),
    ),
  )
  router.get('/cashier', (ctx) => listPage(ctx, world, place))
  router.get('/cashier/:no', (ctx) => {
    const payable = findPayable(world, queryText(ctx, 'mchid'), ctx.params['no'] ?? '')
    if (!payable) return missing(ctx, place, STALE)
    const page = cashier(world, payable, returnTo(ctx))
    return show(ctx, place, { title: '微信支付收银台', at: 'cashier' }, page)
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
const addressOf = (order: { readonly outTradeNo: string; readonly mchid: string }): string =>
  `/cashier/${encodeURIComponent(order.outTradeNo)}?mchid=${order.mchid}`
const totalOf = ({ parts }: Payable): number => parts.reduce((sum, part) => sum + part.total, 0)

/** Where the shop wants its payer back; web addresses only. */
function returnTo(ctx: Context): string {
  const wanted = queryText(ctx, 'redirect_url')
  return /^https?:\/\//.test(wanted) && URL.canParse(wanted) ? wanted : ''
}

function withReturn(address: string, ctx: Context): string {
  const back = returnTo(ctx)
  return back === '' ? address : `${address}&redirect_url=${encodeURIComponent(back)}`
}

function missing(ctx: Context, place: Place, why: string): void {
  const head = heading('订单不存在或已失效', why, 'No such order, or what led here is stale.')
  show(
    ctx,
    place,
    { title: '订单不存在', at: 'cashier' },
    html`${head}
      <p><a class="button" href="/cashier">看待付订单</a></p>`,
  )
  ctx.status = 404
}

/** All orders, the newest first: those by themselves and the combined ones, each once. */
function payables(world: World, all: boolean): Payable[] {
  const alone = [...world.trades.values()].filter((trade) => trade.combineKey === null)
  return [...alone, ...world.combined.values()]
    .map((order, index) => ({ order, index }))
    .sort((a, b) => b.order.createdAtMs - a.order.createdAtMs || b.index - a.index)
    .flatMap(({ order }) => findPayable(world, order.mchid, order.outTradeNo) ?? [])
    .filter(({ order }) => all || order.state === 'NOTPAY')
}

const titleOf = ({ parts }: Payable): string =>
  parts.length > 1 ? `合单支付（${parts.length} 笔）` : (parts[0]?.description ?? '')
const payeeOf = (world: World, mchid: string): string => world.merchants.get(mchid)?.shortName ?? mchid

function listPage(ctx: Context, world: World, place: Place): void {
  const all = queryText(ctx, 'show') === 'all'
  const found = payables(world, all)
  const page = pageNumber(ctx)
  const shown = found.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE)
  const head = heading(
    '收银台',
    '微信支付的订单，最新的在前。点开一笔就能付，不用扫码。',
    'WeChat Pay orders, newest first. Open one to pay it: no scanner needed.',
  )
  const rows = shown.map((payable) => {
    const { order } = payable
    const kind = { NOTPAY: '', SUCCESS: 'good', CLOSED: 'off' }[order.state]
    return html`<li>
      <a class="order" href="${addressOf(order)}"
        ><span>${titleOf(payable)}</span><b>¥${plainYuan(totalOf(payable))}</b
        ><span class="soft"
          >${payeeOf(world, order.mchid)} · ${productWords[order.product]}<br /><span class="when"
            >${chinaMoment(order.createdAtMs)}</span
          ><br /><code>${order.outTradeNo}</code></span
        ><span style="text-align:right"><span class="tag ${kind}">${states[order.state]}</span></span></a
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
  const pages = found.length > PAGE_SIZE ? pager(found.length, PAGE_SIZE, page, hrefOf) : null
  const filter = html`<div class="acts">
    <a class="button" href="${all ? '/cashier' : '/cashier?show=all'}">${all ? '只看待付' : '看全部订单'}</a>
  </div>`
  const stamp = shown.map(({ order }) => order.outTradeNo + order.state).join()
  const body = html`${head}${told(ctx)}${filter}
    <div data-live="${stamp}">${list}${pages}</div>`
  show(ctx, place, { title: '收银台', at: 'cashier' }, body)
}

function cashier(world: World, payable: Payable, back: string): Markup {
  const open = payable.order.state === 'NOTPAY'
  const leave =
    back === ''
      ? html`<p><a class="button" href="/cashier">回到待付订单</a></p>`
      : html`<p><a class="button main" href="${back}">返回商家</a></p>`
  return html`<div class="stack" style="max-width:480px;margin:0 auto">
    <section class="panel cash">
      <h1 class="soft">微信支付收银台</h1>
      <p class="fen">¥${plainYuan(totalOf(payable))}</p>
      <p class="en" lang="en">WeChat Pay cashier</p>
    </section>
    <section class="panel">${factsOf(world, payable)}</section>
    ${partsPanel(world, payable)}${open ? acts(payable, back) : leave}
  </div>`
}

function factsOf(world: World, payable: Payable): Markup {
  const { order, parts } = payable
  const failure = order.lastFailure !== null && order.state === 'NOTPAY' ? `（${order.lastFailure}）` : ''
  const [alone, paidAtMs] = [parts.length === 1 ? parts[0] : undefined, parts[0]?.successAtMs ?? null]
  const fact = (name: string, value: Markup | string): Markup =>
    html`<dt>${name}</dt>
      <dd>${typeof value === 'string' ? html`${value}` : value}</dd>`
  return html`<dl class="facts">
    ${fact('收款方', payeeOf(world, order.mchid))}${fact('商品', titleOf(payable))}
    ${fact('商户订单号', html`<code>${order.outTradeNo}</code>`)}
    <dt>状态</dt>
    <dd id="state">${states[order.state]}${failure}</dd>
    ${order.state === 'NOTPAY' ? fact('付款期限', untilText(order.expireAtMs, world.now())) : null}
    ${alone?.transactionId ? fact('微信支付单号', html`<code>${alone.transactionId}</code>`) : null}
    ${order.state === 'SUCCESS' && paidAtMs !== null ? fact('付款时间', html`<span class="num">${chinaMoment(paidAtMs)}</span>`) : null}
  </dl>`
}

function untilText(expireAtMs: number, nowMs: number): string {
  const minutes = Math.max(0, Math.ceil((expireAtMs - nowMs) / 60_000))
  if (minutes >= 1_440) return `${chinaMoment(expireAtMs)} 之前`
  return `还有 ${minutes < 60 ? `${minutes} 分钟` : `${Math.floor(minutes / 60)} 小时 ${minutes % 60} 分钟`}`
}

/** What a combined order consists of: each part with who gets it. */
function partsPanel(world: World, { parts }: Payable): Markup | null {
  if (parts.length < 2) return null
  const rows = parts.map(
    (part) =>
      html`<li>
        <div class="order">
          <span>${payeeOf(world, part.mchid)}</span><b>¥${plainYuan(part.total)}</b
          ><span class="soft"
            >${part.description}<br /><code>${part.outTradeNo}</code
            >${part.transactionId === null ? null : html`<br /><code>${part.transactionId}</code>`}</span
          ><span></span>
        </div>
      </li>`,
  )
  return html`<section class="panel list">
    <h2 style="padding:14px 16px 0">分给 ${parts.length} 个商户</h2>
    <ul>
      ${rows}
    </ul>
  </section>`
}

function acts({ order, parts }: Payable, back: string): Markup {
  const choices = outcomes.map((outcome) => {
    const [label, does] = buttons[outcome]
    const main = outcome === 'success' ? html`class="main"` : null
    return html`<div class="choice">
      <button ${main} name="outcome" value="${outcome}">${label}</button>
      <p class="soft">${does}</p>
    </div>`
  })
  const whole =
    parts.length > 1
      ? '合单支付要么每一笔都付，要么一笔也不付。'
      : '微信支付一笔订单要么全付，要么不付，没有付一部分。要分开付，请在福利卡里为同一张订单开几笔付款。'
  const action = back === '' ? addressOf(order) : `${addressOf(order)}&redirect_url=${encodeURIComponent(back)}`
  return html`<section class="panel cash">
    <form method="post" action="${action}">
      <input type="hidden" name="openid" value="${order.openid ?? PAYER}" />${choices}
    </form>
    <p class="soft" style="margin-top:16px">${whole}</p>
    <p class="en" lang="en">WeChat Pay takes an order whole or not at all.</p>
  </section>`
}
