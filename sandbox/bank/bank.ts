import type Router from 'koa-router'
import { z } from 'zod'

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

const HEADER = '交易流水号,交易时间,收入金额,对方户名,对方账号,附言'

/** A cell of CSV, quoted when it must be. */
function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function chinaClock(ms: number): string {
  return new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
}

/** 123456 fen as a bank prints it: 1,234.56 */
function amount(fen: number): string {
  return `${Math.floor(fen / 100).toLocaleString('en-US')}.${String(fen % 100).padStart(2, '0')}`
}

function statement(transfers: readonly Transfer[]): string {
  const rows = transfers.map((one) =>
    [one.serial, chinaClock(one.atMs), amount(one.fen), one.payerName, one.payerAccount, one.reference]
      .map(cell)
      .join(','),
  )
  return `\uFEFF${[HEADER, ...rows].join('\r\n')}\r\n`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}

function bankPage(transfers: readonly Transfer[]): string {
  const rows = transfers
    .map(
      (one) =>
        `<tr><td>${chinaClock(one.atMs)}</td><td>${escapeHtml(one.payerName)}</td><td>${amount(one.fen)}</td><td>${escapeHtml(one.reference)}</td></tr>`,
    )
    .join('')
  const field = (name: string, label: string, value = ''): string =>
    `<label>${label}<input name="${name}" value="${value}" required></label>`
  return `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>企业网银 · 沙箱</title><style>body{font-family:"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;margin:0;background:#f3f5f8}
.mark{background:#fff3d6;color:#7a4d00;padding:10px;text-align:center}main{max-width:640px;margin:0 auto;padding:16px}
label{display:block;margin:10px 0}input{display:block;width:100%;box-sizing:border-box;min-height:44px;font-size:16px;padding:8px}
button{min-height:48px;width:100%;font-size:17px;background:#1f4f9e;color:#fff;border:0;border-radius:8px}
table{width:100%;border-collapse:collapse;background:#fff;font-size:14px}td,th{padding:8px;border-bottom:1px solid #e3e6ea;text-align:left;word-break:break-all}</style></head>
<body><div class="mark">沙箱：这里不会动用真实资金</div><main><h1>企业网银</h1><form method="post" action="/bank">
${field('payerName', '付款户名')}${field('payerAccount', '付款账号', '6222000000000000001')}${field('yuan', '金额（元）')}${field('reference', '附言')}
<button>转账</button></form><h2>收款明细</h2><table><tr><th>时间</th><th>户名</th><th>金额</th><th>附言</th></tr>${rows}</table>
<p><a href="/__ctl/bank/statement.csv">下载对账单（CSV）</a></p></main></body></html>`
}

/** Mounts the bank: a page to transfer from, a control call, and the statement. Bodies are raw in `ctx.state.raw`. */
export function mountBank(router: Router, now: () => number): void {
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
  router.get('/bank', (ctx) => {
    ctx.type = 'html'
    ctx.body = bankPage(transfers)
  })
  router.post('/bank', (ctx) => {
    const form = new URLSearchParams((ctx.state['raw'] as Buffer).toString('utf8'))
    const { yuan, ...rest } = Object.fromEntries(form)
    const plain = (yuan ?? '').replaceAll(',', '')
    const fen = /^\d{1,12}(\.\d{1,2})?$/.test(plain) ? Math.round(Number(plain) * 100) : 0
    const done = take({ ...rest, fen })
    if (typeof done === 'string') ctx.throw(400, done)
    ctx.redirect('/bank')
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
