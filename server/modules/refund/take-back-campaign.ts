import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import { refundMoves } from '../../../contract/states.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, sql } from '../../kernel/sql.ts'
import { findOwnCampaign, readCampaign } from '../campaign/read-campaign.ts'
import { finishDelivered } from '../delivery/finish-delivered.ts'
import { recallCampaign } from '../delivery/recall-campaign.ts'
import { holdUnopened, withdrawMessages } from '../delivery/withdraw-unopened.ts'
import { holdPayments } from '../funding/book-refund.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { readOrder } from '../order/read-order.ts'
import { acceptCards } from './accept-cards.ts'
import { readTakable, readUnopened, type Takable } from './read-takable.ts'
import { openRefund } from './request-refund.ts'
import { readHeldRefund, startParts } from './start-parts.ts'
import type { RefundRow } from './tables.ts'

/** A job's lease is a minute: after this long the rest goes to a job of its own. */
const WORK_MS = 40_000

/**
 * Takes all of a campaign's unopened cards back: its messages are recalled, and a job voids the cards slice by slice.
 * Refuses with `not_found`, and `state_conflict` while cards are still made, while another taking back is under way, or
 * when there is none to take back.
 */
export async function takeBackCampaign(
  tx: Tx,
  wish: { readonly campaignId: Id<'campaign'>; readonly toWallet?: boolean },
): Promise<Id<'refund'>> {
  const { campaignId, toWallet = false } = wish
  const { orderId, possible, takable } = await look(tx, campaignId)
  if (!possible || orderId === null) refuse('state_conflict')
  if (takable.cards === 0) refuse('nothing_to_take_back')
  const cardsPlanned = takable.cards + takable.keptCards
  const { refund } = await openRefund(tx, { kind: 'campaign', orderId, campaignId, toWallet, cardsPlanned })
  await recallCampaign(tx, campaignId)
  await enqueue(tx, [takeBackJob(refund.id, '', cardsPlanned)])
  return refund.id
}

/** What taking back would do, as things stand now. Refuses with `not_found` for another company's campaign. */
export async function previewTakeBack(tx: Tx, campaignId: Id<'campaign'>) {
  const { possible, takable } = await look(tx, campaignId)
  const { priceFen, ...counts } = takable
  return {
    ...counts,
    fen: priceFen,
    sources: [...takable.sources],
    sourcesToWallet: takable.sourcesToWallet && [...takable.sourcesToWallet],
    possible,
  }
}

async function look(tx: Tx, campaignId: Id<'campaign'>) {
  const campaign = await findOwnCampaign(tx, campaignId)
  const order = campaign.orderId ? await readOrder(tx, campaign.orderId) : null
  if (!order) return { orderId: null, possible: false, takable: nothing }
  const [open] = await sql(
    tx.em,
    "select id from refund where campaign_id = ? and kind = 'campaign' and state = 'requested' limit 1",
    [campaignId],
  )
  const possible = open === undefined && (order.state === 'issued' || order.state === 'refunding')
  return { orderId: order.id, possible, takable: await readTakable(tx, campaignId, order) }
}

const nothing: Takable = { cards: 0, keptCards: 0, priceFen: fen(0), sources: [], sourcesToWallet: null }

const takeBackJob = (refundId: Id<'refund'>, afterId: string, cards: number) => ({
  kind: 'refund.take-back',
  key: `refund.take-back:${refundId}:${afterId}`,
  args: { refundId },
  lane: cards > limits.cardsPerSlice ? ('bulk' as const) : ('small' as const),
})

/**
 * Job `refund.take-back`: the cards of a campaign, at most 1,000 a transaction, until none is left; then the money sets out.
 * It may be killed anywhere and run again, and twice at once: each slice begins after the last card that was looked at.
 */
export async function runTakeBack(edge: Edge, refundId: Id<'refund'>): Promise<void> {
  const until = edge.clock.now() + WORK_MS
  for (;;) {
    const slice = await edge.tx((tx) => takeSlice(tx, refundId))
    if (slice.kind === 'over') break
    if (edge.clock.now() >= until)
      return edge.tx((tx) => enqueue(tx, [takeBackJob(refundId, slice.afterId, limits.cardsPerSlice + 1)]))
  }
  const refund = await edge.read((tx) => readHeldRefund(tx, refundId))
  if (refund.campaignId) await finishDelivered(edge, refund.campaignId)
}

type Slice = { readonly kind: 'over' } | { readonly kind: 'more'; readonly afterId: Id<'card'> }

async function takeSlice(tx: Tx, refundId: Id<'refund'>): Promise<Slice> {
  const { orderId } = await readHeldRefund(tx, refundId)
  await lockOrders(tx, [orderId])
  await holdPayments(tx, orderId)
  const refund = await readHeldRefund(tx, refundId)
  if (refund.state !== 'requested' || !refund.campaignId) return { kind: 'over' }
  const cards = await readUnopened(tx, refund.campaignId, refund.afterCardId ?? '', limits.cardsPerSlice)
  const last = cards.at(-1)
  if (!last) {
    await end(tx, refund)
    return { kind: 'over' }
  }
  await takeCards(tx, refund, refund.campaignId, cards)
  await change(tx.em, 'update refund set after_card_id = ?, version = version + 1 where id = ?', [
    last.cardId,
    refundId,
  ])
  return { kind: 'more', afterId: last.cardId }
}

/** Whoever opens the message first keeps the card: of the two, one waits for the other's message. */
async function takeCards(
  tx: Tx,
  refund: RefundRow,
  campaignId: Id<'campaign'>,
  cards: readonly { readonly cardId: Id<'card'>; readonly personId: Id<'person'> }[],
): Promise<void> {
  const campaign = (await readCampaign(tx, campaignId)) ?? refuse('not_found')
  const order = (await readOrder(tx, refund.orderId)) ?? refuse('not_found')
  const messages = await holdUnopened(
    tx,
    campaign,
    cards.map((card) => card.personId),
  )
  const unopened = new Set(messages.map((message) => message.personId))
  const free = cards.filter((card) => unopened.has(card.personId))
  const { refunded } = await acceptCards(
    tx,
    refund,
    order,
    free.map((card) => card.cardId),
  )
  const back = new Set(refunded)
  const people = new Set(free.filter((card) => back.has(card.cardId)).map((card) => card.personId))
  await withdrawMessages(
    tx,
    campaignId,
    messages.filter((message) => people.has(message.personId)),
  )
}

/** All were looked at. Where everybody was faster, nothing goes back and nothing is owed. */
async function end(tx: Tx, refund: RefundRow): Promise<void> {
  if (refund.cardsBack > 0) return startParts(tx, refund.id)
  await move(tx, {
    table: 'refund',
    id: refund.id,
    from: 'requested',
    to: 'rejected',
    moves: refundMoves,
    note: 'none',
  })
}
