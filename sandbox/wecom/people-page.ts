import { html, type Markup } from '../look/html.ts'
import { pager } from '../look/page.ts'
import { findMembers, PAGE_SIZE, type Listed } from './directory.ts'
import { licensed, sees } from './members.ts'
import { appOf, type Corp } from './state.ts'

/** What a list of members needs: what was asked for, where a tap leads, and the fields that a search keeps. */
export interface PeopleLook {
  readonly action: string
  readonly search: string
  readonly unreadOnly: boolean
  readonly page: number
  readonly nowMs: number
  readonly hidden: Readonly<Record<string, string>>
  readonly current?: string
  readonly hrefOf: (userid: string) => string
  /** A row for somebody who is no member, where one may choose that. */
  readonly outsiderHref?: string
  /** Whether the list may be narrowed to those with unread messages. */
  readonly unread: boolean
}

/** A list of the company's members to choose from: searched, in pages, with what lies unread. */
export function peopleList(corp: Corp, look: PeopleLook): Markup {
  const { total, listed } = findMembers(corp, look)
  const address = (change: Record<string, string>) => {
    const query = { ...look.hidden, ...(look.search ? { q: look.search } : {}), ...change }
    return `${look.action}?${new URLSearchParams(query).toString()}`
  }
  const kept = Object.entries({ ...look.hidden, ...(look.unreadOnly ? { unread: '1' } : {}) })
  const hidden = kept.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)
  const narrow = look.unread
    ? html`<a class="button" href="${address(look.unreadOnly ? {} : { unread: '1' })}"
        >${look.unreadOnly ? '看全部' : '只看未读'}</a
      >`
    : null
  const outsider = look.outsiderHref
    ? html`<li>
        <a href="${look.outsiderHref}"
          ><span class="face out">外</span
          ><span>非企业成员<br /><span class="soft">外部人员打开链接时的样子</span></span
          ><span></span
        ></a>
      </li>`
    : null
  const unreadOnly = look.unreadOnly ? { unread: '1' } : {}
  const pages =
    total > PAGE_SIZE
      ? pager(total, PAGE_SIZE, look.page, (page) => address({ ...unreadOnly, page: String(page) }))
      : null
  const stamp = `${total} ${listed.map((one) => one.unread).join('')}`
  return html`<form class="find" method="get" action="${look.action}" role="search">
      ${hidden}<input
        type="search"
        name="q"
        value="${look.search}"
        placeholder="姓名、账号或手机号"
        aria-label="搜索成员"
      /><button>搜索</button>${narrow}
    </form>
    <div data-live="${stamp}">
      <ul class="people">
        ${listed.map((one) => row(corp, one, look))}${outsider}
      </ul>
      ${total === 0 ? emptyList(corp, look) : null}${pages}
    </div>`
}

function row(corp: Corp, { member, unread }: Listed, look: PeopleLook): Markup {
  const app = appOf(corp)
  const notes = [
    member.userid,
    app && !sees(corp, app, member) ? '不在可见范围' : '',
    app && !licensed(app, member, look.nowMs) ? '未激活账号' : '',
  ]
  const current = look.current === member.userid ? html`aria-current="true"` : null
  const badge =
    unread > 0 ? html`<span class="unread">${unread}<span class="hide"> 条未读</span></span>` : html`<span></span>`
  return html`<li>
    <a href="${look.hrefOf(member.userid)}" ${current}
      ><span class="face" aria-hidden="true">${lastLetter(member.name)}</span
      ><span>${member.name}<br /><span class="soft">${notes.filter(Boolean).join(' · ')}</span></span
      >${badge}</a
    >
  </li>`
}

function emptyList(corp: Corp, look: PeopleLook): Markup {
  if (corp.members.size === 0)
    return html`<p class="empty">通讯录还是空的。<br />福利卡启动时会写入演示员工；沙箱重启后，请也重启福利卡。</p>`
  return html`<p class="empty">${look.unreadOnly ? '没有未读消息' : '没有符合的成员'}</p>`
}

/** What stands on a member's picture. */
export function lastLetter(name: string): string {
  return Array.from(name).at(-1) ?? '员'
}
