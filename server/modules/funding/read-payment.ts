import { sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { WechatPayMerchant } from '../../channels/ports.ts'
import type { Tx } from '../../kernel/context.ts'
import { companyOf, findOwn } from '../../kernel/tenant.ts'
import { readBrands } from '../catalog/read-template.ts'
import { Payment, PaymentPart, type PaymentRow } from './tables.ts'

export interface NamedPart {
  readonly brandId: Id<'brand'>
  readonly brandName: string
  readonly amountFen: Fen
}

/** A payment with its parts. What of a paid payment no part carries was more than its order needed. */
export interface PaymentFacts {
  readonly payment: PaymentRow
  readonly parts: readonly NamedPart[]
}

/** Who collects a WeChat payment, as it was recorded when it was opened. Throws for a payment of another source. */
export function merchantOf(payment: Pick<PaymentRow, 'id' | 'mchid' | 'appid'>): WechatPayMerchant {
  const { mchid, appid } = payment
  if (!mchid || !appid) throw new Error(`payment ${payment.id} has no merchant`)
  return { mchid, appid }
}

/** A payment of the actor's company; anything else is 404. */
export const findOwnPayment = (tx: Tx, id: Id<'payment'>): Promise<PaymentRow> => findOwn(tx, Payment, id)

/** One payment of the actor's company with its parts; anything else is 404. */
export async function readOwnPayment(tx: Tx, id: Id<'payment'>): Promise<PaymentFacts> {
  const [facts] = await withParts(tx, [await findOwnPayment(tx, id)])
  return facts!
}

/** All payments of an order, first ones first. The caller has checked whose order it is. */
export async function readPaymentsOfOrder(tx: Tx, orderId: Id<'order'>): Promise<PaymentFacts[]> {
  const rows = await tx.em.find(Payment, { orderId }, { orderBy: { id: 'asc' }, disableIdentityMap: true })
  return withParts(tx, rows)
}

/** A page of the payments of the actor's company, newest first, from before `cursor` on. */
export async function readOwnPayments(tx: Tx, page: { readonly cursor?: string | undefined; readonly limit: number }) {
  const before = page.cursor === undefined ? {} : { id: { $lt: page.cursor as Id<'payment'> } }
  const where = { companyId: companyOf(tx.actor), ...before }
  const options = { orderBy: { id: 'desc' }, limit: page.limit + 1, disableIdentityMap: true } as const
  const rows = await tx.em.find(Payment, where, options)
  const shown = rows.slice(0, page.limit)
  return { payments: await withParts(tx, shown), nextCursor: rows.length > page.limit ? shown.at(-1)!.id : null }
}

async function withParts(tx: Tx, payments: readonly PaymentRow[]): Promise<PaymentFacts[]> {
  const where = { paymentId: { $in: payments.map((payment) => payment.id) } }
  const parts = await tx.em.find(PaymentPart, where, { orderBy: { brandId: 'asc' }, disableIdentityMap: true })
  const brands = await readBrands(tx, [...new Set(parts.map((part) => part.brandId))])
  const names = new Map(brands.map((brand) => [brand.id, brand.name]))
  return payments.map((payment) => ({
    payment,
    parts: parts
      .filter((part) => part.paymentId === payment.id)
      .map(({ brandId, amountFen }) => ({ brandId, amountFen, brandName: names.get(brandId) ?? '' })),
  }))
}

/** What is asked for in payments that are open. */
export function sumOpen(payments: readonly PaymentFacts[]): Fen {
  return sumFen(payments.filter(({ payment }) => payment.state === 'opened').map(({ payment }) => payment.amountFen))
}
