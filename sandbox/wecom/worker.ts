import { randomBytes } from 'node:crypto'
import type { Context } from 'koa'
import Router from 'koa-router'
import { html, type Markup } from '../look/html.ts'
import { heading, pageNumber, queryText, show, type Place } from '../look/page.ts'
import { readBody } from './body.ts'
import { phone } from './chat-page.ts'
import { qrUrl } from './contact-way-api.ts'
import { agree, contact, part, say, scanWay } from './contacts.ts'
import { putPerson, textsOf, wayBehind } from './customer-control.ts'
import type { Person } from './customer-state.ts'
import { refuse, signInOutside } from './signin.ts'
import { corpOf, type Corp, type Member, type WecomState } from './state.ts'
import {
  workerChat,
  workerHome,
  workerHref,
  workerList,
  workerScan,
  workerTexts,
  WORKERS_A_PAGE,
  type OutsideChat,
  type WallCode,
} from './worker-page.ts'

const MOST_FORM = 64 * 1024
const MOST_WALL_CODES = 50
type Params = Readonly<Record<string, string>>
type Held = { readonly person: Person; readonly params: Params }
type Pair = Held & { readonly corp: Corp; readonly member: Member }

/** The phones of people outside: a WeChat with what members sent, short messages, and scanning (row 22). */
export function workerRoutes(state: WecomState, place: Place): Router {
  const router = new Router()
  router.get('/worker', (ctx) => {
    const text = queryText(ctx, 'scan') ? '选一部手机来扫这个二维码' : '选一部手机，看外部人员的微信和短信'
    showWorkers(state, place, ctx, null, phone('微信', null, html`<p class="empty">${text}</p>`))
  })
  router.post('/worker', async (ctx) => {
    const form = await formOf(ctx)
    const name = (form.get('name') ?? '').trim().slice(0, 40)
    const mobile = /^1\d{10}$/.test(form.get('mobile') ?? '') ? form.get('mobile') : null
    const person = putPerson(state, { id: `w${randomBytes(6).toString('hex')}`, name: name || '工友', mobile })
    const scan = form.get('scan')
    seeOther(ctx, scan ? `/worker?${new URLSearchParams({ scan, q: person.name }).toString()}` : workerHref(person))
  })
  const view = (path: string, draw: (ctx: Context, held: Held) => Markup | null) =>
    router.get(`/worker/:id${path}`, (ctx) => {
      const person = state.outer.customers.people.get(ctx.params['id'] ?? '')
      const screen = person && draw(ctx, { person, params: ctx.params })
      if (person && screen) return showWorkers(state, place, ctx, person, screen)
      return refuse(ctx, place, 404, 40096, '没有这部手机或这个联系人')
    })
  view('', (_ctx, { person }) => workerHome(person, chatsOf(state, person), textsOf(state, person), state.now()))
  view('/texts', (_ctx, { person }) => workerTexts(person, textsOf(state, person), state.now()))
  view('/scan', (ctx, { person }) => workerScan(person, wallCodes(state, ctx), queryText(ctx, 'wrong')))
  view('/chat/:corpId/:userid', (_ctx, held) => {
    const chat = chatsOf(state, held.person).find((one) => isOf(one, held.params))
    return chat ? workerChat(held.person, chat, isHalf(state, held.person, chat), state.now()) : null
  })
  router.get('/worker/:id/open', (ctx) => {
    const person = state.outer.customers.people.get(ctx.params['id'] ?? '')
    const url = queryText(ctx, 'url')
    if (!person || !isWeb(url)) return refuse(ctx, place, 404, 40035, '没有这部手机，或这不是网址')
    signInOutside(ctx, person.id)
    return ctx.redirect(url)
  })
  addScan(state, place, router)
  addChatActs(state, place, router)
  return router
}

function addScan(state: WecomState, place: Place, router: Router): void {
  router.post('/worker/:id/scan', async (ctx) => {
    const person = state.outer.customers.people.get(ctx.params['id'] ?? '')
    if (!person) return refuse(ctx, place, 404, 40096, '没有这部手机')
    const form = await formOf(ctx)
    const url = (form.get('url') ?? '').trim()
    const wrong = (text: string) =>
      seeOther(ctx, `${workerHref(person)}/scan?${new URLSearchParams({ wrong: text }).toString()}`)
    const found = wayBehind(state, url)
    if (!found) {
      if (!isWeb(url)) return wrong('这不是一个网址。')
      if (/\/qr\/SANDBOX\w+$/.test(url)) return wrong('这个二维码已经失效。')
      signInOutside(ctx, person.id)
      return seeOther(ctx, url)
    }
    const scanned = scanWay(state, found.corp, found.way, person, form.get('half') === '1')
    if (scanned.kind === 'nobody') return wrong('没有成员可以添加：他们未激活，或企业没有让他们服务客户。')
    if (scanned.kind === 'asked') return wrong('已申请添加，等成员通过。')
    const [corpId, userid] = [found.corp.corpId, scanned.userid].map(encodeURIComponent)
    return seeOther(ctx, `${workerHref(person)}/chat/${corpId}/${userid}`)
  })
}

function addChatActs(state: WecomState, place: Place, router: Router): void {
  const act = (path: string, run: (pair: Pair, form: URLSearchParams) => void) =>
    router.post(`/worker/:id/chat/:corpId/:userid${path}`, async (ctx) => {
      const { id = '', corpId = '', userid = '' } = ctx.params
      const person = state.outer.customers.people.get(id)
      const corp = corpOf(state, corpId)
      const member = corp?.members.get(userid.toLowerCase())
      if (!person || !corp || !member) return refuse(ctx, place, 404, 40096, '没有这部手机或这个联系人')
      run({ person, corp, member, params: ctx.params }, await formOf(ctx))
      return seeOther(ctx, ctx.path.slice(0, ctx.path.length - path.length))
    })
  act('', ({ person, corp, member }, form) => {
    const customer = contact(state, corp).byPerson.get(person.id)
    const text = (form.get('text') ?? '').trim().slice(0, 2_000)
    if (customer && text) say(state, corp, customer, member.userid, { from: 'person', text })
  })
  act('/agree', ({ person, corp, member }) => void agree(state, corp, person, member))
  act('/leave', ({ person, corp, member }) => void part(state, corp, person, member, 'customer'))
}

function showWorkers(state: WecomState, place: Place, ctx: Context, person: Person | null, screen: Markup): void {
  const [search, page, scan] = [queryText(ctx, 'q'), pageNumber(ctx), queryText(ctx, 'scan')]
  const all = [...state.outer.customers.people.values()].filter(
    (one) => one.name.includes(search) || (one.mobile ?? '').includes(search),
  )
  const shown = all.slice((page - 1) * WORKERS_A_PAGE, page * WORKERS_A_PAGE)
  const look = { search, page, total: all.length, scan, current: person?.id ?? null }
  const head = scan
    ? heading('用谁的手机扫？', '选一部手机，它会扫这个二维码。', 'Choose the phone that scans the code.', 2)
    : heading('外部人员的手机', '没有企业账号的人：微信和短信。', 'People without an account: WeChat and SMS.', 2)
  const title = person ? `${person.name}的手机` : '外部人员的手机'
  const inner = html`<main class="phones ${person ? 'picked' : ''}">
    <h1 class="hide">${title}</h1>
    <div class="panel">
      <div style="padding:16px 16px 0">${head}</div>
      ${workerList(look, shown)}
    </div>
    ${screen}
  </main>`
  show(ctx, place, { title, at: 'worker', bare: true }, inner)
}

function chatsOf(state: WecomState, person: Person): OutsideChat[] {
  return [...person.chats].flatMap(([key, lines]) => {
    const [corpId = '', userid = ''] = key.split('/')
    const corp = corpOf(state, corpId)
    const name = corp?.members.get(userid.toLowerCase())?.name ?? userid
    return corp ? [{ corpId, corpName: corp.name, userid, name, lines }] : []
  })
}

function isOf(chat: OutsideChat, { corpId = '', userid = '' }: Params): boolean {
  return chat.corpId.toLowerCase() === corpId.toLowerCase() && chat.userid.toLowerCase() === userid.toLowerCase()
}

function isHalf(state: WecomState, person: Person, chat: OutsideChat): boolean {
  const corp = corpOf(state, chat.corpId)
  const customer = corp && contact(state, corp).byPerson.get(person.id)
  return customer?.followers.get(chat.userid.toLowerCase())?.half === true
}

/** The newest codes that hang on walls. */
function wallCodes(state: WecomState, ctx: Context): WallCode[] {
  const all = [...state.corps.values()].flatMap((corp) =>
    [...contact(state, corp).ways.values()]
      .filter((way) => way.scene === 2)
      .map((way) => ({ corp, way, url: qrUrl(ctx, way) })),
  )
  return all.sort((a, b) => b.way.createdAtMs - a.way.createdAtMs).slice(0, MOST_WALL_CODES)
}

function isWeb(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
}

async function formOf(ctx: Context): Promise<URLSearchParams> {
  return new URLSearchParams((await readBody(ctx, MOST_FORM)).toString('utf8'))
}

function seeOther(ctx: Context, url: string): void {
  ctx.redirect(url)
  ctx.status = 303
}
