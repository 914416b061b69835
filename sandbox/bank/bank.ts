import type { Context } from 'koa'
import type Router from 'koa-router'
import { z } from 'zod'
import { html, type Markup } from '../look/html.ts'
import { chinaMoment, goBack, heading, pageNumber, pager, show, told, yuan, type Place } from '../look/page.ts'
import { foldingTable } from '../look/table.ts'

interface Transfer {
  readonly serial: string
  readonly atMs: number
  readonly fen: number
  readonly payerName: string
  readonly payerAccount: string
  readonly reference: string
}

const transferInput = z.strictObject({
  reference: z.string().max(200),
  payerName: z.string().min(1).max(100),
  payerAccount: z.string().min(1).max(40),
  fen: z.coerce.number().int().min(1),
  atMs: z.int().optional(),
})

const PAGE_SIZE = 50
const HEADER = '交易流水号,交易时间,收入金额,对方户名,对方账号,附言'

/** A cell of CSV, quoted when it must be. */
function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function statement(transfers: readonly Transfer[]): string {
  const rows = transfers.map((one) =>
    [one.serial, chinaMoment(one.atMs), yuan(one.fen), one.payerName, one.payerAccount, one.reference]
      .map(cell)
      .join(','),
  )
  return `\uFEFF${[HEADER, ...rows].join('\r\n')}\r\n`
}

function bankPage(ctx: Context, place: Place, transfers: readonly Transfer[]): void {
  const page = pageNumber(ctx)
  const newest = [...transfers].reverse()
  const rows = newest.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE).map(
    (one) =>
      html`<tr>
        <td data-name="时间" class="when">${chinaMoment(one.atMs)}</td>
        <td data-name="付款户名">${one.payerName}</td>
        <td data-name="金额（元）" class="num">${yuan(one.fen)}</td>
        <td data-name="附言">${one.reference}</td>
        <td data-name="流水号"><code>${one.serial}</code></td>
      </tr>`,
  )
  const field = (name: string, label: string, value: string, more: Markup | null = null): Markup =>
    html`<label>${label}<input name="${name}" value="${value}" required ${more} /></label>`
  const form = html`<section class="panel">
    <h2>转账给平台</h2>
    <p class="soft">附言写上福利卡给的付款参考号，钱才认得出是谁的。</p>
    <form method="post" action="/bank" class="fields two">
      ${field('payerName', '付款户名', '青禾制造有限公司')}${field('payerAccount', '付款账号', '6222020200012345678')}${field('yuan', '金额（元）', '', html`inputmode="decimal" placeholder="1000.00"`)}${field('reference', '附言', '', html`placeholder="付款参考号"`)}
      <div><button class="main">转账</button></div>
    </form>
  </section>`
  const table = foldingTable(['时间', '付款户名', { num: '金额（元）' }, '附言', '流水号'], rows)
  const pages = newest.length > PAGE_SIZE ? pager(newest.length, PAGE_SIZE, page, (at) => `/bank?page=${at}`) : null
  const download = html`<div class="acts">
    <a class="button" href="/__ctl/bank/statement.csv" download="statement.csv">下载对账单（CSV）</a>
  </div>`
  const list = html`<section class="panel" data-live="${newest.length}">
    <h2>收款明细</h2>
    <p class="soft">平台账户收到的转账。下载对账单，在福利卡的平台后台导入，款项才会入账。</p>
    ${rows.length > 0 ? html`${download}${table}${pages}` : html`<p class="empty">还没有转账。</p>`}
  </section>`
  const head = heading(
    '企业网银',
    '从公司的账户向福利卡平台转账。',
    'Transfer from the company’s account to the platform.',
  )
  show(ctx, place, { title: '企业网银', at: 'bank' }, html`${head}${told(ctx)}${form}${list}`)
}

/** Mounts the bank: a page to transfer from, a control call, and the statement. Bodies are raw in `ctx.state.raw`. */
export function mountBank(router: Router, now: () => number, place: Place): void {
  const transfers: Transfer[] = []
  // A bank never uses a serial number again, so one that starts anew goes on elsewhere.
  const startedMs = now()
  const take = (value: unknown): Transfer | string => {
    const parsed = transferInput.safeParse(value)
    if (!parsed.success) return z.prettifyError(parsed.error)
    const serial = `SBX${startedMs}${String(transfers.length + 1).padStart(8, '0')}`
    const transfer = { ...parsed.data, serial, atMs: parsed.data.atMs ?? now() }
    transfers.push(transfer)
    return transfer
  }
  router.get('/bank', (ctx) => bankPage(ctx, place, transfers))
  router.post('/bank', (ctx) => {
    const form = new URLSearchParams((ctx.state['raw'] as Buffer).toString('utf8'))
    const { yuan: written = '', ...rest } = Object.fromEntries(form)
    const plain = written.trim().replaceAll(',', '')
    const fen = /^\d{1,12}(\.\d{1,2})?$/.test(plain) ? Math.round(Number(plain) * 100) : 0
    if (fen < 1) return goBack(ctx, '/bank', { wrong: '没有转账：金额要大于 0，最多两位小数，例如 1000.00。' })
    const done = take({ ...rest, fen })
    if (typeof done === 'string')
      return goBack(ctx, '/bank', { wrong: '没有转账：付款户名和账号都要填，附言不超过 200 字。' })
    return goBack(ctx, '/bank', { done: `已转账 ${yuan(done.fen)} 元，附言“${done.reference}”。` })
  })
  router.post('/__ctl/bank/transfers', (ctx) => {
    let value: unknown
    try {
      value = JSON.parse((ctx.state['raw'] as Buffer).toString('utf8')) as unknown
    } catch {
      value = undefined
    }
    const done = take(value)
    ctx.status = typeof done === 'string' ? 400 : 200
    ctx.body = typeof done === 'string' ? { error: done } : done
  })
  router.get('/__ctl/bank/statement.csv', (ctx) => {
    ctx.type = 'text/csv; charset=utf-8'
    ctx.body = statement(transfers)
  })
}
