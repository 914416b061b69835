import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { paymentMoves, type PaymentOutcome, type PaymentState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { moveMany } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, insertRows } from '../../kernel/sql.ts'
import { account, type Account } from '../ledger/accounts.ts'
import { credit, debit, post, type NewEntry } from '../ledger/post.ts'
import { lockOrders, type LockedOrder } from '../order/lock-orders.ts'
import { secureMany } from '../order/secure-funds.ts'
import { needsOf, readStanding, type Standing, type StandingPayment } from './read-standing.ts'
import { cutParts, judgeArrival, type Part } from './rules.ts'
import { PaymentPart, type PaymentRow } from './tables.ts'

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

/** What becomes of one arrival: decided, and not yet written. */
export interface Taken {
  readonly standing: Standing
  readonly payment: Pick<StandingPayment, 'id'>
  readonly arrival: Arrival
  readonly from: PaymentState
  readonly outcome: PaymentOutcome
  readonly counted: Fen
  readonly surplus: Fen
  readonly before: StandingPayment['parts']
  readonly parts: readonly Part[]
  /** Payments that nobody should pay any more: closed here, or by their watch, which asks WeChat Pay first. */
  readonly ended: readonly { readonly id: Id<'payment'>; readonly watched: boolean }[]
}

/**
 * Takes money that arrived for a payment: names the outcome, cuts it into parts, posts it and secures the order's funds.
 * The caller holds the order (lockOrders): every change of a payment does, so a payment is settled exactly once.
 * Money that the order does not need is kept on its account of overpaid money. Null: it was settled before.
 */
export async function settlePayment(
  tx: Tx,
  order: Pick<LockedOrder, 'id'>,
  payment: Pick<PaymentRow, 'id'>,
  arrival: Arrival,
): Promise<PaymentOutcome | null> {
  const standing = (await readStanding(tx, await lockOrders(tx, [order.id]))).get(order.id)
  const own = standing?.payments.get(payment.id)
  if (!standing || !own) throw new Error(`payment ${payment.id} has no order`)
  const taken = takeMoney(standing, own, arrival)
  if (taken === null) return null
  await writeTaken(tx, [taken])
  return taken.outcome
}

/** Decides what becomes of an arrival and brings the standing up to date. Null: the payment was settled before. */
export function takeMoney(standing: Standing, payment: StandingPayment, arrival: Arrival): Taken | null {
  const { state: from, parts: before } = payment
  if (from !== 'opened' && from !== 'closed' && from !== 'failed') return null
  const { order } = standing
  const has = order.securedFen + standing.taken
  const needs = ownNeeds(standing, payment)
  const { counted, surplus, outcome } = judgeArrival({
    amount: arrival.amount,
    asked: payment.amountFen,
    wasClosed: from !== 'opened',
    orderState: order.state === 'awaiting_funds' && has >= order.totalFen ? 'funded' : order.state,
    needed: sumFen(needs.map((need) => need.missingFen)),
  })
  const parts = cutParts(counted, needs)
  payment.state = 'paid'
  payment.transactionId = arrival.transactionId ?? null
  payment.parts = [...parts]
  standing.taken += counted
  const ends = counted > 0 && has + counted >= order.totalFen
  return {
    standing,
    payment,
    arrival,
    from,
    outcome,
    counted,
    surplus,
    before,
    parts,
    ended: ends ? endWaiting(standing) : [],
  }
}

/** What a WeChat payment's one brand misses (its merchant holds the money), or what all brands of the order miss. */
function ownNeeds(standing: Standing, payment: StandingPayment) {
  const needs = needsOf(standing)
  if (payment.source !== 'wechat_pay') return needs
  const own = new Set(payment.parts.map((part) => part.brandId))
  return needs.filter((need) => own.has(need.brandId))
}

/**
 * Once an order has its funds, nobody should pay for it again: open transfers are closed, and open QR codes are closed
 * by their watch, which asks WeChat Pay first.
 */
function endWaiting(standing: Standing): Taken['ended'] {
  const open = [...standing.payments.values()].filter((payment) => payment.state === 'opened')
  return open.map((payment) => {
    const watched = payment.source === 'wechat_pay'
    if (!watched) payment.state = 'closed'
    return { id: payment.id, watched }
  })
}

/**
 * Writes what was decided of any number of arrivals, in the transaction that holds their orders: one statement a table.
 * Throws, and so undoes all of it, when a row does not stand as it was read.
 */
export async function writeTaken(tx: Tx, all: readonly Taken[]): Promise<void> {
  for (const from of ['opened', 'closed', 'failed'] as const) {
    const steps = all.filter((taken) => taken.from === from).map((taken) => paidStep(tx, taken))
    if (steps.length > 0) await moveMany(tx, { table: 'payment', from, to: 'paid', moves: paymentMoves, steps })
  }
  await replaceParts(tx, all)
  await post(tx, all.flatMap(entryOf))
  const standings = [...new Set(all.map((taken) => taken.standing))].filter((standing) => standing.taken > 0)
  if (standings.length > 0)
    await secureMany(
      tx,
      standings.map(({ order, taken }) => ({ order, amount: fen(taken) })),
    )
  const ended = all.flatMap((taken) => taken.ended)
  const watches = ended.filter((payment) => payment.watched)
  const jobs = [
    ...watches.map(({ id }) => {
      return { kind: 'payment.watch', key: `payment.watch:${id}:funded`, args: { paymentId: id } }
    }),
    ...all.filter(goesBack).map(({ payment: { id } }) => {
      return { kind: 'surplus.return', key: `surplus.return:${id}`, args: { paymentId: id } }
    }),
  ]
  if (jobs.length > 0) await enqueue(tx, jobs)
  const steps = ended.filter((payment) => !payment.watched).map(({ id }) => ({ id, note: 'order_funded' }))
  const close = { table: 'payment', from: 'opened', to: 'closed', moves: paymentMoves }
  if (steps.length > 0) await moveMany(tx, { ...close, steps })
}

/** What a buyer paid for nothing goes back by itself; a company's people decide what becomes of theirs. */
const goesBack = ({ standing, surplus }: Taken): boolean => standing.order.buyerId !== null && surplus > 0

function paidStep(tx: Tx, { payment, arrival, outcome }: Taken) {
  const place = { table: 'payment', column: 'payer_sealed', rowId: payment.id }
  const set = {
    paid_fen: arrival.amount,
    outcome,
    paid_at_ms: arrival.atMs,
    transaction_id: arrival.transactionId ?? null,
    bank_type: arrival.bankType ?? null,
    payer_sealed: arrival.payer ? tx.house.seal.seal(place, JSON.stringify(arrival.payer)) : null,
  }
  return { id: payment.id, set, note: outcome }
}

/** Most payments bring what was planned for them: their parts stay as they are. */
async function replaceParts(tx: Tx, all: readonly Taken[]): Promise<void> {
  const other = all.filter(({ before, parts }) => !isSame(before, parts))
  const old = other.flatMap(({ before }) => before.map((part) => part.id)).filter((id) => id !== undefined)
  if (old.length > 0)
    await change(tx.em, `delete from payment_part where id in (${old.map(() => '?').join(',')})`, [...old].sort())
  const rows = other.flatMap(({ payment, parts }) =>
    parts.map(({ brandId, amountFen }) => ({
      id: tx.newId('paymentPart'),
      payment_id: payment.id,
      brand_id: brandId,
      amount_fen: amountFen,
    })),
  )
  await insertRows(tx.em, 'payment_part', rows)
}

function isSame(before: readonly Part[], parts: readonly Part[]): boolean {
  const known = new Map(before.map((part) => [part.brandId, part.amountFen]))
  return before.length === parts.length && parts.every((part) => known.get(part.brandId) === part.amountFen)
}

function entryOf({ standing, payment, arrival, counted, surplus }: Taken): NewEntry[] {
  if (arrival.from === null) return []
  const orderId = standing.order.id
  const lines = [
    debit(arrival.from, fen(counted + surplus)),
    ...(counted > 0 ? [credit(account.orderFunds(orderId), counted)] : []),
    ...(surplus > 0 ? [credit(account.overpaid(orderId), surplus)] : []),
  ]
  return [{ kind: 'funds_received', ref: payment.id, lines }]
}

/** Writes which brand gets which fen of a payment, in place of what was planned before. */
export async function writeParts(tx: Tx, paymentId: Id<'payment'>, parts: readonly Part[]): Promise<void> {
  await tx.em.nativeDelete(PaymentPart, { paymentId })
  if (parts.length === 0) return
  const rows = parts.map((part) => ({ id: tx.newId('paymentPart'), paymentId, ...part }))
  await tx.em.insertMany(PaymentPart, rows)
}
