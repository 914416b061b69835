import type { Id, IdKind } from '../contract/ids.ts'
import { isId } from '../contract/ids.ts'
import { readFundFlowBill, readSharingBill, readTradeBill } from '../importers/payment-bill.ts'
import type { Edge, Tx } from '../server/kernel/context.ts'
import { resealAll } from '../server/kernel/reseal.ts'
import type { Lane } from '../server/kernel/tables.ts'
import { proveDaily } from '../server/modules/analytics/prove-daily.ts'
import { writeStatements } from '../server/modules/analytics/write-statements.ts'
import { forgetBuyer } from '../server/modules/buyer/forget-buyer.ts'
import { forgetEvents } from '../server/modules/company/forget-events.ts'
import { refreshAuthorisation } from '../server/modules/company/refresh-authorisation.ts'
import { runRecurring } from '../server/modules/campaign/run-recurring.ts'
import { forgetSignIns } from '../server/modules/company/forget-sign-ins.ts'
import { createMassSend } from '../server/modules/contact/create-mass-send.ts'
import { forgetOldContacts } from '../server/modules/contact/forget-contacts.ts'
import { forgetSmsCodes } from '../server/modules/contact/forget-sms-codes.ts'
import { healContacts, pollContacts } from '../server/modules/contact/poll-contacts.ts'
import { pollMassSend } from '../server/modules/contact/poll-mass-send.ts'
import { publishContactWay, withdrawContactWay } from '../server/modules/contact/publish-contact-way.ts'
import { endContactWays } from '../server/modules/contact/remove-contact-way.ts'
import { sendCodes } from '../server/modules/contact/send-codes.ts'
import { tagContact } from '../server/modules/contact/tag-contact.ts'
import { isAnswerCode, type AnswerCode } from '../server/modules/delivery/approval-card.ts'
import { askApproval } from '../server/modules/delivery/ask-approval.ts'
import { closeApprovals } from '../server/modules/delivery/close-approvals.ts'
import { forgetCovers, forgetCoversOf } from '../server/modules/cover/forget-covers.ts'
import { deliverAgain, deliverCards } from '../server/modules/delivery/deliver-cards.ts'
import { forgetDeliveries } from '../server/modules/delivery/forget-messages.ts'
import { giveBackReturners } from '../server/modules/delivery/give-back-returners.ts'
import { recallBatch } from '../server/modules/delivery/recall-batch.ts'
import { remindAll, remindHolders } from '../server/modules/delivery/remind-holders.ts'
import { planFailed } from '../server/modules/delivery/resend-deliveries.ts'
import { sendBatch } from '../server/modules/delivery/send-batch.ts'
import { sendNotification } from '../server/modules/delivery/send-notification.ts'
import { updateApproval } from '../server/modules/delivery/update-approval.ts'
import { takeBackLate } from '../server/modules/delivery/take-back-leavers.ts'
import { askPayment } from '../server/modules/funding/ask-payment.ts'
import { closeOpenPayments } from '../server/modules/funding/close-payment.ts'
import { readIncome } from '../server/modules/funding/read-income.ts'
import { watchPayment, watchPayments } from '../server/modules/funding/watch-payment.ts'
import { forgetVisits } from '../server/modules/funnel/forget-visits.ts'
import { returnGift, returnGiftsOfLeaver } from '../server/modules/gift/end-gift.ts'
import { forgetGifts } from '../server/modules/gift/forget-gifts.ts'
import { forgetNotices, forgetNoticesOf } from '../server/modules/notice/forget-notices.ts'
import { noteGift } from '../server/modules/notice/note-gift.ts'
import { planReminders } from '../server/modules/notice/plan-reminders.ts'
import { sendNotice } from '../server/modules/notice/send-notice.ts'
import { driveInvoice } from '../server/modules/invoice/drive-invoice.ts'
import { reverseInvoices } from '../server/modules/invoice/reverse-invoices.ts'
import { issueOrder, issueOrders } from '../server/modules/issuance/issue-order.ts'
import { sweepOrders } from '../server/modules/order/sweep-orders.ts'
import { driveRefundPart } from '../server/modules/refund/drive-part.ts'
import { returnSurplus } from '../server/modules/refund/return-surplus.ts'
import { runTakeBack } from '../server/modules/refund/take-back-campaign.ts'
import { driveSplit } from '../server/modules/settlement/drive-split.ts'
import { matchPayouts } from '../server/modules/settlement/move-payout.ts'
import { planSettlement } from '../server/modules/settlement/plan-settlement.ts'
import { settleRepaid } from '../server/modules/settlement/settle-repaid.ts'
import { returnShare } from '../server/modules/settlement/return-share.ts'
import { compareBillOf } from '../server/modules/reconciliation/compare-bill.ts'
import { readBills } from '../server/modules/reconciliation/read-bills.ts'
import { forgetNonces } from '../server/modules/merchant/forget-nonces.ts'
import { eraseRosterChunks } from '../server/modules/staff/erase-roster.ts'
import { queueSyncs } from '../server/modules/staff/queue-syncs.ts'
import { syncDirectory } from '../server/modules/staff/sync-directory.ts'
import { beginRound } from '../server/modules/shelf/begin-round.ts'
import { closeUnpaid } from '../server/modules/storefront/close-unpaid.ts'
import { forgetStoreWords } from '../server/modules/storefront/forget-store-words.ts'
import { deliverEvents } from '../server/modules/webhook/deliver-events.ts'
import { forgetEventsSent } from '../server/modules/webhook/forget-events-sent.ts'
import { noteEvents } from '../server/modules/webhook/note-events.ts'
import { applyRoster } from './apply-roster.ts'
import { forgetCompany } from './forget-company.ts'
import { importRoster } from './import-roster.ts'
import { indexAllDays, payRecurring, startRecurring } from './run-recurring.ts'
import { workEvent } from './wecom-event.ts'

export type JobArgs = Readonly<Record<string, string | number>>
/**
 * Does one job. It may be killed at any point and is then run again: whatever it did already must stand. A kind with
 * `batch` is worked many at once; when that fails, again, and then one by one.
 */
export type Handler = ((edge: Edge, args: JobArgs) => Promise<void>) & { readonly batch?: Batch }
/** How many jobs of a kind are taken together, and what does them. */
export interface Batch {
  readonly most: number
  readonly run: (edge: Edge, many: readonly JobArgs[]) => Promise<void>
  /**
   * In this lane a process does one batch at a time unless it is full: what comes meanwhile waits for the next one, which costs
   * hardly more for it. Only for work that is short and asks nobody outside.
   */
  readonly gathers?: Lane
}

const batched = (one: Handler, batch: Batch): Handler => Object.assign(one, { batch })

/** Reads an id from a job's arguments; a job that lacks it is a mistake of ours and dies. */
function idOf<K extends IdKind>(kind: K, args: JobArgs, name: string): Id<K> {
  const value = args[name]
  if (!isId(kind, value)) throw new Error(`job without ${name}`)
  return value
}

/** Reads a list of ids, joined by commas. */
function idsOf<K extends IdKind>(kind: K, args: JobArgs, name: string): Id<K>[] {
  const ids = String(args[name] ?? '').split(',')
  return ids.map((value) => idOf(kind, { [name]: value }, name))
}

/** Every kind of job there is. */
export const handlers: Readonly<Record<string, Handler>> = {
  'roster.import': (edge, args) => importRoster(edge, idOf('roster', args, 'rosterId')),
  'roster.apply': (edge, args) => applyRoster(edge, idOf('roster', args, 'rosterId')),
  'roster.erase': (edge) => untilNone(edge, eraseRosterChunks),
  'directory.sync': (edge, args) => syncDirectory(edge, idOf('company', args, 'companyId')),
  'directories.sync': (edge) => edge.tx(queueSyncs),
  'leavers.take-back': (edge) => untilNone(edge, takeBackLate),
  'returners.give-back': (edge, args) => giveBackReturners(edge, idOf('company', args, 'companyId')),
  'payment.watch': batched((edge, args) => watchPayment(edge, idOf('payment', args, 'paymentId')), {
    most: 100,
    run: (edge, many) =>
      watchPayments(
        edge,
        many.map((args) => idOf('payment', args, 'paymentId')),
      ),
  }),
  'income.read': readIncome,
  'payments.close': (edge, args) => closeOpenPayments(edge, idOf('order', args, 'orderId')),
  'order.issue': batched((edge, args) => issueOrder(edge, idOf('order', args, 'orderId')), {
    most: 100,
    gathers: 'small',
    run: (edge, many) =>
      issueOrders(
        edge,
        many.map((args) => idOf('order', args, 'orderId')),
      ),
  }),
  'refund.part': (edge, args) => driveRefundPart(edge, idOf('refundPart', args, 'partId')),
  'surplus.return': (edge, args) => edge.tx((tx) => returnSurplus(tx, idOf('payment', args, 'paymentId'))),
  'store-order.close': batched((edge, args) => closeUnpaid(edge, [idOf('order', args, 'orderId')]), {
    most: 100,
    run: (edge, many) =>
      closeUnpaid(
        edge,
        many.map((args) => idOf('order', args, 'orderId')),
      ),
  }),
  'store-words.forget': (edge) => untilNone(edge, forgetStoreWords),
  'buyer.forget': (edge, args) => edge.tx((tx) => forgetAllOf(tx, idOf('buyer', args, 'buyerId'))),
  'notice.gift': (edge, args) => edge.tx((tx) => noteGift(tx, idOf('gift', args, 'giftId'))),
  'notice.send': (edge, args) => sendNotice(edge, idOf('noticeMessage', args, 'messageId')),
  'notices.plan': planReminders,
  'visits.forget': (edge) => untilNone(edge, forgetVisits),
  'notices.forget': (edge) => untilNone(edge, forgetNotices),
  'refund.take-back': (edge, args) => runTakeBack(edge, idOf('refund', args, 'refundId')),
  'invoice.issue': (edge, args) => driveInvoice(edge, idOf('invoice', args, 'invoiceId')),
  'invoice.poll': (edge, args) => driveInvoice(edge, idOf('invoice', args, 'invoiceId')),
  'invoice.reverse': (edge, args) => edge.tx((tx) => reverseInvoices(tx, idOf('order', args, 'orderId'))),
  'gift.end': (edge, args) => edge.tx((tx) => returnGift(tx, idOf('gift', args, 'giftId'))),
  'gifts.of-leaver': (edge, args) =>
    returnGiftsOfLeaver(edge, idOf('company', args, 'companyId'), idOf('person', args, 'personId')),
  'keys.reseal': resealAll,
  'gifts.forget': (edge) => untilNone(edge, forgetGifts),
  'covers.forget': (edge) => untilNone(edge, forgetCovers),
  'settlement.plan': (edge, args) => planSettlement(edge, idOf('order', args, 'orderId')),
  'credit.settle': (edge, args) => settleRepaid(edge, idOf('company', args, 'companyId')),
  'payouts.match': async (edge) => void (await matchPayouts(edge)),
  'share.send': (edge, args) => driveSplit(edge, idOf('split', args, 'splitId'), Number(args['step'])),
  'share.poll': (edge, args) => driveSplit(edge, idOf('split', args, 'splitId'), Number(args['step'])),
  'share.return': (edge, args) => returnShare(edge, idOf('splitReturn', args, 'returnId'), Number(args['step'])),
  'cards.deliver': (edge, args) => deliverCards(edge, idOf('orderSlice', args, 'sliceId')),
  'batch.send': (edge, args) => sendBatch(edge, idOf('deliveryBatch', args, 'batchId')),
  'deliveries.send': (edge, args) => deliverAgain(edge, idOf('campaign', args, 'campaignId')),
  'deliveries.resend': (edge, args) => edge.tx((tx) => planFailed(tx, failedPiece(args))),
  'sms.send': (edge, args) => sendCodes(edge, idsOf('smsCode', args, 'codeIds')),
  'contact-way.make': (edge, args) => publishContactWay(edge, idOf('contactWay', args, 'contactWayId')),
  'contact-way.delete': (edge, args) => withdrawContactWay(edge, idOf('contactWay', args, 'contactWayId')),
  'contact-ways.end': (edge) => untilNone(edge, endContactWays),
  'contact.tag': (edge, args) => tagContact(edge, idOf('externalContact', args, 'contactId')),
  'contacts.poll': (edge, args) => pollContacts(edge, idOf('company', args, 'companyId')),
  'contacts.heal': healContacts,
  'contacts.forget': (edge) => untilNone(edge, forgetOldContacts),
  'mass-send.create': (edge, args) => createMassSend(edge, idOf('massSend', args, 'massSendId')),
  'mass-send.poll': (edge, args) => pollMassSend(edge, idOf('massSend', args, 'massSendId'), Number(args['round'])),
  'sms-codes.forget': (edge) => untilNone(edge, forgetSmsCodes),
  'deliveries.forget': (edge) => untilNone(edge, forgetDeliveries),
  'deliveries.remind': remindAll,
  'company.remind': (edge, args) => remindHolders(edge, idOf('company', args, 'companyId')),
  'notification.send': (edge, args) => sendNotification(edge, idOf('notification', args, 'notificationId')),
  'approval.ask': (edge, args) => askApproval(edge, idOf('campaign', args, 'campaignId')),
  'approval.close': (edge, args) => closeApprovals(edge, idOf('campaign', args, 'campaignId')),
  'approval.update': (edge, args) => updateApproval(edge, idOf('notification', args, 'notificationId'), answerOf(args)),
  'batch.recall': (edge, args) => recallBatch(edge, idOf('deliveryBatch', args, 'batchId')),
  'recurring.start': (edge) => edge.tx(startRecurring),
  'recurring.run': (edge, args) => runRecurring(edge, idOf('recurring', args, 'recurringId')),
  'recurring.pay': (edge, args) => payRecurring(edge, idOf('campaign', args, 'campaignId')),
  'people.days': indexAllDays,
  'shelf.round': async (edge) => void (await edge.tx(beginRound)),
  'orders.sweep': (edge) => untilNone(edge, sweepOrders),
  'wecom.authorise': (edge, args) => refreshAuthorisation(edge, idOf('company', args, 'companyId')),
  'company.forget': (edge, args) =>
    forgetCompany(edge, idOf('company', args, 'companyId'), args['reason'] === 'changed'),
  'wecom.event': (edge, args) => workEvent(edge, idOf('wecomEvent', args, 'eventId')),
  'wecom-events.forget': (edge) => untilNone(edge, forgetEvents),
  'sign-ins.forget': (edge) => untilNone(edge, forgetSignIns),
  'payment.ask': async (edge, args) => void (await askPayment(edge, idOf('payment', args, 'paymentId'))),
  'webhook.note': batched((edge, args) => edge.tx((tx) => noteEvents(tx, notedOf([args]))), {
    most: 100,
    gathers: 'small',
    run: (edge, many) => edge.tx((tx) => noteEvents(tx, notedOf(many))),
  }),
  'webhook.deliver': (edge, args) => deliverEvents(edge, idOf('webhookEndpoint', args, 'endpointId')),
  'webhooks.forget': (edge) => untilNone(edge, forgetEventsSent),
  'nonces.forget': (edge) => untilNone(edge, forgetNonces),
  'bills.read': readBills,
  'bill.compare': (edge, args) => compareBillOf(edge, idOf('bill', args, 'billId'), billReaders),
  'custody.write': async (edge) => void (await writeStatements(edge)),
  'books.prove': proveDaily,
}

const billReaders = { trade: readTradeBill, fundFlow: readFundFlowBill, sharing: readSharingBill }

/** What happened at tills: movements, and purchases that ended without one. */
const notedOf = (many: readonly JobArgs[]) => ({
  movementIds: many.flatMap((args) => ('movementId' in args ? [idOf('redemptionMovement', args, 'movementId')] : [])),
  redemptionIds: many.flatMap((args) => ('movementId' in args ? [] : [idOf('redemption', args, 'redemptionId')])),
})

/** How an approval card ends. */
const answerOf = (args: JobArgs): AnswerCode => (isAnswerCode(args['code']) ? args['code'] : 'decided')

/** The next piece of a large resend: everybody who failed, or those with one reason. */
const failedPiece = (args: JobArgs) => ({
  campaignId: idOf('campaign', args, 'campaignId'),
  from: args['from'] === 'revoked' ? ('revoked' as const) : ('failed' as const),
  reason: typeof args['reason'] === 'string' ? args['reason'] : null,
  afterId: idOf('delivery', args, 'afterId'),
})

/** A buyer who is forgotten leaves neither pictures nor words of ours to them behind. */
async function forgetAllOf(tx: Tx, buyerId: Id<'buyer'>): Promise<void> {
  await forgetCoversOf(tx, buyerId)
  await forgetNoticesOf(tx, buyerId)
  await forgetBuyer(tx, buyerId)
}

/** Repeats work that is done a little a transaction and says how much it found. */
async function untilNone(edge: Edge, work: (tx: Tx) => Promise<number>): Promise<void> {
  while ((await edge.tx(work)) > 0);
}
