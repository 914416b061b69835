import type { Id } from '../../../contract/ids.ts'
import { refundPartMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { sql } from '../../kernel/sql.ts'
import { takeFlight } from '../funding/take-flight.ts'
import { giveToPayout } from './give-to-payout.ts'
import { callOrFree, planReturnsOf } from './go-on-after-returns.ts'
import { lookLater } from './part-jobs.ts'
import { holdPart, type PartFacts } from './read-part.ts'
import { BETWEEN_REFUNDS_MS, LOOK_MS, REFUND_YEAR_MS, REFUNDS_PER_PAYMENT } from './rules.ts'
import type { BodyOf } from './write-call.ts'

/**
 * The beginning of a part: takes the transaction, which sharing and other refunds then leave alone, and either writes
 * down its number and body, or first asks the receivers of shares to give back what they got. True when it went on;
 * otherwise the next look is enqueued, or WeChat Pay takes no refund of the payment any more and it is paid out.
 */
export async function beginPart(tx: Tx, partId: Id<'refundPart'>, bodyOf: BodyOf): Promise<boolean> {
  const facts = await holdPart(tx, partId)
  if (facts?.part.state !== 'waiting') return false
  const now = tx.clock.now()
  const over = await whyOver(tx, facts)
  if (over !== null) {
    await giveToPayout(tx, partId, over)
    return false
  }
  const free = await freeAtMs(tx, facts)
  if (free > now) return wait(tx, partId, free)
  if (!(await takeFlight(tx, facts.payment.id, 'refund', partId))) return wait(tx, partId, now + LOOK_MS)
  const { part } = facts
  if (part.retries === 0 && !part.withoutReturns && (await planReturnsOf(tx, facts))) {
    const step = { table: 'refund_part', id: partId, from: 'waiting', to: 'returning', moves: refundPartMoves }
    await move(tx, { ...step, set: { reason: 'waits_for_returns' } })
    await lookLater(tx, partId, now + LOOK_MS, 'waits_for_returns')
    return false
  }
  return callOrFree(tx, facts, bodyOf)
}

async function wait(tx: Tx, partId: Id<'refundPart'>, untilMs: number): Promise<boolean> {
  await lookLater(tx, partId, untilMs, 'waits_for_turn')
  return false
}

/** WeChat Pay refunds a payment for 365 days, 50 times (protocols wechat-pay 4.3). */
async function whyOver(tx: Tx, { payment }: PartFacts): Promise<'too_old' | 'too_many' | null> {
  if (tx.clock.now() >= (payment.paidAtMs ?? 0) + REFUND_YEAR_MS) return 'too_old'
  const [row] = await sql<{ taken: unknown }>(
    tx.em,
    'select sum(retries + case when provider_refund_id is null then 0 else 1 end) as taken from refund_part where payment_id = ?',
    [payment.id],
  )
  return Number(row?.taken ?? 0) >= REFUNDS_PER_PAYMENT ? 'too_many' : null
}

/** Two refunds of a payment are a minute apart. */
async function freeAtMs(tx: Tx, { part, payment }: PartFacts): Promise<number> {
  const [row] = await sql<{ last: unknown }>(
    tx.em,
    'select max(last_call_at_ms) as last from refund_part where payment_id = ? and (id <> ? or retries > 0)',
    [payment.id, part.id],
  )
  return row?.last == null ? 0 : Number(row.last) + BETWEEN_REFUNDS_MS
}
