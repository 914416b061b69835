import Koa, { type Context, type Next } from 'koa'
import Router from 'koa-router'
import { adminRoutes } from './admin.ts'
import { apiRoutes } from './api.ts'
import { asForm, clockForm, controlOf, type WecomControl } from './control.ts'
import { companyControlOf, type CompanyControl } from './company-control.ts'
import { companyControlRoutes } from './company-routes.ts'
import { changeRoute, showValue } from './ctl.ts'
import { customerControlOf, type CustomerControl } from './customer-control.ts'
import { deskRoutes } from './desk.ts'
import { answer, parallel } from './gate.ts'
import { installRoutes } from './install-page.ts'
import { customerControlRoutes, suiteControlRoutes } from './outer-routes.ts'
import { phoneRoutes } from './phone.ts'
import { qrRoutes } from './qr-page.ts'
import { signInRoutes } from './signin.ts'
import { emptyState, takeFault, type WecomState } from './state.ts'
import { smsRoutes } from './sms.ts'
import { suiteControlOf, type SuiteControl } from './suite-control.ts'
import { contactsRoutes } from './contacts-page.ts'
import { providerRoutes } from './provider-page.ts'
import { workerRoutes } from './worker.ts'
import { callFaultKinds, callWith } from '../call-faults.ts'
import { listenWith } from '../listen.ts'
import type { Neighbours, Place } from '../look/page.ts'

export interface WecomSandbox {
  readonly baseUrl: string
  readonly control: WecomControl
  readonly suites: SuiteControl
  readonly customers: CustomerControl
  readonly companies: CompanyControl
  close(): Promise<void>
}

/** How the sandbox starts. `neighbours` may be filled in later, once the other half listens. */
export interface WecomSandboxOptions {
  readonly port?: number
  readonly now?: () => number
  readonly host?: string
  readonly neighbours?: Neighbours
}

/** Starts a WeCom in memory: API, sign-in pages, phones, dials and control surface on one address. */
export async function startWecomSandbox(options: WecomSandboxOptions = {}): Promise<WecomSandbox> {
  if (process.env['NODE_ENV'] === 'production') throw new Error('the sandbox does not start in production')
  const state = emptyState(options.now ?? Date.now)
  const control = controlOf(state)
  const suites = suiteControlOf(state)
  const customers = customerControlOf(state)
  const companies = companyControlOf(state)
  const place: Place = { side: 'wecom', neighbours: options.neighbours ?? {} }
  const app = new Koa()
  app.use((ctx, next) => parallel(state, ctx, next))
  app.use((ctx, next) => faults(state, ctx, next))
  const pages = [
    signInRoutes(state, place),
    phoneRoutes(state, place),
    deskRoutes(state, control, place),
    adminRoutes(state, companies, place),
  ]
  const outer = [
    installRoutes(state, place),
    suiteControlRoutes(suites),
    qrRoutes(state),
    workerRoutes(state, place),
    providerRoutes(state, suites, place),
    contactsRoutes(state, place),
    smsRoutes(state),
    customerControlRoutes(customers),
    companyControlRoutes(companies),
  ]
  for (const router of [apiRoutes(state), ...pages, ...outer, controlRoutes(control, state)]) app.use(router.routes())
  const { baseUrl, close } = await listenWith(app, options)
  return {
    baseUrl,
    control,
    suites,
    customers,
    companies,
    close: () => {
      state.clock.stop()
      return close()
    },
  }
}

function faults(state: WecomState, ctx: Context, next: Next): Promise<void> {
  const fault = ctx.path.startsWith('/__ctl/') ? null : takeFault(state, callFaultKinds, ctx.path)
  return callWith(fault, ctx, next, (errcode) => answer(ctx, { errcode }))
}

function controlRoutes(control: WecomControl, state: WecomState): Router {
  const router = new Router({ prefix: '/__ctl' })
  const change = (path: string, run: (body: never) => unknown) => changeRoute(router, path, run)
  change('/corps', (body) => control.upsertCorp(body))
  change('/faults', (body) => control.addFault(body))
  change('/expire-tokens', () => control.expireTokens())
  change('/void-tokens', () => control.voidTokens())
  change('/settings', (body) => control.set(body))
  change('/clock', (body) => {
    control.advance(clockForm.parse(body).advanceMs)
    return { nowMs: state.now(), aheadMs: state.clock.aheadMs() }
  })
  change('/callback', async (body) => {
    const refusal = await control.saveCallback(body)
    if (refusal !== null) throw new RangeError(refusal)
  })
  change('/callback/events', (body) => {
    if (control.sendEvent(body) === null) throw new RangeError('no such member, or no callback address')
  })
  change('/as', (body) => {
    const { corpId, userid } = asForm.parse(body)
    control.actAs(corpId, userid)
  })
  router.get('/clock', (ctx) => showValue(ctx, { nowMs: state.now(), aheadMs: state.clock.aheadMs() }))
  router.get('/faults', (ctx) => showValue(ctx, { faults: state.faults }))
  router.get('/callback/events/:corpId', (ctx) => showValue(ctx, control.deliveries(ctx.params['corpId'] ?? '')))
  router.delete('/faults', (ctx) => {
    control.clearFaults()
    ctx.body = { ok: true }
  })
  router.get('/inbox/:corpId/:userid', (ctx) =>
    showValue(ctx, control.inbox(ctx.params['corpId'] ?? '', ctx.params['userid'] ?? '')),
  )
  router.get('/stats/:corpId', (ctx) => showValue(ctx, control.stats(ctx.params['corpId'] ?? '')))
  return router
}
