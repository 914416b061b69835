import type { Context } from 'koa'
import Router from 'koa-router'
import { html, type Markup } from '../look/html.ts'
import { heading, pageNumber, queryText, show, type Place } from '../look/page.ts'
import { sendEvent } from './callback.ts'
import { chat, chatList, phone } from './chat-page.ts'
import { peopleList } from './people-page.ts'
import { refuse, signInPhone } from './signin.ts'
import { corpOf, type Corp, type Member, type Received, type WecomState } from './state.ts'

interface Held {
  readonly corp: Corp
  readonly member: Member
  readonly received: readonly Received[]
}

/** The phones: choose anybody of a company, read their chat with the app, tap a card. */
export function phoneRoutes(state: WecomState, place: Place): Router {
  const router = new Router()
  router.get('/phone', (ctx) => {
    const [first] = state.corps.values()
    if (first) ctx.redirect(baseOf(first))
    else refuse(ctx, place, 404, 40013, '沙箱里还没有企业')
  })
  router.get('/phone/:corpId', (ctx) => {
    const corp = corpOf(state, ctx.params['corpId'] ?? '')
    if (!corp) return refuse(ctx, place, 404, 40013, '没有这个企业')
    const screen = html`<p class="empty">选一位员工，打开他的企业微信</p>`
    return showPhones(ctx, place, corp, null, phone('企业微信', null, screen))
  })
  router.get('/phone/:corpId/:userid/messages', (ctx) =>
    held(state, place, ctx, ({ corp, member, received }) => {
      const [list, back] = [addressOf(corp, member), { href: baseOf(corp) + keptQuery(ctx), label: '换一位员工' }]
      const screen = chatList(member, received, list + keptQuery(ctx), state.now())
      showPhones(ctx, place, corp, member, phone(`企业微信 · ${member.name}`, back, screen))
    }),
  )
  router.get('/phone/:corpId/:userid', (ctx) =>
    held(state, place, ctx, ({ corp, member, received }) => {
      for (const each of received) each.seenAtMs ??= state.now()
      const here = addressOf(corp, member)
      const back = { href: `${here}/messages${keptQuery(ctx)}`, label: '消息列表' }
      const screen = chat(received, `${here}/open?message=`, state.now())
      showPhones(ctx, place, corp, member, phone(`福利卡 · ${member.name}`, back, screen))
    }),
  )
  router.get('/phone/:corpId/:userid/open', (ctx) =>
    held(state, place, ctx, ({ corp, member, received }) => {
      const tapped = received.find((each) => each.message.id === queryText(ctx, 'message'))
      if (!tapped?.message.url) return refuse(ctx, place, 404, 40035, '没有这条消息，或它没有链接')
      tapped.seenAtMs ??= state.now()
      tapped.openedAtMs ??= state.now()
      signInPhone(ctx, corp, member)
      sendEvent(state, corp, 'enter_agent', member.userid)
      return ctx.redirect(tapped.message.url)
    }),
  )
  return router
}

const baseOf = (corp: Corp): string => `/phone/${encodeURIComponent(corp.corpId)}`
const addressOf = (corp: Corp, member: Member): string => `${baseOf(corp)}/${encodeURIComponent(member.userid)}`

function held(state: WecomState, place: Place, ctx: Context, run: (held: Held) => void): void {
  const { corpId = '', userid = '' } = (ctx as Context & { params: Record<string, string> }).params
  const corp = corpOf(state, corpId)
  const member = corp?.members.get(userid.toLowerCase())
  if (!corp || !member) return refuse(ctx, place, 404, 60111, '没有这个员工')
  return run({ corp, member, received: corp.inbox.get(member.userid.toLowerCase()) ?? [] })
}

/** What the list beside the phone shows stays as it was while phones are changed. */
function keptQuery(ctx: Context, change: Record<string, string> = {}): string {
  const kept = ['q', 'unread', 'page'].flatMap((name) => {
    const value = queryText(ctx, name)
    return value === '' ? [] : [[name, value]]
  })
  const query = new URLSearchParams({ ...(Object.fromEntries(kept) as Record<string, string>), ...change }).toString()
  return query === '' ? '' : `?${query}`
}

function showPhones(ctx: Context, place: Place, corp: Corp, member: Member | null, screen: Markup): void {
  const list = peopleList(corp, {
    action: baseOf(corp),
    search: queryText(ctx, 'q'),
    unreadOnly: queryText(ctx, 'unread') === '1',
    page: pageNumber(ctx),
    hidden: {},
    ...(member ? { current: member.userid } : {}),
    hrefOf: (userid) => `${baseOf(corp)}/${encodeURIComponent(userid)}/messages${keptQuery(ctx)}`,
    unread: true,
  })
  const head = heading('员工手机', '选一位员工，看他的企业微信里收到了什么。', 'Choose anybody and see their WeCom.')
  const inner = html`<main class="phones ${member ? 'picked' : ''}">
    <div class="panel">
      <div style="padding:16px 16px 0">${head}</div>
      ${list}
    </div>
    ${screen}
  </main>`
  show(ctx, place, { title: member ? `${member.name}的手机` : '员工手机', at: 'phone', bare: true }, inner)
}
