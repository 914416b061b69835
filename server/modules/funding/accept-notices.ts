import type { PaymentOutcome } from '../../../contract/states.ts'
import type { WechatPayTrade } from '../../channels/ports.ts'
import type { Tx } from '../../kernel/context.ts'
import { trail } from '../../kernel/trail.ts'
import { account } from '../ledger/accounts.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { settlePayment } from './settle-payment.ts'
import { Payment, type PaymentRow } from './tables.ts'

/**
 * What became of a trade that WeChat Pay told of. `accepted`: its money moved now, once. `repeated`: it had moved
 * before. `unpaid`: there is no money in it. The rest is refused and moves nothing.
 */
export type NoticeAnswer =
  | { readonly kind: 'accepted'; readonly outcome: PaymentOutcome }
  | { readonly kind: 'repeated' | 'unpaid' | NoticeFault }
export type NoticeFault = 'unknown_order' | 'wrong_merchant' | 'wrong_amount' | 'wrong_transaction'

/**
 * Takes trades that were verified before (a notice's signature or a query's), any number in one transaction, and
 * compares each with the payment that it names. Of any number of equal trades, at once or later, one moves money: each
 * payment is settled under its order's lock. Orders are held in the order of their ids. Answers stand as the trades do.
 * What does not fit the payment is refused: a trail row and a log line, and nothing else.
 */
export async function acceptNotices(tx: Tx, trades: readonly WechatPayTrade[]): Promise<NoticeAnswer[]> {
  const numbers = [...new Set(trades.map((trade) => trade.outTradeNo))]
  const read = () => tx.em.find(Payment, { outTradeNo: { $in: numbers } }, { disableIdentityMap: true })
  const orders = await lockOrders(
    tx,
    (await read()).map((payment) => payment.orderId),
  )
  const payments = new Map((await read()).map((payment) => [payment.outTradeNo, payment]))
  const answers: NoticeAnswer[] = []
  for (const trade of trades) {
    const payment = payments.get(trade.outTradeNo)
    const order = payment && orders.get(payment.orderId)
    if (!payment || !order) {
      answers.push(await refuseTrade(tx, trade, null, 'unknown_order'))
      continue
    }
    const fault = await faultOf(tx, trade, payment)
    if (fault !== null) {
      answers.push(await refuseTrade(tx, trade, payment, fault))
      continue
    }
    if (trade.state !== 'SUCCESS' && trade.state !== 'REFUND') {
      answers.push({ kind: 'unpaid' })
      continue
    }
    const outcome = await settlePayment(tx, order, payment, {
      amount: trade.total,
      from: account.collected(trade.mchid),
      atMs: trade.successAtMs ?? tx.clock.now(),
      transactionId: trade.transactionId,
      bankType: trade.bankType,
      payer: trade.openid === null ? null : { openid: trade.openid },
    })
    // What the first of two equal trades in one call did must be seen by the second.
    if (outcome !== null)
      payments.set(trade.outTradeNo, { ...payment, state: 'paid', transactionId: trade.transactionId })
    answers.push(outcome === null ? { kind: 'repeated' } : { kind: 'accepted', outcome })
  }
  return answers
}

/** Compares a trade with the payment that it names: merchant and app, amount, and the number of the transaction. */
async function faultOf(tx: Tx, trade: WechatPayTrade, payment: PaymentRow): Promise<NoticeFault | null> {
  if (trade.mchid !== payment.mchid || trade.appid !== payment.appid) return 'wrong_merchant'
  if (trade.total !== payment.amountFen) return 'wrong_amount'
  const paid = trade.state === 'SUCCESS' || trade.state === 'REFUND'
  if (!paid) return null
  if (trade.transactionId === null) return 'wrong_transaction'
  if (payment.transactionId !== null) return payment.transactionId === trade.transactionId ? null : 'wrong_transaction'
  const where = { transactionId: trade.transactionId }
  const other = await tx.em.findOne(Payment, where, { disableIdentityMap: true })
  return other === null || other.id === payment.id ? null : 'wrong_transaction'
}

async function refuseTrade(
  tx: Tx,
  trade: WechatPayTrade,
  payment: PaymentRow | null,
  kind: NoticeFault,
): Promise<NoticeAnswer> {
  const { mchid, outTradeNo, transactionId, total } = trade
  tx.log.error({ fault: kind, mchid, outTradeNo, transactionId, total, paymentId: payment?.id }, 'a trade was refused')
  if (payment) await trail(tx, { objectId: payment.id, act: 'payment.notice_refused', note: `${kind} ${total}` })
  return { kind }
}
