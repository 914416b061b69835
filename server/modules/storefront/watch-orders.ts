import { setTimeout as sleep } from 'node:timers/promises'
import type { Id } from '../../../contract/ids.ts'
import { storeOrderEvent } from '../../../contract/store/order.ts'
import type { Edge } from '../../kernel/context.ts'
import type { SendEvent } from '../../kernel/endpoint.ts'
import type { House } from '../../kernel/house.ts'
import { sql } from '../../kernel/sql.ts'
import { readVersioned } from './read-store-orders.ts'

/** How often orders are looked at while somebody waits for one (ms): a card should be seen when it is there. */
const LOOK_MS = 100
const ORDERS_AT_ONCE = 500
/** From here on nothing more happens by itself that a buyer waits for. */
const ended = new Set(['ready', 'closed', 'refunded'])

type Waiter = (version: number) => void
/** Who waits for which order in this process, of one house. */
interface Watch {
  readonly waiting: Map<Id<'order'>, Set<Waiter>>
  isLooking: boolean
}
const watches = new WeakMap<House, Watch>()

/**
 * Sends an order of the buyer who asks now, and whenever it changed, until it is through or they leave. However many wait, one
 * question in a tenth of a second asks about all their orders: money, cards and refunds move the order's version.
 */
export async function watchStoreOrder(
  edge: Edge,
  orderId: Id<'order'>,
  send: SendEvent,
  gone: AbortSignal,
): Promise<void> {
  while (!gone.aborted) {
    const { view, version } = await edge.read((tx) => readVersioned(tx, orderId))
    if (!send(storeOrderEvent, view) || ended.has(view.state)) return
    await changed(edge, orderId, version, gone)
  }
}

function watchOf({ house }: Edge): Watch {
  const watch = watches.get(house) ?? { waiting: new Map(), isLooking: false }
  watches.set(house, watch)
  return watch
}

/** Waits until an order has another version than this one, or nobody waits any more. */
function changed(edge: Edge, orderId: Id<'order'>, seen: number, gone: AbortSignal): Promise<void> {
  const { waiting } = watchOf(edge)
  return new Promise((resolve) => {
    const own = waiting.get(orderId) ?? new Set()
    const end = (): void => {
      own.delete(look)
      if (own.size === 0) waiting.delete(orderId)
      gone.removeEventListener('abort', end)
      resolve()
    }
    const look: Waiter = (version) => {
      if (version !== seen) end()
    }
    gone.addEventListener('abort', end)
    waiting.set(orderId, own.add(look))
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
        for (const [id, version] of await readVersions(edge, ids.slice(from, from + ORDERS_AT_ONCE)))
          for (const look of waiting.get(id) ?? []) look(version)
      await sleep(LOOK_MS, undefined, { ref: false })
    }
  } catch (error) {
    // Whoever waits asks again: their streams end, and pages open them anew.
    edge.log.warn({ err: error }, 'orders could not be looked at')
    for (const looks of waiting.values()) for (const look of looks) look(-1)
  } finally {
    watch.isLooking = false
  }
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
