import { defineEntity, p } from '@mikro-orm/core'
import type { WebhookState } from '../../../contract/states.ts'
import { codeColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** One event on its way to one endpoint: its body never changes, so a repeat is the same bytes. */
export const WebhookDelivery = defineEntity({
  name: 'WebhookDelivery',
  tableName: 'webhook_delivery',
  properties: {
    id: idColumn<'webhookDelivery'>().primary(),
    merchantId: idColumn<'merchant'>(),
    endpointId: idColumn<'webhookEndpoint'>(),
    event: codeColumn(40),
    /** What it tells of. */
    subjectId: p.string().length(17),
    /** JSON: ids, codes and amounts only. */
    body: p.text(),
    state: codeColumn<WebhookState>(12),
    version: p.integer(),
    attempts: p.integer(),
    /** Of the last answer; null: there was none. */
    lastStatus: p.integer().nullable(),
    lastFault: codeColumn(40).nullable(),
    createdAtMs: instantColumn(),
    /** Since when it waits: written down, or sent again by a person. A day later it is given up. */
    sinceMs: instantColumn(),
    /** Not before. */
    nextAtMs: instantColumn(),
    deliveredAtMs: instantColumn().nullable(),
  },
  uniques: [{ name: 'webhook_delivery_once', properties: ['endpointId', 'event', 'subjectId'] }],
  indexes: [
    { name: 'webhook_delivery_merchant_index', properties: ['merchantId', 'id'] },
    { name: 'webhook_delivery_state_index', properties: ['merchantId', 'state', 'id'] },
    { name: 'webhook_delivery_due_index', properties: ['endpointId', 'state', 'nextAtMs'] },
  ],
})

/** Whose turn it is to send to an address: one job at a time, so that a slow server holds one hand of ours. */
export const WebhookTurn = defineEntity({
  name: 'WebhookTurn',
  tableName: 'webhook_turn',
  properties: {
    endpointId: idColumn<'webhookEndpoint'>().primary(),
    /** Of the job that sends; another with each step. */
    token: codeColumn(32),
    /** Until then it sends, or has died; 0: none does. */
    untilMs: instantColumn(),
    /** When the job comes that was queued last. */
    queuedForMs: instantColumn(),
    /** The server gave no answer when it was last asked. */
    silent: p.boolean(),
  },
})
