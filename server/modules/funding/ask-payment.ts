import type { Id } from '../../../contract/ids.ts'
import { paymentMoves } from '../../../contract/states.ts'
import type { WechatPayTrade } from '../../channels/wechatpay-port.ts'
import type { Edge } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { acceptNotices } from './accept-notices.ts'
import { checkCombined } from './check-combined.ts'
import { callerOf, isCombined, readGroup } from './read-payment.ts'
import type { PaymentRow } from './tables.ts'

/** What WeChat Pay knows of a payment. `never_placed`: it has no such number, nobody can pay it. */
export type Standing = 'paid' | 'unpaid' | 'closed' | 'never_placed' | 'refused'

/**
 * Asks WeChat Pay how a payment stands and takes its money when it is there; a combined payment stands as a whole, and
 * all its sub-orders are taken in one transaction. With `close` an unpaid payment is closed, there first and here
 * afterwards; a number that was never placed is closed here alone. Money that comes in between is found by asking
 * again, and taken. Throws OutsideError when no answer came.
 */
export async function askPayment(
  edge: Edge,
  paymentId: Id<'payment'>,
  how: { readonly close?: boolean } = {},
): Promise<Standing> {
  const group = await edge.read((tx) => readGroup(tx, paymentId))
  const standing = await look(edge, group)
  if (standing === 'closed') return endHere(edge, group)
  if (how.close !== true || standing === 'paid' || standing === 'refused') return standing
  if (standing === 'unpaid') {
    try {
      await closeThere(edge, group)
    } catch (error) {
      if (!(error instanceof OutsideError) || error.outcome !== 'refused') throw error
      const after = await look(edge, group)
      if (after === 'unpaid') throw error
      if (after !== 'closed') return after
    }
  }
  return endHere(edge, group)
}

async function look(edge: Edge, group: readonly PaymentRow[]): Promise<Standing> {
  const [lead] = group
  const trades = await query(edge, lead!)
  if (trades === null) return 'never_placed'
  if (isCombined(lead!) && !(await checkCombined(edge, trades, group))) return 'refused'
  if (trades.every((trade) => trade.state === 'CLOSED' || trade.state === 'REVOKED')) return 'closed'
  return accept(edge, trades)
}

async function query(edge: Edge, lead: PaymentRow): Promise<readonly WechatPayTrade[] | null> {
  const { wechatPay } = edge.ports
  if (isCombined(lead)) return wechatPay.queryCombined(callerOf(lead), lead.combineNo)
  const trade = await wechatPay.query(callerOf(lead), lead.outTradeNo!)
  return trade && [trade]
}

/** Closing a combined payment needs exactly the sub-orders with which it was placed (protocols wechat-pay 3). */
async function closeThere(edge: Edge, group: readonly PaymentRow[]): Promise<void> {
  const lead = group[0]!
  const { wechatPay } = edge.ports
  if (!isCombined(lead)) return wechatPay.close(callerOf(lead), lead.outTradeNo!)
  const subOrders = group.map(({ mchid, outTradeNo }) => ({ mchid: mchid!, outTradeNo: outTradeNo! }))
  await wechatPay.closeCombined(callerOf(lead), lead.combineNo, subOrders)
}

async function accept(edge: Edge, trades: readonly WechatPayTrade[]): Promise<Standing> {
  const answers = await edge.tx((tx) => acceptNotices(tx, trades))
  const kinds = answers.map((answer) => answer.kind)
  if (kinds.every((kind) => kind === 'accepted' || kind === 'repeated')) return 'paid'
  return kinds.every((kind) => kind === 'unpaid') ? 'unpaid' : 'refused'
}

async function endHere(edge: Edge, group: readonly PaymentRow[]): Promise<Standing> {
  await edge.tx(async (tx) => {
    await lockOrders(tx, [group[0]!.orderId])
    for (const { id } of group)
      await move(tx, { table: 'payment', id, from: 'opened', to: 'closed', moves: paymentMoves })
  })
  return 'closed'
}
