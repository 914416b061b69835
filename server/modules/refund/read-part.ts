import type { Id } from '../../../contract/ids.ts'
import type { RefundState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { readArrived } from '../funding/book-refund.ts'
import { holdPayments } from '../funding/book-refund.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { Refund, RefundPart, type RefundPartRow } from './tables.ts'

type Paid = NonNullable<Awaited<ReturnType<typeof readArrived>>>

/** A part with the payment over which it goes back. */
export interface PartFacts {
  readonly part: RefundPartRow
  readonly payment: Paid
  readonly refundState: RefundState
}

/** A part as it stands; null when there is none. */
export async function readPart(tx: Tx, partId: Id<'refundPart'>): Promise<PartFacts | null> {
  const part = await tx.em.findOne(RefundPart, { id: partId }, { disableIdentityMap: true })
  if (!part) return null
  const refund = await tx.em.findOneOrFail(Refund, { id: part.refundId }, { disableIdentityMap: true })
  const payment = await readArrived(tx, part.paymentId)
  if (!payment) throw new Error(`refund part ${partId}: nothing arrived by its payment`)
  return { part, payment, refundState: refund.state }
}

/** The same while the transaction holds its order and payments: nothing of it changes before the commit. */
export async function holdPart(tx: Tx, partId: Id<'refundPart'>): Promise<PartFacts | null> {
  const part = await tx.em.findOne(RefundPart, { id: partId }, { disableIdentityMap: true })
  if (!part) return null
  await lockOrders(tx, [part.orderId])
  await holdPayments(tx, part.orderId)
  return readPart(tx, partId)
}
