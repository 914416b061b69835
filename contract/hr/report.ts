import { z } from 'zod'
import { dayField, fenField, idField, instantField, limitField } from '../fields.ts'
import { campaignStates } from './campaign.ts'
import { reportFigures } from './report-words.ts'

export const reportLimits = {
  /** A year and the day of a leap: longer stories are told by two files. */
  days: 366,
  /** One card a month for the largest company's year would be more; a read stays within seconds with this many. */
  heads: 1_000_000,
  /** A campaign a day for birthdays and another for anniversaries, and room for all others. */
  campaigns: 1500,
} as const

/**
 * Which cards a report is of. A card belongs to the campaign, and to the department of the person, that it was issued for,
 * whoever holds it now; and to the company's day on which it was made, until then to the day of the approval.
 */
const filter = {
  /** Both or neither; without them the twelve months that end today. */
  fromDay: dayField.optional(),
  toDay: dayField.optional(),
  campaignId: idField('campaign').optional(),
  /** Its whole name; empty for people without one. */
  department: z.string().max(200).optional(),
}

export const ReportSums = z.object({
  heads: z.int(),
  budgetFen: fenField,
  fundedFen: fenField,
  issued: z.int(),
  issuedFen: fenField,
  delivered: z.int(),
  opened: z.int(),
  /** Cards of which something is spent. */
  spent: z.int(),
  spentFen: fenField,
  left: z.int(),
  leftFen: fenField,
  expiring: z.int(),
  expiringFen: fenField,
  expired: z.int(),
  expiredFen: fenField,
  takenBack: z.int(),
  takenBackFen: fenField,
})
export type ReportSums = z.infer<typeof ReportSums>

/** GET /hr/report */
export const ReportInput = z.object(filter)
export type ReportWish = z.infer<typeof ReportInput>

export const Report = z.object({
  /** What was asked, as it was understood. */
  query: z.object({
    fromDay: dayField,
    toDay: dayField,
    campaignId: idField('campaign').nullable(),
    department: z.string().nullable(),
    timeZone: z.string(),
    asOfMs: instantField,
  }),
  total: ReportSums,
  /** Newest first. */
  byCampaign: z.array(
    z.object({
      campaignId: idField('campaign'),
      title: z.string(),
      state: z.enum(campaignStates),
      orderId: idField('order'),
      approvedAtMs: instantField,
      sums: ReportSums,
    }),
  ),
  byDepartment: z.array(
    z.object({
      department: z.string(),
      /** What its budgets grant whose time touches the report's; null: none, or the report is of one campaign. */
      grantedFen: fenField.nullable(),
      sums: ReportSums,
    }),
  ),
  byMonth: z.array(z.object({ month: z.string(), fromDay: dayField, toDay: dayField, sums: ReportSums })),
  /** What the filters may be set to. */
  choices: z.object({
    campaigns: z.array(z.object({ campaignId: idField('campaign'), title: z.string() })),
    departments: z.array(z.string()),
  }),
})
export type Report = z.infer<typeof Report>

/** Figures that are made of cards and people; `funded` is made of campaigns, and an order's payments stand behind it. */
export const rowFigures = reportFigures.filter((figure) => figure !== 'funded')
export type RowFigure = (typeof rowFigures)[number]

const deliveryStates = ['planned', 'sending', 'sent', 'opened', 'claimed', 'failed', 'revoked'] as const
const cardStates = ['active', 'frozen', 'exhausted', 'refunded', 'void'] as const

/** GET /hr/report/rows: what one figure is made of; the rows' amounts of the figure add up to it. */
export const ReportRowsInput = z.object({
  ...filter,
  figure: z.enum(rowFigures),
  cursor: z.string().max(64).optional(),
  limit: limitField,
})
export const ReportRow = z.object({
  id: idField('orderItem'),
  campaignTitle: z.string(),
  department: z.string(),
  /** Null for whoever may not read the staff; so is the number's end. */
  name: z.string().nullable(),
  cardTail: z.string().nullable(),
  priceFen: fenField,
  faceFen: fenField,
  /** Null: the card is not made yet. Never where or when: that is its holder's own. */
  spentFen: fenField.nullable(),
  balanceFen: fenField.nullable(),
  cardState: z.enum(cardStates).nullable(),
  deliveryState: z.enum(deliveryStates),
  expiresAtMs: instantField.nullable(),
})
export type ReportRow = z.infer<typeof ReportRow>
export const ReportRows = z.object({ rows: z.array(ReportRow), nextCursor: z.string().nullable() })
export type ReportRows = z.infer<typeof ReportRows>

/** GET /hr/report.xlsx: the sums, the rows of one figure or of all, and the query that made them. */
export const ReportExportInput = z.object({ ...filter, figure: z.enum(rowFigures).optional() })
