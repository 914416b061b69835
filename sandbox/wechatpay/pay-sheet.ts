import type Router from 'koa-router'
import { z } from 'zod'
import { enterInWechat, type Entry } from './enter-cashier.ts'
import { findPayable, outcomes, pay } from './pay.ts'
import type { World } from './state.ts'

const asked = z.looseObject({ openid: z.string(), outcome: z.enum(outcomes).default('success') })
type Asked = z.output<typeof asked>

/** What WeChat's client asks of WeChat Pay for its pay sheet, in the name of whoever holds the phone. */
export function mountPaySheet(router: Router, world: World): void {
  const answer = (path: string, run: (entry: Entry, body: Asked) => object) =>
    router.post(path, (ctx) => {
      const body = asked.safeParse(jsonOf((ctx.state['raw'] as Buffer).toString('utf8')))
      if (!body.success) return ctx.throw(400)
      ctx.body = run(enter(world, body.data), body.data)
    })
  answer('/jsapi/sheet', (entry) => {
    if ('refused' in entry) return entry
    const { mchid, outTradeNo, state } = entry.order
    const parts = findPayable(world, mchid, outTradeNo)?.parts ?? []
    const amount = parts.reduce((sum, part) => sum + part.total, 0)
    const payee = world.merchants.get(mchid)?.shortName ?? mchid
    return { amount, payee, description: parts[0]?.description ?? '', state }
  })
  answer('/jsapi/pay', (entry, { openid, outcome }) => {
    if ('refused' in entry) return { paid: false, message: entry.refused }
    const { state, message } = pay(world, entry.order.mchid, entry.order.outTradeNo, openid, outcome)
    return { paid: outcome === 'success' && state === 'SUCCESS', message }
  })
}

/** The order, for the one for whom it was placed alone. */
function enter(world: World, body: Asked): Entry {
  const entry = enterInWechat(world, (name) => (typeof body[name] === 'string' ? body[name] : ''))
  const other = 'order' in entry && entry.order.openid !== null && entry.order.openid !== body.openid
  return other ? { refused: '当前微信用户不是下单的付款人。' } : entry
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
