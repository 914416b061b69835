import { z } from 'zod'
import { RosterSkipped, RosterWarning } from '../../../contract/roster-remarks.ts'
import { rosterFields, type RosterField } from '../../../contract/roster-row.ts'
import { rosterRefusalCodes } from '../../../contract/roster-refusals.ts'

const letters = z.string().regex(/^[A-Z]{1,3}$/)

/** What is known of a list besides its rows: the JSON of `roster.reading`. */
export const Reading = z.object({
  sheet: z.string(),
  headerRow: z.int(),
  columns: z.array(z.object({ letter: letters, header: z.string(), field: z.enum(rosterFields).nullable() })),
  skipped: z.array(RosterSkipped),
  warnings: z.array(RosterWarning),
  /** Why a person's correction of the columns was given up, and our guess taken instead. */
  mappingRefused: z.enum(rosterRefusalCodes).nullable(),
})
export type Reading = z.infer<typeof Reading>

/** A person's correction of the columns: the JSON of `roster.mapping`. */
export const Mapping = z.object({
  sheet: z.string(),
  headerRow: z.int(),
  columns: z.partialRecord(z.enum(rosterFields), letters),
})
export type Mapping = z.infer<typeof Mapping>

export const parseReading = (text: string | null): Reading | null =>
  text === null ? null : Reading.parse(JSON.parse(text))

export const parseMapping = (text: string | null): Mapping | null =>
  text === null ? null : Mapping.parse(JSON.parse(text))

/** The fields that the list has a column for, in the order of its columns. */
export function fieldsOf(reading: Reading | null): RosterField[] {
  return reading === null ? [] : reading.columns.flatMap((column) => column.field ?? [])
}
