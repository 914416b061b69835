import type { Id } from '../../../contract/ids.ts'
import { paymentMoves } from '../../../contract/states.ts'
import type { WechatPayTrade } from '../../channels/ports.ts'
import type { Edge } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { acceptNotices } from './accept-notices.ts'
import { merchantOf } from './read-payment.ts'
import { Payment, type PaymentRow } from './tables.ts'

/** What WeChat Pay knows of a payment. `never_placed`: it has no such number, nobody can pay it. */
export type Standing = 'paid' | 'unpaid' | 'closed' | 'never_placed' | 'refused'

/**
 * Asks WeChat Pay how a payment stands and takes its money when it is there. With `close` an unpaid payment is closed,
 * there first and here afterwards; a number that was never placed is closed here alone. Money that comes in between is
 * found by asking again, and taken. Throws OutsideError when no answer came.
 */
export async function askPayment(
  edge: Edge,
  paymentId: Id<'payment'>,
  how: { readonly close?: boolean } = {},
): Promise<Standing> {
  const payment = await edge.read((tx) => tx.em.findOneOrFail(Payment, { id: paymentId }, { disableIdentityMap: true }))
  const standing = await look(edge, payment)
  if (standing === 'closed') return endHere(edge, payment)
  if (how.close !== true || standing === 'paid' || standing === 'refused') return standing
  if (standing === 'unpaid') {
    try {
      await edge.ports.wechatPay.close(merchantOf(payment), payment.outTradeNo!)
    } catch (error) {
      if (!(error instanceof OutsideError) || error.outcome !== 'refused') throw error
      const after = await look(edge, payment)
      if (after === 'unpaid') throw error
      if (after !== 'closed') return after
    }
  }
  return endHere(edge, payment)
}

async function look(edge: Edge, payment: PaymentRow): Promise<Standing> {
  const trade = await edge.ports.wechatPay.query(merchantOf(payment), payment.outTradeNo!)
  if (trade === null) return 'never_placed'
  if (trade.state === 'CLOSED' || trade.state === 'REVOKED') return 'closed'
  return accept(edge, trade)
}

async function accept(edge: Edge, trade: WechatPayTrade): Promise<Standing> {
  const [answer] = await edge.tx((tx) => acceptNotices(tx, [trade]))
  switch (answer?.kind) {
    case 'accepted':
    case 'repeated':
      return 'paid'
    case 'unpaid':
      return 'unpaid'
    default:
      return 'refused'
  }
}

async function endHere(edge: Edge, payment: PaymentRow): Promise<Standing> {
  await edge.tx(async (tx) => {
    await lockOrders(tx, [payment.orderId])
    await move(tx, { table: 'payment', id: payment.id, from: 'opened', to: 'closed', moves: paymentMoves })
  })
  return 'closed'
}
