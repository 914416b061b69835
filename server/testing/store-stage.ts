import { expect } from 'vitest'
import { handlers } from '../../jobs/handlers.ts'
import { workOnce } from '../../jobs/worker.ts'
import { readBankStatement } from '../../importers/bank-statement.ts'
import { fen } from '../../contract/fen.ts'
import type { Id } from '../../contract/ids.ts'
import type { ListingFacts } from '../../contract/operator/shelf.ts'
import { priceOf } from '../../contract/price.ts'
import type { Ordered, StoreOrderView } from '../../contract/store/order.ts'
import type { Edge, Tx } from '../kernel/context.ts'
import type { Endpoint } from '../kernel/endpoint.ts'
import { change, sql } from '../kernel/sql.ts'
import { storePackEndpoints } from '../modules/cardpack/store-endpoints.ts'
import { createBrand } from '../modules/catalog/create-template.ts'
import { fundingEndpoints } from '../modules/funding/endpoints.ts'
import { takeRefundNotice } from '../modules/refund/take-notice.ts'
import { createListing } from '../modules/shelf/create-listing.ts'
import { storefrontEndpoints } from '../modules/storefront/endpoints.ts'
import { aBuyer, STORE_APPID, type TestBuyer } from './buyers.ts'
import { aTemplate } from './cards.ts'
import type { TestDatabase } from './databases.ts'
import { merchants, servePayHouse, type Answer, type PayHouse, type PayWorld } from './paying.ts'

const HOUR_MS = 3_600_000
let made = 0

/** A card on the shelf of a test. */
export interface TestListing {
  readonly id: Id<'listing'>
  readonly versionId: Id<'templateVersion'>
  readonly brandId: Id<'brand'>
}

/** The storefront's house: buyers order and pay over HTTP, and WeChat Pay's notices come in over HTTP. */
export async function serveStore(
  database: TestDatabase,
  world: PayWorld,
  more: readonly Endpoint[] = [],
): Promise<PayHouse> {
  const account = { appid: STORE_APPID, miniProgramAppid: null, openPlatformId: null, templates: {} }
  database.house = { ...database.house, wechat: { ...account, jsSdkUrl: '', clientScriptUrl: null } }
  return servePayHouse(database, world, [
    ...fundingEndpoints({ readStatement: readBankStatement, takeRefund: takeRefundNotice }),
    ...storePackEndpoints,
    ...storefrontEndpoints,
    ...more,
  ])
}

type TemplateWish = NonNullable<Parameters<typeof aTemplate>[2]>

/** A card of 100 to 500 yuan at 95 %, locked for three hours, that may go back for seven days; on the shelf. */
async function aListing(tx: Tx, facts: Partial<ListingFacts>, template: TemplateWish): Promise<TestListing> {
  const issuerPrefix = String(820_000 + (made += 1))
  const brandId = await createBrand(tx, { name: '沐光咖啡', issuerPrefix, wechatPay: merchants[0] })
  const lock = { coolingOffMs: 3 * HOUR_MS, rightMs: 7 * 24 * HOUR_MS, priceBp: 9_500 }
  const range = { named: false, minFaceFen: fen(10_000), maxFaceFen: fen(50_000), stepFen: fen(5_000) }
  const versionId = await aTemplate(tx, brandId, { ...range, validDays: 1095, ...lock, ...template })
  const words = { category: 'drinks', title: '咖啡卡', subtitle: '', channels: ['wechat', 'h5'] } as const
  const counts = { giftable: true, series: false, stock: null, perBuyerCap: null, segment: null, promo: null }
  const id = await createListing(tx, versionId, { ...words, ...counts, ...facts, channels: [...words.channels] })
  await change(tx.em, "update listing set state = 'on' where id = ?", [id])
  return { id, versionId, brandId }
}

/** What tests of the storefront do with one house. */
export function storeStage(database: TestDatabase, pays: () => PayWorld, house: () => PayHouse) {
  const edge = (): Edge => house().edge({ kind: 'system', name: 'test' })
  const buy = (buyer: TestBuyer, listing: TestListing, more: object = {}, key = `b${(made += 1)}`): Promise<Answer> => {
    const wish = {
      listingId: listing.id,
      versionId: listing.versionId,
      faceFen: 10_000,
      priceFen: 9_500,
      cover: 'plain',
    }
    return house().call(buyer.actor, 'POST', '/store/orders', { ...wish, ...more }, key)
  }
  const pay = async (orderId: string, openid: string): Promise<void> => {
    const [row] = await database.tx((tx) =>
      sql<{ mchid: string; no: string }>(tx.em, 'select mchid, out_trade_no as no from payment where order_id = ?', [
        orderId,
      ]),
    )
    await pays().ctl('pay', { mchid: row!.mchid, outTradeNo: row!.no, openid, outcome: 'success' })
  }
  /** Does what is due now, and what follows from it. */
  const work = async (): Promise<void> => {
    while (await workOnce(edge(), handlers, 'small')) continue
  }
  const order = async (buyer: TestBuyer, id: string): Promise<StoreOrderView> =>
    (await house().call(buyer.actor, 'GET', `/store/orders/${id}`)).body as unknown as StoreOrderView
  /** WeChat Pay tells by itself, a moment later. */
  const paid = (buyer: TestBuyer, id: string) =>
    expect.poll(async () => (await order(buyer, id)).state, { timeout: 10_000 }).not.toBe('paying')
  return {
    edge,
    buy,
    paid,
    pay,
    work,
    order,
    buyer: () => aBuyer(database),
    listing: (facts: Partial<ListingFacts> = {}, template: TemplateWish = {}) =>
      edge().tx((tx) => aListing(tx, facts, template)),
    price: (faceFen: number): number => priceOf(fen(faceFen), 9_500),
    /** Orders, pays, and waits for the card. */
    bought: async (buyer: TestBuyer, listing: TestListing, more: object = {}): Promise<StoreOrderView> => {
      const { body, status } = await buy(buyer, listing, more)
      if (status !== 200) throw new Error(`not ordered: ${status} ${JSON.stringify(body)}`)
      const { id } = (body as unknown as Ordered).order
      await pay(id, buyer.openid)
      await paid(buyer, id)
      await work()
      return order(buyer, id)
    },
    /** How many refunds there are of an order. */
    refunds: async (orderId: string): Promise<number> => {
      const text = 'select count(*) as n from refund where order_id = ?'
      const [row] = await database.tx((tx) => sql<{ n: unknown }>(tx.em, text, [orderId]))
      return Number(row?.n)
    },
    left: async (listing: TestListing) => {
      const [row] = await database.tx((tx) =>
        sql<{ stock: unknown; taken: unknown; sold: unknown }>(
          tx.em,
          'select stock, taken, sold from listing where id = ?',
          [listing.id],
        ),
      )
      return { taken: Number(row?.taken), sold: Number(row?.sold) }
    },
  }
}
