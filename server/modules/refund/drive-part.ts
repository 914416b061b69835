import type { Id } from '../../../contract/ids.ts'
import type { RefundPartReason } from '../../../contract/refunds.ts'
import { refundPartMoves } from '../../../contract/states.ts'
import type { RefundFacts, WechatPayMerchant } from '../../channels/wechatpay-port.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change } from '../../kernel/sql.ts'
import { takeRefund } from './apply-facts.ts'
import { beginPart } from './begin-part.ts'
import { goOnAfterReturns } from './go-on-after-returns.ts'
import { lookLater } from './part-jobs.ts'
import { giveToPayout } from './give-to-payout.ts'
import { CALL_MS, judgeRefusal, nextPollMs, noAnswerMs, NOT_ENOUGH_MS } from './rules.ts'
import { endPaidOut } from './pay-out.ts'
import { readPart, type PartFacts } from './read-part.ts'
import type { RefundPartRow } from './tables.ts'
import type { BodyOf } from './write-call.ts'

/** More steps than any part has: it begins, its shares come back, the rest is freed, it is called, it is asked about. */
const MOST_STEPS = 8

/**
 * Job `refund.part`: brings what goes back over one payment forward, from whatever state to as far as it goes now; a payout
 * is over when a statement showed it. While it is on its way another look is enqueued. Each step is one transaction or one call with its number and body
 * written down before, so it may be stopped anywhere, run again, and run twice at once (protocols wechat-pay 4).
 */
export async function driveRefundPart(edge: Edge, partId: Id<'refundPart'>): Promise<void> {
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const facts = await edge.read((tx) => readPart(tx, partId))
    if (facts?.refundState !== 'accepted') return
    if (!(await stepOn(edge, facts))) return
  }
}

/** True: the part moved, and can go on at once. */
async function stepOn(edge: Edge, facts: PartFacts): Promise<boolean> {
  const bodyOf: BodyOf = (wish) => edge.ports.wechatPay.refundBody(wish)
  switch (facts.part.state) {
    case 'waiting':
      return edge.tx((tx) => beginPart(tx, facts.part.id, bodyOf))
    case 'returning':
    case 'unfreezing':
      return edge.tx((tx) => goOnAfterReturns(tx, facts.part.id, bodyOf))
    case 'sent':
      return callOut(edge, facts)
    case 'processing':
      return poll(edge, facts)
    case 'paying_out':
      await edge.tx((tx) => endPaidOut(tx, facts.part.id))
      return false
    case 'closed':
    case 'abnormal':
    case 'stuck':
    case 'done':
      return false
  }
}

export const merchantOfPart = ({ payment }: Pick<PartFacts, 'payment'>): WechatPayMerchant => {
  const { mchid, appid } = payment
  if (!mchid || !appid) throw new Error(`payment ${payment.id} has no merchant`)
  return { mchid, appid }
}

/**
 * The call itself. After the first one, whatever became of it, WeChat Pay is asked first: anything but an answer that it
 * was taken means query, then the same number and the same bytes. A refusal that a query confirms is final.
 */
async function callOut(edge: Edge, facts: PartFacts): Promise<boolean> {
  const { part } = facts
  const merchant = merchantOfPart(facts)
  const calledBefore = part.calls > 0
  if (!(await edge.tx((tx) => claimCall(tx, part)))) return false
  if (calledBefore) {
    const known = await ask(edge, facts)
    if (known === 'no_answer') return false
    if (known !== null) return take(edge, part, known)
  }
  try {
    return await take(edge, part, await edge.ports.wechatPay.refund(merchant, part.body!))
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    edge.log.warn({ partId: part.id, outcome: error.outcome, code: error.code }, 'a refund was not taken')
    if (error.outcome !== 'refused' && error.code !== 'NO_AUTH')
      return later(edge, part, noAnswerMs(part.calls), 'no_answer')
    const known = await ask(edge, facts)
    if (known === 'no_answer') return false
    return known === null ? refused(edge, part, error.code) : take(edge, part, known)
  }
}

/**
 * Counts the call before it is made; of two runs at once one makes it. Another run of a moment ago may still wait for its
 * answer: then a look is enqueued for when it has one, and this run ends.
 */
async function claimCall(tx: Tx, part: RefundPartRow): Promise<boolean> {
  const now = tx.clock.now()
  const claimed = await change(
    tx.em,
    `update refund_part set calls = calls + 1, first_call_at_ms = coalesce(first_call_at_ms, ?), last_call_at_ms = ?,
        version = version + 1
      where id = ? and state = 'sent' and version = ? and (last_call_at_ms is null or last_call_at_ms <= ?)`,
    [now, now, part.id, part.version, now - CALL_MS],
  )
  // Should this process end within the call, somebody looks after it.
  await lookLater(tx, part.id, now + CALL_MS, part.reason ?? null)
  return claimed === 1
}

/** What WeChat Pay knows of the number; null: it has no such refund. */
async function ask(edge: Edge, { part, payment }: PartFacts): Promise<RefundFacts | null | 'no_answer'> {
  try {
    return await edge.ports.wechatPay.queryRefund(merchantOfPart({ payment }), part.outRefundNo!)
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    edge.log.warn({ partId: part.id, outcome: error.outcome, code: error.code }, 'no answer about a refund')
    await later(edge, part, noAnswerMs(part.calls), 'no_answer')
    return 'no_answer'
  }
}

async function poll(edge: Edge, facts: PartFacts): Promise<boolean> {
  const { part } = facts
  const known = await ask(edge, facts)
  if (known === 'no_answer') return false
  if (known !== null) return take(edge, part, known)
  // It was taken and is not known any more: no rule covers that, so a person looks.
  edge.log.error({ partId: part.id }, 'WeChat Pay does not know a refund that it took')
  return later(edge, part, nextPollMs(part.looks), 'no_answer')
}

async function take(edge: Edge, part: RefundPartRow, known: RefundFacts): Promise<boolean> {
  await edge.tx((tx) => takeRefund(tx, part.id, known))
  return false
}

async function refused(edge: Edge, part: RefundPartRow, code: string): Promise<boolean> {
  const { to, reason } = judgeRefusal(code)
  switch (to) {
    case 'wait':
      return later(edge, part, NOT_ENOUGH_MS, reason)
    case 'stuck': {
      const set = { reason, next_at_ms: null }
      const step = { table: 'refund_part', id: part.id, from: 'sent', to: 'stuck', moves: refundPartMoves, set }
      await edge.tx((tx) => move(tx, { ...step, note: code.slice(0, 40) }))
      return false
    }
    case 'payout':
      await edge.tx((tx) => giveToPayout(tx, part.id, reason))
      return false
  }
}

async function later(edge: Edge, part: RefundPartRow, ms: number, reason: RefundPartReason): Promise<boolean> {
  await edge.tx((tx) => lookLater(tx, part.id, tx.clock.now() + ms, reason))
  return false
}
