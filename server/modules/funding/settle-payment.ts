import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { paymentMoves, type PaymentOutcome } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { sql } from '../../kernel/sql.ts'
import { account, type Account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import type { LockedOrder } from '../order/lock-orders.ts'
import { secureFunds } from '../order/secure-funds.ts'
import { readNeeds, readOrderBrands, type OrderBrand } from './read-needs.ts'
import { cutParts, judgeArrival, type Part } from './rules.ts'
import { Payment, PaymentPart, type PaymentRow } from './tables.ts'

/** Money that is there. */
export interface Arrival {
  readonly amount: Fen
  /** The account that holds it; null where the caller posts it (a wallet). */
  readonly from: Account | null
  readonly atMs: number
  readonly transactionId?: string | null
  readonly bankType?: string | null
  /** Who paid; stored sealed. */
  readonly payer?: Readonly<Record<string, string>> | null
}

/**
 * Takes money that arrived for a payment: names the outcome, cuts it into parts, posts it and secures the order's funds.
 * The caller holds the order (lockOrders): every change of a payment does, so a payment is settled exactly once.
 * Money that the order does not need is kept on its account of overpaid money. `brands`
 * spares reading the order's brands once more. Null: it was settled before.
 */
export async function settlePayment(
  tx: Tx,
  order: LockedOrder,
  payment: PaymentRow,
  arrival: Arrival,
  brands?: readonly OrderBrand[],
): Promise<PaymentOutcome | null> {
  const { state } = payment
  if (state !== 'opened' && state !== 'closed' && state !== 'failed') return null
  const needs = await readOwnNeeds(tx, payment, brands ?? (await readOrderBrands(tx, order.id)))
  const { counted, surplus, outcome } = judgeArrival({
    amount: arrival.amount,
    asked: payment.amountFen,
    wasClosed: state !== 'opened',
    orderState: order.state,
    needed: sumFen(needs.map((need) => need.missingFen)),
  })
  const moved = await move(tx, {
    table: 'payment',
    id: payment.id,
    from: state,
    to: 'paid',
    moves: paymentMoves,
    set: {
      paid_fen: arrival.amount,
      outcome,
      paid_at_ms: arrival.atMs,
      transaction_id: arrival.transactionId ?? null,
      bank_type: arrival.bankType ?? null,
    },
    note: outcome,
  })
  if (!moved) return null
  if (arrival.payer) await sealPayer(tx, payment.id, arrival.payer)
  await writeParts(tx, payment.id, cutParts(counted, needs))
  if (arrival.from !== null) await postArrival(tx, payment, arrival.from, counted, surplus)
  if (counted > 0 && !(await secureFunds(tx, order.id, counted)))
    throw new Error(`order ${order.id} took no money while it was held`)
  if (counted > 0) await endWaiting(tx, order.id)
  return outcome
}

/** Writes which brand gets which fen of a payment, in place of what was planned before. */
export async function writeParts(tx: Tx, paymentId: Id<'payment'>, parts: readonly Part[]): Promise<void> {
  await tx.em.nativeDelete(PaymentPart, { paymentId })
  if (parts.length === 0) return
  const rows = parts.map((part) => ({ id: tx.newId('paymentPart'), paymentId, ...part }))
  await tx.em.insertMany(PaymentPart, rows)
}

/** What a WeChat payment's one brand misses (its merchant holds the money), or what all brands of the order miss. */
async function readOwnNeeds(tx: Tx, payment: PaymentRow, brands: readonly OrderBrand[]) {
  const needs = await readNeeds(tx, payment.orderId, brands)
  if (payment.source !== 'wechat_pay') return needs
  const parts = await tx.em.find(PaymentPart, { paymentId: payment.id }, { disableIdentityMap: true })
  const own = new Set(parts.map((part) => part.brandId))
  return needs.filter((need) => own.has(need.brandId))
}

async function sealPayer(tx: Tx, paymentId: Id<'payment'>, payer: Readonly<Record<string, string>>): Promise<void> {
  const place = { table: 'payment', column: 'payer_sealed', rowId: paymentId }
  await tx.em.nativeUpdate(
    Payment,
    { id: paymentId },
    { payerSealed: tx.house.seal.seal(place, JSON.stringify(payer)) },
  )
}

async function postArrival(tx: Tx, payment: PaymentRow, from: Account, counted: Fen, surplus: Fen): Promise<void> {
  const lines = [
    debit(from, fen(counted + surplus)),
    ...(counted > 0 ? [credit(account.orderFunds(payment.orderId), counted)] : []),
    ...(surplus > 0 ? [credit(account.overpaid(payment.orderId), surplus)] : []),
  ]
  await post(tx, [{ kind: 'funds_received', ref: payment.id, lines }])
}

/**
 * Once an order has its funds, nobody should pay for it again: open transfers are closed, and open QR codes are closed
 * by their watch, which asks WeChat Pay first.
 */
async function endWaiting(tx: Tx, orderId: Id<'order'>): Promise<void> {
  const [order] = await sql<{ state: string }>(tx.em, 'select state from orders where id = ?', [orderId])
  if (order?.state === 'awaiting_funds') return
  const open = await tx.em.find(Payment, { orderId, state: 'opened' }, { disableIdentityMap: true })
  for (const payment of open) {
    if (payment.source === 'wechat_pay') {
      const key = `payment.watch:${payment.id}:funded`
      await enqueue(tx, [{ kind: 'payment.watch', key, args: { paymentId: payment.id } }])
    } else {
      const step = { table: 'payment', id: payment.id, from: 'opened', to: 'closed', moves: paymentMoves }
      await move(tx, { ...step, note: 'order_funded' })
    }
  }
}
