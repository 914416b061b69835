import { defineEntity, p } from '@mikro-orm/core'
import type { FilingClass } from '../../../contract/operator/filing.ts'
import { codeColumn, fenColumn, idColumn, instantColumn, signedFenColumn } from '../../kernel/columns.ts'

/**
 * What an issuer owed on its cards when a day of China ended, and what was known of its custody when that was written
 * down. Append-only, one a brand and day, rolled forward from the day before.
 */
export const CustodyStatement = defineEntity({
  name: 'CustodyStatement',
  tableName: 'custody_statement',
  properties: {
    id: idColumn<'custodyStatement'>().primary(),
    brandId: idColumn<'brand'>(),
    day: codeColumn(10),
    /** The day as instants: from this one, up to but without that one. */
    fromMs: instantColumn(),
    toMs: instantColumn(),
    /** Null: no filing of the brand had been entered. */
    class: codeColumn<FilingClass>(8).nullable(),
    beginFen: fenColumn(),
    issuedCards: p.integer(),
    issuedFen: fenColumn(),
    /** Less what tills gave back that day, so of either sign. */
    redeemedFen: signedFenColumn(),
    refundedFen: fenColumn(),
    balanceFen: fenColumn(),
    /** The balance when the quarter before ended: what required custody is a share of. */
    quarterFen: fenColumn(),
    requiredFen: fenColumn(),
    confirmedFen: fenColumn().nullable(),
    confirmedDay: codeColumn(10).nullable(),
    guaranteeFen: fenColumn(),
    shortfallFen: fenColumn(),
    writtenAtMs: instantColumn(),
  },
  uniques: [{ name: 'custody_statement_day_unique', properties: ['brandId', 'day'] }],
})

/** What a custody bank confirmed to lie on an issuer's account when a day ended. Append-only; a later row corrects. */
export const CustodyBalance = defineEntity({
  name: 'CustodyBalance',
  tableName: 'custody_balance',
  properties: {
    id: idColumn<'custodyBalance'>().primary(),
    brandId: idColumn<'brand'>(),
    day: codeColumn(10),
    fen: fenColumn(),
    /** The bank's document that says so. */
    document: p.string().length(64),
    enteredBy: p.string().length(17),
    enteredAtMs: instantColumn(),
  },
  uniques: [{ name: 'custody_balance_document_unique', properties: ['brandId', 'document'] }],
  indexes: [{ name: 'custody_balance_day_index', properties: ['brandId', 'day', 'id'] }],
})

/** Insurance or a bank's guarantee that stands in for part of the custody, from one day to another, both included. */
export const CustodyGuarantee = defineEntity({
  name: 'CustodyGuarantee',
  tableName: 'custody_guarantee',
  properties: {
    id: idColumn<'custodyGuarantee'>().primary(),
    brandId: idColumn<'brand'>(),
    kind: codeColumn<'insurance' | 'bank_guarantee'>(16),
    fen: fenColumn(),
    fromDay: codeColumn(10),
    toDay: codeColumn(10),
    /** Its last day after all, where it ended before its time. */
    endedDay: codeColumn(10).nullable(),
    document: p.string().length(64),
    enteredBy: p.string().length(17),
    enteredAtMs: instantColumn(),
  },
  uniques: [{ name: 'custody_guarantee_document_unique', properties: ['brandId', 'document'] }],
})

/** One stretch of time in which an issuer's custody fell short. `openBrandId` lets a brand have one open at a time. */
export const CustodyAlarm = defineEntity({
  name: 'CustodyAlarm',
  tableName: 'custody_alarm',
  properties: {
    id: idColumn<'custodyAlarm'>().primary(),
    brandId: idColumn<'brand'>(),
    openBrandId: idColumn<'brand'>().nullable().unique(),
    shortfallFen: fenColumn(),
    raisedAtMs: instantColumn(),
    endedAtMs: instantColumn().nullable(),
  },
  indexes: [{ name: 'custody_alarm_brand_index', properties: ['brandId', 'id'] }],
})
