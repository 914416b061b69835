import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { RefundRoute } from '../../../contract/refunds.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readTermsAt } from '../catalog/read-terms.ts'
import { cutRefund, readRefundable } from '../funding/book-refund.ts'
import type { OwedOfBrand } from './plan-parts.ts'
import { routeOf, type PaymentSource } from './rules.ts'

/**
 * Cards of a campaign that nobody has looked at and that are still whose they were made for, by whose message stands where.
 * What was passed on or bound is somebody else's by now, whatever became of the message.
 */
const unopenedCards = `from order_item join card on card.order_item_id = order_item.id
  join campaign on campaign.order_id = order_item.order_id
  left join delivery on delivery.campaign_id = campaign.id and delivery.person_id = order_item.holder_id
  where campaign.id = ? and card.state in ('active', 'frozen') and card.holder_id = order_item.holder_id
    and (delivery.state is null or delivery.state not in ('opened', 'claimed'))`

/** The next cards, by id, with their holders. */
export function readUnopened(tx: Tx, campaignId: Id<'campaign'>, afterId: string, most: number) {
  return sql<{ cardId: Id<'card'>; personId: Id<'person'> }>(
    tx.em,
    `select card.id as cardId, order_item.holder_id as personId ${unopenedCards} and card.id > ? order by card.id limit ?`,
    [campaignId, afterId, most],
  )
}

/** What would go back over one way. */
export interface BackBySource {
  readonly source: PaymentSource
  readonly route: RefundRoute
  readonly fen: Fen
}

/** What taking back a campaign's unopened cards would do, as things stand now. */
export interface Takable {
  readonly cards: number
  /** Nobody looked at them, but part of them is used or held: they stay. */
  readonly keptCards: number
  readonly priceFen: Fen
  readonly sources: readonly BackBySource[]
  /** The same with a wallet credit where brands agreed to it; null where none did. */
  readonly sourcesToWallet: readonly BackBySource[] | null
}

export async function readTakable(
  tx: Tx,
  campaignId: Id<'campaign'>,
  order: { readonly id: Id<'order'>; readonly createdAtMs: number },
): Promise<Takable> {
  const rows = await sql<{ brandId: Id<'brand'>; whole: unknown; cards: unknown; price: unknown }>(
    tx.em,
    `select card.brand_id as brandId, case when card.balance_fen = card.face_fen and card.held_fen = 0 then 1 else 0 end as whole,
        count(*) as cards, sum(order_item.price_fen) as price ${unopenedCards}
      group by card.brand_id, case when card.balance_fen = card.face_fen and card.held_fen = 0 then 1 else 0 end`,
    [campaignId],
  )
  const whole = rows.filter((row) => Number(row.whole) === 1)
  const cards = (some: typeof rows) => some.reduce((sum, row) => sum + readSum(row.cards), 0)
  const owed = whole.map((row) => ({ brandId: row.brandId, fen: fen(readSum(row.price)) }))
  return { cards: cards(whole), keptCards: cards(rows) - cards(whole), ...(await readBack(tx, order, owed)) }
}

/** Over which ways the money of an order's brands would go back, as things stand now. */
export async function readBack(
  tx: Tx,
  order: { readonly id: Id<'order'>; readonly createdAtMs: number },
  owed: readonly OwedOfBrand[],
): Promise<Pick<Takable, 'priceFen' | 'sources' | 'sourcesToWallet'>> {
  const brandIds = owed.map((one) => one.brandId)
  const terms = await readTermsAt(tx, brandIds, order.createdAtMs)
  const agreed = new Set(brandIds.filter((id) => terms.get(id)?.walletCredit === true))
  return {
    priceFen: sumFen(owed.map((one) => one.fen)),
    sources: await readSources(tx, order.id, owed, new Set()),
    sourcesToWallet: agreed.size === 0 ? null : await readSources(tx, order.id, owed, agreed),
  }
}

async function readSources(
  tx: Tx,
  orderId: Id<'order'>,
  owed: readonly OwedOfBrand[],
  toWallet: ReadonlySet<Id<'brand'>>,
): Promise<BackBySource[]> {
  const left = await readRefundable(tx, orderId)
  const sums = new Map<string, BackBySource>()
  for (const { brandId, fen: amount } of owed) {
    const parts = left.filter((part) => part.brandId === brandId)
    for (const { part, fen: share } of cutRefund(amount, parts) ?? []) {
      const { source } = part.payment
      const route = routeOf(source, toWallet.has(brandId))
      const known = sums.get(`${source} ${route}`)
      sums.set(`${source} ${route}`, { source, route, fen: sumFen([known?.fen ?? 0, share]) })
    }
  }
  return [...sums.values()].sort((a, b) => (a.source < b.source ? -1 : 1))
}
