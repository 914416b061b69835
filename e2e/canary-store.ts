import type { GivenGift } from '../contract/employee/gift.ts'
import type { Ordered, StoreOrderView } from '../contract/store/order.ts'
import { knowBuyer } from '../server/modules/buyer/know-buyer.ts'
import { chooseCard, namesOf, openPhone, payOrder } from './buyer-steps.ts'
import { canaries as c } from './canaries.ts'
import type { OpenStage } from './stage.ts'
import * as step from './steps.ts'
import { freshKey, Refused } from './visitor.ts'

/** What somebody who buys left behind. */
export interface Bought {
  /** By which names WeChat knows them, and the token of a link that they were given. */
  readonly tokens: Readonly<Record<string, string>>
  readonly shown: unknown
}

/** Somebody signs in by WeChat, buys a card with words, gives it to a friend with others, and asks for an invoice. */
export async function buyCard(stage: OpenStage): Promise<Bought> {
  const [buyer, friend] = [await openPhone(stage, 'cnrybuyer'), await openPhone(stage, 'cnryfriend')]
  const known = await namesOf(stage, 'cnrybuyer')
  await joinMiniProgram(stage, 'cnrybuyer')
  const wish = { ...(await chooseCard(buyer)), greeting: c.buyerGreeting }
  const key = freshKey()
  const { order } = await buyer.call<Ordered>('/store/orders', { json: wish, key })
  for (const greeting of [c.buyerGiftGreeting, `${c.buyerGreeting}加微信`])
    await buyer.call('/store/orders', { json: { ...wish, greeting }, key }).catch(expectRefused)
  await payOrder(stage, order.id, known.openid)
  const at = `/store/orders/${order.id}`
  const ready = await buyer.follow<StoreOrderView>(`${at}/events`, ({ state }) => state === 'ready')
  const invoice = await buyer.call(`${at}/invoice`, {
    json: { title: c.invoiceTitle, taxNumber: null, email: c.invoiceEmail },
  })
  if (ready.may.useNow) await buyer.call(`${at}/use-now`, { method: 'POST' })
  const card = `/store/cards/${ready.cardId}`
  const given = await buyer.call<GivenGift>(`${card}/gifts`, {
    json: { cover: 'plain', greeting: c.buyerGiftGreeting },
  })
  const friendToken = given.path?.split('/').at(-1) ?? ''
  await friend.call(`/store/gift-links/${friendToken}/claim`, { method: 'POST' })
  await friend.call(`${card}/thanks`, { json: { text: c.buyerThanks } })
  const shown = { order: ready, invoice, given: await buyer.call(`/store/gifts/${given.id}`) }
  return { tokens: { buyerOpenid: known.openid, buyerUnionid: known.unionid, friendToken }, shown }
}

/** They come by the mini program too: the only way on which WeChat tells a unionid unasked. */
async function joinMiniProgram(stage: OpenStage, personId: string): Promise<void> {
  const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
  const appid = edge.house.wechat?.miniProgramAppid
  const { code } = await step.control<{ code: string }>(`${stage.wechatUrl}/__ctl/code`, { appid, personId })
  const told = await edge.ports.wechat.identityByMiniProgramCode(code)
  await edge.tx((tx) => knowBuyer(tx, told))
}

function expectRefused(error: unknown): void {
  if (!(error instanceof Refused)) throw error
}
