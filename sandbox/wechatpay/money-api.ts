import type Router from 'koa-router'
import type { RouterContext } from 'koa-router'
import type { Api } from './api.ts'
import { applyAbnormalRefund, applyRefund, queryRefund } from './refunds.ts'
import { queryReturn, requestReturn } from './returns.ts'
import { addReceiver, deleteReceiver } from './receivers.ts'
import { queryRatio, queryShare, queryUnsplit, requestShare, requestUnfreeze } from './sharing.ts'
import type { World } from './state.ts'

/** Profit sharing, returns and refunds (protocol sheet 4 and 5). */
export function mountMoney(router: Router, world: World, api: Api): void {
  const base = '/v3/profitsharing'
  const serial = (ctx: RouterContext): string => ctx.get('wechatpay-serial')
  const part = (ctx: RouterContext, name: string): string => ctx.params[name] ?? ''
  router.post(`${base}/receivers/add`, (ctx) =>
    api(ctx, (merchant, raw) => addReceiver(world, merchant, raw, serial(ctx))),
  )
  router.post(`${base}/receivers/delete`, (ctx) => api(ctx, (merchant, raw) => deleteReceiver(world, merchant, raw)))
  router.post(`${base}/orders`, (ctx) => api(ctx, (merchant, raw) => requestShare(world, merchant, raw, serial(ctx))))
  router.post(`${base}/orders/unfreeze`, (ctx) => api(ctx, (merchant, raw) => requestUnfreeze(world, merchant, raw)))
  router.get(`${base}/orders/:no`, (ctx) =>
    api(ctx, (merchant) => queryShare(world, merchant, part(ctx, 'no'), String(ctx.query['transaction_id'] ?? ''))),
  )
  router.get(`${base}/transactions/:id/amounts`, (ctx) =>
    api(ctx, (merchant) => queryUnsplit(world, merchant, part(ctx, 'id'))),
  )
  router.get(`${base}/merchant-configs/:mchid`, (ctx) => api(ctx, () => queryRatio(world, part(ctx, 'mchid'))))
  router.post(`${base}/return-orders`, (ctx) => api(ctx, (merchant, raw) => requestReturn(world, merchant, raw)))
  router.get(`${base}/return-orders/:no`, (ctx) =>
    api(ctx, (merchant) => queryReturn(world, merchant, part(ctx, 'no'), String(ctx.query['out_order_no'] ?? ''))),
  )
  const refunds = '/v3/refund/domestic/refunds'
  router.post(refunds, (ctx) => api(ctx, (merchant, raw) => applyRefund(world, merchant, raw)))
  router.get(`${refunds}/:no`, (ctx) => api(ctx, (merchant) => queryRefund(world, merchant, part(ctx, 'no'))))
  router.post(`${refunds}/:id/apply-abnormal-refund`, (ctx) =>
    api(ctx, (merchant, raw) => applyAbnormalRefund(world, merchant, part(ctx, 'id'), raw, serial(ctx))),
  )
}
