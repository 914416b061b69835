import type Router from 'koa-router'
import { z } from 'zod'
import { enterInWechat } from './enter-cashier.ts'
import { findPayable, outcomes, pay } from './pay.ts'
import type { World } from './state.ts'

const asked = z.looseObject({ openid: z.string(), outcome: z.enum(outcomes).default('success') })

/** What WeChat's client asks of WeChat Pay for its pay sheet, in the name of whoever holds the phone. */
export function mountPaySheet(router: Router, world: World): void {
  const enter = (raw: Buffer) => {
    const body = asked.parse(JSON.parse(raw.toString('utf8')))
    const entry = enterInWechat(world, (name) => (typeof body[name] === 'string' ? body[name] : ''))
    const { openid, outcome } = body
    if ('refused' in entry) return { ...entry, openid, outcome }
    const other = entry.order.openid !== null && entry.order.openid !== openid
    return other ? { refused: '当前微信用户不是下单的付款人。', openid, outcome } : { ...entry, openid, outcome }
  }
  router.post('/jsapi/sheet', (ctx) => {
    const entered = enter(ctx.state['raw'] as Buffer)
    if ('refused' in entered) ctx.body = { refused: entered.refused }
    else {
      const { order } = entered
      const parts = findPayable(world, order.mchid, order.outTradeNo)?.parts ?? []
      const payee = world.merchants.get(order.mchid)?.shortName ?? order.mchid
      const amount = parts.reduce((sum, part) => sum + part.total, 0)
      ctx.body = { amount, payee, description: parts[0]?.description ?? '', state: order.state }
    }
  })
  router.post('/jsapi/pay', (ctx) => {
    const entered = enter(ctx.state['raw'] as Buffer)
    if ('refused' in entered) ctx.body = { paid: false, message: entered.refused }
    else {
      const { order, openid, outcome } = entered
      const { state, message } = pay(world, order.mchid, order.outTradeNo, openid, outcome)
      ctx.body = { paid: outcome === 'success' && state === 'SUCCESS', message }
    }
  })
}
