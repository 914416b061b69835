import { z } from 'zod'
import type {
  JsapiParameters,
  PayCredential,
  PaymentWish,
  PayProduct,
  WechatPayMerchant,
  WechatPayTrade,
} from '../wechatpay-port.ts'
import { malformed } from './answer.ts'
import { ask, chinaTime, look, part, send, type Caller } from './call.ts'
import { signText } from './crypto.ts'
import { tradeAnswer } from './trade.ts'

const PATH = '/v3/pay/transactions'
const answers = {
  native: z
    .object({ code_url: z.string().min(1).max(512) })
    .transform(({ code_url: codeUrl }): PayCredential => ({ kind: 'native', codeUrl })),
  jsapi: z
    .object({ prepay_id: z.string().min(1).max(64) })
    .transform(({ prepay_id: prepayId }): PayCredential => ({ kind: 'jsapi', prepayId })),
  h5: z
    .object({ h5_url: z.url({ protocol: /^https?$/ }).max(512) })
    .transform(({ h5_url: h5Url }): PayCredential => ({ kind: 'h5', h5Url })),
}

/** The body of a payment; throws an Error where the wish lacks what its product needs (protocols wechat-pay 2.1). */
export function paymentBody(notifyUrl: string, wish: PaymentWish): string {
  return JSON.stringify({
    appid: wish.merchant.appid,
    mchid: wish.merchant.mchid,
    description: wish.description,
    out_trade_no: wish.outTradeNo,
    time_expire: chinaTime(wish.expireAtMs),
    notify_url: notifyUrl,
    amount: { total: wish.total, currency: 'CNY' },
    ...(wish.product === 'jsapi' ? { payer: { openid: openidOf(wish) } } : {}),
    ...(wish.product === 'h5' ? { scene_info: browserScene(wish) } : {}),
    settle_info: { profit_sharing: wish.profitSharing },
  })
}

/** The payer under the app: without one nobody can pay inside WeChat. */
export function openidOf(wish: { readonly openid?: string | undefined }): string {
  if (wish.openid === undefined) throw new Error('a payment inside WeChat needs the openid of its payer')
  return wish.openid
}

/** Where a browser outside WeChat stands. */
export function browserScene(wish: { readonly clientIp?: string | undefined }): Record<string, unknown> {
  return { payer_client_ip: clientIpOf(wish), h5_info: { type: 'Wap' } }
}

/** The payer's own address. */
export function clientIpOf(wish: { readonly clientIp?: string | undefined }): string {
  if (wish.clientIp === undefined) throw new Error('this payment needs the address of its payer')
  return wish.clientIp
}

/** Places the order, or gets a fresh credential for it. */
export function prepare(
  caller: Caller,
  merchant: WechatPayMerchant,
  product: PayProduct,
  body: string,
): Promise<PayCredential> {
  return ask(caller, { merchant, path: `${PATH}/${product}`, body }, credentialOf(product))
}

/** What an order of this product answers. */
export function credentialOf(product: PayProduct): z.ZodType<PayCredential> {
  return answers[product]
}

/** The four lines of protocols wechat-pay 2.2, signed with the merchant's own key. */
export async function jsapiParameters(
  caller: Caller,
  merchant: WechatPayMerchant,
  prepayId: string,
): Promise<JsapiParameters> {
  const { options, meansOf } = caller
  const timeStamp = String(Math.floor(options.now() / 1000))
  const nonceStr = options.random(16).toString('hex')
  const bundle = `prepay_id=${prepayId}`
  const text = `${merchant.appid}\n${timeStamp}\n${nonceStr}\n${bundle}\n`
  const paySign = await signText(text, meansOf(merchant.mchid).privateKey)
  return { appId: merchant.appid, timeStamp, nonceStr, package: bundle, signType: 'RSA', paySign }
}

/** The trade of a number, null where there is none. */
export async function query(
  caller: Caller,
  merchant: WechatPayMerchant,
  outTradeNo: string,
): Promise<WechatPayTrade | null> {
  const path = `${PATH}/out-trade-no/${part(outTradeNo)}?mchid=${part(merchant.mchid)}`
  const trade = await look(caller, { merchant, path }, tradeAnswer)
  if (trade !== null && (trade.outTradeNo !== outTradeNo || trade.mchid !== merchant.mchid)) throw malformed()
  return trade
}

/** Closes an order that was placed. */
export async function close(caller: Caller, merchant: WechatPayMerchant, outTradeNo: string): Promise<void> {
  const path = `${PATH}/out-trade-no/${part(outTradeNo)}/close`
  await send(caller, { merchant, path, body: JSON.stringify({ mchid: merchant.mchid }) })
}
