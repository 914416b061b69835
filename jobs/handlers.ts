import type { Id, IdKind } from '../contract/ids.ts'
import { isId } from '../contract/ids.ts'
import type { Edge, Tx } from '../server/kernel/context.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { forgetSignIns } from '../server/modules/company/forget-sign-ins.ts'
import { deliverAgain, deliverCards } from '../server/modules/delivery/deliver-cards.ts'
import { planFailed } from '../server/modules/delivery/resend-deliveries.ts'
import { sendBatch } from '../server/modules/delivery/send-batch.ts'
import { closeOpenPayments } from '../server/modules/funding/close-payment.ts'
import { watchPayment } from '../server/modules/funding/watch-payment.ts'
import { issueOrder } from '../server/modules/issuance/issue-order.ts'
import { sweepOrders } from '../server/modules/order/sweep-orders.ts'
import { eraseRosterChunks } from '../server/modules/staff/erase-roster.ts'
import { applyRoster } from './apply-roster.ts'
import { importRoster } from './import-roster.ts'

export type JobArgs = Readonly<Record<string, string | number>>
/** Does one job. It may be killed at any point and is then run again: whatever it did already must stand. */
export type Handler = (edge: Edge, args: JobArgs) => Promise<void>

/** Reads an id from a job's arguments; a job that lacks it is a mistake of ours and dies. */
function idOf<K extends IdKind>(kind: K, args: JobArgs, name: string): Id<K> {
  const value = args[name]
  if (!isId(kind, value)) throw new Error(`job without ${name}`)
  return value
}

/** Every kind of job there is. */
export const handlers: Readonly<Record<string, Handler>> = {
  'roster.import': (edge, args) => importRoster(edge, idOf('roster', args, 'rosterId')),
  'roster.apply': (edge, args) => applyRoster(edge, idOf('roster', args, 'rosterId')),
  'roster.erase': (edge) => untilNone(edge, eraseRosterChunks),
  'payment.watch': (edge, args) => watchPayment(edge, idOf('payment', args, 'paymentId')),
  'payments.close': (edge, args) => closeOpenPayments(edge, idOf('order', args, 'orderId')),
  'order.issue': (edge, args) => issueOrder(edge, idOf('order', args, 'orderId')),
  'cards.deliver': (edge, args) => deliverCards(edge, idOf('orderSlice', args, 'sliceId')),
  'batch.send': (edge, args) => sendBatch(edge, idOf('deliveryBatch', args, 'batchId')),
  'deliveries.send': (edge, args) => deliverAgain(edge, idOf('campaign', args, 'campaignId')),
  'deliveries.resend': (edge, args) => edge.tx((tx) => planFailed(tx, failedPiece(args))),
  'orders.sweep': (edge) => untilNone(edge, sweepOrders),
  'sign-ins.forget': (edge) => untilNone(edge, forgetSignIns),
  'books.prove': proveDaily,
}

/** The next piece of a large resend: everybody who failed, or those with one reason. */
const failedPiece = (args: JobArgs) => ({
  campaignId: idOf('campaign', args, 'campaignId'),
  reason: typeof args['reason'] === 'string' ? args['reason'] : null,
  afterId: idOf('delivery', args, 'afterId'),
})

/** The daily proof: what does not add up is an error in the log, by rule and object, for somebody to act on. */
async function proveDaily(edge: Edge): Promise<void> {
  const findings = await edge.read(proveBooks)
  for (const finding of findings) edge.log.error({ ...finding }, 'the books do not add up')
  edge.log.info({ findings: findings.length }, 'books proved')
}

/** Repeats work that is done a little a transaction and says how much it found. */
async function untilNone(edge: Edge, work: (tx: Tx) => Promise<number>): Promise<void> {
  while ((await edge.tx(work)) > 0);
}
