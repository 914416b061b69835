import { sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { WechatPayMerchant } from '../../channels/wechatpay-port.ts'
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
  /** The payments that one charge pays together with it, itself among them; null: it is paid alone. */
  readonly combined: { readonly paymentIds: readonly Id<'payment'>[]; readonly amountFen: Fen } | null
}

/** Whether a payment is a sub-order of a combined one. */
export const isCombined = <P extends { readonly combineNo?: string | null | undefined }>(
  payment: P,
): payment is P & { readonly combineNo: string } => typeof payment.combineNo === 'string'

/** Who signs the calls about a WeChat payment: who collects it, or who combined it. Throws for another source. */
export function callerOf(
  payment: Pick<PaymentRow, 'id' | 'mchid' | 'appid' | 'combineNo' | 'combineMchid'>,
): WechatPayMerchant {
  const { appid } = payment
  const mchid = isCombined(payment) ? payment.combineMchid : payment.mchid
  if (!mchid || !appid) throw new Error(`payment ${payment.id} has no merchant`)
  return { mchid, appid }
}

/** A payment with those that are paid together with it, by id: the first one carries the body. Throws when there is none. */
export async function readGroup(tx: Tx, paymentId: Id<'payment'>): Promise<PaymentRow[]> {
  const payment = await tx.em.findOneOrFail(Payment, { id: paymentId }, { disableIdentityMap: true })
  if (!isCombined(payment)) return [payment]
  const where = { combineNo: payment.combineNo }
  return tx.em.find(Payment, where, { orderBy: { id: 'asc' }, disableIdentityMap: true })
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
  const combined = await readCombinations(tx, payments)
  return payments.map((payment) => ({
    payment,
    combined: combined.get(payment.combineNo ?? '') ?? null,
    parts: parts
      .filter((part) => part.paymentId === payment.id)
      .map(({ brandId, amountFen }) => ({ brandId, amountFen, brandName: names.get(brandId) ?? '' })),
  }))
}

async function readCombinations(tx: Tx, payments: readonly PaymentRow[]) {
  const numbers = [...new Set(payments.flatMap((payment) => payment.combineNo ?? []))]
  const where = { combineNo: { $in: numbers } }
  const rows =
    numbers.length === 0 ? [] : await tx.em.find(Payment, where, { orderBy: { id: 'asc' }, disableIdentityMap: true })
  return new Map(
    numbers.map((number) => {
      const own = rows.filter((row) => row.combineNo === number)
      return [number, { paymentIds: own.map((row) => row.id), amountFen: sumFen(own.map((row) => row.amountFen)) }]
    }),
  )
}

/** What is asked for in payments that are open. */
export function sumOpen(payments: readonly PaymentFacts[]): Fen {
  return sumFen(payments.filter(({ payment }) => payment.state === 'opened').map(({ payment }) => payment.amountFen))
}
