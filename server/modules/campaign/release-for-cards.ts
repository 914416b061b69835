import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readDepartments } from '../staff/read-departments.ts'
import { readLiveHolds } from '../wallet/read-budgets.ts'
import { releaseBudget } from '../wallet/release-budget.ts'
import { readCampaignByOrder } from './read-campaign.ts'

/**
 * Gives back to departments' budgets what cards of an order cost that were taken back: each card's price to the department
 * in which its holder was given it (by the campaign's list; without one, where the holder is now). At most 1,000 cards of
 * one order. The caller's own guard says that it happens once a card, and it holds the cards (budgets come after them in
 * the lock order). An order of no campaign, or of one that used no budget, costs a look.
 */
export async function releaseForCards(
  tx: Tx,
  orderId: Id<'order'>,
  orderItemIds: readonly Id<'orderItem'>[],
): Promise<void> {
  const campaign = orderItemIds.length === 0 ? null : await readCampaignByOrder(tx, orderId)
  if (campaign === null || (await readLiveHolds(tx, campaign.id)).length === 0) return
  const items = await sql<{ holder: string; price: unknown }>(
    tx.em,
    `select holder_id as holder, price_fen as price from order_item
      where order_id = ? and id in (${orderItemIds.map(() => '?').join(',')})`,
    [orderId, ...orderItemIds],
  )
  const personIds = [...new Set(items.map((item) => item.holder))]
  const departments = await readDepartments(tx, { rosterId: campaign.rosterId ?? null, personIds })
  const share = new Map<string, Fen>()
  for (const { holder, price } of items) {
    const name = departments.get(holder) ?? ''
    share.set(name, fen((share.get(name) ?? 0) + Number(price)))
  }
  await releaseBudget(tx, campaign.id, share)
}
