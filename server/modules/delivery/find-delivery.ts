import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { Delivery, type DeliveryRow } from './tables.ts'

/** One head of a campaign of the actor's company; anything else is 404. */
export const findOwnDelivery = (tx: Tx, id: Id<'delivery'>): Promise<DeliveryRow> => findOwn(tx, Delivery, id)
