import type { Id } from '../../../contract/ids.ts'
import { refundPartMoves, type RefundPartState } from '../../../contract/states.ts'
import type { RefundFacts } from '../../channels/wechatpay-port.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { noteRefund } from '../settlement/note-refund.ts'
import { finishPart, linesOfWechat, releaseTransaction } from './finish-part.ts'
import { lookLater } from './part-jobs.ts'
import { holdPart, type PartFacts } from './read-part.ts'
import { nextPollMs } from './rules.ts'

/** What became of facts about a refund. `repeated`: they say nothing new. */
export type RefundAnswer =
  'accepted' | 'repeated' | 'unknown_refund' | 'wrong_merchant' | 'wrong_amount' | 'wrong_transaction'

/**
 * Takes what WeChat Pay says of a part's refund: from an answer, a query or a notice, once or many times and in any order.
 * What is final stays: a later PROCESSING changes nothing. What does not fit the part is refused and moves nothing.
 */
export async function takeRefund(tx: Tx, partId: Id<'refundPart'>, told: RefundFacts): Promise<RefundAnswer> {
  const facts = await holdPart(tx, partId)
  if (!facts) return 'unknown_refund'
  const { part } = facts
  const fault = faultOf(facts, told)
  if (fault !== null) {
    tx.log.error({ fault, partId, outRefundNo: told.outRefundNo, refund: told.refund }, 'a refund was refused')
    await trail(tx, { objectId: partId, act: 'refund_part.facts_refused', note: `${fault} ${told.refund}` })
    return fault
  }
  if (told.createdAtMs !== null)
    await change(tx.em, 'update refund_part set taken_at_ms = ? where id = ? and taken_at_ms is null', [
      told.createdAtMs,
      partId,
    ])
  const state: RefundPartState = part.state
  if (
    !refundPartMoves[state].includes(nextOf(told.status) as never) &&
    !(state === 'processing' && told.status === 'PROCESSING')
  ) {
    if (told.status === 'SUCCESS' && state !== 'done')
      tx.log.error({ partId, state }, 'WeChat Pay refunded what was given another way')
    return 'repeated'
  }
  await change(tx.em, 'update refund_part set provider_refund_id = ? where id = ?', [told.refundId, partId])
  switch (told.status) {
    case 'PROCESSING':
      return processing(tx, facts)
    case 'SUCCESS':
      await finishPart(tx, part, await refundedLines(tx, facts))
      return 'accepted'
    case 'CLOSED':
    case 'ABNORMAL':
      return ended(tx, facts, told.status === 'CLOSED' ? 'closed' : 'abnormal')
  }
}

async function refundedLines(tx: Tx, { part, payment }: PartFacts) {
  const noted = { partId: part.id, amountFen: part.fen, ownFen: part.ownFen }
  return linesOfWechat(part, payment.mchid!, await noteRefund(tx, payment.id, noted))
}

function faultOf({ part, payment }: PartFacts, told: RefundFacts): RefundAnswer | null {
  if (told.outRefundNo !== part.outRefundNo) return 'unknown_refund'
  if (told.transactionId !== payment.transactionId) return 'wrong_transaction'
  return told.refund === part.fen ? null : 'wrong_amount'
}

function nextOf(status: RefundFacts['status']): RefundPartState {
  switch (status) {
    case 'PROCESSING':
      return 'processing'
    case 'SUCCESS':
      return 'done'
    case 'CLOSED':
      return 'closed'
    case 'ABNORMAL':
      return 'abnormal'
  }
}

/** The first time it leaves `sent`; afterwards each look is later than the last. */
async function processing(tx: Tx, { part }: PartFacts): Promise<RefundAnswer> {
  const moved =
    part.state === 'sent' &&
    (await move(tx, { table: 'refund_part', id: part.id, from: 'sent', to: 'processing', moves: refundPartMoves }))
  await change(tx.em, 'update refund_part set looks = looks + 1 where id = ?', [part.id])
  await lookLater(tx, part.id, tx.clock.now() + nextPollMs(part.looks), null)
  return moved ? 'accepted' : 'repeated'
}

/** A person decides how it goes on; the transaction is free meanwhile. */
async function ended(tx: Tx, { part }: PartFacts, to: 'closed' | 'abnormal'): Promise<RefundAnswer> {
  const set = { reason: to, next_at_ms: null }
  const moved = await move(tx, { table: 'refund_part', id: part.id, from: part.state, to, moves: refundPartMoves, set })
  if (!moved) return 'repeated'
  await releaseTransaction(tx, part)
  return 'accepted'
}
