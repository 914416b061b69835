import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { orderMoves, type OrderState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { dialectOf, sql, updateRows } from '../../kernel/sql.ts'
import { trailMany, type TrailNote } from '../../kernel/trail.ts'

/** A slice that this transaction issues: its items in order, and what the rest of the order needs to know. */
export interface TakenSlice {
  readonly id: Id<'orderSlice'>
  readonly orderId: Id<'order'>
  readonly companyId: Id<'company'> | null
  /** When the order was placed: the terms of that instant hold. */
  readonly orderedAtMs: number
  readonly fromSeq: number
  readonly toSeq: number
  readonly items: readonly TakenItem[]
}

export interface TakenItem {
  readonly id: Id<'orderItem'>
  readonly holderId: string
  readonly templateVersionId: Id<'templateVersion'>
  /** From which place on the shelf it was bought; null: not from the shelf. */
  readonly listingId: Id<'listing'> | null
  readonly faceFen: Fen
  readonly priceFen: Fen
}

/**
 * Planned slices of an order, first ones first: the work that is left after any stop. Empty when the order is not
 * funded or takes no more cards.
 */
export async function readPlannedSlices(tx: Tx, orderId: Id<'order'>, most: number) {
  return sql<{ id: Id<'orderSlice'> }>(
    tx.em,
    "select order_slice.id as id from order_slice join orders on orders.id = order_slice.order_id where order_slice.order_id = ? and order_slice.state = 'planned' and orders.state in ('funded', 'issuing') order by order_slice.from_seq limit ?",
    [orderId, most],
  )
}

/** Planned slices of many orders that are funded and have so few items that one transaction makes several orders' cards. */
export async function readSmallSlices(tx: Tx, orderIds: readonly Id<'order'>[], mostItems: number) {
  if (orderIds.length === 0) return []
  return sql<{ id: Id<'orderSlice'>; orderId: Id<'order'>; items: number }>(
    tx.em,
    `select order_slice.id as id, orders.id as orderId, orders.item_count as items from orders join order_slice on order_slice.order_id = orders.id and order_slice.state = 'planned' where orders.id in (${slots(orderIds)}) and orders.state in ('funded', 'issuing') and orders.item_count <= ? order by order_slice.id`,
    [...orderIds, mostItems],
  )
}

const slots = (values: readonly unknown[]): string => values.map(() => '?').join(',')

/**
 * Takes slices for issuing, in the transaction that issues them; those that were issued before or whose order is not
 * funded are left out. The slices are held in the order of their ids. The order rows are read here without a lock, so
 * that slices of one order are made side by side: `spendFunds` asks again, under the lock, at the end of the same
 * transaction.
 */
export async function takeSlices(tx: Tx, sliceIds: readonly Id<'orderSlice'>[]): Promise<TakenSlice[]> {
  const held = await holdSlices(tx, sliceIds)
  const orders = await readFunded(tx, [...new Set(held.map((slice) => slice.orderId))])
  const taken = held.filter((slice) => orders.has(slice.orderId))
  if (taken.length === 0) return []
  const rows = taken.map(({ id }) => ({ id, at_ms: tx.clock.now() }))
  const set = "state = 'issued', issued_at_ms = new_at_ms"
  const changed = await updateRows(tx.em, 'order_slice', rows, { set, where: "state = 'planned'" })
  if (changed !== rows.length) throw new Error(`${changed} of ${rows.length} slices were taken`)
  const items = await readItems(tx, taken)
  return taken.map((slice) => ({ ...slice, ...orders.get(slice.orderId)!, items: items.get(slice.id) ?? [] }))
}

type HeldSlice = Pick<TakenSlice, 'id' | 'orderId' | 'fromSeq' | 'toSeq'>

/** Planned slices, held until the end of the transaction; SQLite's writer holds all there is from its beginning. */
async function holdSlices(tx: Tx, sliceIds: readonly Id<'orderSlice'>[]): Promise<HeldSlice[]> {
  const ids = [...new Set(sliceIds)].sort()
  if (ids.length === 0) return []
  const [index, hold] = dialectOf(tx.em) === 'mysql' ? ['force index (primary)', 'for update'] : ['', '']
  const rows = await sql<{
    id: Id<'orderSlice'>
    order_id: Id<'order'>
    from_seq: number
    to_seq: number
    state: string
  }>(
    tx.em,
    `select id, order_id, from_seq, to_seq, state from order_slice ${index} where id in (${slots(ids)}) order by id ${hold}`,
    ids,
  )
  return rows
    .filter((row) => row.state === 'planned')
    .map((row) => ({ id: row.id, orderId: row.order_id, fromSeq: Number(row.from_seq), toSeq: Number(row.to_seq) }))
}

async function readFunded(tx: Tx, orderIds: readonly Id<'order'>[]) {
  if (orderIds.length === 0) return new Map<Id<'order'>, Pick<TakenSlice, 'companyId' | 'orderedAtMs'>>()
  const rows = await sql<{ id: Id<'order'>; company_id: Id<'company'> | null; created_at_ms: unknown }>(
    tx.em,
    `select id, company_id, created_at_ms from orders where id in (${slots(orderIds)}) and state in ('funded', 'issuing')`,
    orderIds,
  )
  return new Map(rows.map((row) => [row.id, { companyId: row.company_id, orderedAtMs: Number(row.created_at_ms) }]))
}

/** The items of slices, in order: each slice is a range of the index over order and sequence number. */
async function readItems(tx: Tx, slices: readonly HeldSlice[]): Promise<Map<Id<'orderSlice'>, TakenItem[]>> {
  const rows = await sql<{
    id: Id<'orderItem'>
    order_id: Id<'order'>
    seq: unknown
    holder_id: string
    version: Id<'templateVersion'>
    listing: Id<'listing'> | null
    face: unknown
    price: unknown
  }>(
    tx.em,
    `select id, order_id, seq, holder_id, template_version_id as version, listing_id as listing, face_fen as face, price_fen as price from order_item where ${slices.map(() => '(order_id = ? and seq >= ? and seq < ?)').join(' or ')} order by order_id, seq`,
    slices.flatMap((slice) => [slice.orderId, slice.fromSeq, slice.toSeq]),
  )
  const byOrder = Map.groupBy(slices, (slice) => slice.orderId)
  const items = new Map<Id<'orderSlice'>, TakenItem[]>(slices.map((slice) => [slice.id, []]))
  for (const row of rows) {
    const seq = Number(row.seq)
    const slice = byOrder.get(row.order_id)!.find((one) => seq >= one.fromSeq && seq < one.toSeq)
    items.get(slice!.id)!.push({
      id: row.id,
      holderId: row.holder_id,
      templateVersionId: row.version,
      listingId: row.listing,
      faceFen: fen(Number(row.face)),
      priceFen: fen(Number(row.price)),
    })
  }
  return items
}

/**
 * Turns secured money of orders into issued price: an order moves to `issuing` with its first slice and to `issued` with
 * its last; gives the orders that are issued now. Call it late, for it holds their rows until the commit. Throws when the
 * money is not there or an order takes no more cards.
 */
export async function spendFunds(tx: Tx, prices: ReadonlyMap<Id<'order'>, Fen>): Promise<ReadonlySet<Id<'order'>>> {
  const ids = [...prices.keys()].sort()
  if (ids.length === 0) return new Set()
  const spent = await updateRows(
    tx.em,
    'orders',
    ids.map((id) => ({ id, price_fen: prices.get(id)! })),
    {
      set: 'issued_fen = issued_fen + new_price_fen, version = version + 1',
      where: "state in ('funded', 'issuing') and secured_fen - issued_fen - returned_fen >= new_price_fen",
    },
  )
  if (spent !== ids.length)
    throw new Error(`orders ${ids.join()}: cards cost more than what is secured, or one takes no more cards`)
  // Ours by now: what they say cannot change before we commit. Slices that others make are planned until they commit.
  const rows = await sql<{ id: Id<'order'>; state: OrderState; more: unknown }>(
    tx.em,
    `select id, state, exists (select 1 from order_slice where order_id = orders.id and state = 'planned') as more from orders where id in (${slots(ids)})`,
    ids,
  )
  const steps = rows.map(({ id, state, more }) => ({ id, from: state, ends: Number(more) === 0 }))
  await moveOn(tx, steps)
  return new Set(steps.filter((step) => step.ends).map((step) => step.id))
}

interface Step {
  readonly id: Id<'order'>
  readonly from: OrderState
  readonly ends: boolean
}

/** funded -> issuing -> issued, as far as each order goes, by one statement and one of the trail. */
async function moveOn(tx: Tx, steps: readonly Step[]): Promise<void> {
  const paths = steps.map(({ id, from, ends }) => {
    const path: OrderState[] = [
      from,
      ...(from === 'funded' ? (['issuing'] as const) : []),
      ...(ends ? (['issued'] as const) : []),
    ]
    return { id, path }
  })
  const moving = paths.filter(({ path }) => path.length > 1).sort((a, b) => (a.id < b.id ? -1 : 1))
  const rows = moving.map(({ id, path }) => ({ id, from_state: path[0]!, to_state: path.at(-1)! }))
  const moved = await updateRows(tx.em, 'orders', rows, {
    set: 'state = new_to_state, version = version + 1',
    where: 'state = new_from_state',
  })
  if (moved !== rows.length) throw new Error(`orders: ${moved} of ${rows.length} moved on`)
  await trailMany(
    tx,
    moving.flatMap(({ id, path }) => path.slice(1).map((to, index) => stepNote(id, path[index]!, to))),
  )
}

function stepNote(id: Id<'order'>, from: OrderState, to: OrderState): TrailNote {
  if (!orderMoves[from].includes(to)) throw new Error(`orders: no move ${from} -> ${to}`)
  return { objectId: id, act: `orders.${to}`, fromState: from, toState: to }
}
