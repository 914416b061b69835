import type { StoreOrderState } from '../../../contract/store/order.ts'
import type { OrderState } from '../../../contract/states.ts'

/** Where an order stands, in the words of the one who bought. */
export const shownStates: Readonly<Record<OrderState, StoreOrderState>> = {
  placing: 'paying',
  awaiting_funds: 'paying',
  funded: 'making',
  issuing: 'making',
  issued: 'ready',
  closed: 'ready',
  cancelled: 'closed',
  refunding: 'refunding',
  refunded: 'refunded',
}

/** Until when an unused card may be given back (epoch ms); null: there is no such right, or nothing is paid yet. */
export const rightEndsAt = (rightMs: number, paidAtMs: number | null): number | null =>
  rightMs === 0 || paidAtMs === null ? null : paidAtMs + rightMs
