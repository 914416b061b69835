import type { Context } from 'koa'
import { html, type Markup } from '../look/html.ts'
import { heading, pageNumber, queryText, show, type Place } from '../look/page.ts'
import { PERSON, STRANGER, type Where } from './identity-state.ts'
import { lastLetter, peopleList } from './people-page.ts'

import type { App, Corp, Member, WecomState } from './state.ts'

const MOST_PEOPLE = 8

/** The address of this page with one more choice made. */
function withChoice(ctx: Context, choice: Record<string, string>, without: readonly string[] = []): string {
  return `${ctx.path}?${new URLSearchParams({ ...keptQuery(ctx, without), ...choice }).toString()}`
}

function keptQuery(ctx: Context, without: readonly string[]): Record<string, string> {
  const kept = Object.entries(ctx.query).filter(([name, value]) => !without.includes(name) && typeof value === 'string')
  return Object.fromEntries(kept) as Record<string, string>
}

function narrow(ctx: Context, place: Place, title: string, inner: Markup): void {
  show(ctx, place, { title, at: null }, html`<div class="stack" style="max-width:560px;margin:0 auto">${inner}</div>`)
}

/** Which company's member opens an app that several companies have installed. */
export function corpsPage(place: Place, ctx: Context, corps: readonly Corp[]): void {
  const rows = corps.map(
    (corp) =>
      html`<li>
        <a href="${withChoice(ctx, { corp: corp.corpId })}"
          ><span class="face" aria-hidden="true">${lastLetter(corp.name)}</span
          ><span>${corp.name}<br /><span class="soft">${corp.corpId}</span></span
          ><span></span
        ></a>
      </li>`,
  )
  const none = rows.length === 0 ? html`<p class="empty">还没有企业安装这个应用</p>` : null
  const head = heading('企业微信', '在哪个企业里打开？', 'In which company is the app opened?')
  narrow(
    ctx,
    place,
    '选择企业',
    html`${head}
      <section class="panel list">
        <ul class="people">
          ${rows}
        </ul>
        ${none}
      </section>`,
  )
}

/** Who opens the app: a member, a person outside with WeChat, or a stranger. */
export function choosePage(state: WecomState, place: Place, ctx: Context, corp: Corp, where: Where): void {
  const without = ['q', 'as', 'page']
  const hrefOf = (as: string) => withChoice(ctx, { as }, without)
  const head =
    where === 'desktop'
      ? heading(
          '企业微信扫码登录',
          '以谁的企业微信扫码？',
          'Whose WeCom scans the code? Choose a person to sign in as.',
        )
      : heading(
          '企业微信授权',
          '这台手机还没有登录，以谁的身份打开？',
          'Nobody is signed in on this phone. Choose a person.',
        )
  const list = peopleList(corp, {
    action: ctx.path,
    search: queryText(ctx, 'q'),
    unreadOnly: false,
    page: pageNumber(ctx),
    nowMs: state.now(),
    hidden: keptQuery(ctx, without),
    hrefOf,
    outsiderHref: hrefOf(STRANGER),
    unread: false,
  })
  narrow(
    ctx,
    place,
    where === 'desktop' ? '企业微信扫码登录' : '企业微信授权',
    html`${head}
      <section class="panel list">${list}</section>
      ${outsiders(state, queryText(ctx, 'q'), hrefOf)}`,
  )
}

function outsiders(state: WecomState, search: string, hrefOf: (as: string) => string): Markup | null {
  const found: Markup[] = []
  for (const one of state.outer.customers.people.values()) {
    if (found.length >= MOST_PEOPLE) break
    if (!one.name.includes(search) && !(one.mobile ?? '').includes(search)) continue
    found.push(
      html`<li>
        <a href="${hrefOf(PERSON + one.id)}"
          ><span class="face out" aria-hidden="true">${lastLetter(one.name)}</span
          ><span>${one.name}<br /><span class="soft">外部人员 · ${one.mobile ?? '没有手机号'}</span></span
          ><span></span
        ></a>
      </li>`,
    )
  }
  if (found.length === 0) return null
  return html`<section class="panel list">
    <h2 style="padding:16px 16px 0">外部人员的微信 <span class="en" lang="en">People outside</span></h2>
    <ul class="people">
      ${found}
    </ul>
  </section>`
}

/** A member is asked whether an app may read their own details (snsapi_privateinfo). */
export function consentPage(place: Place, ctx: Context, corp: Corp, app: App, member: Member): void {
  const words: Record<string, string> = { mobile: '手机号', email: '邮箱', avatar: '头像', gender: '性别' }
  const asked = [...app.grants].flatMap((name) => words[name] ?? [])
  const what = asked.length > 0 ? asked.join('、') : '基本信息'
  const head = heading(
    `${app.name}申请使用`,
    `${corp.name}的 ${member.name}：${what}`,
    'The app asks to read your own details.',
  )
  const without = ['as', 'consent']
  const as = queryText(ctx, 'as')
  const choice = (consent: string) => withChoice(ctx, { ...(as ? { as } : {}), consent }, without)
  narrow(
    ctx,
    place,
    '授权',
    html`<section class="panel stack">
      ${head}
      <p class="acts">
        <a class="button main" href="${choice('1')}">同意</a><a class="button" href="${choice('0')}">拒绝</a>
      </p>
    </section>`,
  )
}
