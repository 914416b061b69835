import type { IncomingMessage, ServerResponse } from 'node:http'
import Koa from 'koa'
import Router from 'koa-router'
import type { RouterContext } from 'koa-router'
import { mountBank } from '../bank/bank.ts'
import { mountInvoices } from '../invoice/invoices.ts'
import type { Place } from '../look/page.ts'
import { mountTill } from '../till/till-desk.ts'
import { apiOf } from './api.ts'
import type { Api } from './api.ts'
import { mountCashier } from './cashier.ts'
import { closeCombinedOrder, createCombined, queryCombined } from './combined.ts'
import { mountControl } from './control.ts'
import { mountDesk } from './desk.ts'
import { mountMoney } from './money-api.ts'
import { mountMoneyControl } from './money-control.ts'
import { closeTrade, createOrder, queryTrade } from './orders.ts'
import { mountPaySheet } from './pay-sheet.ts'
import { mountPapers, mountPapersControl } from './papers-api.ts'
import { products } from './state.ts'
import type { World } from './state.ts'

const BODY_LIMIT = 1024 * 1024

/** WeChat Pay, its cashier, a bank and the dials of a world, as one handler of HTTP requests. */
export function handlerOf(world: World, place: Place): (request: IncomingMessage, response: ServerResponse) => void {
  const app = new Koa()
  app.silent = true
  app.use(async (ctx, next) => {
    const raw = await readRaw(ctx.req)
    if (raw === null) return ctx.throw(413)
    ctx.state['raw'] = raw
    return next()
  })
  const router = new Router()
  const api = apiOf(world)
  mountOrders(router, world, api)
  mountMoney(router, world, api)
  mountPapers(router, world, api)
  mountControl(router, world)
  mountMoneyControl(router, world)
  mountPapersControl(router, world)
  mountCashier(router, world, place)
  mountPaySheet(router, world)
  mountBank(router, world.now, place)
  mountInvoices(router, world.now, place)
  mountTill(router, place)
  mountDesk(router, world, place)
  app.use(router.routes())
  app.use(emptyRefusals(router))
  const handle = app.callback()
  return (request, response) => void handle(request, response)
}

async function readRaw(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > BODY_LIMIT) return null
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

function mountOrders(router: Router, world: World, api: Api): void {
  const [base, combine] = ['/v3/pay/transactions', '/v3/combine-transactions']
  const mchid = (ctx: RouterContext): string => String(ctx.query['mchid'] ?? '')
  const param = (ctx: RouterContext, name: string): string => ctx.params[name] ?? ''
  for (const product of products) {
    router.post(`${base}/${product}`, (ctx) =>
      api(ctx, (merchant, raw) => createOrder(world, merchant, product, raw, `${ctx.protocol}://${ctx.host}`)),
    )
    router.post(`${combine}/${product}`, (ctx) =>
      api(ctx, (merchant, raw) => createCombined(world, merchant, product, raw, `${ctx.protocol}://${ctx.host}`)),
    )
  }
  router.get(`${base}/out-trade-no/:no`, (ctx) =>
    api(ctx, (merchant) => queryTrade(world, merchant, 'number', param(ctx, 'no'), mchid(ctx))),
  )
  router.get(`${base}/id/:id`, (ctx) =>
    api(ctx, (merchant) => queryTrade(world, merchant, 'id', param(ctx, 'id'), mchid(ctx))),
  )
  router.post(`${base}/out-trade-no/:no/close`, (ctx) =>
    api(ctx, (merchant, raw) => closeTrade(world, merchant, param(ctx, 'no'), raw)),
  )
  router.get(`${combine}/out-trade-no/:no`, (ctx) =>
    api(ctx, (merchant) => queryCombined(world, merchant, param(ctx, 'no'))),
  )
  router.post(`${combine}/out-trade-no/:no/close`, (ctx) =>
    api(ctx, (merchant, raw) => closeCombinedOrder(world, merchant, param(ctx, 'no'), raw)),
  )
}

/** Unknown paths are 404 and wrong methods 405, both without a body, as WeChat Pay answers them. */
function emptyRefusals(router: Router): Koa.Middleware {
  return (ctx) => {
    const known = router.match(ctx.path, ctx.method).path.length > 0
    ctx.status = known ? 405 : 404
    ctx.type = ''
    ctx.res.end()
    ctx.respond = false
  }
}
