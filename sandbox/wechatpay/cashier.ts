import type { Merchant, Trade } from './state.ts'

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Makes text safe inside HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => escapes[char] ?? char)
}

/** A page of the sandbox, marked as such, for a phone's width. */
export function page(title: string, inner: string): string {
  return `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)} · 沙箱</title><style>
body{font-family:"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;margin:0;background:#ededed;color:#191919}
main{max-width:420px;margin:0 auto;padding:24px 16px;text-align:center}.mark{background:#fff3d6;color:#7a4d00;padding:10px;
text-align:center;font-size:14px}.fen{font-size:44px;font-weight:600;margin:12px 0}dl{background:#fff;border-radius:8px;
padding:8px 16px;text-align:left}dt{color:#6b6b6b;font-size:13px;margin-top:8px}dd{margin:2px 0 8px;word-break:break-all}
button{display:block;width:100%;min-height:48px;margin:12px 0;border:1px solid #c9c9c9;border-radius:8px;background:#fff;
font-size:17px}button.main{background:#07863f;border-color:#07863f;color:#fff}input{width:100%;box-sizing:border-box;
min-height:44px;font-size:16px;padding:8px}label{display:block;text-align:left;margin:8px 0}table{width:100%;background:#fff;
border-collapse:collapse;font-size:13px}td,th{padding:6px;border-bottom:1px solid #eee;text-align:left;word-break:break-all}
</style></head><body><div class="mark">沙箱：这里不会动用真实资金</div><main>${inner}</main></body></html>`
}

/** The cashier of one order. */
export function cashierPage(merchant: Merchant, trade: Trade, openid: string): string {
  const yuan = (trade.total / 100).toFixed(2)
  const hidden = `<input type="hidden" name="openid" value="${escapeHtml(openid)}">`
  const button = (outcome: string, label: string, kind = ''): string =>
    `<button class="${kind}" name="outcome" value="${outcome}">${label}</button>`
  const action = `/cashier/${encodeURIComponent(trade.outTradeNo)}?mchid=${encodeURIComponent(trade.mchid)}`
  const acts = `<form method="post" action="${escapeHtml(action)}">${hidden}${button('success', '支付', 'main')}${button(
    'bank_limit',
    '银行限额',
  )}${button('no_money', '余额不足')}${button('cancel', '取消')}</form>`
  const states = { NOTPAY: '待支付', SUCCESS: '支付成功', CLOSED: '订单已关闭' }
  const failure = trade.lastFailure !== null && trade.state === 'NOTPAY' ? `（${trade.lastFailure}）` : ''
  return page(
    '微信支付收银台',
    `<h1 style="font-size:20px">微信支付收银台</h1><div class="fen">¥${yuan}</div><dl>
<dt>收款方</dt><dd>${escapeHtml(merchant.shortName)}</dd><dt>商品</dt><dd>${escapeHtml(trade.description)}</dd>
<dt>商户订单号</dt><dd>${escapeHtml(trade.outTradeNo)}</dd><dt>状态</dt>
<dd id="state">${states[trade.state]}${escapeHtml(failure)}</dd></dl>${trade.state === 'NOTPAY' ? acts : ''}`,
  )
}
