import type { CombinedWish, PayCredential, PayProduct, WechatPayMerchant, WechatPayTrade } from '../wechatpay-port.ts'
import { malformed } from './answer.ts'
import { ask, chinaTime, look, part, send, type Caller } from './call.ts'
import { browserScene, clientIpOf, credentialOf, openidOf } from './payments.ts'
import { combinedAnswer } from './trade.ts'

const PATH = '/v3/combine-transactions'

/** The body of a combined payment; throws an Error where the wish lacks something (protocols wechat-pay 3). */
export function combinedBody(notifyUrl: string, wish: CombinedWish): string {
  if (wish.subOrders.length < 2 || wish.subOrders.length > 10)
    throw new Error('a combined payment has 2 to 10 sub-orders')
  return JSON.stringify({
    combine_appid: wish.initiator.appid,
    combine_mchid: wish.initiator.mchid,
    combine_out_trade_no: wish.combineNo,
    scene_info: wish.product === 'h5' ? browserScene(wish) : { payer_client_ip: clientIpOf(wish) },
    sub_orders: wish.subOrders.map((order) => ({
      mchid: order.mchid,
      attach: wish.combineNo,
      amount: { total_amount: order.total, currency: 'CNY' },
      out_trade_no: order.outTradeNo,
      description: order.description,
      settle_info: { profit_sharing: order.profitSharing },
    })),
    ...(wish.product === 'jsapi' ? { combine_payer_info: { openid: openidOf(wish) } } : {}),
    time_expire: chinaTime(wish.expireAtMs),
    notify_url: notifyUrl,
  })
}

/** Places all sub-orders, or gets a fresh credential for them. */
export function prepareCombined(
  caller: Caller,
  initiator: WechatPayMerchant,
  product: PayProduct,
  body: string,
): Promise<PayCredential> {
  return ask(caller, { merchant: initiator, path: `${PATH}/${product}`, body }, credentialOf(product))
}

/** Every sub-order as a trade; null where there is no such payment. */
export async function queryCombined(
  caller: Caller,
  initiator: WechatPayMerchant,
  combineNo: string,
): Promise<readonly WechatPayTrade[] | null> {
  const path = `${PATH}/out-trade-no/${part(combineNo)}`
  const combined = await look(caller, { merchant: initiator, path }, combinedAnswer)
  if (combined === null) return null
  if (combined.combineNo !== combineNo || combined.mchid !== initiator.mchid) throw malformed()
  return combined.trades
}

/** Closes all of it; the list is the one that it was placed with. */
export async function closeCombined(
  caller: Caller,
  initiator: WechatPayMerchant,
  combineNo: string,
  subOrders: readonly { readonly mchid: string; readonly outTradeNo: string }[],
): Promise<void> {
  const sub_orders = subOrders.map(({ mchid, outTradeNo }) => ({ mchid, out_trade_no: outTradeNo }))
  const body = JSON.stringify({ combine_appid: initiator.appid, sub_orders })
  await send(caller, { merchant: initiator, path: `${PATH}/out-trade-no/${part(combineNo)}/close`, body })
}
