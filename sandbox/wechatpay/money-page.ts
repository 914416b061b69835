import type { Context } from 'koa'
import { html, type Markup } from '../look/html.ts'
import { chinaMoment, heading, show, told, yuan, type Place } from '../look/page.ts'
import { foldingTable } from '../look/table.ts'
import { availableOf, frozenOf, settleDue } from './accounts.ts'
import { moneyForms } from './money-forms.ts'
import type { Refund, Share, ShareReturn } from './money-state.ts'
import type { World } from './state.ts'

const MOST = 20

/** The money page: what each merchant has, what was shared, returned and refunded, and the dials of all that. */
export function moneyPage(ctx: Context, world: World, place: Place): void {
  settleDue(world)
  const head = heading(
    '资金',
    '每个商户的钱，分账、回退和退款走到哪一步，以及它们的旋钮。',
    'Accounts, shares, returns, refunds, and their dials.',
  )
  const { shares, returns, refunds } = world.money
  const body = html`${head}${told(ctx)}${accountsPanel(world)}${sharesPanel(world, last(shares))}${returnsPanel(world, last(returns))}${refundsPanel(world, last(refunds))}${moneyForms(world)}`
  show(ctx, place, { title: '资金', at: 'money' }, body)
}

/** The newest first. */
const last = <T>(all: ReadonlyMap<string, T>): T[] => [...all.values()].slice(-MOST).reverse()
const nameOf = (world: World, mchid: string): string => world.merchants.get(mchid)?.shortName ?? mchid

function accountsPanel(world: World): Markup {
  const fees = new Map<string, number>()
  for (const { fee, mchid } of world.money.holdings.values()) fees.set(mchid, (fees.get(mchid) ?? 0) + fee)
  const rows = [...world.merchants.values()].map(({ mchid, shortName }) => {
    const [free, held] = [availableOf(world, mchid), frozenOf(world, mchid)]
    return html`<tr>
      <td data-name="商户">
        <span>${shortName} <code class="soft">${mchid}</code></span>
      </td>
      <td data-name="可用余额" class="num">${yuan(free)}</td>
      <td data-name="待分账" class="num">${yuan(held)}</td>
      <td data-name="手续费" class="num">${yuan(fees.get(mchid) ?? 0)}</td>
    </tr>`
  })
  const table = foldingTable(['商户', { num: '可用余额' }, { num: '待分账' }, { num: '手续费' }], rows)
  return html`<section class="panel" data-live="${world.money.journal.length} ${rows.length}" id="accounts">
    <h2>商户账户</h2>
    <p class="soft">
      单位：元。待分账的钱冻结在原订单上，分账、解冻或退款之后才动。手续费是微信支付收下、没有随退款退还的部分。
    </p>
    ${rows.length > 0 ? table : html`<p class="soft">还没有商户。</p>`}
  </section>`
}

const results = {
  PENDING: ['待分账', ''],
  SUCCESS: ['成功', 'good'],
  CLOSED: ['失败', 'bad'],
  PROCESSING: ['处理中', ''],
  FINISHED: ['已完成', 'good'],
  FAILED: ['失败', 'bad'],
  ABNORMAL: ['异常', 'bad'],
} as const
function tag(state: keyof typeof results, reason: string | null = null): Markup {
  const [word, kind] = results[state]
  return html`<span class="tag ${kind}">${word}</span
    >${reason === null ? null : html` <code class="soft">${reason}</code>`}`
}

/** A list of what happened, with an empty sentence. */
function panel(
  title: string,
  stamp: string,
  heads: Parameters<typeof foldingTable>[0],
  rows: readonly Markup[],
): Markup {
  return html`<section class="panel" data-live="${stamp}">
    <h2>${title}</h2>
    ${rows.length > 0 ? foldingTable(heads, rows) : html`<p class="soft">还没有。</p>`}
  </section>`
}

function sharesPanel(world: World, shares: readonly Share[]): Markup {
  const rows = shares.flatMap((share) =>
    share.rows.map(
      (row) =>
        html`<tr>
          <td data-name="时间" class="when">${chinaMoment(row.createdAtMs)}</td>
          <td data-name="收款商户">${nameOf(world, share.mchid)}</td>
          <td data-name="接收方">${row.unfreezes ? '解冻给自己' : nameOf(world, row.account)}</td>
          <td data-name="金额（元）" class="num">${yuan(row.amount)}</td>
          <td data-name="结果"><span>${tag(row.result, row.failReason)}</span></td>
          <td data-name="分账单号"><code>${share.outOrderNo}</code></td>
        </tr>`,
    ),
  )
  const stamp = shares.map((one) => one.outOrderNo + one.rows.map((row) => row.result).join()).join()
  const heads = ['时间', '收款商户', '接收方', { num: '金额（元）' }, '结果', '分账单号']
  return panel('分账和解冻', stamp, heads, rows)
}

function returnsPanel(world: World, returns: readonly ShareReturn[]): Markup {
  const rows = returns.map(
    (one) =>
      html`<tr>
        <td data-name="时间" class="when">${chinaMoment(one.createdAtMs)}</td>
        <td data-name="退回方">${nameOf(world, one.returnMchid)}</td>
        <td data-name="退给">${nameOf(world, one.mchid)}</td>
        <td data-name="金额（元）" class="num">${yuan(one.amount)}</td>
        <td data-name="结果"><span>${tag(one.result, one.failReason)}</span></td>
        <td data-name="回退单号"><code>${one.outReturnNo}</code></td>
      </tr>`,
  )
  const stamp = returns.map((one) => one.outReturnNo + one.result).join()
  return panel('分账回退', stamp, ['时间', '退回方', '退给', { num: '金额（元）' }, '结果', '回退单号'], rows)
}

function refundsPanel(world: World, refunds: readonly Refund[]): Markup {
  const rows = refunds.map(
    (one) =>
      html`<tr>
        <td data-name="时间" class="when">${chinaMoment(one.createdAtMs)}</td>
        <td data-name="商户">${nameOf(world, one.mchid)}</td>
        <td data-name="金额（元）" class="num">${yuan(one.amount)}</td>
        <td data-name="其中冻结（元）" class="num">${yuan(one.takenFrozen)}</td>
        <td data-name="结果"><span>${tag(one.status)}</span></td>
        <td data-name="退款单号"><code>${one.outRefundNo}</code></td>
      </tr>`,
  )
  const stamp = refunds.map((one) => one.outRefundNo + one.status).join()
  return panel(
    '退款',
    stamp,
    ['时间', '商户', { num: '金额（元）' }, { num: '其中冻结（元）' }, '结果', '退款单号'],
    rows,
  )
}
