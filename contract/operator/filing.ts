import { z } from 'zod'
import { dayField, fenField, idField, instantField } from '../fields.ts'

/** Classes of issuers by the measures for single-purpose prepaid cards: 规模, 集团, 品牌, 其他. */
export const filingClasses = ['scale', 'group', 'brand', 'other'] as const
export type FilingClass = (typeof filingClasses)[number]

/** The share of the last quarter end's prepaid balance that an issuer keeps in custody, in percent, by class. */
export const custodyPercent: Readonly<Record<FilingClass, number>> = { scale: 20, group: 30, brand: 40, other: 0 }

/** No amount of custody is larger than this, in fen: 100 billion yuan. */
export const MOST_CUSTODY_FEN = 10_000_000_000_000

const text = (most: number) => z.string().trim().min(1).max(most)

const facts = {
  class: z.enum(filingClasses),
  /** The number of the filing, its day, and where the custody account is: every class but `other` has them. */
  number: text(64).nullable().default(null),
  filedDay: dayField.nullable().default(null),
  custodyBank: text(100).nullable().default(null),
  custodyAccount: z
    .string()
    .trim()
    .regex(/^[0-9A-Za-z -]{5,40}$/)
    .nullable()
    .default(null),
  /** Which cards the filing covers: those that bear their holder's name, those that do not, or both. */
  cards: z.enum(['all', 'named', 'unnamed']).default('all'),
  /** The most prepaid balance that the issuer may owe, in fen; null: the filing names none. */
  ceilingFen: fenField
    .refine((value) => value > 0 && value <= MOST_CUSTODY_FEN)
    .nullable()
    .default(null),
}
type Facts = z.output<z.ZodObject<typeof facts>>

const asked = ['number', 'filedDay', 'custodyBank', 'custodyAccount'] as const
const complete = (
  filing: Facts,
  context: { addIssue: (issue: { code: 'custom'; path: string[]; message: string }) => void },
) => {
  if (filing.class === 'other') return
  for (const name of asked)
    if (filing[name] === null) context.addIssue({ code: 'custom', path: [name], message: 'needed with this class' })
}

/** How an issuer is filed, as a file of the operator says it. */
export const FilingEntry = z.strictObject(facts).superRefine(complete)
export type FilingEntry = z.output<typeof FilingEntry>
/** PUT /operator/brands/:id/filing: in force from now on; what was filed before stays to be read. */
export const NewFilingInput = z.object({ ...facts, id: idField('brand') }).superRefine(complete)
export const FilingSet = z.object({ version: z.int() })

/** A filing as it is shown: of the account its last four signs only. */
export const FilingView = z.object({
  /** 1 for the first that was entered; 0: none was. */
  version: z.int(),
  class: z.enum(filingClasses),
  number: z.string().nullable(),
  filedDay: z.string().nullable(),
  custodyBank: z.string().nullable(),
  custodyAccountMasked: z.string().nullable(),
  cards: z.enum(['all', 'named', 'unnamed']),
  ceilingFen: fenField.nullable(),
  createdAtMs: instantField,
})
export type FilingView = z.input<typeof FilingView>
