import type { Context } from 'koa'
import { html, type Markup } from './html.ts'
import { STYLE } from './style.ts'

/** The three servers of the sandbox: WeCom, WeChat Pay with a bank, and WeChat itself. */
export type Side = 'wecom' | 'pay' | 'wechat'

/** Where the others listen, when they run together; pages link there on the host they were asked by. */
export interface Neighbours {
  wecomPort?: number
  payPort?: number
  wechatPort?: number
}

/** What stands around a page's own content. */
export interface PageFrame {
  readonly title: string
  /** Which entry of the navigation this page belongs to. */
  readonly at: NavName | null
  /** Full width, without the padding of an ordinary page. */
  readonly bare?: boolean
}

export type NavName =
  | 'home'
  | 'phone'
  | 'worker'
  | 'suites'
  | 'contacts'
  | 'admin'
  | 'callback'
  | 'cashier'
  | 'bank'
  | 'invoices'
  | 'till'
  | 'money'
  | 'wecom-dials'
  | 'pay-dials'
  | 'buyers'
  | 'wechat-dials'
const entries: readonly { name: NavName; label: string; side: Side | 'here'; path: string }[] = [
  { name: 'home', label: '首页', side: 'here', path: '/' },
  { name: 'phone', label: '手机', side: 'wecom', path: '/phone' },
  { name: 'worker', label: '外部手机', side: 'wecom', path: '/worker' },
  { name: 'admin', label: '企业', side: 'wecom', path: '/admin' },
  { name: 'contacts', label: '客户联系', side: 'wecom', path: '/contacts' },
  { name: 'suites', label: '服务商', side: 'wecom', path: '/suites' },
  { name: 'callback', label: '回调', side: 'wecom', path: '/callback' },
  { name: 'wecom-dials', label: '企微旋钮', side: 'wecom', path: '/dials' },
  { name: 'cashier', label: '收银台', side: 'pay', path: '/cashier' },
  { name: 'bank', label: '网银', side: 'pay', path: '/bank' },
  { name: 'invoices', label: '发票', side: 'pay', path: '/invoices' },
  { name: 'till', label: '收银机', side: 'pay', path: '/till' },
  { name: 'money', label: '资金', side: 'pay', path: '/money' },
  { name: 'pay-dials', label: '支付旋钮', side: 'pay', path: '/dials' },
  { name: 'buyers', label: '买家微信', side: 'wechat', path: '/phone' },
  { name: 'wechat-dials', label: '微信旋钮', side: 'wechat', path: '/dials' },
]

/** Which of them answers, and where the others are. */
export interface Place {
  readonly side: Side
  readonly neighbours: Neighbours
}

/** The address of a page of any of them, seen from here; null while that one does not run. */
export function linkTo(ctx: Context, place: Place, side: Side, path: string): string | null {
  if (side === place.side) return path
  const port = place.neighbours[`${side}Port`]
  return port === undefined ? null : `${ctx.protocol}://${ctx.hostname}:${port}${path}`
}

/** Sends a page: marked as sandbox, with the navigation, and without anything from elsewhere but pictures of messages. */
export function show(ctx: Context, place: Place, frame: PageFrame, inner: Markup): void {
  const links = entries.flatMap(({ name, label, side, path }) => {
    const href = linkTo(ctx, place, side === 'here' ? place.side : side, path)
    const here = name === frame.at ? html` aria-current="page"` : null
    return href === null ? [] : [html`<a href="${href}" ${here}>${label}</a>`]
  })
  const body = frame.bare ? inner : html`<main class="page stack">${inner}</main>`
  const page = html`<!doctype html>
    <html lang="zh-CN">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <link rel="icon" href="data:," />
        <title>${frame.title} · 沙箱</title>
        <style>
          ${{ markup: STYLE }}
        </style>
      </head>
      <body>
        <div class="band">
          <b>沙箱</b><span>这里没有真实的钱、卡和消息</span
          ><span class="en" lang="en">Sandbox: no real money, cards or messages</span>
        </div>
        <nav aria-label="沙箱">${links}</nav>
        ${body}
        <script>
          ${{ markup: KEEP_FRESH }}
        </script>
      </body>
    </html>`
  ctx.type = 'text/html; charset=utf-8'
  ctx.set('cache-control', 'no-store')
  ctx.set('content-security-policy', POLICY)
  ctx.body = page.markup
}

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src http: https: data:; base-uri 'none'"

/** Looks again every two seconds and exchanges the parts marked `data-live` whose stamp has changed. */
const KEEP_FRESH = `document.querySelector('nav [aria-current]')?.scrollIntoView({inline:'center',block:'nearest'});{const parts=(d)=>[...d.querySelectorAll('[data-live]')];const end=()=>document.querySelector('[data-last]')?.scrollIntoView({block:'nearest'});end();
if(parts(document).length>0)setInterval(async()=>{if(document.hidden)return;try{const answer=await fetch(location.href);if(!answer.ok)return;
const next=parts(new DOMParser().parseFromString(await answer.text(),'text/html'));parts(document).forEach((now,i)=>{const then=next[i];
if(then&&then.dataset.live!==now.dataset.live&&!now.contains(document.activeElement)){now.replaceWith(then);end()}})}catch{}},2000)}`

/** The head of a page, or of a part of one: its title, a sentence, and the sentence in English. */
export function heading(title: string, lead: string, english: string, rank: 1 | 2 = 1): Markup {
  return html`<header>
    ${rank === 1 ? html`<h1>${title}</h1>` : html`<h2>${title}</h2>`}
    <p class="lead">${lead}</p>
    <p class="en" lang="en">${english}</p>
  </header>`
}

/** What the last click did, told at the top of the page that it leads back to; `bad` when it was refused. */
export function told(ctx: Context): Markup | null {
  const [done, wrong] = [queryText(ctx, 'done'), queryText(ctx, 'wrong')]
  if (wrong) return html`<p class="told bad" role="alert">${wrong}</p>`
  return done ? html`<p class="told" role="status">${done}</p>` : null
}

/** Goes back to a page with a sentence that it shows; `kept` stays in its query. */
export function goBack(
  ctx: Context,
  path: string,
  outcome: { readonly done: string } | { readonly wrong: string },
  kept: Readonly<Record<string, string>> = {},
): void {
  ctx.status = 303
  ctx.redirect(`${path}?${new URLSearchParams({ ...kept, ...outcome }).toString()}`)
}

/** One value of the query, or nothing. */
export function queryText(ctx: Context, name: string): string {
  const value = ctx.query[name]
  return typeof value === 'string' ? value : ''
}

/** A page number from the query, beginning at 1. */
export function pageNumber(ctx: Context): number {
  const asked = queryText(ctx, 'page')
  return /^[1-9]\d{0,6}$/.test(asked) ? Number(asked) : 1
}

/** Earlier and later pages of a list that shows `size` at a time. */
export function pager(total: number, size: number, at: number, hrefOf: (page: number) => string): Markup {
  const last = Math.max(1, Math.ceil(total / size))
  const link = (page: number, label: string) =>
    page < 1 || page > last ? html`<span></span>` : html`<a class="button" href="${hrefOf(page)}">${label}</a>`
  return html`<div class="pager">
    ${link(at - 1, '上一页')}<span class="num">第 ${at} / ${last} 页，共 ${total.toLocaleString('en-US')}</span
    >${link(at + 1, '下一页')}
  </div>`
}

/** A moment in China as a person reads it. */
export function chinaMoment(ms: number): string {
  return new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
}

/** 123456 fen as it is printed: 1,234.56 */
export function yuan(fen: number): string {
  return `${Math.floor(fen / 100).toLocaleString('en-US')}.${String(fen % 100).padStart(2, '0')}`
}
