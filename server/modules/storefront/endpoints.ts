import type { z } from 'zod'
import type { Id } from '../../../contract/ids.ts'
import {
  BuyInput,
  Ordered,
  StoreOrderIdInput,
  StoreOrderList,
  StoreOrderListInput,
  StoreOrderView,
} from '../../../contract/store/order.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { buyerOf } from '../../kernel/tenant.ts'
import { endLock } from '../card/end-lock.ts'
import { firstReadyToPay, readyToPay } from '../funding/charge-buyer.ts'
import { findBuyersOrder } from '../order/read-order.ts'
import { giveUpStoreOrder } from './close-unpaid.ts'
import { findOwnCard, readStoreOrder, readStoreOrders, readJustNow } from './read-store-orders.ts'
import { refundStoreOrder } from './refund-store-order.ts'
import { buyCard } from './store-desk.ts'
import { watchStoreOrder } from './watch-orders.ts'

const keyIn = (http: Http): string => http.idempotencyKey ?? refuse('idempotency_key_missing')

/** Orders, and asks WeChat Pay for what the phone needs; whoever presses again gets the same order. */
async function buy(edge: Edge, wish: z.output<typeof BuyInput>, key: string): Promise<Ordered> {
  const { orderId, charge } = await buyCard(edge, wish, key)
  if (charge === null) return toPay(edge, orderId)
  // WeChat Pay takes longer than the database, which is asked meanwhile.
  const [{ view }, pay] = await Promise.all([readJustNow(edge, orderId), firstReadyToPay(edge, charge)])
  return pay === null ? toPay(edge, orderId) : { order: { ...view, nowMs: edge.clock.now() }, pay }
}

/** The order, and what the phone needs to pay it now. */
async function toPay(edge: Edge, orderId: Id<'order'>): Promise<Ordered> {
  const pay = await readyToPay(edge, orderId)
  return { order: await edge.read((tx) => readStoreOrder(tx, orderId)), pay }
}

async function useNow(tx: Tx, orderId: Id<'order'>): Promise<StoreOrderView> {
  await findBuyersOrder(tx, orderId)
  const holder = { companyId: null, holderId: buyerOf(tx.actor) }
  const card = (await findOwnCard(tx, orderId, holder)) ?? refuse('not_found')
  await endLock(tx, holder, card.id)
  return readStoreOrder(tx, orderId)
}

const readEndpoints = [
  endpoint({
    ...({ method: 'GET', path: '/store/orders', may: 'buyer.read', scope: 'read' } as const),
    input: StoreOrderListInput,
    output: StoreOrderList,
    run: (tx, page) => readStoreOrders(tx, page),
  }),
  endpoint({
    ...({ method: 'GET', path: '/store/orders/:id', may: 'buyer.read', scope: 'read' } as const),
    input: StoreOrderIdInput,
    output: StoreOrderView,
    run: (tx, { id }) => readStoreOrder(tx, id),
  }),
  endpoint({
    ...({ method: 'GET', path: '/store/orders/:id/events', may: 'buyer.read', scope: 'edge' } as const),
    ...({ input: StoreOrderIdInput, output: 'stream' } as const),
    run: async (edge, { id }, http) => {
      const first = await readJustNow(edge, id)
      http.sse((send, gone) => watchStoreOrder(edge, first, send, gone))
    },
  }),
]

export const storefrontEndpoints: readonly Endpoint[] = [
  ...readEndpoints,
  endpoint({
    ...({ method: 'POST', path: '/store/orders', may: 'buyer.act', scope: 'edge', body: 'json' } as const),
    idempotent: true,
    input: BuyInput,
    output: Ordered,
    run: (edge, wish, http) => buy(edge, wish, keyIn(http)),
  }),
  endpoint({
    ...({ method: 'POST', path: '/store/orders/:id/pay', may: 'buyer.act', scope: 'edge' } as const),
    input: StoreOrderIdInput,
    output: Ordered,
    run: async (edge, { id }) => {
      await edge.read((tx) => findBuyersOrder(tx, id))
      return toPay(edge, id)
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/store/orders/:id/cancel', may: 'buyer.act', scope: 'tx' } as const),
    input: StoreOrderIdInput,
    output: StoreOrderView,
    run: async (tx, { id }) => {
      await giveUpStoreOrder(tx, id)
      return readStoreOrder(tx, id)
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/store/orders/:id/refund', may: 'buyer.act', scope: 'tx' } as const),
    idempotent: true,
    input: StoreOrderIdInput,
    output: StoreOrderView,
    run: async (tx, { id }, http) => {
      await once(tx, `store.refund:${buyerOf(tx.actor)}`, keyIn(http), { id }, () => refundStoreOrder(tx, id))
      return readStoreOrder(tx, id)
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/store/orders/:id/use-now', may: 'buyer.act', scope: 'tx' } as const),
    input: StoreOrderIdInput,
    output: StoreOrderView,
    run: (tx, { id }) => useNow(tx, id),
  }),
]
