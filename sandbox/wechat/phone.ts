import type { Context } from 'koa'
import Router from 'koa-router'
import { html, type Markup } from '../look/html.ts'
import { goBack, heading, queryText, show, told, type Place } from '../look/page.ts'
import { readBody } from '../wecom/body.ts'
import { phone, saidAt } from '../wecom/chat-page.ts'
import { choosePhone, phoneOf, refuse } from './authorise.ts'
import { sendLink } from './send-link.ts'
import type { ChatMessage, Notice, Person, WechatState } from './state.ts'

/** The phones of people with WeChat: the account's menu, what friends sent, and messages of accounts. */
export function phoneRoutes(state: WechatState, place: Place): Router {
  const router = new Router()
  const at = (path: string, run: (ctx: Context, person: Person) => void | Promise<void>) => (ctx: Context) => {
    const person = state.persons.get((ctx as Context & { params: Record<string, string> }).params['person'] ?? '')
    return person ? run(ctx, person) : refuse(ctx, place, 404, `没有这位：${path}`, 404)
  }
  const screenOf = (ctx: Context, person: Person, title: string, screen: Markup, back: string | null) => {
    choosePhone(ctx, person)
    const link = back === null ? { href: '/phone', label: '换一位' } : { href: back, label: '返回' }
    showPhones(state, ctx, place, person, phone(title, link, html`${told(ctx)}${screen}`))
  }
  router.get('/phone', (ctx) =>
    showPhones(state, ctx, place, null, phone('微信', null, html`<p class="empty">选一位，打开他的微信</p>`)),
  )
  router.get('/phone/me', (ctx) => {
    const person = phoneOf(state, ctx)
    ctx.redirect(person ? addressOf(person) : '/phone')
  })
  router.get(
    '/phone/:person',
    at('/phone', (ctx, person) => screenOf(ctx, person, `微信 · ${person.name}`, chatList(state, person), null)),
  )
  router.get(
    '/phone/:person/notices',
    at('/notices', (ctx, person) => {
      const mine = state.notices.filter((one) => one.personId === person.id)
      for (const each of mine) each.seenAtMs ??= state.now()
      screenOf(ctx, person, '服务通知', notices(mine, addressOf(person), state.now()), addressOf(person))
    }),
  )
  router.get(
    '/phone/:person/with/:friend',
    at('/with', (ctx, person) => {
      const { friend: friendId = '' } = (ctx as Context & { params: Record<string, string> }).params
      const friend = state.persons.get(friendId)
      if (!friend) return refuse(ctx, place, 404, '没有这位好友', 404)
      const said = between(state, person, friend)
      for (const each of said) if (each.to === person.id) each.seenAtMs ??= state.now()
      return screenOf(ctx, person, friend.name, chat(state, person, friend, said), addressOf(person))
    }),
  )
  actions(router, state, place, at)
  return router
}

type At = (path: string, run: (ctx: Context, person: Person) => void | Promise<void>) => (ctx: Context) => unknown

/** What a tap does: open the account's menu, a link, a message; forward a link. */
function actions(router: Router, state: WechatState, place: Place, at: At): void {
  const open = (ctx: Context, person: Person, url: string | null) => {
    if (url === null) return refuse(ctx, place, 404, '这里没有可以打开的链接', 404)
    choosePhone(ctx, person)
    return ctx.redirect(url)
  }
  router.get(
    '/phone/:person/shop',
    at('/shop', (ctx, person) => {
      const homes = [...state.apps.values()].flatMap((app) => (app.homeUrl === null ? [] : [app.homeUrl]))
      return open(ctx, person, homes[0] ?? null)
    }),
  )
  router.get(
    '/phone/:person/open',
    at('/open', (ctx, person) => {
      const id = queryText(ctx, 'message')
      const message = state.chats.find((one) => one.id === id && [one.from, one.to].includes(person.id))
      const notice = state.notices.find((one) => one.id === id && one.personId === person.id)
      return open(ctx, person, message?.link ?? notice?.page ?? null)
    }),
  )
  router.post(
    '/phone/:person/forward',
    at('/forward', async (ctx, person) => {
      const form = new URLSearchParams((await readBody(ctx, 16 * 1024)).toString('utf8'))
      const message = state.chats.find(
        (one) => one.id === form.get('message') && [one.from, one.to].includes(person.id),
      )
      const link = form.get('link') ?? ''
      const what = message ?? { title: link, desc: '', link, imgUrl: '' }
      const to = form.get('to') ?? ''
      const sent = sendLink(state, person.id, to, what)
      const back = form.get('back') || addressOf(person)
      if (sent === null || !back.startsWith('/phone/'))
        return goBack(ctx, addressOf(person), { wrong: '没有发出：请选一位好友，并填网址。' })
      return goBack(ctx, back, { done: `已发给${state.persons.get(to)?.name ?? ''}。` })
    }),
  )
}

const addressOf = (person: Person): string => `/phone/${person.id}`
const between = (state: WechatState, one: Person, other: Person): ChatMessage[] =>
  state.chats.filter(({ from, to }) => (from === one.id && to === other.id) || (from === other.id && to === one.id))

function entry(href: string, face: string, kind: string, name: string, last: string, unread: number): Markup {
  const badge = unread > 0 ? html`<span class="unread">${unread}<span class="hide"> 条未读</span></span>` : null
  return html`<li>
    <a href="${href}"
      ><span class="face ${kind}" aria-hidden="true">${face}</span
      ><span style="min-width:0"
        ><span class="one" style="display:block">${name}</span
        ><span class="soft one" style="display:block">${last}</span></span
      ><span>${badge}</span></a
    >
  </li>`
}

function chatList(state: WechatState, person: Person): Markup {
  const here = addressOf(person)
  const mine = state.notices.filter((one) => one.personId === person.id)
  const unseen = mine.filter((one) => one.seenAtMs === null).length
  const friends = [...state.persons.values()]
    .filter((one) => one !== person)
    .map((friend) => ({ friend, said: between(state, person, friend) }))
    .sort((a, b) => (b.said.at(-1)?.atMs ?? 0) - (a.said.at(-1)?.atMs ?? 0))
  const stamp = `${state.chats.length} ${mine.length} ${unseen}`
  return html`<div class="chats" data-live="${stamp}">
    <ul class="people">
      ${entry(`${here}/shop`, '卡', 'app', '福利卡商城', '公众号菜单：进入商城', 0)}
      ${entry(`${here}/notices`, '知', 'out', '服务通知', mine.at(-1)?.title ?? '还没有通知', unseen)}
      ${friends.map(({ friend, said }) => {
        const unread = said.filter((one) => one.to === person.id && one.seenAtMs === null).length
        return entry(
          `${here}/with/${friend.id}`,
          friend.name.slice(-1),
          '',
          friend.name,
          said.at(-1)?.title ?? '',
          unread,
        )
      })}
    </ul>
  </div>`
}

function notices(mine: readonly Notice[], here: string, nowMs: number): Markup {
  if (mine.length === 0) return html`<p class="empty">还没有服务通知</p>`
  const cards = mine.map((one, index) => {
    const last = index === mine.length - 1 ? html`data-last` : null
    const rows = one.rows.map(
      ([key, value]) =>
        html`<div>
          <dt>${key}</dt>
          <dd>${value}</dd>
        </div>`,
    )
    const inner = html`<div class="in">
        <p class="source">福利卡商城</p>
        <h2>${one.title}</h2>
        <dl class="rows">${rows}</dl>
      </div>
      <div class="end"></div>`
    const card =
      one.page === null
        ? html`<div class="card">${inner}</div>`
        : html`<a class="card" href="${here}/open?message=${one.id}">${inner}</a>`
    return html`<div ${last}>
      <p class="time">${saidAt(one.atMs, nowMs)}</p>
      <div class="said"><span class="face app" aria-hidden="true">卡</span>${card}</div>
    </div>`
  })
  return html`<div data-live="${mine.length}">${cards}</div>`
}

function chat(state: WechatState, person: Person, friend: Person, said: readonly ChatMessage[]): Markup {
  const here = addressOf(person)
  const back = `${here}/with/${friend.id}`
  const others = [...state.persons.values()].filter((one) => one !== person)
  const options = others.map((one) => html`<option value="${one.id}">${one.name}</option>`)
  const cards = said.map((one, index) => {
    const own = one.from === person.id
    const last = index === said.length - 1 ? html`data-last` : null
    const image = one.imgUrl === '' ? null : html`<img src="${one.imgUrl}" alt="" />`
    return html`<div ${last}>
      <p class="time">${saidAt(one.atMs, state.now())}</p>
      <div class="said ${own ? 'own' : ''}">
        <span class="face" aria-hidden="true">${(own ? person : friend).name.slice(-1)}</span
        ><a class="card" href="${here}/open?message=${one.id}"
          >${image}
          <div class="in">
            <h2>${one.title}</h2>
            <p>${one.desc}</p>
          </div>
          <div class="end"></div
        ></a>
      </div>
      <form class="find" method="post" action="${here}/forward">
        <input type="hidden" name="message" value="${one.id}" /><input type="hidden" name="back" value="${back}" />
        <select name="to" aria-label="转发给" style="min-width:0">
          ${options}</select
        ><button style="flex:none">转发</button>
      </form>
    </div>`
  })
  const empty = said.length === 0 ? html`<p class="empty">还没有消息</p>` : null
  return html`<div data-live="${said.length}">${cards}${empty}</div>
    <form class="find say" method="post" action="${here}/forward">
      <input type="hidden" name="to" value="${friend.id}" /><input type="hidden" name="back" value="${back}" />
      <input name="link" type="url" placeholder="粘贴一个网址" aria-label="网址" required /><button>发送</button>
    </form>`
}

function showPhones(state: WechatState, ctx: Context, place: Place, person: Person | null, screen: Markup): void {
  const rows = [...state.persons.values()].map((one) => {
    const current = one === person ? html`aria-current="true"` : null
    return html`<li>
      <a href="${addressOf(one)}" ${current}
        ><span class="face out" aria-hidden="true">${one.name.slice(-1)}</span><span>${one.name}</span><span></span
      ></a>
    </li>`
  })
  const head = heading(
    '买家微信',
    '选一位，这台浏览器就是他的手机：进商城、付款、把卡转给好友。',
    'Choose anybody: this browser is then their phone.',
    2,
  )
  const title = person ? `${person.name}的微信` : '买家微信'
  const inner = html`<main class="phones ${person ? 'picked' : ''}">
    <h1 class="hide">${title}</h1>
    <div class="panel">
      <div style="padding:16px 16px 0">${head}</div>
      <ul class="people">
        ${rows}
      </ul>
    </div>
    ${screen}
  </main>`
  show(ctx, place, { title, at: 'buyers', bare: true }, inner)
}
