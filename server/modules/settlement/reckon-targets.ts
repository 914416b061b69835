import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Tx } from '../../kernel/context.ts'
import type { PaidPart } from '../funding/read-paid-parts.ts'
import type { BrandSale } from './read-sales.ts'
import { feeOf, targetsOf, type Target } from './rules.ts'

/** What a brand still has of each payment of the order, by payment. */
export const netsOf = (parts: readonly PaidPart[], brandId: string): Fen[] =>
  parts.filter((part) => part.brandId === brandId).map((part) => fen(part.amountFen - part.backFen))

/** Who is to receive what of the transaction of one WeChat payment, as cards, refunds and terms stand. */
export function reckonTargets(tx: Tx, sale: BrandSale, parts: readonly PaidPart[], part: PaidPart): Target[] {
  const settlement = tx.house.wechatPay
  const mchid = part.mchid ?? ''
  const netFen = fen(part.paidFen - part.refundedFen)
  return targetsOf({
    brandId: sale.brandId,
    terms: { ...sale.terms, collector: collectorOf(tx, sale, mchid) },
    cut: sale,
    nets: netsOf(parts, sale.brandId),
    index: parts.filter((one) => one.brandId === sale.brandId).findIndex((one) => one.paymentId === part.paymentId),
    netFen,
    feeFen: feeOf(netFen, settlement.feeBp(mchid)),
    mchid,
    platformMchid: settlement.platform?.mchid ?? null,
    brandMchid: sale.brandMchid,
  })
}

/** Who collected a payment: we, only where the terms say so and it was paid to our merchant. */
export const collectorOf = (tx: Tx, sale: BrandSale, mchid: string): 'brand' | 'platform' =>
  sale.terms.collector === 'platform' && mchid === tx.house.wechatPay.platform?.mchid ? 'platform' : 'brand'

/** How far refunds of an order, a brand's parts and a payment are: at another point targets are reckoned again. */
export function basisOf(order: { readonly refundedFen: number }, parts: readonly PaidPart[], part: PaidPart): string {
  const own = parts.filter((one) => one.brandId === part.brandId)
  return `${order.refundedFen}:${part.refundedFen}:${sumFen(own.map((one) => one.backFen))}`
}
