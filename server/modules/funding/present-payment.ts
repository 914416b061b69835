import type { z } from 'zod'
import type { PaymentView } from '../../../contract/hr/funding.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Edge } from '../../kernel/context.ts'
import { callerOf, readOwnPayment, type PaymentFacts } from './read-payment.ts'
import type { PaymentRow } from './tables.ts'

/** A payment of the actor's company, with the signed parameters where a page inside WeChat can pay it now. */
export async function showPayment(edge: Edge, id: Id<'payment'>): Promise<z.input<typeof PaymentView>> {
  const facts = await edge.read((tx) => readOwnPayment(tx, id))
  const shown = present(facts, edge.clock.now())
  const prepayId = facts.payment.codeUrl
  if (facts.payment.product !== 'jsapi' || !isPayable(facts.payment, edge.clock.now()) || !prepayId) return shown
  return { ...shown, jsapi: await edge.ports.wechatPay.jsapiParameters(callerOf(facts.payment), prepayId) }
}

const isPayable = (payment: PaymentRow, nowMs: number): boolean =>
  payment.state === 'opened' && nowMs < Math.min(payment.expiresAtMs ?? 0, payment.codeUntilMs ?? Infinity)

/** A payment as its company sees it. */
export function present({ payment, parts, combined }: PaymentFacts, nowMs: number): z.input<typeof PaymentView> {
  const { id, source, state, amountFen, paidFen, outcome, expiresAtMs, transactionId, reference } = payment
  const [first] = parts
  const code = isPayable(payment, nowMs) ? (payment.codeUrl ?? null) : null
  const product = source === 'wechat_pay' ? (payment.product ?? 'native') : null
  return {
    id,
    source,
    state,
    amountFen,
    paidFen: paidFen ?? null,
    outcome: outcome ?? null,
    brand: source === 'wechat_pay' && first ? { id: first.brandId, name: first.brandName } : null,
    product,
    codeUrl: product === 'native' ? code : null,
    h5Url: product === 'h5' ? code : null,
    jsapi: null,
    combined: combined && { paymentIds: [...combined.paymentIds], amountFen: combined.amountFen },
    expiresAtMs: expiresAtMs ?? null,
    transactionId: transactionId ?? null,
    reference: reference ?? null,
    openedAtMs: payment.openedAtMs,
    paidAtMs: payment.paidAtMs ?? null,
    parts: [...parts],
  }
}
