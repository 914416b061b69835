import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { DeliveryReason } from '../../../contract/delivery-reasons.ts'
import type { DeliveryState, NotificationState } from '../../../contract/states.ts'
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
    claimedAtMs: instantColumn().nullable(),
    /** While planned: which limit of WeCom it waits for, and until when. */
    waitsFor: codeColumn<'member_minute' | 'member_hour' | 'day_quota'>(16).nullable(),
    waitsUntilMs: instantColumn().nullable(),
  },
  uniques: [{ name: 'delivery_person_unique', properties: ['campaignId', 'personId'] }],
  indexes: [
    { name: 'delivery_state_index', properties: ['campaignId', 'state', 'reason'] },
    { name: 'delivery_batch_index', properties: ['batchId'] },
    { name: 'delivery_person_index', properties: ['personId'] },
    { name: 'delivery_attempts_index', properties: ['campaignId', 'attempts'] },
    { name: 'delivery_waits_index', properties: ['campaignId', 'waitsUntilMs', 'waitsFor'] },
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
    /** The first call that may have had an effect; null while there was none, and then nothing is reserved either. */
    firstCallAtMs: instantColumn().nullable(),
    lastCallAtMs: instantColumn().nullable(),
    messageId: codeColumn(128).nullable(),
    /** Null while nobody asked; `calling`: WeCom was asked and its answer is not recorded yet. */
    recallState: codeColumn<'asked' | 'calling' | 'done' | 'too_late' | 'refused'>(12).nullable(),
    recalledAtMs: instantColumn().nullable(),
    createdAtMs: instantColumn(),
  },
  indexes: [{ name: 'delivery_batch_campaign_index', properties: ['campaignId', 'id'] }],
})
export type DeliveryBatchRow = InferEntity<typeof DeliveryBatch>

/** One message to one member, counted before it is sent: WeCom drops silently what passes 30 a minute or 1,000 an hour. */
export const MemberSend = defineEntity({
  name: 'MemberSend',
  tableName: 'member_send',
  properties: {
    companyId: idColumn<'company'>().primary(),
    userIdIndex: codeColumn(64).primary(),
    /** The batch or notification that carries it. */
    carrierId: p.string().length(17).primary(),
    atMs: instantColumn(),
  },
  indexes: [{ name: 'member_send_time_index', properties: ['atMs'] }],
})

/** Messages of a company's app on one natural day of China, where WeCom's day begins. */
export const SendDay = defineEntity({
  name: 'SendDay',
  tableName: 'send_day',
  properties: {
    companyId: idColumn<'company'>().primary(),
    /** YYYYMMDD. */
    day: p.integer().primary().autoincrement(false),
    used: p.integer(),
    /** How many there may be, as it was known when the last of them was counted. */
    quota: p.integer().default(0),
  },
})

/** A message beside the cards, to one member of the company or to holders of cards, and what became of it. */
export const Notification = defineEntity({
  name: 'Notification',
  tableName: 'notification',
  properties: {
    id: idColumn<'notification'>().primary(),
    companyId: idColumn<'company'>(),
    kind: codeColumn<'approval' | 'reminder'>(16),
    /** What it is about: the campaign to approve, or the reminder's day and stage; once for each receiver. */
    subject: codeColumn(60),
    /** A member of the console or a person of the staff. */
    receiverId: p.string().length(17),
    /** The notification whose call carries this one too, with the same bytes; null where it has a call of its own. */
    carrierId: idColumn<'notification'>().nullable(),
    state: codeColumn<NotificationState>(12),
    version: p.integer(),
    reason: codeColumn<DeliveryReason>(32).nullable(),
    /** JSON {kind, body, people}: the exact bytes of the call at work and whom they name, sealed. */
    bodySealed: largeBlobColumn().nullable(),
    /** With which a card can be changed once within 72 hours, sealed. */
    responseCodeSealed: p.blob().nullable(),
    responseCodeAtMs: instantColumn().nullable(),
    messageId: codeColumn(128).nullable(),
    calls: p.integer(),
    firstCallAtMs: instantColumn().nullable(),
    lastCallAtMs: instantColumn().nullable(),
    createdAtMs: instantColumn(),
    sentAtMs: instantColumn().nullable(),
  },
  uniques: [{ name: 'notification_subject_unique', properties: ['companyId', 'subject', 'receiverId'] }],
  indexes: [
    { name: 'notification_receiver_index', properties: ['companyId', 'receiverId', 'kind', 'createdAtMs'] },
    { name: 'notification_carrier_index', properties: ['carrierId'] },
  ],
})
export type NotificationRow = InferEntity<typeof Notification>
