import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { PaymentState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readVersions } from '../catalog/read-template.ts'
import type { LockedOrder } from '../order/lock-orders.ts'
import { readPricesOf } from '../order/read-order.ts'
import type { Need, Part } from './rules.ts'
import type { PaymentRow } from './tables.ts'

/** A payment as far as taking its money asks, with its parts. */
export interface StandingPayment {
  readonly id: Id<'payment'>
  readonly source: PaymentRow['source']
  state: PaymentState
  readonly amountFen: Fen
  readonly mchid: string | null
  readonly appid: string | null
  readonly outTradeNo: string | null
  transactionId: string | null
  parts: (Part & { readonly id?: Id<'paymentPart'> })[]
}

/**
 * An order that this transaction holds, with what its brands cost and all its payments. Whoever takes money keeps it up
 * to date, so that of two payments in one transaction the second sees what the first did.
 */
export interface Standing {
  readonly order: LockedOrder
  /** What this transaction took for the order since it was held. */
  taken: number
  readonly brands: readonly { readonly id: Id<'brand'>; readonly priceFen: Fen }[]
  readonly payments: Map<Id<'payment'>, StandingPayment>
}

/** Reads what stands for orders that the caller holds: three queries for any number of them. */
export async function readStanding(
  tx: Tx,
  orders: ReadonlyMap<Id<'order'>, LockedOrder>,
): Promise<Map<Id<'order'>, Standing>> {
  const ids = [...orders.keys()]
  if (ids.length === 0) return new Map()
  const brands = await readBrandPrices(tx, ids)
  const standing = new Map<Id<'order'>, Standing>()
  for (const [id, order] of orders)
    standing.set(id, { order, taken: 0, brands: brands.get(id) ?? [], payments: new Map() })
  for (const row of await readPaymentRows(tx, ids)) {
    const { payments } = standing.get(row.order_id)!
    const payment = payments.get(row.id) ?? presentPayment(row)
    payments.set(row.id, payment)
    if (row.part_id !== null)
      payment.parts.push({ id: row.part_id, brandId: row.brand_id!, amountFen: fen(Number(row.part_fen)) })
  }
  return standing
}

/** What each brand of the order still misses at this point, and what of it open payments to its own merchant ask for. */
export function needsOf(standing: Standing): Need[] {
  const sum = (counts: (payment: StandingPayment) => boolean) => {
    const sums = new Map<Id<'brand'>, number>()
    for (const payment of standing.payments.values())
      if (counts(payment))
        for (const part of payment.parts) sums.set(part.brandId, (sums.get(part.brandId) ?? 0) + part.amountFen)
    return sums
  }
  const paid = sum((payment) => arrived.has(payment.state))
  const promised = sum((payment) => payment.state === 'opened' && payment.source === 'wechat_pay')
  return standing.brands.map(({ id, priceFen }) => {
    const missing = Math.max(0, priceFen - (paid.get(id) ?? 0))
    const promisedFen = fen(Math.min(missing, promised.get(id) ?? 0))
    return { brandId: id, missingFen: fen(missing), promisedFen }
  })
}

const arrived: ReadonlySet<PaymentState> = new Set<PaymentState>(['paid', 'refunding', 'part_refunded', 'refunded'])

interface Row {
  readonly id: Id<'payment'>
  readonly order_id: Id<'order'>
  readonly source: PaymentRow['source']
  readonly state: PaymentState
  readonly amount_fen: unknown
  readonly mchid: string | null
  readonly appid: string | null
  readonly out_trade_no: string | null
  readonly transaction_id: string | null
  readonly part_id: Id<'paymentPart'> | null
  readonly brand_id: Id<'brand'> | null
  readonly part_fen: unknown
}

function readPaymentRows(tx: Tx, orderIds: readonly Id<'order'>[]): Promise<Row[]> {
  return sql<Row>(
    tx.em,
    `select payment.id, payment.order_id, payment.source, payment.state, payment.amount_fen, payment.mchid, payment.appid, payment.out_trade_no, payment.transaction_id, payment_part.id as part_id, payment_part.brand_id, payment_part.amount_fen as part_fen from payment left join payment_part on payment_part.payment_id = payment.id where payment.order_id in (${orderIds.map(() => '?').join(',')}) order by payment.order_id, payment.id, payment_part.brand_id`,
    orderIds,
  )
}

const presentPayment = (row: Row): StandingPayment => ({
  id: row.id,
  source: row.source,
  state: row.state,
  amountFen: fen(Number(row.amount_fen)),
  mchid: row.mchid,
  appid: row.appid,
  outTradeNo: row.out_trade_no,
  transactionId: row.transaction_id,
  parts: [],
})

/** The brands of each order by id, with their prices in it. */
async function readBrandPrices(tx: Tx, orderIds: readonly Id<'order'>[]) {
  const prices = await readPricesOf(tx, orderIds)
  const versions = await readVersions(tx, [...new Set(prices.map((price) => price.versionId))])
  const brandOf = new Map(versions.map((version) => [version.id, version.brandId]))
  const byOrder = new Map<Id<'order'>, Map<Id<'brand'>, Fen>>()
  for (const { orderId, versionId, priceFen } of prices) {
    const own = byOrder.get(orderId) ?? new Map<Id<'brand'>, Fen>()
    const brandId = brandOf.get(versionId)!
    own.set(brandId, sumFen([own.get(brandId) ?? fen(0), fen(priceFen)]))
    byOrder.set(orderId, own)
  }
  return new Map(
    [...byOrder].map(([orderId, own]) => [
      orderId,
      [...own].map(([id, priceFen]) => ({ id, priceFen })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    ]),
  )
}
