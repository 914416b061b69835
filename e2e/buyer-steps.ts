import { priceOf } from '../contract/price.ts'
import type { ListingDetail, Shelf } from '../contract/store/shelf.ts'
import { sql } from '../server/kernel/sql.ts'
import type { OpenStage } from './stage.ts'
import * as step from './steps.ts'
import { Visitor } from './visitor.ts'

/** The phone of somebody new, signed in to the storefront through WeChat's page. */
export async function openPhone(stage: OpenStage, person: string): Promise<Visitor> {
  await step.control(`${stage.wechatUrl}/__ctl/persons`, { id: person })
  const phone = new Visitor(stage.serverUrl, 'Mozilla/5.0 (iPhone) MicroMessenger/8.0')
  await phone.open(`${stage.wechatUrl}/phone/${person}`)
  await phone.open('/store/sign-in?return=/shop/')
  const { signedIn } = await phone.call<{ signedIn: boolean }>('/store/session')
  if (!signedIn) throw new Error(`${person} is not signed in`)
  return phone
}

/** By which names WeChat knows a person: to our service account, and to all of our apps. */
export async function namesOf(stage: OpenStage, person: string): Promise<{ openid: string; unionid: string }> {
  const appid = stage.running.open.house.wechat?.appid ?? ''
  const at = `${stage.wechatUrl}/__ctl/persons/${person}`
  const { openids, unionid } = await step.control<{ openids: Record<string, string>; unionid: string }>(at)
  return { openid: openids[appid] ?? '', unionid }
}

/** What somebody says who buys the first card on the shelf that may be given on. */
export async function chooseCard(buyer: Visitor) {
  const { listings } = await buyer.call<Shelf>('/store/shelf?limit=50')
  const present = listings.find(({ giftable, left }) => giftable && left !== 0)
  const found = await buyer.call<ListingDetail>(`/store/listings/${present?.id}`)
  const faceFen = found.faces[0] ?? found.minFaceFen
  const priceFen = priceOf(faceFen, found.priceBp)
  return { listingId: found.id, versionId: found.versionId, faceFen, priceFen, cover: found.cover }
}

/** The payer confirms in WeChat. */
export async function payOrder(stage: OpenStage, orderId: string, openid: string): Promise<void> {
  const [payment] = await stage.running.open.store.read((em) =>
    sql<{ mchid: string; outTradeNo: string }>(
      em,
      'select mchid, out_trade_no as outTradeNo from payment where order_id = ?',
      [orderId],
    ),
  )
  await step.control(`${stage.payUrl}/__ctl/pay`, { ...payment, openid, outcome: 'success' })
}
