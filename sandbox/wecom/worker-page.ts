import { html, type Markup } from '../look/html.ts'
import { pager } from '../look/page.ts'
import { phone, saidAt } from './chat-page.ts'
import type { ChatLine, ContactWay, Person, ShortMessage } from './customer-state.ts'
import { lastLetter } from './people-page.ts'
import type { Corp } from './state.ts'

export const WORKERS_A_PAGE = 20

/** A contact of an outside person: a member of some company, and what was said. */
export interface OutsideChat {
  readonly corpId: string
  readonly corpName: string
  readonly userid: string
  readonly name: string
  readonly lines: readonly ChatLine[]
}
/** A contact way that hangs on a wall. */
export interface WallCode {
  readonly corp: Corp
  readonly way: ContactWay
  readonly url: string
}

export const workerHref = (person: Person): string => `/worker/${encodeURIComponent(person.id)}`
const chatHref = (person: Person, chat: OutsideChat): string =>
  `${workerHref(person)}/chat/${encodeURIComponent(chat.corpId)}/${encodeURIComponent(chat.userid)}`

/** The phones of people outside, and a form for one more. `scan`: the code that the next phone picked is to scan. */
export function workerList(
  look: {
    readonly search: string
    readonly page: number
    readonly total: number
    readonly scan: string
    readonly current: string | null
  },
  people: readonly Person[],
): Markup {
  const kept = { ...(look.search ? { q: look.search } : {}), ...(look.scan ? { scan: look.scan } : {}) }
  const rows = people.map((one) => {
    const current = one.id === look.current ? html`aria-current="true"` : null
    const inner = html`<span class="face out" aria-hidden="true">${lastLetter(one.name)}</span
      ><span>${one.name}<br /><span class="soft">${one.mobile ?? '没有手机号'}</span></span
      ><span></span>`
    return look.scan
      ? html`<li>
          <form method="post" action="${workerHref(one)}/scan">
            <input type="hidden" name="url" value="${look.scan}" /><button class="row">${inner}</button>
          </form>
        </li>`
      : html`<li><a href="${workerHref(one)}" ${current}>${inner}</a></li>`
  })
  const hidden = look.scan ? html`<input type="hidden" name="scan" value="${look.scan}" />` : null
  const pages =
    look.total > WORKERS_A_PAGE
      ? pager(look.total, WORKERS_A_PAGE, look.page, (page) => {
          return `/worker?${new URLSearchParams({ ...kept, page: String(page) }).toString()}`
        })
      : null
  return html`<form class="find" method="get" action="/worker" role="search">
      ${hidden}<input
        type="search"
        name="q"
        value="${look.search}"
        placeholder="姓名或手机号"
        aria-label="搜索外部人员"
      /><button>搜索</button>
    </form>
    <ul class="people">
      ${rows}
    </ul>
    ${people.length === 0 ? html`<p class="empty">还没有外部人员，在下面添一位。</p>` : null}${pages}
    <form method="post" action="/worker" class="fields two" style="padding:16px">
      ${hidden}<label>姓名<input name="name" required maxlength="40" autocomplete="off" /></label>
      <label
        >手机号<input name="mobile" inputmode="numeric" pattern="1[0-9]{10}" maxlength="11" autocomplete="off"
      /></label>
      <div><button>添加一部手机</button></div>
    </form>`
}

/** The first screen of the phone: WeChat's chats, short messages, and scanning. */
export function workerHome(
  person: Person,
  chats: readonly OutsideChat[],
  texts: readonly ShortMessage[],
  nowMs: number,
): Markup {
  const last = texts.at(-1)
  const entry = (href: string, face: Markup, title: string, text: string, atMs: number | null) =>
    html`<li>
      <a href="${href}"
        >${face}<span style="min-width:0"
          ><span class="one" style="display:block">${title}</span
          ><span class="soft one" style="display:block">${text}</span></span
        ><span class="soft">${atMs === null ? '' : saidAt(atMs, nowMs)}</span></a
      >
    </li>`
  const rows = chats.map((chat) => {
    const line = chat.lines.at(-1)
    const face = html`<span class="face" aria-hidden="true">${lastLetter(chat.name)}</span>`
    const text = line ? (line.text ?? `［链接］${line.link?.title ?? ''}`) : ''
    return entry(chatHref(person, chat), face, `${chat.name} @${chat.corpName}`, text, line?.atMs ?? null)
  })
  const sms = html`<span class="face app" aria-hidden="true">信</span>`
  const scan = html`<span class="face" style="background:#07803d" aria-hidden="true">扫</span>`
  const stamp = `${chats.map((one) => one.lines.length).join()} ${texts.length}`
  const screen = html`<div class="chats" data-live="${stamp}">
    <ul class="people">
      ${entry(`${workerHref(person)}/scan`, scan, '扫一扫', '扫墙上的二维码，或打开一个链接', null)}${entry(`${workerHref(person)}/texts`, sms, '短信', last?.text ?? '没有短信', last?.atMs ?? null)}${rows}
    </ul>
    ${chats.length === 0 ? html`<p class="empty">还没有添加任何人。</p>` : null}
  </div>`
  return phone(`微信 · ${person.name}`, { href: '/worker', label: '换一部手机' }, screen)
}

/** The chat with a member, with what they sent and a field to write back. */
export function workerChat(person: Person, chat: OutsideChat, half: boolean, nowMs: number): Markup {
  const here = chatHref(person, chat)
  const said = chat.lines.map((line, index) => {
    const mark = index === chat.lines.length - 1 ? html`data-last` : null
    return html`<div ${mark}>
      <p class="time">${saidAt(line.atMs, nowMs)}</p>
      ${lineCard(person, chat, line)}
    </div>`
  })
  const confirm = half
    ? html`<form method="post" action="${here}/agree" style="padding:12px 14px">
        <button class="main" style="width:100%">确认添加 ${chat.name}</button>
      </form>`
    : null
  const screen = html`<div data-live="${chat.lines.length} ${half ? 'h' : ''}">${said}${confirm}</div>
    <form method="post" action="${here}" class="find say">
      <input
        name="text"
        required
        maxlength="2000"
        aria-label="发消息"
        placeholder="发消息"
        autocomplete="off"
      /><button>发送</button>
    </form>
    <form method="post" action="${here}/leave" style="padding:0 16px"><button>删除联系人</button></form>`
  return phone(`${chat.name} @${chat.corpName}`, { href: workerHref(person), label: '微信' }, screen)
}

function lineCard(person: Person, chat: OutsideChat, line: ChatLine): Markup {
  if (line.from === 'system') return html`<p class="time">${line.text}</p>`
  const own = line.from === 'person'
  const face = html`<span class="face ${own ? 'out' : ''}" aria-hidden="true"
    >${lastLetter(own ? person.name : chat.name)}</span
  >`
  const open = `${workerHref(person)}/open?${new URLSearchParams({ url: line.link?.url ?? '' }).toString()}`
  const card = line.link
    ? html`<a class="card" href="${open}"
        ><div class="in">
          <h2>${line.link.title}</h2>
          <p class="soft">${line.link.desc}</p>
        </div>
        <div class="more"><span>打开链接</span><span aria-hidden="true">›</span></div></a
      >`
    : html`<div class="card">
        <div class="in"><p>${line.text}</p></div>
        <div class="end"></div>
      </div>`
  return html`<div class="said ${own ? 'own' : ''}">${face}${card}</div>`
}

/** The short messages of the phone's number. */
export function workerTexts(person: Person, texts: readonly ShortMessage[], nowMs: number): Markup {
  const said = texts.map((one, index) => {
    const mark = index === texts.length - 1 ? html`data-last` : null
    return html`<div ${mark}>
      <p class="time">${saidAt(one.atMs, nowMs)}</p>
      <div class="said">
        <span class="face app" aria-hidden="true">信</span>
        <div class="card">
          <div class="in"><p>${one.text}</p></div>
          <div class="end"></div>
        </div>
      </div>
    </div>`
  })
  const none = person.mobile === null ? '这部手机没有手机号，收不到短信。' : `${person.mobile} 还没有收到短信。`
  const screen = html`<div data-live="${texts.length}">
    ${said}${texts.length === 0 ? html`<p class="empty">${none}</p>` : null}
  </div>`
  return phone('短信', { href: workerHref(person), label: '微信' }, screen)
}

/** 扫一扫: a field for an address, and the codes that hang on walls. */
export function workerScan(person: Person, codes: readonly WallCode[], wrong: string): Markup {
  const here = `${workerHref(person)}/scan`
  const rows = codes.map(
    ({ corp, way, url }) =>
      html`<li>
        <form method="post" action="${here}">
          <input type="hidden" name="url" value="${url}" /><button class="row">
            <img src="${url}" alt="" width="44" height="44" /><span
              >${way.remark || '联系我'}<br /><span class="soft"
                >${corp.name} · ${way.userIds.length} 位成员 · ${way.state || '没有标记'}</span
              ></span
            ><span class="soft">扫码</span>
          </button>
        </form>
      </li>`,
  )
  const refused = wrong === '' ? null : html`<p class="told bad" role="alert" style="margin:12px 16px 0">${wrong}</p>`
  const screen = html`<div class="chats">
    ${refused}
    <form method="post" action="${here}" class="fields" style="padding:16px">
      <label>二维码里的地址<input name="url" type="url" required placeholder="https://" autocomplete="off" /></label>
      <label class="pick"
        ><input type="checkbox" name="half" value="1" /><span>先不确认（员工免验证时的“半添加”）</span></label
      >
      <div><button class="main">扫一扫</button></div>
    </form>
    <h2 style="padding:0 16px">墙上的二维码</h2>
    <ul class="people">
      ${rows}
    </ul>
    ${rows.length === 0 ? html`<p class="empty">还没有“联系我”二维码。</p>` : null}
  </div>`
  return phone('扫一扫', { href: workerHref(person), label: '微信' }, screen)
}
