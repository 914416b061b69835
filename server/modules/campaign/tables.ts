import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { CampaignState } from '../../../contract/states.ts'
import { codeColumn, fenColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** What is given to whom, with which words. It holds no money: its order does. */
export const Campaign = defineEntity({
  name: 'Campaign',
  tableName: 'campaign',
  properties: {
    id: idColumn<'campaign'>().primary(),
    companyId: idColumn<'company'>(),
    state: codeColumn<CampaignState>(16),
    version: p.integer(),
    title: p.string().length(60),
    occasion: codeColumn(24),
    cover: codeColumn(24),
    templateVersionId: idColumn<'templateVersion'>(),
    rosterId: idColumn<'roster'>().nullable(),
    /** JSON: {kind:'all'} or {kind:'departments', departments} or {kind:'rows', rowIds}; up to 256 KiB. */
    selection: p.text().columnType('mediumtext'),
    amountFrom: codeColumn<'same' | 'column'>(8),
    faceFen: fenColumn().nullable(),
    /** The giver's words with merge fields ({姓名}), sealed: people write names into them. Merged only in the opened card. */
    greetingSealed: p.blob(),
    sendAtMs: instantColumn().nullable(),
    /** Fingerprint of what was submitted, recipients included; null while nobody submitted. */
    contentHash: codeColumn(64).nullable(),
    /** How many heads and how much, as submitted and approved. */
    heads: p.integer().nullable(),
    faceTotalFen: fenColumn().nullable(),
    priceTotalFen: fenColumn().nullable(),
    createdBy: idColumn<'member'>(),
    submittedBy: idColumn<'member'>().nullable(),
    decidedBy: idColumn<'member'>().nullable(),
    decidedAtMs: instantColumn().nullable(),
    /** The approver's word when it was sent back, sealed. */
    wordSealed: p.blob().nullable(),
    orderId: idColumn<'order'>().nullable(),
    createdAtMs: instantColumn(),
    changedAtMs: instantColumn(),
  },
  indexes: [
    { name: 'campaign_company_index', properties: ['companyId', 'id'] },
    { name: 'campaign_order_index', properties: ['orderId'] },
  ],
})
export type CampaignDbRow = InferEntity<typeof Campaign>

/** A campaign with its words opened. */
export type CampaignRow = Omit<CampaignDbRow, 'greetingSealed' | 'wordSealed'> & {
  readonly greeting: string
  readonly word: string | null
}
