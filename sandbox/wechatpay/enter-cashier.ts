import { credentialHolds } from './orders.ts'
import { merchantSigned } from './seal.ts'
import type { Combined, Product, Trade, World } from './state.ts'

/** Where a payer gets to: an order, or a sentence that says why not. */
export type Entry = { readonly order: Trade | Combined } | { readonly refused: string }

/** Why a credential may lead nowhere. */
export const STALE =
  '同一订单再次下单会换一个二维码或地址，旧的随即失效；二维码两小时后失效，手机浏览器的地址五分钟后失效。'

/** The order that gave this out last, as long as it holds. */
function orderOf(world: World, product: Product, credential: string): Trade | Combined | null {
  const order = world.entries.get(credential)
  return order?.product === product && credentialHolds(world, order) ? order : null
}

/** A payer scans a QR code. */
export function enterByCode(world: World, codeUrl: string): Entry {
  const order = orderOf(world, 'native', codeUrl)
  return order ? { order } : { refused: STALE }
}

/** A browser outside WeChat opens an H5 address. */
export function enterByAddress(world: World, prepayId: string): Entry {
  const order = orderOf(world, 'h5', prepayId)
  return order ? { order } : { refused: STALE }
}

/**
 * A page inside WeChat asks for payment with the arguments of getBrandWCPayRequest (protocol sheet 2.2). They must be signed
 * by a merchant that the order belongs to.
 */
export function enterInWechat(world: World, get: (name: string) => string): Entry {
  const prepayId = /^prepay_id=(wx\w+)$/.exec(get('package'))?.[1] ?? ''
  const order = orderOf(world, 'jsapi', prepayId)
  if (!order) return { refused: `prepay_id 不存在或已失效：${STALE}` }
  if (get('appId') !== order.appid) return { refused: 'appId 与下单时的 appid 不一致。' }
  if (get('signType') !== 'RSA') return { refused: 'signType 应为 RSA。' }
  const text = [get('appId'), get('timeStamp'), get('nonceStr'), get('package'), ''].join('\n')
  const merchant = world.merchants.get(order.mchid)
  if (!merchant || !merchantSigned(Buffer.from(text), get('paySign'), merchant.publicKeyPem))
    return { refused: '支付验证签名失败：paySign 与参数不符。' }
  return { order }
}
