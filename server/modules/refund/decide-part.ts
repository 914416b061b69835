import type { Id } from '../../../contract/ids.ts'
import type { RefundDecision } from '../../../contract/refunds.ts'
import { refundPartMoves } from '../../../contract/states.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { countWaitingRefund, takeFlight } from '../funding/take-flight.ts'
import { takeRefund } from './apply-facts.ts'
import { merchantOfPart } from './drive-part.ts'
import { giveToPayout } from './give-to-payout.ts'
import { lookLater, refundJob } from './part-jobs.ts'
import { holdPart, type PartFacts } from './read-part.ts'
import { LOOK_MS } from './rules.ts'
import { takeNextNumber } from './write-call.ts'

/**
 * A person of the platform decides how a part goes on that cannot go on by itself, and the trail says who:
 * `retry` a stuck one as it was; `without_returns`: refund it although receivers of shares gave nothing back, from the
 * collector's own balance; `new_number` for one that WeChat Pay closed; `to_merchant_card` for one that no account of the
 * payer takes; `pay_out`: from custody by a transfer. Refuses with `state_conflict` where the part does not stand so (any more).
 */
export async function decidePart(edge: Edge, partId: Id<'refundPart'>, decision: RefundDecision): Promise<void> {
  if (decision === 'to_merchant_card') return sendToMerchant(edge, partId)
  await edge.tx(async (tx) => {
    const facts = (await holdPart(tx, partId)) ?? refuse('not_found')
    await trail(tx, { objectId: partId, act: 'refund_part.decided', note: decision })
    switch (decision) {
      case 'retry':
        return goAgain(tx, facts)
      case 'without_returns':
        await change(tx.em, 'update refund_part set without_returns = ? where id = ?', [1, partId])
        return goAgain(tx, facts)
      case 'new_number':
        return takeNewNumber(tx, facts)
      case 'pay_out':
        if (facts.part.state === 'abnormal' || !(await giveToPayout(tx, partId, 'paid_out_instead')))
          refuse('state_conflict')
    }
  })
}

async function goAgain(tx: Tx, { part }: PartFacts): Promise<void> {
  const step = { table: 'refund_part', id: part.id, from: 'stuck', to: 'waiting', moves: refundPartMoves }
  if (!(await move(tx, { ...step, set: { reason: null } }))) refuse('state_conflict')
  await enqueue(tx, [refundJob(tx, part.id, tx.clock.now())])
}

async function takeNewNumber(tx: Tx, { part }: PartFacts): Promise<void> {
  const step = { table: 'refund_part', id: part.id, from: 'closed', to: 'waiting', moves: refundPartMoves }
  if (!(await move(tx, { ...step, set: { reason: null } }))) refuse('state_conflict')
  await takeNextNumber(tx, part.id)
  await countWaitingRefund(tx, part.paymentId, 1)
  await enqueue(tx, [refundJob(tx, part.id, tx.clock.now())])
}

/** The money goes to the merchant's own card, for a person to pass it on. Recorded first, called, and looked after. */
async function sendToMerchant(edge: Edge, partId: Id<'refundPart'>): Promise<void> {
  const facts = await edge.tx(async (tx) => {
    const held = (await holdPart(tx, partId)) ?? refuse('not_found')
    const { part } = held
    if (part.state !== 'abnormal' || !part.providerRefundId) refuse('state_conflict')
    await countWaitingRefund(tx, part.paymentId, 1)
    if (!(await takeFlight(tx, part.paymentId, 'refund', partId))) refuse('state_conflict')
    await trail(tx, { objectId: partId, act: 'refund_part.decided', note: 'to_merchant_card' })
    await move(tx, { table: 'refund_part', id: partId, from: 'abnormal', to: 'processing', moves: refundPartMoves })
    await lookLater(tx, partId, tx.clock.now() + LOOK_MS, 'abnormal')
    return held
  })
  const { part } = facts
  const told = await edge.ports.wechatPay.refundToMerchant(
    merchantOfPart(facts),
    part.providerRefundId!,
    part.outRefundNo!,
  )
  await edge.tx((tx) => takeRefund(tx, partId, told))
}
