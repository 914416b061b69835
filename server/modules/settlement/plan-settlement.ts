import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { trail } from '../../kernel/trail.ts'
import { readPaidParts, type PaidPart } from '../funding/read-paid-parts.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { enqueueRepaid } from '../wallet/repay-credit.ts'
import { readGone } from './note-refund.ts'
import { planNext } from './plan-next.ts'
import { readOrderToSettle, readSales, type BrandSale, type OrderToSettle } from './read-sales.ts'
import { basisOf, collectorOf, reckonTargets } from './reckon-targets.ts'
import { scheduleSplit } from './schedule-split.ts'
import { settleDifference } from './settle-difference.ts'
import { Settlement, Split, type SplitRow } from './tables.ts'
import type { Bodies } from './write-calls.ts'

/** A refund that is under way ends first. */
const BUSY_MS = 60_000

/**
 * The body of job `settlement.plan`: once nobody may hand a card of the order back any more, writes down who gets what of
 * its money. Each WeChat transaction gets a split with the fewest calls that WeChat Pay takes, numbers and bodies
 * included; what comes from other sources, or does not fit, becomes payout items. Amounts are net of refunds. Once per
 * order; too early, or while a refund is under way, it comes again.
 */
export async function planSettlement(edge: Edge, orderId: Id<'order'>): Promise<void> {
  await edge.tx((tx) => plan(tx, edge.ports.wechatPay, orderId))
}

async function plan(tx: Tx, bodies: Bodies, orderId: Id<'order'>): Promise<void> {
  await lockOrders(tx, [orderId])
  const known = await tx.em.findOne(Settlement, { orderId }, { disableIdentityMap: true })
  const order = known === null ? await readOrderToSettle(tx, orderId) : null
  if (order === null || !['issued', 'closed', 'refunding', 'refunded'].includes(order.state)) return
  const now = tx.clock.now()
  const sales = await readSales(tx, orderId, order.orderedAtMs)
  const holdMs = Math.max(order.coolingOffMs, ...sales.map((sale) => sale.terms.holdMs))
  const { settlementWindowMs } = tx.house.wechatPay
  const dueAtMs = Math.ceil((order.issuedAtMs + holdMs) / settlementWindowMs) * settlementWindowMs
  if (dueAtMs > now) return planLater(tx, orderId, dueAtMs)
  const parts = await readPaidParts(tx, orderId)
  if (parts.some((part) => part.source === 'wechat_pay' && part.busy)) return planLater(tx, orderId, now + BUSY_MS)
  await tx.em.insert(Settlement, { orderId, plannedAtMs: now })
  await trail(tx, { objectId: orderId, act: 'settlement.planned' })
  for (const part of parts.filter((one) => one.source === 'wechat_pay')) {
    const sale = sales.find((one) => one.brandId === part.brandId)
    const goneFen = await readGone(tx, part.paymentId)
    if (sale && part.paidFen > goneFen) await planSplit(tx, bodies, { orderId, order, parts, goneFen }, sale, part)
  }
  await settleDifference(tx, orderId)
  // A repayment that came meanwhile did not see this order.
  if (order.companyId !== null && parts.some((part) => part.source === 'credit_line'))
    await enqueueRepaid(tx, order.companyId)
}

async function planLater(tx: Tx, orderId: Id<'order'>, readyAtMs: number): Promise<void> {
  const key = `settlement.plan:${orderId}:${readyAtMs}`
  await enqueue(tx, [{ kind: 'settlement.plan', key, args: { orderId }, readyAtMs }])
}

interface Whole {
  readonly orderId: Id<'order'>
  readonly order: OrderToSettle
  readonly parts: readonly PaidPart[]
  /** Of the transaction: back with its payer. */
  readonly goneFen: Fen
}

async function planSplit(tx: Tx, bodies: Bodies, whole: Whole, sale: BrandSale, part: PaidPart): Promise<void> {
  const { mchid, appid, transactionId } = part
  if (!mchid || !appid || !transactionId) throw new Error(`payment ${part.paymentId} has no transaction`)
  const targets = reckonTargets(tx, sale, whole.parts, part)
  const split: SplitRow = {
    id: tx.newId('split'),
    paymentId: part.paymentId,
    orderId: whole.orderId,
    brandId: part.brandId,
    collector: collectorOf(tx, sale, mchid),
    mchid,
    appid,
    transactionId,
    state: 'planned',
    version: 1,
    step: 0,
    nextAtMs: null,
    paidFen: part.paidFen,
    refundedFen: whole.goneFen,
    targets: JSON.stringify(targets),
    basis: basisOf(whole.order, whole.parts, part),
    givenUp: '{}',
    sharedFen: fen(0),
    returnedFen: fen(0),
    unfrozenFen: null,
    keptFen: fen(0),
    feeFen: null,
    refundedOfReturnsFen: fen(0),
    refundedOfRestFen: fen(0),
    naiveCalls: whole.order.slices * targets.length + 1,
    problem: null,
    unfreezeFor: null,
    lastCallAtMs: null,
    plannedAtMs: tx.clock.now(),
    finishedAtMs: null,
  }
  await tx.em.insert(Split, split)
  await trail(tx, { objectId: split.id, act: 'split.planned', toState: 'planned', note: `${targets.length}` })
  await planNext(tx, bodies, split)
  await scheduleSplit(tx, split, { kind: 'call', atMs: tx.clock.now() })
}
