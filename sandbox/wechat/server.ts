import Koa, { type Context, type Next } from 'koa'
import type Router from 'koa-router'
import { callFaultKinds, callWith } from '../call-faults.ts'
import { listenWith } from '../listen.ts'
import type { Neighbours, Place } from '../look/page.ts'
import { authoriseRoutes } from './authorise.ts'
import { clientRoutes } from './client-api.ts'
import { controlRoutes, putApp } from './control.ts'
import { deskRoutes } from './desk.ts'
import { answer, routerOf } from './gate.ts'
import { messageRoutes } from './message-api.ts'
import { oauthRoutes } from './oauth-api.ts'
import { phoneRoutes } from './phone.ts'
import { emptyState, takeFault, type WechatState } from './state.ts'
import { tokenRoutes } from './token-api.ts'

/** Our account with its mini program, as the world's file has it. */
export interface WechatAccountForm {
  readonly appid: string
  readonly secret: string
  readonly callback: { readonly token: string; readonly encodingAesKey: string }
  readonly miniProgram: { readonly appid: string; readonly secret: string }
  readonly openPlatformId: string
  readonly templates: Readonly<Record<string, { readonly id: string; readonly keys: Readonly<Record<string, string>> }>>
}

export interface WechatConsumer {
  readonly baseUrl: string
  /** Puts a service account and its mini program in. */
  putAccount(account: WechatAccountForm): void
  close(): Promise<void>
}

/** How it starts. `neighbours` may be filled in later, once the others listen. */
export interface WechatConsumerOptions {
  readonly port?: number
  readonly host?: string
  readonly now?: () => number
  readonly neighbours?: Neighbours
}

/** Starts WeChat's consumer side in memory: API, authorise page, client script, phones, dials and control surface. */
export async function startWechatConsumer(options: WechatConsumerOptions = {}): Promise<WechatConsumer> {
  if (process.env['NODE_ENV'] === 'production') throw new Error('the sandbox does not start in production')
  const state = emptyState(options.now ?? Date.now)
  const place: Place = { side: 'wechat', neighbours: options.neighbours ?? {} }
  const app = new Koa()
  app.use((ctx, next) => faults(state, ctx, next))
  const routers: readonly Router[] = [
    routerOf(state, [...tokenRoutes, ...oauthRoutes, ...messageRoutes]),
    authoriseRoutes(state, place),
    clientRoutes(state, place),
    phoneRoutes(state, place),
    deskRoutes(state, place),
    controlRoutes(state),
  ]
  for (const router of routers) app.use(router.routes())
  const { baseUrl, close } = await listenWith(app, options)
  return {
    baseUrl,
    putAccount: (account) => putAccount(state, account),
    close: () => {
      state.clock.stop()
      return close()
    },
  }
}

const titles: Readonly<Record<string, string>> = {
  gift_received: '收到礼品卡',
  gift_claimed: '礼品卡已被领取',
  gift_returned: '礼品卡已退回',
  card_expiring: '卡片即将到期',
  low_balance: '余额不足提醒',
}

const labels: Readonly<Record<string, string>> = { card: '卡片', amount: '金额', time: '时间', note: '备注' }

function putAccount(state: WechatState, account: WechatAccountForm): void {
  const { miniProgram, templates, openPlatformId, ...own } = account
  const known = Object.entries(templates).map(([kind, { id, keys }]) => {
    const labelled = Object.entries(keys).map(([word, key]) => [key, labels[word] ?? word])
    return { id, title: titles[kind] ?? kind, keys: Object.fromEntries(labelled) as Record<string, string> }
  })
  putApp(state, { ...own, kind: 'service', openPlatformId, templates: known })
  putApp(state, { ...miniProgram, kind: 'mini_program', openPlatformId })
}

const API = /^\/(cgi-bin|sns|wxa)\//

function faults(state: WechatState, ctx: Context, next: Next): Promise<void> {
  const fault = API.test(ctx.path) ? takeFault(state, callFaultKinds, ctx.path) : null
  return callWith(fault, ctx, next, (errcode) => answer(ctx, { errcode }))
}
