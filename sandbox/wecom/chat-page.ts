import { html, type Markup } from '../look/html.ts'
import type { Message, Received } from './message-state.ts'
import { messageCard, plainText } from './message-card.ts'
import { cardOf } from './press-card.ts'
import type { App, Member } from './state.ts'

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
      <h2 class="one">${title}</h2>
      <span><span class="tag sand">沙箱</span></span>
    </div>
    ${screen}
  </section>`
}

/** A member's chat with one app: the oldest message first. */
export interface Chat {
  readonly app: App
  readonly received: readonly Received[]
}

/** The list of a member's chats, the one with the newest message first. */
export function chatList(member: Member, chats: readonly Chat[], hrefOf: (app: App) => string, nowMs: number): Markup {
  const entries = chats.map(({ app, received }) => {
    const last = received.at(-1)
    const unread = unreadIn(received)
    const badge = unread > 0 ? html`<span class="unread">${unread}<span class="hide"> 条未读</span></span>` : null
    return html`<li>
      <a href="${hrefOf(app)}"
        >${face}<span style="min-width:0"
          ><span class="one" style="display:block">${app.name}</span
          ><span class="soft one" style="display:block">${last ? titleOf(last) : ''}</span></span
        ><span style="text-align:right"
          ><span class="soft">${last ? saidAt(last.message.atMs, nowMs) : ''}</span><br />${badge}</span
        ></a
      >
    </li>`
  })
  const list =
    entries.length > 0
      ? html`<ul class="people">
          ${entries}
        </ul>`
      : html`<p class="empty">${member.name}还没有收到消息</p>`
  const stamp = chats.map(({ received }) => `${received.length} ${unreadIn(received)}`).join(',')
  return html`<div class="chats" data-live="${stamp}">${list}</div>`
}

function unreadIn(received: readonly Received[]): number {
  return received.filter((each) => each.seenAtMs === null).length
}

/** The chat of one member with an app. `base` begins the addresses that taps lead to. */
export function chat(received: readonly Received[], base: string, nowMs: number): Markup {
  const said = received.map((each, index) => {
    const mark = index === received.length - 1 ? html`data-last` : null
    const time = html`<p class="time">${saidAt(each.message.atMs, nowMs)}</p>`
    if (each.message.recalledAtMs !== null)
      return html`<div ${mark}>
        ${time}
        <p class="time">消息已撤回</p>
      </div>`
    return html`<div ${mark}>
      ${time}
      <div class="said">${face}${messageCard(each, base)}</div>
    </div>`
  })
  const empty = received.length === 0 ? html`<p class="empty">还没有收到消息</p>` : null
  const stamp = received
    .map((each) => (each.message.recalledAtMs === null ? '' : 'r') + (each.update ? 'u' : ''))
    .join()
  return html`<div data-live="${received.length} ${stamp}">${said}${empty}</div>`
}

/** 14:30 today, 昨天 14:30, else the day, as chats tell it. */
export function saidAt(atMs: number, nowMs: number): string {
  const dayOf = (ms: number) => Math.floor((ms + 8 * 3_600_000) / 86_400_000)
  const text = new Date(atMs + 8 * 3_600_000).toISOString()
  const [month, day, time] = [Number(text.slice(5, 7)), Number(text.slice(8, 10)), text.slice(11, 16)]
  const ago = dayOf(nowMs) - dayOf(atMs)
  if (ago === 0) return time
  return ago === 1 ? `昨天 ${time}` : `${month}月${day}日 ${time}`
}

/** What the list of chats says of the newest message. */
function titleOf(received: Received): string {
  const { message } = received
  if (message.recalledAtMs !== null) return '消息已撤回'
  const words: Partial<Record<Message['msgtype'], string>> = { image: '[图片]', voice: '[语音]', video: '[视频]' }
  const word = words[message.msgtype]
  if (word !== undefined) return word
  const body = cardOf(received)
  const [article] = (Array.isArray(body['articles']) ? body['articles'] : []) as Record<string, unknown>[]
  const main = body['main_title'] as Record<string, unknown> | undefined
  const texts = [body['content'], body['title'], main?.['title'], article?.['title'], body['sub_title_text']]
  const text = texts.find((one) => typeof one === 'string' && one !== '')
  if (typeof text === 'string') return plainText(text)
  return typeof body['filename'] === 'string' ? `[文件] ${body['filename']}` : ''
}
