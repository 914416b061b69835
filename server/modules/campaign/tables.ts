import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { CampaignState, RecurringState } from '../../../contract/states.ts'
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
    /** The run that made it, and the company's day (YYYY-MM-DD) that it is for; null for a campaign of its own. */
    recurringId: idColumn<'recurring'>().nullable(),
    runDay: codeColumn(10).nullable(),
    /** Once a person was added beside the list (late joiners): the campaign that this one tops up. */
    topsUp: idColumn<'campaign'>().nullable(),
    createdAtMs: instantColumn(),
    changedAtMs: instantColumn(),
  },
  indexes: [
    { name: 'campaign_company_index', properties: ['companyId', 'id'] },
    { name: 'campaign_order_index', properties: ['orderId'] },
  ],
  uniques: [{ name: 'campaign_run_unique', properties: ['recurringId', 'runDay'] }],
})
export type CampaignDbRow = InferEntity<typeof Campaign>

/** Cards for birthdays or for years with the company: approved once as a whole, then a campaign a day by itself. */
export const Recurring = defineEntity({
  name: 'Recurring',
  tableName: 'recurring',
  properties: {
    id: idColumn<'recurring'>().primary(),
    companyId: idColumn<'company'>(),
    state: codeColumn<RecurringState>(16),
    version: p.integer(),
    kind: codeColumn<'birthday' | 'anniversary'>(16),
    title: p.string().length(60),
    cover: codeColumn(24),
    templateVersionId: idColumn<'templateVersion'>(),
    faceFen: fenColumn(),
    /** Added for each full year with the company; 0 for birthdays. */
    perYearFen: fenColumn(),
    greetingSealed: p.blob(),
    /** Minute of the company's day at which the messages go out. */
    sendAtMinute: p.integer(),
    /** The most that it may spend in a calendar month of the company; beyond it the day's campaign waits for a person. */
    monthlyLimitFen: fenColumn(),
    /** The company's day (YYYY-MM-DD) that it is to look at next; null until it first becomes active. */
    nextDay: codeColumn(10).nullable(),
    /** What was approved, as a fingerprint; null while nobody submitted. */
    contentHash: codeColumn(64).nullable(),
    createdBy: idColumn<'member'>(),
    submittedBy: idColumn<'member'>().nullable(),
    decidedBy: idColumn<'member'>().nullable(),
    decidedAtMs: instantColumn().nullable(),
    createdAtMs: instantColumn(),
    changedAtMs: instantColumn(),
  },
  indexes: [{ name: 'recurring_company_index', properties: ['companyId', 'id'] }],
})

/** A campaign with its words opened. */
export type CampaignRow = Omit<CampaignDbRow, 'greetingSealed' | 'wordSealed'> & {
  readonly greeting: string
  readonly word: string | null
}

/** A run with its words opened. */
export type RecurringDbRow = InferEntity<typeof Recurring>
export type RecurringRow = Omit<RecurringDbRow, 'greetingSealed'> & { readonly greeting: string }
