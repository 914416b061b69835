import type { Context } from 'koa'
import Router from 'koa-router'
import { html, type Markup } from '../look/html.ts'
import { chinaMoment, goBack, heading, queryText, show, told, type Place } from '../look/page.ts'
import { foldingTable } from '../look/table.ts'
import { readBody } from './body.ts'
import { qrUrl } from './contact-way-api.ts'
import { contact } from './contacts.ts'
import type { MassTask } from './customer-state.ts'
import { confirmMass, ignoreMass } from './mass.ts'
import { corpOf, type Corp, type WecomState } from './state.ts'

const MOST_SHOWN = 30
const MOST_LETTERS = 60

/** Customer contact as members and the company's console see it: mass messages to confirm, codes, welcomes (row 24). */
export function contactsRoutes(state: WecomState, place: Place): Router {
  const router = new Router()
  router.get('/contacts', (ctx) => contactsPage(state, place, ctx))
  const act = (path: string, run: (corp: Corp, form: URLSearchParams) => string | null) =>
    router.post(`/contacts/${path}`, async (ctx) => {
      const form = new URLSearchParams((await readBody(ctx, 64 * 1024)).toString('utf8'))
      const corp = corpOf(state, form.get('corpId') ?? '')
      const done = corp && run(corp, form)
      goBack(ctx, '/contacts', done ? { done } : { wrong: '没有这个企业或任务，或它已经处理过。' })
    })
  const named = (form: URLSearchParams) => [form.get('msgid') ?? '', form.get('userid') ?? ''] as const
  act('confirm', (corp, form) => (confirmMass(state, corp, ...named(form)) ? '成员已确认，消息已发给客户。' : null))
  act('ignore', (corp, form) => (ignoreMass(state, corp, ...named(form)) ? '成员没有发送，任务还在。' : null))
  act('welcome', (corp, form) => {
    const here = contact(state, corp)
    const [userid, text] = [(form.get('userid') ?? '').toLowerCase(), (form.get('text') ?? '').trim()]
    if (!corp.members.has(userid)) return null
    const next = new Map(here.consoleWelcome)
    if (text === '') next.delete(userid)
    else next.set(userid, text.slice(0, 1_000))
    here.consoleWelcome = next
    return text === ''
      ? '欢迎语已删除，新客户的事件会带 WelcomeCode。'
      : '欢迎语已保存，新客户的事件不再带 WelcomeCode。'
  })
  return router
}

function contactsPage(state: WecomState, place: Place, ctx: Context): void {
  const corps = [...state.corps.values()]
  const corp = corps.find((one) => one.corpId === queryText(ctx, 'corp')) ?? corps[0]
  const head = heading(
    '客户联系',
    '企业群发要成员自己确认才会发出；“联系我”二维码挂在墙上，由外部手机来扫。',
    'Mass messages that members confirm, contact codes, and welcome messages.',
  )
  const others = corps
    .filter((one) => one !== corp)
    .slice(0, MOST_SHOWN)
    .map(
      (one) =>
        html`<a class="button" href="/contacts?${new URLSearchParams({ corp: one.corpId }).toString()}"
          >${one.name}</a
        >`,
    )
  const inner = corp
    ? html`${tasksPanel(state, corp)}${waysPanel(state, ctx, corp)}${welcomePanel(state, corp)}`
    : html`<p class="panel empty">还没有企业。</p>`
  const rest = others.length > 0 ? html`<div class="acts">${others}</div>` : null
  show(ctx, place, { title: '客户联系', at: 'contacts' }, html`${head}${told(ctx)}${inner}${rest}`)
}

function tasksPanel(state: WecomState, corp: Corp): Markup {
  const tasks = [...contact(state, corp).tasks.values()].reverse().slice(0, MOST_SHOWN)
  const rows = tasks.flatMap((task) =>
    [...task.members.values()].slice(0, MOST_SHOWN).map((one) => taskRow(corp, task, one)),
  )
  const stamp = tasks
    .map(
      (task) =>
        `${task.id}${String(task.cancelled)}${[...task.members.values()].map((one) => one.sentAtMs ?? '').join()}`,
    )
    .join()
  return html`<section class="panel" data-live="${stamp}">
    <h2>企业群发 <span class="en" lang="en">Mass messages</span></h2>
    ${
      rows.length === 0
        ? html`<p class="soft">没有群发任务。</p>`
        : foldingTable(['时间', '内容', '成员', { num: '客户' }, { num: '操作' }], rows)
    }
  </section>`
}

function taskRow(
  corp: Corp,
  task: MassTask,
  one: MassTask['members'] extends Map<string, infer M> ? M : never,
): Markup {
  const [first] = task.message.attachments
  const text = task.message.text || (first?.msgtype === 'link' ? first.link.title : '［附件］')
  const button = (path: string, label: string, main: boolean) =>
    html`<form method="post" action="/contacts/${path}">
      <input type="hidden" name="corpId" value="${corp.corpId}" /><input
        type="hidden"
        name="msgid"
        value="${task.id}"
      /><input type="hidden" name="userid" value="${one.userid}" /><button ${main ? html`class="main"` : null}>
        ${label}
      </button>
    </form>`
  const got = [...one.results.values()].filter((each) => each.status === 1).length
  const acts = task.cancelled
    ? html`<span class="tag off">已取消</span>`
    : one.sentAtMs !== null
      ? html`<span class="tag good">已发送，${got} 位收到</span>`
      : html`${button('confirm', '确认发送', true)}${button('ignore', one.ignored ? '已忽略' : '忽略', false)}`
  return html`<tr>
    <td data-name="时间" class="when">${chinaMoment(task.createdAtMs)}</td>
    <td data-name="内容">${shorten(text)}</td>
    <td data-name="成员">${corp.members.get(one.userid.toLowerCase())?.name ?? one.userid}</td>
    <td data-name="客户" class="num">${one.results.size}</td>
    <td data-name="操作"><div class="acts end">${acts}</div></td>
  </tr>`
}

function shorten(text: string): string {
  const letters = Array.from(text)
  return letters.length > MOST_LETTERS ? `${letters.slice(0, MOST_LETTERS).join('')}…` : text
}

function waysPanel(state: WecomState, ctx: Context, corp: Corp): Markup {
  const { ways, customers } = contact(state, corp)
  const newest = [...ways.values()].reverse().slice(0, MOST_SHOWN)
  const rows = newest.map(
    (way) =>
      html`<tr>
        <td data-name="备注">${way.remark || '联系我'}</td>
        <td data-name="state"><code>${way.state || '无'}</code></td>
        <td data-name="成员">
          ${way.userIds.slice(0, 3).join('、')}${way.userIds.length > 3 ? ` 等 ${way.userIds.length} 人` : ''}
        </td>
        <td data-name="操作">
          <div class="acts end"><a class="button" href="${qrUrl(ctx, way)}">用外部手机扫</a></div>
        </td>
      </tr>`,
  )
  return html`<section class="panel" data-live="${ways.size} ${customers.size}">
    <h2>“联系我”二维码 <span class="en" lang="en">Contact codes</span></h2>
    <p class="soft">共 ${ways.size} 个，客户 ${customers.size} 位。</p>
    ${rows.length === 0 ? null : foldingTable(['备注', 'state', '成员', { num: '操作' }], rows)}
  </section>`
}

function welcomePanel(state: WecomState, corp: Corp): Markup {
  const set = [...contact(state, corp).consoleWelcome]
  const rows = set.map(
    ([userid, text]) =>
      html`<dt>${corp.members.get(userid)?.userid ?? userid}</dt>
        <dd>${text}</dd>`,
  )
  return html`<section class="panel">
    <h2>后台设置的欢迎语 <span class="en" lang="en">Welcome set in the console</span></h2>
    <p class="soft">设了欢迎语的成员，新客户的事件不带 WelcomeCode，应用就不能再发欢迎语。留空即删除。</p>
    ${rows.length > 0 ? html`<dl class="facts" style="margin-top:8px">${rows}</dl>` : null}
    <form method="post" action="/contacts/welcome" class="fields two">
      <input type="hidden" name="corpId" value="${corp.corpId}" /><label
        >成员账号<input name="userid" required autocomplete="off" /></label
      ><label>欢迎语<input name="text" maxlength="1000" autocomplete="off" /></label>
      <div><button>保存欢迎语</button></div>
    </form>
  </section>`
}
