import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { readSum } from '../../kernel/columns.ts'
import { cardNumbers } from '../card/rules.ts'
import { readBrands, readVersions } from '../catalog/read-template.ts'
import { filingRefusal } from '../compliance/check-filing.ts'
import { readPricesOf } from '../order/read-order.ts'
import { readPlannedSlices, readSmallSlices } from '../order/take-slices.ts'
import { issueCards, type Issuing } from './issue-cards.ts'
import { reserveNumbers } from './reserve-numbers.ts'

/** A job's lease is a minute: after this long the rest goes to a job of its own. */
const WORK_MS = 40_000
/** Slices made side by side: while one waits for the database to flush, the other is put together. */
const SIDE_BY_SIDE = 2
const SLICES_READ_AT_ONCE = 50

/** A brand's number series, and how many cards of it the orders have: none reserves more than it can use. By brand. */
interface Series {
  readonly brandId: Id<'brand'>
  readonly keyEpoch: number
  readonly items: number
  readonly numbers: (first: number, count: number) => string[]
}

/** Numbers by brand that were reserved and not yet used. */
type Blocks = Map<Id<'brand'>, string[]>

/**
 * The body of job `order.issue`: makes the cards of a funded order, slice by slice, a transaction each, until none is
 * left. It may be killed at any point and run again, and run twice at once: a slice is issued by one transaction only.
 * After 40 seconds it hands the rest on to a job keyed by the next slice. Each run tries its first slice before it looks
 * at the clock, so that key is always a new one.
 */
export async function issueOrder(edge: Edge, orderId: Id<'order'>): Promise<void> {
  const until = edge.clock.now() + WORK_MS
  let left = await edge.read((tx) => readPlannedSlices(tx, orderId, SLICES_READ_AT_ONCE))
  if (left.length === 0) return
  const series = await edge.read((tx) => readSeries(tx, [orderId]))
  const blocks = Array.from({ length: SIDE_BY_SIDE }, () => new Map() as Blocks)
  while (left.length > 0) {
    const waiting = left.map((slice) => slice.id)
    await bothEnd(blocks.map((mine) => issueWaiting(edge, series, mine, waiting, until)))
    left = await edge.read((tx) => readPlannedSlices(tx, orderId, SLICES_READ_AT_ONCE))
    const next = left[0]
    if (next && edge.clock.now() >= until) {
      const key = `order.issue:${orderId}:${next.id}`
      return edge.tx((tx) => enqueue(tx, [{ kind: 'order.issue', key, args: { orderId }, lane: 'bulk' }]))
    }
  }
}

/** Cards of small orders that one transaction makes: what a write of SQLite may keep the others waiting for. */
const CARDS_AT_ONCE = 100

/**
 * The body of many jobs `order.issue` at once: the cards of small orders are made together, up to 100 a transaction, with
 * numbers reserved for all of them before. A larger order is issued by itself. May be killed and run again like one.
 */
export async function issueOrders(edge: Edge, orderIds: readonly Id<'order'>[]): Promise<void> {
  const small = await edge.read((tx) => readSmallSlices(tx, orderIds, CARDS_AT_ONCE))
  for (const some of upTo(CARDS_AT_ONCE, small)) await issueTogether(edge, some)
  const done = new Set(small.map((slice) => slice.orderId))
  for (const orderId of orderIds) if (!done.has(orderId)) await issueOrder(edge, orderId)
}

interface SmallSlice {
  readonly id: Id<'orderSlice'>
  readonly orderId: Id<'order'>
  readonly items: number
}

async function issueTogether(edge: Edge, slices: readonly SmallSlice[]): Promise<void> {
  const mine: Blocks = new Map()
  const series = await edge.read((tx) => readSeries(tx, [...new Set(slices.map((slice) => slice.orderId))]))
  await edge.tx(async (tx) => {
    mine.clear()
    for (const { brandId, keyEpoch, items, numbers } of series)
      mine.set(brandId, numbers(await reserveNumbers(tx, brandId, keyEpoch, items), items))
  })
  const ids = slices.map((slice) => slice.id)
  await edge.tx((tx) => issueCards(tx, issuingFrom(mine), ids))
}

/** Cuts slices into groups of at most so many items; one alone may have as many. */
function upTo(most: number, slices: readonly SmallSlice[]): SmallSlice[][] {
  const groups: SmallSlice[][] = []
  let room = 0
  for (const slice of slices) {
    const items = Number(slice.items)
    if (items > room) {
      groups.push([])
      room = most
    }
    groups.at(-1)!.push(slice)
    room -= items
  }
  return groups
}

async function issueWaiting(
  edge: Edge,
  series: readonly Series[],
  mine: Blocks,
  waiting: Id<'orderSlice'>[],
  until: number,
): Promise<void> {
  for (let slice = waiting.shift(); slice; slice = edge.clock.now() < until ? waiting.shift() : undefined) {
    for (const one of series) await fillBlock(edge, one, mine)
    const sliceId = slice
    await edge.tx((tx) => issueCards(tx, issuingFrom(mine), [sliceId]))
  }
}

/** Waits for all of them even when one fails: nothing of this job is at work any more when it is given back. */
async function bothEnd(works: readonly Promise<void>[]): Promise<void> {
  for (const ended of await Promise.allSettled(works)) if (ended.status === 'rejected') throw ended.reason
}

/** Sees to it that a whole slice finds its numbers, in a short transaction before the one that issues. */
async function fillBlock(edge: Edge, series: Series, mine: Blocks): Promise<void> {
  const left = mine.get(series.brandId)?.length ?? 0
  if (left >= Math.min(limits.cardsPerSlice, series.items)) return
  const count = Math.min(limits.numbersPerBlock, series.items)
  const first = await edge.tx((tx) => reserveNumbers(tx, series.brandId, series.keyEpoch, count))
  mine.set(series.brandId, series.numbers(first, count))
}

const issuingFrom = (mine: Blocks): Issuing => ({ nextNumber: (brandId) => takeNumber(mine, brandId) })

function takeNumber(mine: Blocks, brandId: Id<'brand'>): string {
  const number = mine.get(brandId)?.pop()
  if (number === undefined) throw new Error(`no card number of brand ${brandId} is reserved`)
  return number
}

async function readSeries(tx: Tx, orderIds: readonly Id<'order'>[]): Promise<Series[]> {
  const prices = await readPricesOf(tx, orderIds)
  const versions = await readVersions(tx, [...new Set(prices.map((price) => price.versionId))])
  await mustBeFiled(tx, orderIds, versions)
  const brandOf = new Map(versions.map((version) => [version.id, version.brandId]))
  const brands = await readBrands(tx, [...new Set(brandOf.values())])
  return brands
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((brand) => ({
      brandId: brand.id,
      keyEpoch: brand.keyEpoch,
      items: prices
        .filter((price) => brandOf.get(price.versionId) === brand.id)
        .reduce((sum, price) => sum + price.items, 0),
      numbers: cardNumbers({
        issuerPrefix: brand.issuerPrefix,
        keyEpoch: brand.keyEpoch,
        key: tx.house.numberKey(brand.id, brand.keyEpoch),
      }),
    }))
}

/**
 * Refuses cards that the filings of their brands do not allow as they stand now: the order waits with its money until
 * they do, or until it is given up.
 */
async function mustBeFiled(
  tx: Tx,
  orderIds: readonly Id<'order'>[],
  versions: Awaited<ReturnType<typeof readVersions>>,
): Promise<void> {
  const wanted = versions.map(({ id, brandId, named }) => ({
    brandId,
    named,
    faceFen: () => readPlannedFaces(tx, orderIds, id),
  }))
  const code = await filingRefusal(tx, wanted)
  if (code !== null) refuse(code, { field: 'brandId' })
}

/** What the cards of a version that these orders still lack will hold. */
async function readPlannedFaces(tx: Tx, orderIds: readonly Id<'order'>[], id: Id<'templateVersion'>): Promise<number> {
  const [row] = await sql<{ total: unknown }>(
    tx.em,
    `select sum(order_item.face_fen) as total from order_slice join order_item
        on order_item.order_id = order_slice.order_id
        and order_item.seq >= order_slice.from_seq and order_item.seq < order_slice.to_seq
      where order_slice.order_id in (${orderIds.map(() => '?').join(',')}) and order_slice.state = 'planned'
        and order_item.template_version_id = ?`,
    [...orderIds, id],
  )
  return readSum(row?.total)
}
