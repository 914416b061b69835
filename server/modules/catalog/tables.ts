import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { FilingClass } from '../../../contract/operator/filing.ts'
import { codeColumn, fenColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** A brand issues cards and owes what stands on them. Its series makes the card numbers. */
export const Brand = defineEntity({
  name: 'Brand',
  tableName: 'brand',
  properties: {
    id: idColumn<'brand'>().primary(),
    name: p.string().length(100),
    issuerPrefix: codeColumn(8).unique(),
    keyEpoch: p.integer(),
    /** Who collects WeChat payments for this brand; null: it takes none. */
    mchid: codeColumn(32).nullable(),
    appid: codeColumn(32).nullable(),
    /** What one card may spend on one day, and in how many purchases; null: as much as is on it. */
    cardDayFen: fenColumn().nullable(),
    cardDayTimes: p.integer().nullable(),
    /** By how many days its holder may make a card valid again that has expired. */
    extendDays: p.integer().default(365),
    createdAtMs: instantColumn(),
  },
})

/** What a card is, frozen: a change is a new version, and a card keeps the one that it was issued from. */
export const TemplateVersion = defineEntity({
  name: 'TemplateVersion',
  tableName: 'template_version',
  properties: {
    id: idColumn<'templateVersion'>().primary(),
    templateId: idColumn<'template'>(),
    number: p.integer(),
    brandId: idColumn<'brand'>(),
    name: p.string().length(100),
    kind: codeColumn<'stored_value'>(16),
    named: p.boolean(),
    /** JSON: the faces to choose from; empty: any in steps between minimum and maximum. */
    faces: p.text(),
    minFaceFen: fenColumn(),
    maxFaceFen: fenColumn(),
    stepFen: fenColumn(),
    /** Days of validity from issue; null: the card does not expire (named cards never do). */
    validDays: p.integer().nullable(),
    /** How long after issue the secret stays locked, in ms; 0 for company orders by default. */
    coolingOffMs: instantColumn(),
    /**
     * How long after its payment an unused card may be given back, as the law gives consumers: a clock of its own beside
     * the lock. 0: not at all, as for cards that a company gives.
     */
    rightMs: instantColumn().default(0),
    /** What is paid for a card, in basis points of its face: 10000 is no discount. */
    priceBp: p.integer(),
    cover: codeColumn(24),
    scope: p.string().length(500),
    createdAtMs: instantColumn(),
  },
  uniques: [{ name: 'template_version_number_unique', properties: ['templateId', 'number'] }],
})
/**
 * What a brand, its channels and the platform have agreed on. Never changed: new terms are a new row, and an order keeps
 * those that were in force when it was placed (read-terms.ts).
 */
export const BrandTerms = defineEntity({
  name: 'BrandTerms',
  tableName: 'brand_terms',
  properties: {
    id: idColumn<'brandTerms'>().primary(),
    brandId: idColumn<'brand'>(),
    number: p.integer(),
    /** Who collects WeChat payments: the brand's own merchant, or the platform's where a higher ratio was granted. */
    collector: codeColumn<'brand' | 'platform'>(8),
    /** Commission of the platform on a card's price, in basis points. */
    platformBp: p.integer(),
    /** JSON [{code, name, mchid, bp}]: who else gets a share. */
    channels: p.text(),
    /** What of a payment may be shared at most: what WeChat Pay granted the collecting merchant. */
    maxRatioBp: p.integer(),
    /** How long after its issue money is held before it is shared. */
    holdMs: instantColumn(),
    /** The brand agrees that refunds become wallet credit, which it then owes. */
    walletCredit: p.boolean(),
    createdBy: p.string().length(17),
    createdAtMs: instantColumn(),
  },
  uniques: [{ name: 'brand_terms_number_unique', properties: ['brandId', 'number'] }],
})
/**
 * How an issuer is filed under the measures for prepaid cards, and where its custody account is. Never changed: another
 * filing is a new row, and a statement reads the one that was in force when its day ended.
 */
export const BrandFiling = defineEntity({
  name: 'BrandFiling',
  tableName: 'brand_filing',
  properties: {
    id: idColumn<'brandFiling'>().primary(),
    brandId: idColumn<'brand'>(),
    version: p.integer(),
    class: codeColumn<FilingClass>(8),
    number: p.string().length(64).nullable(),
    filedDay: codeColumn(10).nullable(),
    custodyBank: p.string().length(100).nullable(),
    custodyAccountSealed: p.blob().nullable(),
    cards: codeColumn<FiledCards>(8),
    ceilingFen: fenColumn().nullable(),
    createdBy: p.string().length(17),
    createdAtMs: instantColumn(),
  },
  uniques: [{ name: 'brand_filing_version_unique', properties: ['brandId', 'version'] }],
})
export type FiledCards = 'all' | 'named' | 'unnamed'
export type BrandFilingRow = InferEntity<typeof BrandFiling>
export type BrandTermsRow = InferEntity<typeof BrandTerms>
export type TemplateVersionRow = InferEntity<typeof TemplateVersion>
