import { html, type Markup } from '../look/html.ts'
import type { Member, Message, Received } from './state.ts'

const APP_NAME = '福利卡'
const face = html`<span class="face app" aria-hidden="true">卡</span>`

/** A phone: a bar with where one came from and a title, and what is on the screen. */
export function phone(
  title: string,
  back: { readonly href: string; readonly label: string } | null,
  screen: Markup,
): Markup {
  const link = back ? html`<a href="${back.href}" aria-label="${back.label}">‹ 返回</a>` : html`<span></span>`
  return html`<section class="phone" aria-label="手机">
    <div class="bar">
      ${link}
      <h1 class="one">${title}</h1>
      <span><span class="tag sand">沙箱</span></span>
    </div>
    ${screen}
  </section>`
}

/** The list of a member's chats; the app is the only one that writes here. */
export function chatList(member: Member, received: readonly Received[], chatHref: string, nowMs: number): Markup {
  const last = received.at(-1)
  const unread = received.filter((each) => each.seenAtMs === null).length
  const badge = unread > 0 ? html`<span class="unread">${unread}<span class="hide"> 条未读</span></span>` : null
  const entry = last
    ? html`<ul class="people">
        <li>
          <a href="${chatHref}"
            >${face}<span style="min-width:0"
              ><span class="one" style="display:block">${APP_NAME}</span
              ><span class="soft one" style="display:block">${titleOf(last.message)}</span></span
            ><span style="text-align:right"
              ><span class="soft">${saidAt(last.message.atMs, nowMs)}</span><br />${badge}</span
            ></a
          >
        </li>
      </ul>`
    : html`<p class="empty">${member.name}还没有收到消息</p>`
  return html`<div class="chats" data-live="${received.length} ${unread}">${entry}</div>`
}

/** The chat of one member with the app, oldest message first. `openHref` begins the address that a tapped card leads to. */
export function chat(received: readonly Received[], openHref: string, nowMs: number): Markup {
  const said = received.map((each, index) => {
    const inner = messageCard(each.message, openHref + encodeURIComponent(each.message.id))
    const mark = index === received.length - 1 ? html`data-last` : null
    return html`<div ${mark}>
      <p class="time">${saidAt(each.message.atMs, nowMs)}</p>
      <div class="said">${face}${inner}</div>
    </div>`
  })
  const empty = received.length === 0 ? html`<p class="empty">还没有收到消息</p>` : null
  return html`<div data-live="${received.length}">${said}${empty}</div>`
}

/** 14:30 today, 昨天 14:30, else the day, as chats tell it. */
function saidAt(atMs: number, nowMs: number): string {
  const dayOf = (ms: number) => Math.floor((ms + 8 * 3_600_000) / 86_400_000)
  const text = new Date(atMs + 8 * 3_600_000).toISOString()
  const [month, day, time] = [Number(text.slice(5, 7)), Number(text.slice(8, 10)), text.slice(11, 16)]
  const ago = dayOf(nowMs) - dayOf(atMs)
  if (ago === 0) return time
  return ago === 1 ? `昨天 ${time}` : `${month}月${day}日 ${time}`
}

function titleOf(message: Message): string {
  if (typeof message.body['content'] === 'string') return plain(message.body['content'])
  const main = objectAt(message.body, 'main_title')
  return textAt(message.body, 'title') || textAt(main, 'title') || textAt(message.body, 'sub_title_text')
}

function messageCard(message: Message, open: string): Markup {
  const parts = message.msgtype === 'template_card' ? cardParts(message.body) : plainParts(message.body)
  if (!message.url)
    return html`<div class="card">
      ${parts}
      <div class="end"></div>
    </div>`
  return html`<a class="card" data-message="${message.id}" href="${open}"
    >${parts}
    <div class="more"><span>查看详情</span><span aria-hidden="true">›</span></div></a
  >`
}

function plainParts(body: Readonly<Record<string, unknown>>): Markup {
  const lines = (text: string) =>
    plain(text)
      .split('\n')
      .map((line, index) => (index > 0 ? html`<br />${line}` : html`${line}`))
  if (typeof body['content'] === 'string') return html`<div class="in"><p>${lines(body['content'])}</p></div>`
  return html`<div class="in">
    <h2>${plain(textAt(body, 'title'))}</h2>
    <p class="soft">${lines(textAt(body, 'description'))}</p>
  </div>`
}

/** The text of a message without its tags. */
function plain(text: string): string {
  return text.replace(/<br\s*\/?>|<\/div>\s*(?=<div)/gi, '\n').replace(/<[^>]*>/g, '')
}

function cardParts(body: Readonly<Record<string, unknown>>): Markup {
  const [title, emphasis, quote] = ['main_title', 'emphasis_content', 'quote_area'].map((name) => objectAt(body, name))
  const image = textAt(objectAt(body, 'card_image'), 'url') || textAt(objectAt(body, 'image_text_area'), 'image_url')
  const rows = listAt(body, 'horizontal_content_list').map(
    (row) =>
      html`<div>
        <dt>${textAt(row, 'keyname')}</dt>
        <dd>${textAt(row, 'value')}</dd>
      </div>`,
  )
  const notes = listAt(body, 'vertical_content_list').map(
    (row) => html`<p>${textAt(row, 'title')}<br /><span class="soft">${textAt(row, 'desc')}</span></p>`,
  )
  const line = (name: string, text: string) => (text === '' ? null : html`<p class="${name}">${text}</p>`)
  const heading = textAt(title, 'title')
  return html`<div class="in">
      ${line('source', textAt(objectAt(body, 'source'), 'desc'))}${heading ? html`<h2>${heading}</h2>` : null}${line('soft', textAt(title, 'desc'))}
    </div>
    ${image ? html`<img src="${image}" alt="" style="margin-top:10px" />` : null}
    <div class="in" style="padding-top:0">
      ${line('big', textAt(emphasis, 'title'))}${textAt(emphasis, 'desc') ? html`<p class="soft" style="text-align:center">${textAt(emphasis, 'desc')}</p>` : null}${line('', textAt(quote, 'quote_text'))}${line('', textAt(body, 'sub_title_text'))}${notes}${rows.length > 0 ? html`<dl class="rows">${rows}</dl>` : null}
    </div>`
}

function objectAt(value: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  const inner = value[name]
  return typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {}
}

function textAt(value: Readonly<Record<string, unknown>> | undefined, name: string): string {
  const inner = value?.[name]
  return typeof inner === 'string' ? inner : ''
}

function listAt(value: Readonly<Record<string, unknown>>, name: string): Record<string, unknown>[] {
  const inner = value[name]
  return Array.isArray(inner) ? (inner as Record<string, unknown>[]) : []
}
