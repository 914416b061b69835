import { adjustFee, available, availableOf, feeOn, freeRest, frozen, happenAfter, move, outside, rulesOf } from './accounts.ts' // prettier-ignore
import type { Cause } from './accounts.ts'
import { announceRefund } from './money-notices.ts'
import { DAY_MS } from './money-state.ts'
import type { Holding, Refund } from './money-state.ts'
import type { Source } from './refund-source.ts'
import { note } from './state.ts'
import type { World } from './state.ts'

/** How long an accepted refund waits for the merchant's money (protocol sheet 4.2). */
const WAIT_MS = 7 * DAY_MS

/** Takes the money of an accepted refund, or waits for it, and brings it to its end after the latency. */
export function startRefund(world: World, holding: Holding, refund: Refund, source: Source): void {
  if (!source.wait) return begin(world, holding, refund, source, world.now())
  const back = (): number => holding.fee - feeOn(holding.paid - holding.refundTaken - refund.amount, holding.feeBp)
  const attempt = (atMs: number): boolean => {
    if (refund.status !== 'PROCESSING') return true
    if (availableOf(world, holding.mchid) + back() < refund.amount) return false
    begin(world, holding, refund, source, atMs)
    return true
  }
  world.money.waiting.add(attempt)
  happenAfter(world, WAIT_MS, (atMs) => {
    if (refund.status === 'PROCESSING' && refund.takenAvailable === 0) closeRefund(world, holding, refund, atMs)
  })
}

function begin(world: World, holding: Holding, refund: Refund, source: Source, atMs: number): void {
  const { fromFrozen, fromAvailable } = source
  holding.refundTaken += refund.amount
  const cause = causeOf(refund, atMs)
  const purse = fromAvailable > 0 ? available(holding.mchid) : frozen(holding)
  refund.feeBack = adjustFee(world, holding, purse, cause)
  move(world, frozen(holding), outside('transit'), fromFrozen, cause)
  move(world, available(holding.mchid), outside('transit'), fromAvailable, cause)
  refund.takenFrozen = fromFrozen
  refund.takenAvailable = fromAvailable
  happenAfter(world, rulesOf(world, holding.mchid).refundLatencyMs, (at) => finish(world, holding, refund, at))
}

function finish(world: World, holding: Holding, refund: Refund, atMs: number): void {
  if (refund.status !== 'PROCESSING') return
  switch (refund.outcome) {
    case 'success':
      return succeed(world, refund, atMs)
    case 'abnormal':
      return endAs(world, refund, 'ABNORMAL')
    case 'closed':
      return closeRefund(world, holding, refund, atMs)
    case 'never':
      return
  }
}

function succeed(world: World, refund: Refund, atMs: number): void {
  const to = outside(refund.received === 'merchant_card' ? 'banks' : 'payers')
  move(world, outside('transit'), to, refund.takenFrozen + refund.takenAvailable, causeOf(refund, atMs))
  refund.successAtMs = atMs
  endAs(world, refund, 'SUCCESS')
}

/** The refund came to nothing: money that was taken goes back where it came from, and the fee is due again. */
function closeRefund(world: World, holding: Holding, refund: Refund, atMs: number): void {
  holding.refunded -= refund.amount
  const taken = refund.takenFrozen + refund.takenAvailable
  if (taken > 0) {
    const cause = { ...causeOf(refund, atMs), out: 'refund_back', in: 'refund_back' } as const
    holding.refundTaken -= refund.amount
    move(world, outside('transit'), frozen(holding), refund.takenFrozen, cause)
    move(world, outside('transit'), available(holding.mchid), refund.takenAvailable, cause)
    // The larger part can bear the fee whatever became of the rest.
    const bearer = refund.takenFrozen > refund.takenAvailable ? frozen(holding) : available(holding.mchid)
    adjustFee(world, holding, bearer, cause)
    if (holding.ended && refund.takenFrozen > 0) {
      freeRest(world, holding, cause, Math.min(refund.takenFrozen, holding.frozen - holding.reserved))
    }
  }
  endAs(world, refund, 'CLOSED')
}

/** Sends the money of an abnormal refund to another card; it is under way again. */
export function handleAbnormal(world: World, refund: Refund, to: Refund['received']): void {
  const holding = world.money.holdings.get(refund.transactionId)
  if (holding) holding.refundsUnderWay += 1
  refund.received = to
  refund.status = 'PROCESSING'
  happenAfter(world, rulesOf(world, refund.mchid).refundLatencyMs, (atMs) => {
    if (refund.status === 'PROCESSING') succeed(world, refund, atMs)
  })
}

/** Ends at once what is under way and was not told never to end. */
export function finishRefund(world: World, refund: Refund, atMs: number): void {
  const holding = world.money.holdings.get(refund.transactionId)
  if (holding && refund.takenFrozen + refund.takenAvailable > 0) finish(world, holding, refund, atMs)
}

function endAs(world: World, refund: Refund, status: 'SUCCESS' | 'CLOSED' | 'ABNORMAL'): void {
  refund.status = status
  const holding = world.money.holdings.get(refund.transactionId)
  if (holding) holding.refundsUnderWay -= 1
  note(world, { kind: 'refund', outRefundNo: refund.outRefundNo, state: refund.status })
  announceRefund(world, refund)
}

function causeOf(refund: Refund, atMs: number): Cause {
  const { transactionId, outRefundNo: outNo, refundId: voucher } = refund
  return { atMs, transactionId, outNo, voucher, out: 'refund', in: 'refund' }
}
