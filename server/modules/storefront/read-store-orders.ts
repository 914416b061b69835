import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import { cardStateAt, type CardState, type GiftState, type OrderState } from '../../../contract/states.ts'
import type { StoreOrderView } from '../../../contract/store/order.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { readInGroups } from '../../kernel/in-groups.ts'
import { sql } from '../../kernel/sql.ts'
import { buyerOf } from '../../kernel/tenant.ts'
import type { Holder } from '../card/read-card.ts'
import { coverLink } from '../cover/cover-link.ts'
import { readSeriesNumbers } from '../shelf/read-series.ts'
import { rightEndsAt, shownStates } from './rules.ts'
import { openGreeting } from './seal-words.ts'

interface Row {
  readonly id: Id<'order'>
  readonly buyerId: Id<'buyer'>
  readonly state: OrderState
  readonly version: unknown
  readonly itemId: Id<'orderItem'>
  readonly face: unknown
  readonly price: unknown
  readonly listingId: Id<'listing'>
  readonly title: string
  readonly giftable: unknown
  readonly series: unknown
  readonly brandId: Id<'brand'>
  readonly brandName: string
  readonly scope: string
  readonly channel: StoreOrderView['channel']
  readonly cover: StoreOrderView['cover']
  readonly pictureId: Id<'cover'> | null
  readonly greeting: Uint8Array
  readonly forFriend: unknown
  readonly rightMs: unknown
  readonly closes: unknown
  readonly created: unknown
  readonly paid: unknown
  readonly cardId: Id<'card'> | null
  readonly holderId: string | null
  readonly cardState: CardState | null
  readonly balance: unknown
  readonly held: unknown
  readonly depth: unknown
  readonly locked: unknown
  readonly expires: unknown
}

/** An order of the buyer who asks, as it stands at this instant. Anybody else's is `not_found`. */
export const readStoreOrder = async (tx: Tx, orderId: Id<'order'>): Promise<StoreOrderView> =>
  (await present(tx, await readRows(tx, 'orders.buyer_id = ? and orders.id = ?', [buyerOf(tx.actor), orderId])))[0] ??
  refuse('not_found')

/** An order as its buyer sees it, and its version that this shows. */
export interface ShownOrder {
  readonly buyerId: Id<'buyer'>
  readonly view: StoreOrderView
  readonly version: number
}

/** The same where many ask in one moment: they are answered together. */
export async function readJustNow(edge: Edge, orderId: Id<'order'>): Promise<ShownOrder> {
  const shown = await readOne(edge, orderId)
  return shown?.buyerId === buyerOf(edge.actor) ? shown : refuse('not_found')
}
/** Whoever has just ordered waits twice as long for WeChat Pay, and whoever opens a stream waits for what is to come. */
const LOOK_PACE_MS = 25
const readOne = readInGroups(
  async (tx, orderIds: readonly Id<'order'>[]) => {
    const shown = await readShown(tx, orderIds)
    return orderIds.map((id) => shown.get(id))
  },
  { paceMs: LOOK_PACE_MS },
)

/** Orders of any buyers, each as its own sees it, by two questions. Whose they are, and who may see them, is for the caller to know. */
export async function readShown(
  tx: Tx,
  orderIds: readonly Id<'order'>[],
): Promise<ReadonlyMap<Id<'order'>, ShownOrder>> {
  if (orderIds.length === 0) return new Map()
  const rows = await readRows(tx, `orders.id in (${marks(orderIds)})`, orderIds)
  const views = await present(tx, rows)
  return new Map(
    rows.map(({ id, buyerId, version }, index) => [id, { buyerId, view: views[index]!, version: Number(version) }]),
  )
}

/** A page of what the buyer who asks has bought, newest first, from before `cursor` on. */
export async function readStoreOrders(
  tx: Tx,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
): Promise<{ orders: StoreOrderView[]; nextCursor: string | null }> {
  const rows = await readRows(
    tx,
    `orders.buyer_id = ? ${cursor === undefined ? '' : 'and orders.id < ?'} order by orders.id desc limit ${limit + 1}`,
    [buyerOf(tx.actor), ...(cursor === undefined ? [] : [cursor])],
  )
  const shown = rows.slice(0, limit)
  return { orders: await present(tx, shown), nextCursor: rows.length > limit ? shown.at(-1)!.id : null }
}

/** The card of an order while it is still this holder's; null: it is not made yet, or somebody else's by now. */
export async function findOwnCard(
  tx: Tx,
  orderId: Id<'order'>,
  { holderId }: Holder,
): Promise<{ readonly id: Id<'card'> } | null> {
  const [card] = await sql<{ id: Id<'card'> }>(
    tx.em,
    `select card.id as id from card join order_item on order_item.id = card.order_item_id
      where order_item.order_id = ? and card.holder_id = ?`,
    [orderId, holderId],
  )
  return card ?? null
}

async function readRows(tx: Tx, which: string, values: readonly string[]): Promise<Row[]> {
  return sql<Row>(
    tx.em,
    `select orders.id as id, orders.buyer_id as buyerId, orders.state as state, orders.version as version, order_item.id as itemId, order_item.face_fen as face,
        order_item.price_fen as price, store_order.listing_id as listingId, listing.title as title,
        listing.giftable as giftable, listing.series as series, brand.id as brandId, brand.name as brandName, template_version.scope as scope,
        store_order.channel as channel, store_order.cover as cover, store_order.picture_id as pictureId,
        store_order.greeting_sealed as greeting, store_order.for_friend as forFriend, store_order.right_ms as rightMs,
        store_order.closes_at_ms as closes, store_order.created_at_ms as created, payment.paid_at_ms as paid,
        card.id as cardId, card.holder_id as holderId, card.state as cardState, card.balance_fen as balance,
        card.held_fen as held, card.gift_depth as depth, card.locked_until_ms as locked, card.expires_at_ms as expires
      from orders join store_order on store_order.order_id = orders.id
        join order_item on order_item.order_id = orders.id
        join listing on listing.id = store_order.listing_id
        join template_version on template_version.id = order_item.template_version_id
        join brand on brand.id = template_version.brand_id
        left join payment on payment.order_id = orders.id
        left join card on card.order_item_id = order_item.id
      where ${which}`,
    values,
  )
}

const idsOf = (rows: readonly Row[]): Id<'order'>[] => rows.map(({ id }) => id)
/** States of an order some of whose money may be on its way back. */
const mayBeRefunded: ReadonlySet<OrderState> = new Set(['cancelled', 'refunding', 'refunded'])

async function present(tx: Tx, rows: readonly Row[]): Promise<StoreOrderView[]> {
  const made = rows.filter(({ cardId }) => cardId !== null)
  const gifts = await readGifts(tx, idsOf(made))
  const refunds = await readRefunds(tx, idsOf(rows.filter(({ state }) => mayBeRefunded.has(state))))
  const numbers = await readSeriesNumbers(
    tx,
    made.filter(({ series }) => Number(series) === 1).map(({ itemId }) => itemId),
  )
  return rows.map((row) => {
    const state = shownStates[row.state]
    const paidAtMs = numberOrNull(row.paid)
    const own = ownCard(tx, row)
    const rightUntilMs = rightEndsAt(Number(row.rightMs), paidAtMs)
    const series = numbers.get(row.itemId)
    return {
      id: row.id,
      listingId: row.listingId,
      state,
      title: row.title,
      brandId: row.brandId,
      brandName: row.brandName,
      faceFen: fen(Number(row.face)),
      priceFen: fen(Number(row.price)),
      cover: row.cover,
      pictureUrl: row.pictureId === null ? null : coverLink(tx, row.pictureId, 'owner'),
      greeting: openGreeting(tx, row.id, row.greeting),
      forFriend: Number(row.forFriend) === 1,
      channel: row.channel,
      scope: row.scope,
      seriesNumber: series?.number ?? null,
      seriesSize: series?.size ?? null,
      createdAtMs: Number(row.created),
      closesAtMs: Number(row.closes),
      paidAtMs,
      cardId: own?.id ?? null,
      lockedUntilMs: own === null || own.lockedUntilMs === 0 ? null : own.lockedUntilMs,
      rightUntilMs: own === null ? null : rightUntilMs,
      expiresAtMs: own?.expiresAtMs ?? null,
      may: mayOf(tx, row, own, { state, rightUntilMs, offered: gifts.get(row.id)?.state === 'offered' }),
      gift: gifts.get(row.id) ?? null,
      refund: refunds.get(row.id) ?? null,
      nowMs: tx.clock.now(),
    }
  })
}

/** The card while it is the buyer's own. */
function ownCard(tx: Tx, row: Row) {
  if (row.cardId === null || row.cardState === null || row.holderId !== row.buyerId) return null
  const facts = { state: row.cardState, lockedUntilMs: Number(row.locked), expiresAtMs: numberOrNull(row.expires) }
  return { id: row.cardId, ...facts, view: cardStateAt(facts, tx.clock.now()) }
}

function mayOf(
  tx: Tx,
  row: Row,
  card: ReturnType<typeof ownCard>,
  by: {
    readonly state: StoreOrderView['state']
    readonly rightUntilMs: number | null
    readonly offered: boolean
  },
): StoreOrderView['may'] {
  const now = tx.clock.now()
  const waits = by.state === 'paying'
  const whole = card !== null && Number(row.balance) === Number(row.face) && card.state !== 'refunded'
  // A present that is on its way holds all of it, and is taken back when the card goes back.
  const returnable = whole && (Number(row.held) === 0 || by.offered)
  const inDays = by.rightUntilMs !== null && now < by.rightUntilMs
  const inLock = card?.view === 'locked'
  return {
    pay: waits && now < Number(row.closes),
    cancel: waits,
    refund: !returnable ? null : inLock ? 'cooling_off' : inDays ? 'right' : null,
    useNow: inLock,
    give:
      card !== null &&
      (card.view === 'active' || card.view === 'locked') &&
      Number(row.balance) > 0 &&
      Number(row.held) === 0 &&
      Number(row.giftable) === 1 &&
      Number(row.depth) < limits.boughtGiftDepth,
    invoice: by.state === 'making' || by.state === 'ready',
  }
}

async function readGifts(tx: Tx, orderIds: readonly Id<'order'>[]) {
  if (orderIds.length === 0) return new Map<Id<'order'>, NonNullable<StoreOrderView['gift']>>()
  const rows = await sql<{ orderId: Id<'order'>; id: Id<'gift'>; state: GiftState }>(
    tx.em,
    `select order_item.order_id as orderId, gift.id as id, gift.state as state from order_item
        join orders on orders.id = order_item.order_id
        join card on card.order_item_id = order_item.id join gift on gift.card_id = card.id
      where order_item.order_id in (${marks(orderIds)}) and gift.from_id = orders.buyer_id order by gift.id`,
    orderIds,
  )
  // The last one counts.
  return new Map(rows.map(({ orderId, id, state }) => [orderId, { id, state }]))
}

async function readRefunds(tx: Tx, orderIds: readonly Id<'order'>[]) {
  if (orderIds.length === 0) return new Map<Id<'order'>, NonNullable<StoreOrderView['refund']>>()
  const rows = await sql<{ orderId: Id<'order'>; amount: unknown; at: unknown; done: unknown }>(
    tx.em,
    `select order_id as orderId, amount_fen as amount, requested_at_ms as at, done_at_ms as done from refund
      where order_id in (${marks(orderIds)}) and state <> 'rejected' order by id`,
    orderIds,
  )
  return new Map(
    rows.map(({ orderId, amount, at, done }) => [
      orderId,
      { amountFen: fen(Number(amount)), atMs: Number(at), doneAtMs: numberOrNull(done) },
    ]),
  )
}

const marks = (list: readonly unknown[]): string => list.map(() => '?').join(',')
const numberOrNull = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value))
