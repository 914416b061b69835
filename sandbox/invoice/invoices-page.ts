import type { Context } from 'koa'
import { html } from '../look/html.ts'
import { chinaMoment, heading, pageNumber, pager, show, yuan, type Place } from '../look/page.ts'
import { foldingTable } from '../look/table.ts'
import type { Document } from './document.ts'

const PAGE_SIZE = 50

/** The page that lists what the service issued, newest first. */
export function invoicesPage(ctx: Context, place: Place, documents: readonly Document[]): void {
  const page = pageNumber(ctx)
  const newest = [...documents].reverse()
  const signed = (fen: number) => (fen < 0 ? `-${yuan(-fen)}` : yuan(fen))
  const stateOf = (one: Document) =>
    one.waits > 0 ? '开具中' : one.reverses ? '红字' : one.reversedBy ? '已红冲' : '已开具'
  const rows = newest.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE).map(
    (one) =>
      html`<tr>
        <td data-name="时间" class="when">${chinaMoment(one.atMs)}</td>
        <td data-name="发票号码"><code>${one.invoiceNumber}</code></td>
        <td data-name="抬头">${one.title}</td>
        <td data-name="税号">${one.taxNumber === null ? '个人' : html`<code>${one.taxNumber}</code>`}</td>
        <td data-name="项目">预付卡销售和充值（601，不征税）</td>
        <td data-name="金额（元）" class="num">${signed(one.amountFen)}</td>
        <td data-name="状态">${stateOf(one)}</td>
      </tr>`,
  )
  const heads = ['时间', '发票号码', '抬头', '税号', '项目', { num: '金额（元）' }, '状态']
  const stamp = documents.map((one) => stateOf(one)).join('')
  const list = html`<section class="panel" data-live="${stamp}">
    <h2>沙箱发票</h2>
    <p class="soft">沙箱里的发票不是税务发票，不能入账或抵扣。</p>
    ${rows.length > 0 ? foldingTable(heads, rows) : html`<p class="empty">还没有发票。</p>`}
    ${newest.length > PAGE_SIZE ? pager(newest.length, PAGE_SIZE, page, (at) => `/invoices?page=${at}`) : null}
  </section>`
  const head = heading(
    '电子发票服务（沙箱）',
    '福利卡开具和红冲的发票都列在这里。',
    'Invoices that Fulika had issued and reversed. None of them is a tax document.',
  )
  show(ctx, place, { title: '电子发票', at: 'invoices' }, html`${head}${list}`)
}
