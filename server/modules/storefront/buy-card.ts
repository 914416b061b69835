import type { z } from 'zod'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { BuyInput } from '../../../contract/store/order.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { isKept, once } from '../../kernel/once.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { buyerOf } from '../../kernel/tenant.ts'
import { readOpenid } from '../buyer/read-buyer.ts'
import { filingRefusal } from '../compliance/check-filing.ts'
import { checkGreeting } from '../cover/check-greeting.ts'
import { useCover } from '../cover/use-cover.ts'
import { chargeBuyer, type Payer } from '../funding/charge-buyer.ts'
import { placeOrder } from '../order/place-order.ts'
import { readListingForSale } from '../shelf/read-listing.ts'
import { takeListing } from '../shelf/take-listing.ts'
import { sealGreeting } from './seal-words.ts'
import { StoreOrder } from './tables.ts'

type Wish = z.output<typeof BuyInput>

/**
 * Places the order of one card for the buyer who asks, takes it from the shelf and records its payment, all in one transaction;
 * the same key gives the same order. Issuing reads its item as it reads those of a company, once it is paid. Nobody pays in time:
 * job `store-order.close`. Refuses as `takeListing` does, and with `greeting_refused`, `cover_refused`, `wechat_not_connected`,
 * `payment_route_barred`, `card_kind_not_filed`, `prepaid_over_ceiling`.
 */
export async function buyCard(edge: Edge, wish: Wish, key: string): Promise<Id<'order'>> {
  const buyerId = buyerOf(edge.actor)
  const scope = `store.buy:${buyerId}`
  const before = await edge.read(async (tx) => ({
    payer: await readPayer(tx, buyerId),
    again: await isKept(tx, scope, key),
    // What is plainly gone costs no transaction: most of a rush ends here.
    sale: await readListingForSale(tx, wish.listingId, buyerId).catch((error: unknown) => error as Error),
  }))
  if (!before.again) {
    if (before.sale instanceof Error) throw before.sale
    await checkGreeting(edge, wish.greeting)
  }
  // What a key was used with is kept: of words, a fingerprint.
  const asked = { ...wish, greeting: edge.house.seal.blindIndex('gift.greeting', wish.greeting) }
  return edge.tx((tx) => once(tx, scope, key, asked, () => place(tx, edge, buyerId, before.payer, wish)))
}

/** The account by which WeChat Pay knows the buyer. */
async function readPayer(tx: Tx, buyerId: Id<'buyer'>): Promise<Payer> {
  const appid = tx.house.wechat?.appid ?? refuse('wechat_not_connected')
  return { appid, openid: (await readOpenid(tx, buyerId, appid)) ?? refuse('unauthenticated') }
}

/** The listing comes last: all who buy of it wait for its row until the commit. */
async function place(
  tx: Tx,
  edge: Pick<Edge, 'ports'>,
  buyerId: Id<'buyer'>,
  payer: Payer,
  wish: Wish,
): Promise<Id<'order'>> {
  const { listingId, versionId, faceFen, priceFen, pictureId } = wish
  const { version } = await readListingForSale(tx, listingId, buyerId)
  const { brandId, named } = version
  const code = await filingRefusal(tx, [{ brandId, named, faceFen: () => faceFen }])
  if (code !== null) refuse(code)
  const item = { holderId: buyerId, templateVersionId: versionId, faceFen, priceFen, listingId }
  const orderId = await placeOrder(tx, { companyId: null, buyerId, items: [item] })
  const now = tx.clock.now()
  const closesAtMs = now + limits.unpaidOrderMs
  if (pictureId !== null) await useCover(tx, pictureId, buyerId)
  await tx.em.insert(StoreOrder, {
    orderId,
    buyerId,
    listingId,
    channel: wish.channel,
    cover: wish.cover,
    pictureId,
    greetingSealed: sealGreeting(tx, orderId, wish.greeting),
    forFriend: wish.forFriend,
    rightMs: version.rightMs,
    closesAtMs,
    createdAtMs: now,
  })
  await chargeBuyer(tx, orderId, payer, closesAtMs, edge.ports.wechatPay)
  const close = { kind: 'store-order.close', key: `store-order.close:${orderId}`, args: { orderId } }
  await enqueue(tx, [{ ...close, readyAtMs: closesAtMs }])
  await takeListing(tx, { listingId, versionId, faceFen, priceFen, buyerId, orderId })
  return orderId
}
