import { z } from 'zod'
import { cursorField, idField, instantField, limitField } from '../fields.ts'
import { rosterFields, rowFaultCodes } from '../roster-row.ts'

const rosterStates = ['received', 'reading', 'needs_mending', 'ready', 'applying', 'used', 'rejected'] as const
export const RosterIdInput = z.object({ id: idField('roster') })
const cells = z.partialRecord(z.enum(rosterFields), z.string().max(32_767))

export const RosterSummary = z.object({
  id: idField('roster'),
  name: z.string(),
  state: z.enum(rosterStates),
  /** Rows read so far, and all of them once the reading is done. */
  rowsRead: z.int(),
  rowCount: z.int(),
  faultyCount: z.int(),
  createdAtMs: instantField,
  usedAtMs: instantField.nullable(),
})
export type RosterSummary = z.infer<typeof RosterSummary>
export const RosterList = z.object({ rosters: z.array(RosterSummary), nextCursor: z.string().nullable() })
export type RosterList = z.infer<typeof RosterList>
export const RosterListInput = z.object({ cursor: cursorField, limit: limitField })

/** POST /hr/rosters: raw body, Idempotency-Key; `fileName` in the header X-File-Name. `again` takes a file that was uploaded before. */
export const UploadRosterInput = z.object({
  fileName: z.string().min(1).max(200),
  again: z.stringbool().default(false),
})
export const UploadedRoster = z.object({ id: idField('roster') })
export type UploadedRoster = z.infer<typeof UploadedRoster>

/** One column of the file: what we take it for, and up to three of its values. */
const RosterColumn = z.object({
  letter: z.string(),
  header: z.string(),
  field: z.enum(rosterFields).nullable(),
  samples: z.array(z.string()),
})
export const FaultKind = z.object({
  code: z.enum(rowFaultCodes),
  field: z.enum(rosterFields),
  message: z.string(),
  suggestion: z.string(),
  count: z.int(),
})
export const RosterDetail = RosterSummary.extend({
  sheet: z.string().nullable(),
  headerRow: z.int().nullable(),
  columns: z.array(RosterColumn),
  skipped: z.array(z.object({ place: z.string(), reason: z.string() })),
  warnings: z.array(z.string()),
  faultKinds: z.array(FaultKind),
  /** Why the file as a whole could not be taken; null when it could. */
  refusal: z.object({ code: z.string(), message: z.string() }).nullable(),
  departments: z.array(z.object({ name: z.string(), heads: z.int() })),
  /** Heads with and without an amount of their own. */
  withAmount: z.int(),
  removedCount: z.int(),
})
export type RosterDetail = z.infer<typeof RosterDetail>

/** PUT /hr/rosters/:id/columns: a person's correction; the file is read again. Field -> column letters. */
export const MapColumnsInput = z.object({
  id: idField('roster'),
  columns: z.partialRecord(z.enum(rosterFields), z.string().regex(/^[A-Z]{1,3}$/)),
})

export const RosterRowsInput = z.object({
  id: idField('roster'),
  faulty: z.stringbool().default(false),
  code: z.enum(rowFaultCodes).optional(),
  /** Header X-Search: by name, phone, staff number or WeCom account, exact. */
  query: z.string().max(100).optional(),
  /** Rows after this row number. */
  after: z.coerce.number().int().min(0).default(0),
  /** Rows to pass over: for a table that jumps. */
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export const RosterRowView = z.object({
  id: idField('rosterRow'),
  row: z.int(),
  cells,
  faults: z.array(
    z.object({
      field: z.enum(rosterFields),
      code: z.enum(rowFaultCodes),
      message: z.string(),
      suggestion: z.string(),
      firstRow: z.int().nullable(),
    }),
  ),
})
export type RosterRowView = z.infer<typeof RosterRowView>
export const RosterRows = z.object({ total: z.int(), rows: z.array(RosterRowView) })
export type RosterRows = z.infer<typeof RosterRows>

/** PATCH /hr/rosters/:id/rows: new texts of cells; only these rows (and their duplicates) are checked again. */
export const MendRowsInput = z.object({
  id: idField('roster'),
  rows: z
    .array(z.object({ id: idField('rosterRow'), cells }))
    .min(1)
    .max(500),
})
export const MendedRows = z.object({ rows: z.array(RosterRowView), faultyCount: z.int(), state: z.enum(rosterStates) })
export type MendedRows = z.infer<typeof MendedRows>
/** POST /hr/rosters/:id/replace: 全部替换 of one repeated slip in one column. */
export const ReplaceInput = z.object({
  id: idField('roster'),
  field: z.enum(rosterFields),
  from: z.string().min(1).max(200),
  to: z.string().max(200),
})
export const Replaced = z.object({ changed: z.int(), faultyCount: z.int(), state: z.enum(rosterStates) })
export type Replaced = z.infer<typeof Replaced>
/** POST /hr/rosters/:id/remove: rows that shall not be taken. */
export const RemoveRowsInput = z.object({
  id: idField('roster'),
  rowIds: z.array(idField('rosterRow')).min(1).max(500),
})

/** GET /hr/rosters/:id/changes: against the staff as it is now; names are shown for the first 200 of each kind. */
export const RosterChanges = z.object({
  joiners: z.int(),
  leavers: z.int(),
  changed: z.int(),
  unchanged: z.int(),
  faulty: z.int(),
  examples: z.array(
    z.object({
      kind: z.enum(['joiner', 'leaver', 'changed']),
      name: z.string(),
      department: z.string().nullable(),
      /** What changes: field, before, after. */
      fields: z.array(z.object({ field: z.enum(rosterFields), before: z.string(), after: z.string() })),
    }),
  ),
})
export type RosterChanges = z.infer<typeof RosterChanges>
/** POST /hr/rosters/:id/apply: starts the applying; `leaveOutFaulty` goes on without the rows that have faults. */
export const ApplyRosterInput = z.object({
  id: idField('roster'),
  leaveOutFaulty: z.boolean().default(false),
  /** Whether people who are not on this list have left the company. */
  markLeavers: z.boolean().default(false),
})

/** GET /hr/people, header X-Search: exact search by name, phone, staff number, WeCom account or the phone's last four digits. */
export const PeopleInput = z.object({ query: z.string().min(1).max(100) })
const PersonView = z.object({
  id: idField('person'),
  name: z.string(),
  department: z.string().nullable(),
  staffNo: z.string().nullable(),
  /** Masked: 138****1234. */
  phone: z.string().nullable(),
  wecomUserId: z.string().nullable(),
  state: z.enum(['active', 'left']),
})
export const People = z.object({ people: z.array(PersonView) })
