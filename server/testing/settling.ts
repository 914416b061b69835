import { fen, sumFen } from '../../contract/fen.ts'
import { encodeId, type Id } from '../../contract/ids.ts'
import type { OrderState, SplitState } from '../../contract/states.ts'
import type { Handler } from '../../jobs/handlers.ts'
import type { Edge } from '../kernel/context.ts'
import { change, sql } from '../kernel/sql.ts'
import type { Channel } from '../../contract/commission.ts'
import { createBrand } from '../modules/catalog/create-template.ts'
import { setTerms } from '../modules/catalog/set-terms.ts'
import { openPayment } from '../modules/funding/open-payment.ts'
import { watchPayment } from '../modules/funding/watch-payment.ts'
import { issueOrder } from '../modules/issuance/issue-order.ts'
import { placeOrder } from '../modules/order/place-order.ts'
import { aTemplate } from './cards.ts'
import type { TestCompany } from './companies.ts'
import type { TestDatabase } from './databases.ts'
import type { PayHouse, PayWorld } from './paying.ts'

/** Makes merchants of the sandbox beside those of the world; the answer is the world with all of their credentials. */
export async function withMerchants(world: PayWorld, mchids: readonly string[]): Promise<PayWorld> {
  const more = []
  for (const mchid of mchids) more.push(await world.addMerchant(mchid))
  return Object.assign(world, { credentials: [...world.credentials, ...more] })
}

export interface SaleWish {
  readonly mchid: string
  readonly cards: number
  readonly priceFen: number
  readonly platformBp: number
  readonly channels: readonly Channel[]
  readonly collector?: 'brand' | 'platform'
  readonly maxRatioBp?: number
  readonly coolingOffMs?: number
}

let prefixes = 0
/** An order of cards of several brands, each with its terms and its own merchant. */
export async function aSale(database: TestDatabase, companyId: Id<'company'>, wishes: readonly SaleWish[]) {
  return database.tx(async (tx) => {
    const brands: { brandId: Id<'brand'>; totalFen: number }[] = []
    const items = []
    for (const wish of wishes) {
      const issuerPrefix = String(7_000_000 + (prefixes += 1))
      const wechatPay = { mchid: wish.mchid, appid: 'wxsandbox0001' }
      const brandId = await createBrand(tx, { name: `品牌 ${issuerPrefix}`, issuerPrefix, wechatPay })
      const { platformBp, channels, collector = 'brand', maxRatioBp = 3_000 } = wish
      await setTerms(tx, { brandId, collector, platformBp, channels, maxRatioBp, holdMs: 0, walletCredit: false })
      const templateVersionId = await aTemplate(tx, brandId, { coolingOffMs: wish.coolingOffMs ?? 0 })
      brands.push({ brandId, totalFen: wish.cards * wish.priceFen })
      for (let card = 0; card < wish.cards; card += 1)
        items.push({
          holderId: encodeId('person', BigInt(items.length)),
          templateVersionId,
          faceFen: fen(wish.priceFen),
          priceFen: fen(wish.priceFen),
        })
    }
    const orderId = await placeOrder(tx, { companyId, items })
    return { orderId, brands, totalFen: sumFen(items.map((item) => item.priceFen)) }
  })
}

let paymentsMade = 0
/** Pays by WeChat Pay, as somebody who scans the code, and lets the house hear of it. */
export async function payByWechat(
  house: PayHouse,
  world: PayWorld,
  company: TestCompany,
  wish: { readonly orderId: Id<'order'>; readonly brandId?: Id<'brand'>; readonly amountFen: number },
): Promise<Id<'payment'>> {
  const asked = { ...wish, amountFen: fen(wish.amountFen), source: 'wechat_pay' } as const
  const paymentId = await openPayment(house.edge(company.as('hr')), asked, `scanned-${(paymentsMade += 1)}`)
  const [row] = await house
    .edge()
    .read((tx) =>
      sql<{ mchid: string; no: string }>(tx.em, 'select mchid, out_trade_no as no from payment where id = ?', [
        paymentId,
      ]),
    )
  await world.ctl('pay', { mchid: row!.mchid, outTradeNo: row!.no, outcome: 'success' })
  await watchPayment(house.edge(), paymentId)
  return paymentId
}

/** Issues an order whose money is there. Throws when it does not end up issued. */
export async function issueAll(house: PayHouse, orderId: Id<'order'>): Promise<void> {
  const edge = house.edge()
  await issueOrder(edge, orderId)
  const [row] = await edge.read((tx) =>
    sql<{ state: OrderState }>(tx.em, 'select state from orders where id = ?', [orderId]),
  )
  if (row?.state !== 'issued') throw new Error(`order ${orderId} is ${row?.state}`)
}

/** Jobs that settle money. */
export const settlingJobs = ['settlement.plan', 'share.send', 'share.poll', 'share.return', 'refund.part'] as const

/**
 * Runs settling jobs as their time comes, the clock of house and sandbox jumping to each, until none is left or `most`
 * were run. `around` may run a job twice, stop it, or look in between. Answers how many it ran.
 */
export async function settleAll(
  house: PayHouse,
  world: PayWorld,
  handlers: Readonly<Record<string, Handler>>,
  how: {
    readonly most?: number
    readonly around?: (edge: Edge, kind: string, work: (edge: Edge) => Promise<void>) => Promise<void>
  } = {},
): Promise<number> {
  const edge = house.edge()
  const slots = settlingJobs.map(() => '?').join(',')
  for (let ran = 0; ran < (how.most ?? 5_000); ran += 1) {
    const [job] = await edge.read((tx) =>
      sql<{ id: string; kind: string; args: string; at: unknown }>(
        tx.em,
        `select id, kind, args, ready_at_ms as at from job where state = 'ready' and kind in (${slots}) order by ready_at_ms, id limit 1`,
        settlingJobs,
      ),
    )
    if (!job) return ran
    world.shiftMs += Math.max(0, Number(job.at) - edge.clock.now())
    const work = (on: Edge) => handlers[job.kind]!(on, JSON.parse(job.args) as Record<string, string | number>)
    await (how.around === undefined ? work(edge) : how.around(edge, job.kind, work))
    await edge.tx((tx) => change(tx.em, "update job set state = 'done', done_at_ms = ? where id = ?", [0, job.id]))
  }
  throw new Error('settling did not come to an end')
}

/** The splits of an order as they stand. */
export const readSplitStates = (house: PayHouse, orderId: Id<'order'>) =>
  house.edge().read((tx) =>
    sql<{
      id: Id<'split'>
      paymentId: Id<'payment'>
      state: SplitState
      paid: unknown
      refunded: unknown
      shared: unknown
      unfrozen: unknown
      fee: unknown
      problem: string | null
    }>(
      tx.em,
      `select id, payment_id as paymentId, state, paid_fen as paid, refunded_fen as refunded, shared_fen as shared,
          unfrozen_fen as unfrozen, fee_fen as fee, problem from split where order_id = ? order by id`,
      [orderId],
    ),
  )

/** Whether the sandbox's own accounts add up: its list of what does not. */
export const brokenAccounts = async (world: PayWorld): Promise<unknown> =>
  (await world.ctl('conserved', undefined, 'GET'))['broken']
