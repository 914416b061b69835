import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { DeliveryReason } from '../../../contract/delivery-reasons.ts'
import type { DeliveryState } from '../../../contract/states.ts'
import { codeColumn, idColumn, instantColumn, largeBlobColumn } from '../../kernel/columns.ts'

/** One person's message about one campaign, and what became of it. */
export const Delivery = defineEntity({
  name: 'Delivery',
  tableName: 'delivery',
  properties: {
    id: idColumn<'delivery'>().primary(),
    companyId: idColumn<'company'>(),
    campaignId: idColumn<'campaign'>(),
    personId: idColumn<'person'>(),
    state: codeColumn<DeliveryState>(16),
    version: p.integer(),
    reason: codeColumn<DeliveryReason>(32).nullable(),
    /** How many batches carried it and may have reached the person; more than one means that it was resent. */
    attempts: p.integer(),
    batchId: idColumn<'deliveryBatch'>().nullable(),
    sentAtMs: instantColumn().nullable(),
    openedAtMs: instantColumn().nullable(),
  },
  uniques: [{ name: 'delivery_person_unique', properties: ['campaignId', 'personId'] }],
  indexes: [
    { name: 'delivery_state_index', properties: ['campaignId', 'state', 'reason'] },
    { name: 'delivery_batch_index', properties: ['batchId'] },
    { name: 'delivery_attempts_index', properties: ['campaignId', 'attempts'] },
  ],
})
export type DeliveryRow = InferEntity<typeof Delivery>

/** Up to 1,000 people of one message, with the exact body, written before the first call. */
export const DeliveryBatch = defineEntity({
  name: 'DeliveryBatch',
  tableName: 'delivery_batch',
  properties: {
    id: idColumn<'deliveryBatch'>().primary(),
    companyId: idColumn<'company'>(),
    campaignId: idColumn<'campaign'>(),
    state: codeColumn<'planned' | 'sent' | 'failed'>(8),
    people: p.integer(),
    /** The bytes to send, sealed: they name userids. */
    bodySealed: largeBlobColumn(),
    /** JSON: userid (lower case) -> delivery id, sealed. */
    peopleSealed: largeBlobColumn(),
    calls: p.integer(),
    firstCallAtMs: instantColumn().nullable(),
    messageId: codeColumn(128).nullable(),
    createdAtMs: instantColumn(),
  },
  indexes: [{ name: 'delivery_batch_campaign_index', properties: ['campaignId', 'id'] }],
})
export type DeliveryBatchRow = InferEntity<typeof DeliveryBatch>
