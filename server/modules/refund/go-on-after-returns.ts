import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { refundPartMoves } from '../../../contract/states.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { sql } from '../../kernel/sql.ts'
import { readBrands } from '../catalog/read-template.ts'
import { readTermsAt } from '../catalog/read-terms.ts'
import { readOrder } from '../order/read-order.ts'
import { ownShareOfRefund } from '../settlement/note-refund.ts'
import { readReturns, readSplitOfPayment } from '../settlement/read-splits.ts'
import { planReturns } from '../settlement/return-share.ts'
import { wantUnfreeze } from '../settlement/unfreeze-rest.ts'
import { lookLater } from './part-jobs.ts'
import { holdPart, type PartFacts } from './read-part.ts'
import { cutOf, LOOK_MS, reasonOfReturn, returnsWanted, type CutCard } from './rules.ts'
import { writeCall, type BodyOf } from './write-call.ts'

/**
 * Asks the receivers of shares of the part's transaction to give back what they got for its cards. False when nothing was
 * shared: then all of it is taken from frozen money by one call.
 */
export async function planReturnsOf(tx: Tx, facts: PartFacts): Promise<boolean> {
  const split = await readSplitOfPayment(tx, facts.payment.id)
  const { part } = facts
  if (!split || split.sharedFen === 0 || !part.brandId) return false
  const order = await readOrder(tx, part.orderId)
  const terms = (await readTermsAt(tx, [part.brandId], order?.createdAtMs ?? 0)).get(part.brandId)!
  const parts = await sql<{ id: Id<'refundPart'>; fen: unknown }>(
    tx.em,
    'select id, fen from refund_part where refund_id = ? and brand_id = ? order by id',
    [part.refundId, part.brandId],
  )
  const [brand] = await readBrands(tx, [part.brandId])
  const wanted = returnsWanted(split.receivers, {
    terms,
    cut: cutOf(terms, await readCards(tx, part)),
    platform: tx.house.wechatPay.platform?.mchid ?? null,
    brand: brand?.mchid ?? null,
    parts: parts.map((one) => fen(Number(one.fen))),
    at: parts.findIndex((one) => one.id === part.id),
    back: await readBack(tx, part),
  })
  if (wanted.length === 0) return false
  await planReturns(tx, split.id, part.id, wanted)
  return true
}

async function readBack(tx: Tx, part: PartFacts['part']): Promise<Map<string, number>> {
  const rows = await sql<{ account: string; total: unknown }>(
    tx.em,
    `select split_receiver.account as account, sum(split_return.amount_fen) as total from split_return
      join split_receiver on split_receiver.id = split_return.receiver_id
      where split_return.refund_part_id = ? and split_return.state = 'done' group by split_receiver.account`,
    [part.id],
  )
  return new Map(rows.map((row) => [row.account, readSum(row.total)]))
}

async function readCards(tx: Tx, part: PartFacts['part']): Promise<CutCard[]> {
  const rows = await sql<{ price: unknown; cards: unknown }>(
    tx.em,
    'select price_fen as price, count(*) as cards from refund_item where refund_id = ? and brand_id = ? group by price_fen',
    [part.refundId, part.brandId],
  )
  return rows.map((row) => ({ priceFen: fen(Number(row.price)), cards: Number(row.cards) }))
}

/**
 * Goes on once receivers have given back what they were asked for, and once the rest is free where more goes back than is
 * frozen. A return that failed needs a person: the refund can be paid without it, or wait. True when it went on.
 */
export async function goOnAfterReturns(tx: Tx, partId: Id<'refundPart'>, bodyOf: BodyOf): Promise<boolean> {
  const facts = await holdPart(tx, partId)
  const state = facts?.part.state
  if (!facts || (state !== 'returning' && state !== 'unfreezing')) return false
  const returns = await readReturns(tx, partId)
  if (returns.open > 0) return wait(tx, partId, 'waits_for_returns')
  if (returns.failed !== null && !facts.part.withoutReturns) {
    const set = { reason: reasonOfReturn(returns.failed), next_at_ms: null }
    const step = { table: 'refund_part', id: partId, from: state, to: 'stuck', moves: refundPartMoves, set }
    await move(tx, { ...step, note: returns.failed.slice(0, 40) })
    return false
  }
  return callOrFree(tx, facts, bodyOf)
}

/** Money goes back from what is frozen, or, when that is less, from what is free: then all of it is freed first. */
export async function callOrFree(tx: Tx, facts: PartFacts, bodyOf: BodyOf): Promise<boolean> {
  const { part, payment } = facts
  const split = await readSplitOfPayment(tx, payment.id)
  const { returnedFen, keptFen } = await readReturns(tx, part.id)
  if (split && split.state !== 'finished' && split.sharedFen > 0 && part.fen > split.frozenFen) {
    if (part.state !== 'unfreezing') {
      const set = { reason: 'waits_for_unfreezing' }
      const step = { table: 'refund_part', id: part.id, from: part.state, to: 'unfreezing', moves: refundPartMoves }
      await move(tx, { ...step, set })
      await wantUnfreeze(tx, split.id, part.id)
    }
    return wait(tx, part.id, 'waits_for_unfreezing')
  }
  const ownFen = await ownShareOfRefund(tx, payment.id, part.fen, fen(returnedFen - keptFen))
  return writeCall(tx, facts, bodyOf, { returnedFen, ownFen })
}

async function wait(
  tx: Tx,
  partId: Id<'refundPart'>,
  reason: 'waits_for_returns' | 'waits_for_unfreezing',
): Promise<boolean> {
  await lookLater(tx, partId, tx.clock.now() + LOOK_MS, reason)
  return false
}
