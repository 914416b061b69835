import type { Id } from '../contract/ids.ts'
import { readBacklog } from '../server/modules/settlement/read-backlog.ts'
import { draftPayouts } from '../server/modules/settlement/draft-payouts.ts'
import { exportPayouts } from '../server/modules/settlement/export-payouts.ts'
import { matchPayouts } from '../server/modules/settlement/move-payout.ts'
import {
  ask,
  bankSays,
  HOUR_MS,
  payByScan,
  payByTransfer,
  payFromWallet,
  placeCards,
  platformFinance,
  PRICE_FEN,
  workOn,
  type ManySourcesStage,
} from './many-sources.ts'
import { brokenSums } from './many-sources-sums.ts'

/** Cards of a small order: one of each brand. */
const FEW = 3
/** Taken back before anything is shared, and as many after everything was. */
const BACK = 50

export interface SettledOrder {
  readonly orderId: Id<'order'>
  readonly cards: number
  readonly receivers: number
  readonly sources: number
  /** From the answer that all money is there until every card is, by the real clock. */
  readonly fundedToPackMs: number
  /** Calls of sharing and unfreezing that went out in all, and what one call a receiver and slice would be. */
  readonly shareCalls: number
  readonly naiveCalls: number
  /** From the first to the last of the shares, by the world's clock. */
  readonly backlogDrainedMs: number
  /** What does not add up. */
  readonly broken: readonly string[]
}

/** What a test looks at on the way. */
export interface Watching {
  /** Every card is in its pack. */
  readonly issued?: (orderId: Id<'order'>) => Promise<void>
  /** Each round of work while money is shared. */
  readonly round?: (round: number) => Promise<void>
  /** Everything is shared, and the large order's second refund comes next. */
  readonly shared?: (orderId: Id<'order'>) => Promise<void>
  readonly twice?: boolean
}

/**
 * The large order from its three payments to the last fen: other orders' money is being shared while it is paid and
 * issued; some cards go back before it is shared, some after; the transfer's part goes back over the bank.
 */
export async function settleOrder(stage: ManySourcesStage, watching: Watching = {}): Promise<SettledOrder> {
  const { wish } = stage
  const { round, twice = false } = watching
  const whole = { ...(round && { meanwhile: round }), twice }
  await payFew(stage)
  // Until their money is on its way: calls are out, or wait for their turn.
  await workOn(stage, { twice, until: async () => (await count(stage, "split where state = 'sharing'")) > 0 })
  const orderId = await placeCards(stage, wish.cards)
  const { fundedToPackMs } = await payLarge(stage, orderId)
  await watching.issued?.(orderId)
  await payFew(stage)
  await giveBack(stage, orderId)
  await workOn(stage, whole)
  const { backlogDrainedMs } = await readTimes(stage)
  await watching.shared?.(orderId)
  stage.world.shiftMs += HOUR_MS
  await giveBack(stage, orderId)
  await workOn(stage, whole)
  await payOut(stage)
  await workOn(stage)
  const { calls } = await stage.house.edge().read(readBacklog)
  return {
    orderId,
    cards: await count(stage, 'card where order_item_id in (select id from order_item where order_id = ?)', orderId),
    receivers: await count(
      stage,
      "split_receiver join split on split.id = split_receiver.split_id where split.order_id = ? and split_receiver.state <> 'closed'",
      orderId,
    ),
    sources: await count(stage, '(select source from payment where order_id = ? group by source) as sources', orderId),
    fundedToPackMs,
    shareCalls: calls.made,
    naiveCalls: calls.naive,
    backlogDrainedMs,
    broken: await brokenSums(stage),
  }
}

/** Rows of a table and condition. */
export const count = async ({ read }: ManySourcesStage, from: string, orderId?: Id<'order'>): Promise<number> =>
  Number((await read<{ n: unknown }>(`select count(*) as n from ${from}`, orderId ? [orderId] : []))[0]?.n)

async function payFew(stage: ManySourcesStage): Promise<void> {
  for (let order = 0; order < stage.wish.others; order += 1)
    await payByScan(stage, await placeCards(stage, FEW), FEW * PRICE_FEN)
  await workOn(stage, { still: true })
}

async function payLarge(stage: ManySourcesStage, orderId: Id<'order'>): Promise<{ fundedToPackMs: number }> {
  const { cards } = stage.wish
  const total = cards * PRICE_FEN
  const [wallet, scan] = [Math.floor(total * 0.3), Math.floor(total * 0.4) + 1]
  await payFromWallet(stage, orderId, wallet)
  await payByScan(stage, orderId, scan)
  await payByTransfer(stage, orderId, total - wallet - scan)
  const began = performance.now()
  const issued = async () => (await count(stage, "orders where id = ? and state = 'issued'", orderId)) === 1
  await stage.running(() => workOn(stage, { until: issued }))
  return { fundedToPackMs: Math.round(performance.now() - began) }
}

/** So many cards that nobody gave back yet, of all brands. */
async function giveBack(stage: ManySourcesStage, orderId: Id<'order'>): Promise<void> {
  const cards = await stage.read<{ id: string }>(
    `select card.id as id from card join order_item on order_item.id = card.order_item_id
      where order_item.order_id = ? and card.state = 'active' order by order_item.seq limit ${BACK}`,
    [orderId],
  )
  const body = { cardIds: cards.map((card) => card.id) }
  await ask(stage, stage.company.as('hr'), 'POST', `/hr/orders/${orderId}/refunds`, body)
}

/** What goes back to who paid by transfer leaves the bank, as its statement shows. */
async function payOut(stage: ManySourcesStage): Promise<void> {
  const edge = stage.house.edge(platformFinance)
  await draftPayouts(edge)
  await edge.tx((tx) => exportPayouts(tx))
  const payouts = await stage.read<{ id: string; fen: unknown }>(
    "select id, amount_fen as fen from payout where state = 'exported' and payee like 'refund:%' order by id",
  )
  for (const { id, fen } of payouts) await bankSays(stage, id, 0, Number(fen))
  await matchPayouts(edge)
}

async function readTimes({ read }: ManySourcesStage): Promise<{ backlogDrainedMs: number }> {
  const [times] = await read<{ began: unknown; ended: unknown }>(
    `select min(split.planned_at_ms) as began, max(split.finished_at_ms) as ended from split
      where split.order_id = (select order_id from payment where source = 'bank_transfer' limit 1)`,
  )
  return { backlogDrainedMs: Number(times?.ended) - Number(times?.began) }
}
