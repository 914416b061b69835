import { setTimeout as sleep } from 'node:timers/promises'
import type { Id } from '../../../contract/ids.ts'
import { storeOrderEvent } from '../../../contract/store/order.ts'
import type { Edge } from '../../kernel/context.ts'
import type { SendEvent } from '../../kernel/endpoint.ts'
import type { House } from '../../kernel/house.ts'
import { sql } from '../../kernel/sql.ts'
import { readShown, type ShownOrder } from './read-store-orders.ts'

/** How often orders are looked at while somebody waits for one (ms): a card should be seen when it is there. */
const LOOK_MS = 50
const ORDERS_AT_ONCE = 500
/** From here on nothing more happens by itself that a buyer waits for. */
const ended = new Set(['ready', 'closed', 'refunded'])

/** Somebody who has seen this version of an order, and is told of the next one; of null when nobody looks any more. */
interface Waiter {
  readonly seen: number
  readonly tell: (shown: ShownOrder | null) => void
}
/** Who waits for which order in this process, of one house. */
interface Watch {
  readonly waiting: Map<Id<'order'>, Set<Waiter>>
  isLooking: boolean
}
const watches = new WeakMap<House, Watch>()

/**
 * Sends an order as it was read for the one who asks, and whenever it changed, until it is through or they leave. However many wait,
 * one question in a twentieth of a second asks about all their orders: money, cards and refunds move the order's version.
 */
export async function watchStoreOrder(
  edge: Edge,
  first: ShownOrder,
  send: SendEvent,
  gone: AbortSignal,
): Promise<void> {
  for (let shown: ShownOrder | null = first; shown !== null && !gone.aborted;) {
    const { view, version }: ShownOrder = shown
    if (!send(storeOrderEvent, view) || ended.has(view.state)) return
    shown = await nextOf(edge, view.id, version, gone)
  }
}

function watchOf({ house }: Edge): Watch {
  const watch = watches.get(house) ?? { waiting: new Map(), isLooking: false }
  watches.set(house, watch)
  return watch
}

/** Waits until an order has another version than this one; null when nobody waits any more. */
function nextOf(edge: Edge, orderId: Id<'order'>, seen: number, gone: AbortSignal): Promise<ShownOrder | null> {
  const { waiting } = watchOf(edge)
  return new Promise((resolve) => {
    const own = waiting.get(orderId) ?? new Set()
    const end = (shown: ShownOrder | null): void => {
      own.delete(waiter)
      if (own.size === 0) waiting.delete(orderId)
      gone.removeEventListener('abort', left)
      resolve(shown)
    }
    const left = (): void => end(null)
    const waiter: Waiter = { seen, tell: end }
    gone.addEventListener('abort', left)
    waiting.set(orderId, own.add(waiter))
    void lookAtAll(edge)
  })
}

/** The one round of this house in this process: it runs while anybody waits. */
async function lookAtAll(edge: Edge): Promise<void> {
  const watch = watchOf(edge)
  if (watch.isLooking) return
  watch.isLooking = true
  const { waiting } = watch
  try {
    while (waiting.size > 0) {
      const ids = [...waiting.keys()]
      for (let from = 0; from < ids.length; from += ORDERS_AT_ONCE)
        await lookAt(edge, waiting, ids.slice(from, from + ORDERS_AT_ONCE))
      await sleep(LOOK_MS, undefined, { ref: false })
    }
  } catch (error) {
    // Whoever waits asks again: their streams end, and pages open them anew.
    edge.log.warn({ err: error }, 'orders could not be looked at')
    for (const waiters of waiting.values()) for (const { tell } of waiters) tell(null)
  } finally {
    watch.isLooking = false
  }
}

/** Each stands in `waiting` for one whose right to see the order was checked when they came. */
async function lookAt(edge: Edge, waiting: Watch['waiting'], ids: readonly Id<'order'>[]): Promise<void> {
  const versions = await readVersions(edge, ids)
  const isNews = (id: Id<'order'>, { seen }: Waiter): boolean => versions.has(id) && versions.get(id) !== seen
  const changed = ids.filter((id) => [...(waiting.get(id) ?? [])].some((waiter) => isNews(id, waiter)))
  if (changed.length === 0) return
  for (const [id, shown] of await edge.read((tx) => readShown(tx, changed)))
    for (const waiter of waiting.get(id) ?? []) if (waiter.seen !== shown.version) waiter.tell(shown)
}

async function readVersions(edge: Edge, ids: readonly Id<'order'>[]): Promise<Map<Id<'order'>, number>> {
  const rows = await edge.read((tx) =>
    sql<{ id: Id<'order'>; version: unknown }>(
      tx.em,
      `select id, version from orders where id in (${ids.map(() => '?').join(',')})`,
      ids,
    ),
  )
  return new Map(rows.map(({ id, version }) => [id, Number(version)]))
}
