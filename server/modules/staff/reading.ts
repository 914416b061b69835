import { z } from 'zod'
import type { Id } from '../../../contract/ids.ts'
import { RosterSkipped, RosterWarning } from '../../../contract/roster-remarks.ts'
import { rosterFields, type RosterField } from '../../../contract/roster-row.ts'
import { rosterRefusalCodes } from '../../../contract/roster-refusals.ts'
import type { Scope } from '../../kernel/context.ts'

const letters = z.string().regex(/^[A-Z]{1,3}$/)

/** What is known of a list besides its rows: the JSON of `roster.readingSealed`. */
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

/** A person's correction of the columns: the JSON of `roster.mappingSealed`. */
export const Mapping = z.object({
  sheet: z.string(),
  headerRow: z.int(),
  columns: z.partialRecord(z.enum(rosterFields), letters),
})
export type Mapping = z.infer<typeof Mapping>

type Column = 'reading_sealed' | 'mapping_sealed'
const place = (column: Column, rowId: Id<'roster'>) => ({ table: 'roster', column, rowId })

/** What is known of a list; null while it was never read. Throws SealBroken. */
export function openReading(
  scope: Scope,
  row: { readonly id: Id<'roster'>; readonly readingSealed?: Uint8Array | null | undefined },
): Reading | null {
  const sealed = row.readingSealed
  return sealed ? Reading.parse(JSON.parse(scope.house.seal.open(place('reading_sealed', row.id), sealed))) : null
}

/** Seals what is known of a list for its row. */
export function sealReading(scope: Scope, id: Id<'roster'>, reading: Reading): Buffer {
  return scope.house.seal.seal(place('reading_sealed', id), JSON.stringify(reading))
}

/** The correction of a list's columns; null while our guess stands. Throws SealBroken. */
export function openMapping(
  scope: Scope,
  row: { readonly id: Id<'roster'>; readonly mappingSealed?: Uint8Array | null | undefined },
): Mapping | null {
  const sealed = row.mappingSealed
  return sealed ? Mapping.parse(JSON.parse(scope.house.seal.open(place('mapping_sealed', row.id), sealed))) : null
}

/** Seals a correction of a list's columns for its row. */
export function sealMapping(scope: Scope, id: Id<'roster'>, mapping: Mapping): Buffer {
  return scope.house.seal.seal(place('mapping_sealed', id), JSON.stringify(mapping))
}

/** The fields that the list has a column for, in the order of its columns. */
export function fieldsOf(reading: Reading | null): RosterField[] {
  return reading === null ? [] : reading.columns.flatMap((column) => column.field ?? [])
}
