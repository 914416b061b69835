import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { correctPerson } from '../staff/correct-person.ts'
import { planAgain } from './resend-deliveries.ts'
import { Delivery } from './tables.ts'

export interface Correction {
  readonly deliveryId: Id<'delivery'>
  readonly wecomUserId?: string | undefined
  readonly phone?: string | undefined
}

/**
 * Corrects who a person is in WeCom and plans their message once more, in one transaction. Refuses with
 * `delivery_not_retryable` when it has not failed, and `malformed_request` when nothing is corrected.
 */
export async function correctDelivery(tx: Tx, correction: Correction): Promise<void> {
  const { deliveryId, wecomUserId, phone } = correction
  const delivery = await findOwn(tx, Delivery, deliveryId)
  if (wecomUserId === undefined && phone === undefined) refuse('malformed_request', { field: 'wecomUserId' })
  if ((await planAgain(tx, delivery.campaignId, [delivery.id])) !== 1) refuse('delivery_not_retryable')
  await correctPerson(tx, delivery.personId, {
    ...(wecomUserId === undefined ? {} : { wecomUserId }),
    ...(phone === undefined ? {} : { phone }),
  })
}
