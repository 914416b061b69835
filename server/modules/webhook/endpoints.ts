import {
  ResendFailedInput,
  Resent,
  WebhookDeliveries,
  WebhookDeliveriesInput,
  WebhookDeliveryInput,
} from '../../../contract/operator/terminal.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { findMerchant } from '../merchant/read-merchants.ts'
import { readDeliveries } from './read-deliveries.ts'
import { resendDelivery } from './resend-delivery.ts'
import { resendFailed } from './resend-failed.ts'

const acts = { method: 'POST', may: 'merchant.manage', scope: 'tx' } as const

/** What was sent to merchants of their tills, and what did not arrive. */
export const webhookEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({
      method: 'GET',
      path: '/operator/merchants/:id/webhook-deliveries',
      may: 'merchant.read',
      scope: 'read',
    } as const),
    input: WebhookDeliveriesInput,
    output: WebhookDeliveries,
    run: async (tx, { id, ...page }) => {
      if ((await findMerchant(tx, id)) === null) refuse('not_found')
      return readDeliveries(tx, id, page)
    },
  }),
  endpoint({
    ...acts,
    path: '/operator/webhook-deliveries/:id/resend',
    input: WebhookDeliveryInput,
    output: 'stream',
    run: (tx, { id }) => resendDelivery(tx, id),
  }),
  endpoint({
    ...acts,
    path: '/operator/merchants/:id/webhook-deliveries/resend',
    input: ResendFailedInput,
    output: Resent,
    run: async (tx, { id }) => {
      if ((await findMerchant(tx, id)) === null) refuse('not_found')
      return { resent: await resendFailed(tx, id) }
    },
  }),
]
