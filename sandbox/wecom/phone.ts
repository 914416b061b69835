import type { Context } from 'koa'
import Router from 'koa-router'
import { html, type Markup } from '../look/html.ts'
import { goBack, heading, pageNumber, queryText, show, told, type Place } from '../look/page.ts'
import { readBody } from './body.ts'
import { chat, chatList, phone, type Chat } from './chat-page.ts'
import { openMessage } from './company-control.ts'
import { mediaFor } from './media.ts'
import { urlOf } from './message-card.ts'
import { peopleList } from './people-page.ts'
import { refuse, signInPhone } from './signin.ts'
import type { Received } from './message-state.ts'
import { cardOf, linksOf, pressCard } from './press-card.ts'
import { corpOf, type App, type Corp, type Member, type WecomState } from './state.ts'

interface Held {
  readonly corp: Corp
  readonly member: Member
  readonly received: readonly Received[]
  /** By app, the one with the newest message first. */
  readonly chats: readonly Chat[]
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
    return showPhones(state, ctx, place, corp, null, phone('企业微信', null, screen))
  })
  router.get('/phone/:corpId/:userid/messages', (ctx) =>
    held(state, place, ctx, ({ corp, member, chats }) => {
      const back = { href: baseOf(corp) + keptQuery(ctx), label: '换一位员工' }
      const hrefOf = (app: App) => addressOf(corp, member) + keptQuery(ctx, { agent: String(app.agentId) })
      const screen = chatList(member, chats, hrefOf, state.now())
      showPhones(state, ctx, place, corp, member, phone(`企业微信 · ${member.name}`, back, screen))
    }),
  )
  router.get('/phone/:corpId/:userid', (ctx) =>
    held(state, place, ctx, ({ corp, member, chats }) => {
      const asked = queryText(ctx, 'agent')
      const open = chats.find(({ app }) => String(app.agentId) === asked) ?? chats[0]
      for (const each of open?.received ?? []) each.seenAtMs ??= state.now()
      const here = addressOf(corp, member)
      const back = { href: `${here}/messages${keptQuery(ctx)}`, label: '消息列表' }
      const screen = html`${told(ctx)}${chat(open?.received ?? [], here, state.now())}`
      const title = `${open?.app.name ?? '企业微信'} · ${member.name}`
      showPhones(state, ctx, place, corp, member, phone(title, back, screen))
    }),
  )
  addActions(router, state, place)
  return router
}

/** What a tap does: open a message, press a button; and the files that messages show. */
function addActions(router: Router, state: WecomState, place: Place): void {
  router.get('/phone/:corpId/:userid/open', (ctx) =>
    held(state, place, ctx, ({ corp, member, received }) => {
      const tapped = received.find((each) => each.message.id === queryText(ctx, 'message'))
      const link = tapped && linksOf(cardOf(tapped))[Number(queryText(ctx, 'link') || NaN)]
      if (!tapped || tapped.message.recalledAtMs !== null || (link?.url ?? urlOf(tapped)) === null)
        return refuse(ctx, place, 404, 40035, '没有这条消息，或它没有链接')
      signInPhone(ctx, corp, member)
      const url = openMessage(state, corp, member, tapped)
      return ctx.redirect(link?.url ?? url ?? '/')
    }),
  )
  router.get('/phone/:corpId/:userid/media', (ctx) =>
    held(state, place, ctx, ({ corp }) => {
      const media = mediaFor(corp, queryText(ctx, 'id'), state.now())
      if (!media) return refuse(ctx, place, 404, 40007, '文件已过期')
      const picture = media.type === 'image'
      ctx.set('content-type', picture ? media.mime : 'application/octet-stream')
      ctx.set('x-content-type-options', 'nosniff')
      if (!picture) ctx.set('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(media.name)}`)
      ctx.body = media.bytes
    }),
  )
  router.post('/phone/:corpId/:userid/press', async (ctx) => {
    const form = new URLSearchParams((await readBody(ctx, 64 * 1024)).toString('utf8'))
    return held(state, place, ctx, ({ corp, member, received }) => {
      const pressed = received.find((each) => each.message.id === form.get('message'))
      const here = addressOf(corp, member)
      if (!pressed) return refuse(ctx, place, 404, 40035, '没有这条消息')
      try {
        pressCard(state, corp, member, pressed, { key: form.get('key') ?? '', options: optionsOf(form) })
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        return goBack(ctx, here, { wrong: '这个按钮已经不能按了。' })
      }
      return goBack(ctx, here, { done: '已按下，应用会收到事件。' })
    })
  })
  router.get('/wework_image/:corpId/:id', (ctx) => {
    const image = corpOf(state, ctx.params['corpId'] ?? '')?.images.get(ctx.params['id'] ?? '')
    if (!image) return refuse(ctx, place, 404, 40007, '没有这张图片')
    ctx.set('content-type', image.mime)
    ctx.body = image.bytes
  })
}

/** What was chosen on a card before the button was pressed, by question. */
function optionsOf(form: URLSearchParams): Record<string, string[]> {
  const names = [...new Set(form.keys())].filter((name) => name.startsWith('option.'))
  return Object.fromEntries(names.map((name) => [name.slice('option.'.length), form.getAll(name)]))
}

const baseOf = (corp: Corp): string => `/phone/${encodeURIComponent(corp.corpId)}`
const addressOf = (corp: Corp, member: Member): string => `${baseOf(corp)}/${encodeURIComponent(member.userid)}`

function held(state: WecomState, place: Place, ctx: Context, run: (held: Held) => void): void {
  const { corpId = '', userid = '' } = (ctx as Context & { params: Record<string, string> }).params
  const corp = corpOf(state, corpId)
  const member = corp?.members.get(userid.toLowerCase())
  if (!corp || !member) return refuse(ctx, place, 404, 60111, '没有这个员工')
  const received = corp.inbox.get(member.userid.toLowerCase()) ?? []
  return run({ corp, member, received, chats: chatsOf(corp, received) })
}

function chatsOf(corp: Corp, received: readonly Received[]): Chat[] {
  const agents = new Set(received.map((one) => one.message.agentId).reverse())
  return [...agents].flatMap((agentId) => {
    const app = corp.apps.get(agentId)
    return app ? [{ app, received: received.filter((one) => one.message.agentId === agentId) }] : []
  })
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

function showPhones(
  state: WecomState,
  ctx: Context,
  place: Place,
  corp: Corp,
  member: Member | null,
  screen: Markup,
): void {
  const list = peopleList(corp, {
    action: baseOf(corp),
    search: queryText(ctx, 'q'),
    unreadOnly: queryText(ctx, 'unread') === '1',
    page: pageNumber(ctx),
    nowMs: state.now(),
    hidden: {},
    ...(member ? { current: member.userid } : {}),
    hrefOf: (userid) => `${baseOf(corp)}/${encodeURIComponent(userid)}/messages${keptQuery(ctx)}`,
    unread: true,
  })
  const lead = '选一位员工，看他的企业微信里收到了什么。'
  const head = heading('员工手机', lead, 'Choose anybody and see their WeCom.', 2)
  const title = member ? `${member.name}的手机` : '员工手机'
  const inner = html`<main class="phones ${member ? 'picked' : ''}">
    <h1 class="hide">${title}</h1>
    <div class="panel">
      <div style="padding:16px 16px 0">${head}</div>
      ${list}
    </div>
    ${screen}
  </main>`
  show(ctx, place, { title, at: 'phone', bare: true }, inner)
}
