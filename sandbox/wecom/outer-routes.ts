import Router from 'koa-router'
import { changeRoute, showValue } from './ctl.ts'
import type { CustomerControl } from './customer-control.ts'
import type { SuiteControl } from './suite-control.ts'

/** The control calls for providers, suites and the sending of events, below /__ctl (11.4). */
export function suiteControlRoutes(control: SuiteControl): Router {
  const router = new Router({ prefix: '/__ctl' })
  changeRoute(router, '/providers', (body) => control.upsertProvider(body))
  changeRoute(router, '/suites/callbacks', async (body) => {
    const refusal = await control.saveSuiteCallbacks(body)
    if (refusal !== null) throw new RangeError(refusal)
  })
  changeRoute(router, '/suites/ticket', (body) => control.pushTicket(body))
  changeRoute(router, '/suites/install', (body) => control.installFromMarket(body))
  changeRoute(router, '/suites/cancel', (body) => control.cancelAuth(body))
  changeRoute(router, '/suites/reset', (body) => control.resetPermanentCode(body))
  changeRoute(router, '/suites/change', (body) => control.changeAuth(body))
  changeRoute(router, '/visible', (body) => control.changeVisible(body))
  changeRoute(router, '/licences', (body) => control.buyLicences(body))
  changeRoute(router, '/callback/switches', (body) => control.switchCallbacks(body))
  router.get('/suites/:suiteId/events', (ctx) => showValue(ctx, control.suiteDeliveries(ctx.params['suiteId'] ?? '')))
  return router
}

/** The control calls for people outside and for what members do with them, below /__ctl. */
export function customerControlRoutes(control: CustomerControl): Router {
  const router = new Router({ prefix: '/__ctl' })
  changeRoute(router, '/people', (body) => control.upsertPeople(body))
  changeRoute(router, '/customers/scan', (body) => control.scan(body))
  changeRoute(router, '/customers/agree', (body) => control.agree(body))
  changeRoute(router, '/customers/agree-to-archive', (body) => control.agreeToArchive(body))
  changeRoute(router, '/customers/delete', (body) => control.part(body))
  changeRoute(router, '/customers/say', (body) => control.say(body))
  changeRoute(router, '/customers/edit', (body) => control.edit(body))
  changeRoute(router, '/customers/transfer', (body) => control.transfer(body))
  changeRoute(router, '/contact', (body) => control.setContact(body))
  changeRoute(router, '/sms', (body) => control.setSmsKey(body))
  changeRoute(router, '/mass/confirm', (body) => control.confirmMass(body))
  changeRoute(router, '/mass/ignore', (body) => control.ignoreMass(body))
  router.get('/people/:id', (ctx) => showValue(ctx, control.person(ctx.params['id'] ?? '')))
  router.get('/contact/:corpId', (ctx) => showValue(ctx, control.contact(ctx.params['corpId'] ?? '')))
  return router
}
