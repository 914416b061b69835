import { z } from 'zod'
import { dayField, fenField, idField, instantField } from '../fields.ts'
import { filingClasses, FilingView, MOST_CUSTODY_FEN } from './filing.ts'

const document = z.string().trim().min(1).max(64)
const amount = fenField.refine((value) => value <= MOST_CUSTODY_FEN, { message: 'at most 100 billion yuan' })
const signed = z.int()

/**
 * What an issuer must keep at its custody bank and what is there, as things stand now. `shortfallFen` is what required
 * custody exceeds the newest confirmed balance and the guarantees of today by; nothing confirmed counts as nothing there.
 */
export const CustodyStanding = z.object({
  brandId: idField('brand'),
  brandName: z.string(),
  class: z.enum(filingClasses).nullable(),
  /** What its cards still hold, now. */
  balanceFen: fenField,
  /** The last day of the quarter before, and what its cards held when that day ended. */
  quarterDay: dayField,
  quarterFen: fenField,
  requiredFen: fenField,
  confirmedFen: fenField.nullable(),
  confirmedDay: dayField.nullable(),
  /** How many days ago that was; null: the bank has never confirmed anything. */
  staleDays: z.int().nullable(),
  guaranteeFen: fenField,
  shortfallFen: fenField,
  /** Since when a shortfall is being alarmed about; null: none is. */
  alarmAtMs: instantField.nullable(),
})
export type CustodyStanding = z.input<typeof CustodyStanding>

/** GET /operator/custody: every brand, by name. */
export const Custody = z.object({ today: dayField, brands: z.array(CustodyStanding) })
export type Custody = z.input<typeof Custody>

/** One day's statement of one brand, as it was written. begin + issued − redeemed − refunded = balance. */
export const CustodyDay = z.object({
  day: dayField,
  class: z.enum(filingClasses).nullable(),
  beginFen: fenField,
  issuedCards: z.int(),
  issuedFen: fenField,
  redeemedFen: signed,
  refundedFen: fenField,
  balanceFen: fenField,
  quarterFen: fenField,
  requiredFen: fenField,
  confirmedFen: fenField.nullable(),
  confirmedDay: dayField.nullable(),
  guaranteeFen: fenField,
  shortfallFen: fenField,
})
export type CustodyDay = z.input<typeof CustodyDay>

export const guaranteeKinds = ['insurance', 'bank_guarantee'] as const
export const CustodyBalanceView = z.object({
  id: idField('custodyBalance'),
  day: dayField,
  fen: fenField,
  document: z.string(),
  enteredBy: z.string(),
  enteredAtMs: instantField,
})
export const CustodyGuaranteeView = z.object({
  id: idField('custodyGuarantee'),
  kind: z.enum(guaranteeKinds),
  fen: fenField,
  fromDay: dayField,
  /** The last day on which it counts. */
  toDay: dayField,
  /** It ended on this day, before its time; null: it did not. */
  endedDay: dayField.nullable(),
  document: z.string(),
})

/** GET /operator/custody/:id: a brand's statements from one day to another, the last 31 days unless said; a year at most. */
export const CustodyBrandInput = z.object({
  id: idField('brand'),
  fromDay: dayField.optional(),
  toDay: dayField.optional(),
})
export const CustodyBrand = z.object({
  today: dayField,
  standing: CustodyStanding,
  filing: FilingView.nullable(),
  fromDay: dayField,
  toDay: dayField,
  /** Newest first. */
  days: z.array(CustodyDay),
  /** Outstanding prepaid liability: the mean of the days' balances, rounded down; null without a day. */
  meanFen: fenField.nullable(),
  /** What the bank confirmed, newest day first. */
  balances: z.array(CustodyBalanceView),
  guarantees: z.array(CustodyGuaranteeView),
})
export type CustodyBrand = z.input<typeof CustodyBrand>

/** POST /operator/custody/:id/balances: what the custody bank confirmed for a day, by which document. */
export const NewCustodyBalanceInput = z.object({ id: idField('brand'), day: dayField, fen: amount, document })
/** POST /operator/custody/:id/guarantees: insurance or a bank's guarantee in place of custody, both days included. */
export const NewCustodyGuaranteeInput = z.object({
  id: idField('brand'),
  kind: z.enum(guaranteeKinds),
  fen: amount.refine((value) => value > 0, { message: 'at least 1 fen' }),
  fromDay: dayField,
  toDay: dayField,
  document,
})
export const CustodyEntered = z.object({ id: z.string() })
/** POST /operator/custody-guarantees/:id/end: from the day after this one it counts no more. */
export const EndGuaranteeInput = z.object({ id: idField('custodyGuarantee'), day: dayField })
export const GuaranteeEnded = z.object({ endedDay: dayField })

/** GET /operator/custody-quarters/:quarter: the report of a quarter (`2026-Q1`) as xlsx. */
export const CustodyQuarterInput = z.object({
  quarter: z.string().regex(/^20\d\d-Q[1-4]$/, { message: 'a quarter, such as 2026-Q1' }),
})
