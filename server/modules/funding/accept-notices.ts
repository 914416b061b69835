import type { PaymentOutcome } from '../../../contract/states.ts'
import type { Id } from '../../../contract/ids.ts'
import type { WechatPayTrade } from '../../channels/wechatpay-port.ts'
import type { Tx } from '../../kernel/context.ts'
import { sendTogether, sql } from '../../kernel/sql.ts'
import { trailMany, type TrailNote } from '../../kernel/trail.ts'
import { account } from '../ledger/accounts.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { readStanding, type Standing, type StandingPayment } from './read-standing.ts'
import { takeMoney, writeTaken, type Taken } from './settle-payment.ts'

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
 * payment is settled under its order's lock. Orders are held in the order of their ids, everything is read and decided
 * then, and written by one statement a table. Answers stand as the trades do.
 * What does not fit the payment is refused: a trail row and a log line, and nothing else.
 */
export async function acceptNotices(tx: Tx, trades: readonly WechatPayTrade[]): Promise<NoticeAnswer[]> {
  const standing = await readStanding(tx, await lockOrders(tx, await findOrders(tx, trades)))
  const named = new Map<string, { payment: StandingPayment; standing: Standing }>()
  for (const one of standing.values())
    for (const payment of one.payments.values())
      if (payment.outTradeNo !== null) named.set(payment.outTradeNo, { payment, standing: one })
  const owners = await readOwners(tx, trades)
  const taken: Taken[] = []
  const refused: TrailNote[] = []
  const answers = trades.map((trade): NoticeAnswer => {
    const found = named.get(trade.outTradeNo)
    const fault = found ? faultOf(trade, found.payment, owners) : 'unknown_order'
    if (!found || fault !== null) {
      refused.push(...refuseTrade(tx, trade, found?.payment.id, fault ?? 'unknown_order'))
      return { kind: fault ?? 'unknown_order' }
    }
    if (!isPaid(trade)) return { kind: 'unpaid' }
    const money = takeMoney(found.standing, found.payment, {
      amount: trade.total,
      from: account.collected(trade.mchid),
      atMs: trade.successAtMs ?? tx.clock.now(),
      transactionId: trade.transactionId,
      bankType: trade.bankType,
      payer: trade.openid === null ? null : { openid: trade.openid },
    })
    if (money === null) return { kind: 'repeated' }
    taken.push(money)
    owners.set(trade.transactionId!, found.payment.id)
    return { kind: 'accepted', outcome: money.outcome }
  })
  await sendTogether(tx.em, async () => {
    if (taken.length > 0) await writeTaken(tx, taken)
    await trailMany(tx, refused)
  })
  return answers
}

const isPaid = (trade: WechatPayTrade): boolean => trade.state === 'SUCCESS' || trade.state === 'REFUND'

async function findOrders(tx: Tx, trades: readonly WechatPayTrade[]): Promise<Id<'order'>[]> {
  const numbers = [...new Set(trades.map((trade) => trade.outTradeNo))]
  if (numbers.length === 0) return []
  const rows = await sql<{ id: Id<'order'> }>(
    tx.em,
    `select order_id as id from payment where out_trade_no in (${numbers.map(() => '?').join(',')})`,
    numbers,
  )
  return rows.map((row) => row.id)
}

/** Which payments hold the transactions of these trades already. */
async function readOwners(tx: Tx, trades: readonly WechatPayTrade[]): Promise<Map<string, Id<'payment'>>> {
  const numbers = [...new Set(trades.map((trade) => trade.transactionId).filter((number) => number !== null))]
  if (numbers.length === 0) return new Map()
  const rows = await sql<{ id: Id<'payment'>; number: string }>(
    tx.em,
    `select id, transaction_id as number from payment where transaction_id in (${numbers.map(() => '?').join(',')})`,
    numbers,
  )
  return new Map(rows.map((row) => [row.number, row.id]))
}

/** Compares a trade with the payment that it names: merchant and app, amount, and the number of the transaction. */
function faultOf(
  trade: WechatPayTrade,
  payment: StandingPayment,
  owners: ReadonlyMap<string, Id<'payment'>>,
): NoticeFault | null {
  if (trade.mchid !== payment.mchid || trade.appid !== payment.appid) return 'wrong_merchant'
  if (trade.total !== payment.amountFen) return 'wrong_amount'
  if (!isPaid(trade)) return null
  if (trade.transactionId === null) return 'wrong_transaction'
  if (payment.transactionId !== null) return payment.transactionId === trade.transactionId ? null : 'wrong_transaction'
  const owner = owners.get(trade.transactionId)
  return owner === undefined || owner === payment.id ? null : 'wrong_transaction'
}

function refuseTrade(
  tx: Tx,
  trade: WechatPayTrade,
  paymentId: Id<'payment'> | undefined,
  kind: NoticeFault,
): TrailNote[] {
  const { mchid, outTradeNo, transactionId, total } = trade
  tx.log.error({ fault: kind, mchid, outTradeNo, transactionId, total, paymentId }, 'a trade was refused')
  return paymentId === undefined
    ? []
    : [{ objectId: paymentId, act: 'payment.notice_refused', note: `${kind} ${total}` }]
}
