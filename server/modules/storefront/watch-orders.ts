import { setTimeout as sleep } from 'node:timers/promises'
import type { Id } from '../../../contract/ids.ts'
import { storeOrderEvent } from '../../../contract/store/order.ts'
import type { Edge } from '../../kernel/context.ts'
import type { SendEvent } from '../../kernel/endpoint.ts'
import { sql } from '../../kernel/sql.ts'
import { readStoreOrder } from './read-store-orders.ts'

/** How often orders are looked at while somebody waits for one (ms): a card should be seen when it is there. */
const LOOK_MS = 100
const ORDERS_AT_ONCE = 500
/** From here on nothing more happens by itself that a buyer waits for. */
const ended = new Set(['ready', 'closed', 'refunded'])

type Waiter = (version: number) => void
/** Who waits for which order in this process. */
const waiting = new Map<Id<'order'>, Set<Waiter>>()
let looking = false

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
  let seen = await readVersion(edge, orderId)
  while (!gone.aborted) {
    const view = await edge.read((tx) => readStoreOrder(tx, orderId))
    if (!send(storeOrderEvent, view) || ended.has(view.state)) return
    seen = await changed(edge, orderId, seen, gone)
  }
}

/** Waits until an order has another version than this one, or nobody waits any more. */
function changed(edge: Edge, orderId: Id<'order'>, seen: number, gone: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    const own = waiting.get(orderId) ?? new Set()
    const end = (version: number): void => {
      own.delete(look)
      if (own.size === 0) waiting.delete(orderId)
      gone.removeEventListener('abort', left)
      resolve(version)
    }
    const look: Waiter = (version) => {
      if (version !== seen) end(version)
    }
    const left = (): void => end(seen)
    gone.addEventListener('abort', left)
    waiting.set(orderId, own.add(look))
    void lookAtAll(edge)
  })
}

/** The one round of this process: it runs while anybody waits. */
async function lookAtAll(edge: Edge): Promise<void> {
  if (looking) return
  looking = true
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
    looking = false
  }
}

async function readVersion(edge: Edge, orderId: Id<'order'>): Promise<number> {
  return (await readVersions(edge, [orderId])).get(orderId) ?? 0
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
