import { randomInt } from 'node:crypto'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { actAs } from '../../kernel/act-as.ts'
import type { Edge } from '../../kernel/context.ts'
import type { House } from '../../kernel/house.ts'
import { AppError } from '../../kernel/errors.ts'
import { change, sql } from '../../kernel/sql.ts'
import { knowBuyer } from '../../modules/buyer/know-buyer.ts'
import { endLock } from '../../modules/card/end-lock.ts'
import { readVersions } from '../../modules/catalog/read-template.ts'
import { acceptNotices } from '../../modules/funding/accept-notices.ts'
import { firstReadyToPay } from '../../modules/funding/charge-buyer.ts'
import { claimGift } from '../../modules/gift/claim-gift.ts'
import { offerGift } from '../../modules/gift/offer-gift.ts'
import { readGivenGift } from '../../modules/gift/read-gifts.ts'
import { issueOrders } from '../../modules/issuance/issue-order.ts'
import { createListing } from '../../modules/shelf/create-listing.ts'
import { closeUnpaid } from '../../modules/storefront/close-unpaid.ts'
import { refundStoreOrder } from '../../modules/storefront/refund-store-order.ts'
import { buyCard } from '../../modules/storefront/store-desk.ts'
import { aTemplate } from '../cards.ts'
import { platformMerchant } from '../paying.ts'
import type { Contest, RacingPair } from './contest.ts'
import { holdFen } from './refund-hold.ts'
import { eachOf, slots, type RaceStage, type Runner } from './stage.ts'

const COOLING_MS = 3 * 3_600_000
const PRICE = 10_000
let buyersMade = 0

/** A runner that somebody bought, and who did. */
interface Bought extends Runner {
  readonly buyerId: Id<'buyer'>
}

/**
 * The scope of a buyer of this stage. Stages live in times of their own, far apart: what a house does together (orders of one
 * moment) they must not do together, so each has a house of its own on the one database.
 */
function storeEdge(stage: RaceStage, buyerId: Id<'buyer'>): Edge {
  const house = houses.get(stage) ?? ownHouse(stage)
  houses.set(stage, house)
  const edge = actAs(stage.edge(), { kind: 'buyer', buyerId })
  return {
    ...edge,
    house,
    tx: (work) => edge.tx((tx) => work({ ...tx, house })),
    read: (work) => edge.read((tx) => work({ ...tx, house })),
  }
}
const houses = new WeakMap<RaceStage, House>()

function ownHouse({ database }: RaceStage): House {
  const account = { appid: platformMerchant.appid, miniProgramAppid: null, openPlatformId: null, templates: {} }
  return { ...database.house, wechat: { ...account, jsSdkUrl: '', clientScriptUrl: null } }
}

interface Raced {
  readonly listingId: Id<'listing'>
  readonly versionId: Id<'templateVersion'>
}
const listings = new WeakMap<RaceStage, Promise<Raced>>()

/** What is raced for: without the days that the law gives, so that the lock alone says who is in their right. */
function listingOf(stage: RaceStage): Promise<Raced> {
  const known = listings.get(stage) ?? makeListing(stage)
  listings.set(stage, known)
  return known
}

async function makeListing(stage: RaceStage): Promise<Raced> {
  return stage.edge().tx(async (tx) => {
    const [given] = await readVersions(tx, [stage.template])
    const { brandId, coolingOffMs } = given!
    const faces = { named: false, validDays: 1_095, maxFaceFen: fen(100_000) }
    const versionId = await aTemplate(tx, brandId, { ...faces, coolingOffMs })
    const counts = { stock: null, perBuyerCap: null, segment: null, promo: null, giftable: true, series: false }
    const words = { category: 'general', title: '竞赛卡', subtitle: '', channels: ['wechat'] } as const
    const id = await createListing(tx, versionId, { ...words, ...counts, channels: [...words.channels] })
    await change(tx.em, "update listing set state = 'on' where id = ?", [id])
    return { listingId: id, versionId }
  })
}

/** Orders of buyers of their own, each with a prepay id: nobody has paid yet. */
async function placeOrders(stage: RaceStage, count: number) {
  const card = await listingOf(stage)
  const numbers = Array.from({ length: count }, () => (buyersMade += 1))
  return eachOf(stage, numbers, async (number) => {
    const as = { appid: platformMerchant.appid, openid: `oRACE${number}`, unionid: null }
    const buyerId = await stage.edge().tx((tx) => knowBuyer(tx, as))
    const edge = storeEdge(stage, buyerId)
    const wish = { ...card, faceFen: fen(PRICE), priceFen: fen(PRICE) }
    const plain = { channel: 'wechat', forFriend: false, cover: 'plain', pictureId: null, greeting: '' } as const
    const { orderId, charge } = await buyCard(edge, { ...wish, ...plain }, 'once')
    if (charge === null || (await firstReadyToPay(edge, charge)) === null)
      throw new Error(`order ${orderId} cannot be paid`)
    return { orderId, openid: as.openid }
  })
}

/** Their payers confirm; the notices are left to be taken. */
async function pay(stage: RaceStage, orders: Awaited<ReturnType<typeof placeOrders>>): Promise<void> {
  const openids = new Map<string, string>(orders.map(({ orderId, openid }) => [orderId, openid]))
  const rows = await stage
    .edge()
    .read((tx) =>
      sql<{ orderId: string; mchid: string; outTradeNo: string }>(
        tx.em,
        `select order_id as orderId, mchid, out_trade_no as outTradeNo from payment where order_id in (${slots(orders)})`,
        [...openids.keys()],
      ),
    )
  for (const { orderId, ...trade } of rows)
    await stage.ctl('pay', { ...trade, openid: openids.get(orderId), outcome: 'success' })
  await stage.pay.clock.advance(0)
}

/** Cards that were bought a moment ago. */
async function prepare(stage: RaceStage, count: number): Promise<Bought[]> {
  const orders = await placeOrders(stage, count)
  const ids = orders.map(({ orderId }) => orderId)
  await pay(stage, orders)
  await stage.edge().tx((tx) => acceptNotices(tx, stage.heard.splice(0)))
  await issueOrders(stage.edge(), ids)
  const cards = await stage.edge().read((tx) =>
    sql<Bought>(
      tx.em,
      `select order_item.order_id as orderId, card.id as cardId, card.locked_until_ms as lockedUntilMs,
          card.holder_id as buyerId
        from card join order_item on order_item.id = card.order_item_id
        where order_item.order_id in (${slots(ids)}) order by card.id`,
      ids,
    ),
  )
  if (cards.length !== count) throw new Error(`${cards.length} of ${count} cards were made`)
  return cards
}

const byBuyer = (edge: Edge, { buyerId }: Bought): Edge => actAs(edge, { kind: 'buyer', buyerId })
const holderOf = ({ buyerId }: Bought) => ({ companyId: null, holderId: buyerId })

/** False where one of these refusals came. */
async function unless(codes: readonly string[], work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof AppError && codes.includes(error.code)) return false
    throw error
  }
}

const refunds = (edge: Edge, runner: Bought): Promise<boolean> =>
  unless(['refund_right_over', 'card_not_refundable', 'state_conflict'], () =>
    byBuyer(edge, runner).tx((tx) => refundStoreOrder(tx, runner.orderId)),
  )

/** One tap to give it back against its first use at a till, each somewhere around the very millisecond at which the lock ends. */
export const storeRefundAndUse: RacingPair = {
  coolingOffMs: COOLING_MS,
  mostBehindMs: 50,
  prepare,
  contest: async (_stage, given): Promise<Contest> => {
    const runner = given as Bought
    const end = Number(runner.lockedUntilMs)
    const clocks = { first: end + randomInt(-1, 2), second: end + randomInt(-1, 2) }
    const mayWin = { first: clocks.first < end, second: clocks.second >= end }
    const when = `(refund ${clocks.first - end} ms, use ${clocks.second - end} ms)`
    return {
      of: runner.cardId,
      clocks,
      mayWin,
      first: (edge) => refunds(edge, runner),
      second: (edge) => holdFen(edge, runner),
      wrong: ({ first, second }) => {
        if (first && !mayWin.first) return [`given back after cooling-off ${when}`]
        if (second && !mayWin.second) return [`used before the end of cooling-off ${when}`]
        return !first && !second && (mayWin.first || mayWin.second) ? [`neither, though one might ${when}`] : []
      },
    }
  },
}

const oneOf = ({ first, second }: Readonly<Record<'first' | 'second', boolean>>): string[] =>
  first || second ? [] : ['neither']

/** One tap to give it back against the choice to use it early. */
export const storeRefundAndUseNow: RacingPair = {
  coolingOffMs: COOLING_MS,
  mostBehindMs: 50,
  prepare,
  contest: async (_stage, given): Promise<Contest> => {
    const runner = given as Bought
    return {
      of: runner.cardId,
      first: (edge) => refunds(edge, runner),
      second: (edge) => unless(['card_ended'], () => edge.tx((tx) => endLock(tx, holderOf(runner), runner.cardId))),
      wrong: oneOf,
    }
  },
}

/** One tap to give it back, for which a present is taken back first, against the friend who claims it. */
export const storeRefundAndClaim: RacingPair = {
  coolingOffMs: 0,
  mostBehindMs: 50,
  prepare: async (stage, count) => {
    const runners = await prepare(stage, count)
    // Nothing is locked here: the days that the law gives are the right by which it goes back.
    const ids = runners.map(({ orderId }) => orderId)
    const right = `update store_order set right_ms = ? where order_id in (${slots(ids)})`
    await stage.edge().tx((tx) => change(tx.em, right, [7 * 86_400_000, ...ids]))
    return runners
  },
  contest: async (stage, given): Promise<Contest> => {
    const runner = given as Bought
    const token = await stage.edge().tx(async (tx) => {
      const giver = holderOf(runner)
      const giftId = await offerGift(tx, giver, { cardId: runner.cardId, cover: 'plain', greeting: '' })
      return (await readGivenGift(tx, giver, giftId)).path!.split('/').at(-1)!
    })
    const as = { appid: platformMerchant.appid, openid: `oFRIEND${(buyersMade += 1)}`, unionid: null }
    const friend = { companyId: null, holderId: await stage.edge().tx((tx) => knowBuyer(tx, as)) }
    return {
      of: runner.cardId,
      first: (edge) => refunds(edge, runner),
      second: (edge) => unless(['gift_closed'], () => edge.tx((tx) => claimGift(tx, friend, token))),
      wrong: oneOf,
    }
  },
}

/** The quarter of an hour is over while the payer's money comes: it becomes a card, or goes back. */
export const storeCloseAndPay: RacingPair = {
  coolingOffMs: 0,
  mostBehindMs: 20,
  prepare: async (stage, count) => {
    const orders = await placeOrders(stage, count)
    await pay(stage, orders)
    return orders.map(({ orderId }) => ({ orderId, cardId: '' as Id<'card'>, lockedUntilMs: 0 }))
  },
  contest: async (stage, { orderId }): Promise<Contest> => {
    const [payment] = await stage
      .edge()
      .read((tx) => sql<{ no: string }>(tx.em, 'select out_trade_no as no from payment where order_id = ?', [orderId]))
    const at = stage.heard.findIndex((trade) => trade.outTradeNo === payment!.no)
    const [trade] = stage.heard.splice(at, 1)
    const stateIs = async (edge: Edge, states: readonly string[]): Promise<boolean> => {
      const rows = await edge.read((tx) =>
        sql<{ state: string }>(tx.em, 'select state from orders where id = ?', [orderId]),
      )
      return states.includes(rows[0]!.state)
    }
    return {
      of: orderId,
      first: async (edge) => {
        await closeUnpaid(edge, [orderId])
        return stateIs(edge, ['cancelled'])
      },
      second: async (edge) => {
        await edge.tx((tx) => acceptNotices(tx, [trade!]))
        return stateIs(edge, ['funded'])
      },
      wrong: oneOf,
    }
  },
  end: async (stage, runners) => {
    const ids = runners.map(({ orderId }) => orderId)
    const closed = await stage.edge().read((tx) =>
      sql<{ id: string; paymentId: string }>(
        tx.em,
        `select orders.id as id, payment.id as paymentId from orders join payment on payment.order_id = orders.id
          where orders.id in (${slots(ids)}) and orders.state = 'cancelled'`,
        ids,
      ),
    )
    const jobs = await stage
      .edge()
      .read((tx) => sql<{ key: string }>(tx.em, "select job_key as `key` from job where kind = 'surplus.return'"))
    const queued = new Set(jobs.map(({ key }) => key))
    return closed
      .filter(({ paymentId }) => !queued.has(`surplus.return:${paymentId}`))
      .map(({ id }) => `${id}: paid and closed, and nothing gives the money back`)
  },
}
