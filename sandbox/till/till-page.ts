import type { Context } from 'koa'
import { html, type Markup } from '../look/html.ts'
import { chinaMoment, heading, show, told, yuan, type Place } from '../look/page.ts'
import { foldingTable } from '../look/table.ts'
import type { Sale } from './journal.ts'
import { cuts, type Cut } from './line.ts'
import type { DayCompared } from './till.ts'
import type { TillWorld } from './till-world.ts'

/** Each place where the network can go away, in words. */
const cutWords: Readonly<Record<Cut, readonly [string, string]>> = {
  request_lost: ['请求没发出去', '网络在请求离开之前就断了，平台什么都没收到。'],
  request_cut: ['请求发到一半', '请求的正文只发出一半，平台应当作没收到。'],
  answer_lost: ['平台已办，应答没收到', '请求到了、也办了，网络在应答之前断开。'],
  answer_cut: ['应答收到一半', '请求办完，应答传到一半断开。'],
}
const stateWords: Readonly<Record<string, string>> = {
  opened: '已扫码',
  held: '已预留',
  captured: '已扣款',
  part_refunded: '部分退款',
  refunded: '已退款',
  voided: '已撤销',
  timed_out: '已超时',
}
const kindWords = { authorise: '授权', capture: '扣款', void: '撤销', refund: '退款' } as const
const SHOWN = 30

/** The till as a cashier sees it: connection, payment, sales, the end of the day, and what the platform told by itself. */
export function tillPage(ctx: Context, place: Place, world: TillWorld): void {
  const head = heading(
    '收银机（POS）',
    '按 /pos/v1 协议收福利卡，可以在每一步断网，再对账。',
    'A till that speaks the POS API. Cut its network in the middle of a call, then reconcile.',
  )
  const parts = world.till === null ? null : html`${sellPanel(world)}${salesPanel(world.till.sales)}${dayPanel(world)}`
  show(
    ctx,
    place,
    { title: '收银机', at: 'till' },
    html`${head}${told(ctx)}${parts}${connectPanel(world)}${eventsPanel(world)}`,
  )
}

function connectPanel({ line, till }: TillWorld): Markup {
  const field = (name: string, label: string, value: string, more: Markup | null = null) =>
    html`<label>${label}<input name="${name}" value="${value}" autocomplete="off" ${more} /></label>`
  return html`<section class="panel">
    <h2>接入</h2>
    <p class="soft">
      ${till === null ? '在平台后台的商户与门店里新建终端，把终端号和密钥填到这里。' : '已接入。换一台终端会清空这台的交易记录。'}
    </p>
    <form method="post" action="/till/connect" class="fields two">
      ${field('serverUrl', '平台地址', line?.serverUrl ?? 'http://127.0.0.1:8080', html`required`)}${field('terminalId', '终端号', line?.terminalId ?? '', html`required placeholder="trm_…"`)}${field('secret', '终端密钥', '', html`required type="password"`)}${field('webhookSecret', '通知密钥（可不填）', '', html`type="password"`)}
      <div><button class="${till === null ? 'main' : ''}">接入</button></div>
    </form>
  </section>`
}

function sellPanel(world: TillWorld): Markup {
  const options = cuts.map((cut) => html`<option value="${cut}">${cutWords[cut][0]}</option>`)
  const pending =
    world.cut === null
      ? '网络正常。'
      : `下 ${world.cutTimes} 次请求：${cutWords[world.cut][0]}。${cutWords[world.cut][1]}`
  return html`<section class="panel">
      <h2>收款</h2>
      <form method="post" action="/till/sales" class="fields two">
        <label
          >付款码（多张卡各一行）<textarea
            name="codes"
            rows="2"
            required
            placeholder="顾客手机上的 52 位数字"
          ></textarea>
        </label>
        <label>金额（元）<input name="yuan" inputmode="decimal" required placeholder="12.50" /></label>
        <label class="pick"><input type="checkbox" name="partial" value="on" />余额不足时能付多少付多少</label>
        <div class="acts">
          <button class="main" name="how" value="capture">直接扣款</button
          ><button name="how" value="hold">预授权</button><button name="how" value="balance">查余额</button>
        </div>
      </form>
    </section>
    <section class="panel">
      <h2>网络</h2>
      <p class="soft">${pending}</p>
      <form method="post" action="/till/cut" class="fields two">
        <label
          >断在哪里<select name="cut">
            ${options}
          </select></label
        >
        <label>次数<input type="number" name="times" value="1" min="1" max="100" required /></label>
        <div class="acts"><button name="on" value="yes">断网</button><button name="on" value="no">恢复</button></div>
      </form>
    </section>`
}

function salesPanel(sales: readonly Sale[]): Markup {
  const newest = [...sales].reverse().slice(0, SHOWN)
  const rows = newest.map((sale) => {
    const { purchase } = sale
    const open = sale.entries.find(({ state }) => state === 'open')
    const refused = sale.entries.at(-1)?.code ?? null
    const state = open
      ? html`<span class="tag bad">${kindWords[open.kind]}结果未知</span>`
      : html`<span class="tag ${purchase === null ? 'off' : 'good'}"
            >${purchase === null ? '未成交' : (stateWords[purchase.state] ?? purchase.state)}</span
          >${refused === null ? null : html` <code>${refused}</code>`}`
    return html`<tr>
      <td data-name="单号"><code>${sale.ref}</code></td>
      <td data-name="账单（元）" class="num">${yuan(sale.billFen)}</td>
      <td data-name="预留" class="num">${purchase ? yuan(purchase.authorisedFen) : '–'}</td>
      <td data-name="已扣" class="num">${purchase ? yuan(purchase.capturedFen) : '–'}</td>
      <td data-name="已退" class="num">${purchase ? yuan(purchase.refundedFen) : '–'}</td>
      <td data-name="状态">${state}</td>
      <td data-name="操作">${open ? null : actsOf(sale)}</td>
    </tr>`
  })
  const unknown = sales.filter(({ entries }) => entries.some(({ state }) => state === 'open')).length
  const again =
    unknown === 0
      ? null
      : html`<form method="post" action="/till/reconcile"><button class="main">向平台问清 ${unknown} 笔</button></form>`
  const stamp = sales
    .map(({ purchase, entries }) => `${purchase?.state}${entries.length}${entries.at(-1)?.state}`)
    .join()
  const heads = ['单号', { num: '账单（元）' }, { num: '预留' }, { num: '已扣' }, { num: '已退' }, '状态', '操作']
  return html`<section class="panel" data-live="${stamp}">
    <h2>交易</h2>
    ${rows.length === 0 ? html`<p class="empty">还没有交易。</p>` : html`${foldingTable(heads, rows)}${again}`}
  </section>`
}

function actsOf(sale: Sale): Markup | null {
  const { purchase } = sale
  if (purchase === null) return null
  const left = purchase.authorisedFen - purchase.capturedFen
  const taken = purchase.capturedFen - purchase.refundedFen
  const amount = (value: number) =>
    html`<input
      name="yuan"
      value="${(value / 100).toFixed(2)}"
      inputmode="decimal"
      aria-label="金额（元）"
      style="width:108px"
    />`
  const form = (inner: Markup) =>
    html`<form method="post" action="/till/acts" class="acts">
      <input type="hidden" name="ref" value="${sale.ref}" />${inner}
    </form>`
  if (purchase.state === 'held')
    return form(
      html`${amount(left)}<button name="act" value="final">扣款并结束</button
        ><button name="act" value="part">扣一部分</button><button name="act" value="void">撤销</button>`,
    )
  return taken > 0 ? form(html`${amount(taken)}<button name="act" value="refund">退款</button>`) : null
}

function dayPanel({ compared, day }: TillWorld): Markup {
  return html`<section class="panel">
    <h2>日终对账</h2>
    <p class="soft">下载平台的当日文件，与本机流水逐笔比对。</p>
    <form method="post" action="/till/day" class="acts">
      <input type="date" name="day" value="${day}" required aria-label="日期" style="width:180px" /><button>
        下载并对账
      </button>
    </form>
    ${compared === null ? null : comparedOf(compared)}
  </section>`
}

function comparedOf({ day, movements, differences }: DayCompared): Markup {
  const sum = (kind: string) =>
    movements.filter((one) => one.kind === kind).reduce((all, one) => all + one.amountFen, 0)
  const facts = html`<dl class="facts" style="margin-top:12px">
    <dt>日期</dt>
    <dd class="num">${day}</dd>
    <dt>本机流水</dt>
    <dd class="num">${movements.length} 笔，扣款 ${yuan(sum('capture'))} 元，退款 ${yuan(sum('refund'))} 元</dd>
    <dt>差异</dt>
    <dd>
      ${differences.length === 0 ? html`<span class="tag good">零差异</span>` : html`<span class="tag bad">${differences.length} 笔</span>`}
    </dd>
  </dl>`
  const rows = differences.map(
    (one) =>
      html`<tr>
        <td data-name="只在哪边">${one.on === 'journal' ? '本机流水' : '平台文件'}</td>
        <td data-name="授权号"><code>${one.authorisation}</code></td>
        <td data-name="类型">${one.kind === 'capture' ? '扣款' : '退款'}</td>
        <td data-name="金额（元）" class="num">${yuan(one.amountFen)}</td>
      </tr>`,
  )
  const list = rows.length === 0 ? null : foldingTable(['只在哪边', '授权号', '类型', { num: '金额（元）' }], rows)
  return html`${facts}${list}`
}

function eventsPanel({ events }: TillWorld): Markup {
  const rows = [...events].reverse().map(
    (one) =>
      html`<tr>
        <td data-name="时间" class="when">${chinaMoment(one.atMs)}</td>
        <td data-name="事件" class="when"><code>${one.event}</code></td>
        <td data-name="签名">
          <span class="tag ${one.signed ? 'good' : 'bad'}">${one.signed ? '正确' : '不正确'}</span>
        </td>
        <td data-name="内容"><code>${one.body}</code></td>
      </tr>`,
  )
  return html`<section class="panel" data-live="${events.length}">
    <h2>收到的通知</h2>
    <p class="soft">平台把扣款、退款、撤销和超时发到本机的 <code>/till/webhook</code>；同一事件可能来两次。</p>
    ${rows.length === 0 ? html`<p class="empty">还没有通知。</p>` : foldingTable(['时间', '事件', '签名', '内容'], rows)}
  </section>`
}
