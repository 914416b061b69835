import type { Corp, Member, Message, Received } from './state.ts'

const MOST_LISTED = 50
const STYLE = `*{box-sizing:border-box}body{margin:0;background:#dfe3e8;color:#181818;font:16px/1.5 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}
main{position:relative;max-width:390px;min-height:100vh;margin:0 auto;background:#f2f3f5;padding-bottom:32px}
header{position:sticky;top:0;display:flex;align-items:center;gap:8px;padding:12px 16px;background:#fff;border-bottom:1px solid #e5e6eb}
header h1{flex:1;margin:0;font-size:17px;font-weight:600;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.mark{padding:1px 8px;border-radius:4px;background:#fff3e0;color:#b25000;font-size:12px}
a{color:inherit;text-decoration:none}form{padding:12px 16px}
input{width:100%;padding:10px 12px;border:1px solid #d0d3d9;border-radius:8px;background:#fff;font:inherit}
ul{list-style:none;margin:0;padding:0;background:#fff}li a,li button{display:flex;align-items:center;gap:12px;min-height:56px;padding:8px 16px;border-bottom:1px solid #f0f1f3}
.face{flex:none;width:40px;height:40px;border-radius:6px;background:#2b7de9;color:#fff;text-align:center;line-height:40px}
.quiet{color:#6b7077;font-size:13px}.lead{margin:12px 16px 0}.time{margin:20px 0 8px;text-align:center;color:#6b7077;font-size:12px}
.card{display:block;margin:0 16px;padding:16px;border-radius:10px;background:#fff;box-shadow:0 1px 2px #0000000f;overflow-wrap:anywhere}
.card img{display:block;width:100%;margin:8px 0;border-radius:6px}.card h2{margin:0;font-size:17px}.card p{margin:4px 0 0}
.big{margin:12px 0;text-align:center;font-size:28px;font-weight:600}.rows{margin:12px 0 0;font-size:14px}.rows div{display:flex;gap:12px}
.rows dt{flex:none;width:5em;color:#6b7077}.rows dd{margin:0}.more{margin-top:12px;padding-top:10px;border-top:1px solid #f0f1f3;color:#2b7de9;font-size:14px}
.empty{padding:48px 24px;text-align:center;color:#6b7077}a:focus-visible,input:focus-visible{outline:2px solid #2b7de9;outline-offset:-2px}`

/** Text made safe for element content and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`)
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)} · 沙箱</title><style>${STYLE}</style></head><body><main>${body}</main></body></html>`
}

function top(title: string): string {
  return `<header><h1>${escapeHtml(title)}</h1><span class="mark">沙箱</span></header>`
}

/** What a page of members needs: where a tap leads, and the fields a search keeps. */
export interface MemberPage {
  readonly title: string
  readonly lead: string
  readonly search: string
  readonly hidden: Readonly<Record<string, string>>
  readonly hrefOf: (userid: string) => string
  readonly outsiderHref?: string
}

/** A searchable list of the company's members, at most 50 at a time. */
export function membersPage(corp: Corp, look: MemberPage): string {
  const wanted = look.search.trim().toLowerCase()
  const found: Member[] = []
  let total = 0
  for (const member of corp.members.values()) {
    if (wanted && !`${member.name} ${member.userid} ${member.mobile ?? ''}`.toLowerCase().includes(wanted)) continue
    total += 1
    if (found.length < MOST_LISTED) found.push(member)
  }
  const hidden = Object.entries(look.hidden)
    .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`)
    .join('')
  const form = `<form method="get">${hidden}<input type="search" name="q" value="${escapeHtml(look.search)}" placeholder="姓名、账号或手机号" aria-label="搜索成员"></form>`
  const rows = found.map((member) => memberRow(member, look.hrefOf(member.userid))).join('')
  const outsider = look.outsiderHref
    ? `<li><a href="${escapeHtml(look.outsiderHref)}"><span class="face">外</span><span>非企业成员<br><span class="quiet">外部人员打开链接时的样子</span></span></a></li>`
    : ''
  const count = total > found.length ? `共 ${total} 人，显示前 ${found.length} 人，请搜索` : `共 ${total} 人`
  const list = total === 0 ? '<p class="empty">没有符合的成员</p>' : ''
  return page(
    look.title,
    `${top(look.title)}<p class="lead">${escapeHtml(look.lead)}</p>${form}<ul>${rows}${outsider}</ul>${list}<p class="time">${count}</p>`,
  )
}

function memberRow(member: Member, href: string): string {
  const notes = [member.userid, member.visible ? '' : '不在可见范围', member.licensed ? '' : '未激活账号']
  return `<li><a href="${escapeHtml(href)}"><span class="face">${escapeHtml(Array.from(member.name).at(-1) ?? '员')}</span><span>${escapeHtml(member.name)}<br><span class="quiet">${escapeHtml(notes.filter(Boolean).join(' · '))}</span></span></a></li>`
}

/** The chat of one member with the app, oldest message first. */
export function chatPage(corp: Corp, member: Member, received: readonly Received[]): string {
  const base = `/phone/${encodeURIComponent(corp.corpId)}`
  const open = `${base}/${encodeURIComponent(member.userid)}/open?message=`
  const cards = received.map(({ message }) => messageHtml(message, open + encodeURIComponent(message.id))).join('')
  const title = `企业微信 · ${member.name}`
  return page(
    title,
    `${top(title)}${cards || '<p class="empty">还没有收到消息</p>'}<p class="time"><a href="${escapeHtml(base)}">换一个员工</a></p>`,
  )
}

function messageHtml(message: Message, open: string): string {
  const time = new Date(message.atMs + 8 * 3_600_000).toISOString().slice(0, 16).replace('T', ' ')
  const inner = message.msgtype === 'template_card' ? cardHtml(message.body) : plainHtml(message.body)
  const more = message.url ? '<div class="more">查看详情</div>' : ''
  const card = message.url
    ? `<a class="card" data-message="${escapeHtml(message.id)}" href="${escapeHtml(open)}">${inner}${more}</a>`
    : `<div class="card">${inner}</div>`
  return `<p class="time">${time}</p>${card}`
}

function plainHtml(body: Readonly<Record<string, unknown>>): string {
  const plain = (text: string) =>
    escapeHtml(text.replace(/<br\s*\/?>/gi, '\n').replace(/<[^>]*>/g, '')).replaceAll('\n', '<br>')
  if (typeof body['content'] === 'string') return `<p>${plain(body['content'])}</p>`
  return `<h2>${plain(textAt(body, 'title'))}</h2><p class="quiet">${plain(textAt(body, 'description'))}</p>`
}

function cardHtml(body: Readonly<Record<string, unknown>>): string {
  const [title, emphasis] = [objectAt(body, 'main_title'), objectAt(body, 'emphasis_content')]
  const image = textAt(objectAt(body, 'card_image'), 'url') || textAt(objectAt(body, 'image_text_area'), 'image_url')
  const rows = listAt(body, 'horizontal_content_list')
    .map(
      (row) => `<div><dt>${escapeHtml(textAt(row, 'keyname'))}</dt><dd>${escapeHtml(textAt(row, 'value'))}</dd></div>`,
    )
    .join('')
  const notes = listAt(body, 'vertical_content_list')
    .map(
      (row) =>
        `<p>${escapeHtml(textAt(row, 'title'))}<br><span class="quiet">${escapeHtml(textAt(row, 'desc'))}</span></p>`,
    )
    .join('')
  const part = (tag: string, name: string, text: string) => (text ? `<${tag}${name}>${escapeHtml(text)}</${tag}>` : '')
  return [
    part('p', ' class="quiet"', textAt(objectAt(body, 'source'), 'desc')),
    part('h2', '', textAt(title, 'title')),
    part('p', ' class="quiet"', textAt(title, 'desc')),
    image ? `<img src="${escapeHtml(image)}" alt="">` : '',
    part('p', ' class="big"', textAt(emphasis, 'title')),
    part('p', ' class="quiet" style="text-align:center"', textAt(emphasis, 'desc')),
    part('p', '', textAt(body, 'sub_title_text')),
    notes,
    rows ? `<dl class="rows">${rows}</dl>` : '',
  ].join('')
}

/** A page that says why WeCom would not go on. */
export function refusalPage(code: number, reason: string): string {
  return page('无法继续', `${top('无法继续')}<p class="empty">${escapeHtml(reason)}<br>错误码 ${code}</p>`)
}

function objectAt(value: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  const inner = value[name]
  return typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {}
}

function textAt(value: Readonly<Record<string, unknown>>, name: string): string {
  const inner = value[name]
  return typeof inner === 'string' ? inner : ''
}

function listAt(value: Readonly<Record<string, unknown>>, name: string): Record<string, unknown>[] {
  const inner = value[name]
  return Array.isArray(inner) ? (inner as Record<string, unknown>[]) : []
}
