import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { RosterField, RowFaultCode } from '../../../contract/roster-row.ts'
import type { RosterState } from '../../../contract/states.ts'
import { codeColumn, fenColumn, idColumn, instantColumn, largeBlobColumn } from '../../kernel/columns.ts'

/** A staff list as a company uploaded it. */
export const Roster = defineEntity({
  name: 'Roster',
  tableName: 'roster',
  properties: {
    id: idColumn<'roster'>().primary(),
    companyId: idColumn<'company'>(),
    state: codeColumn<RosterState>(16),
    version: p.integer(),
    /** The file's name, sealed: people write names of people into it. */
    nameSealed: p.blob(),
    /** Keyed fingerprint of the file's bytes: the same file twice is noticed. */
    contentIndex: codeColumn(64),
    sizeBytes: p.integer(),
    chunkCount: p.integer(),
    rowsRead: p.integer(),
    rowCount: p.integer(),
    faultyCount: p.integer(),
    /** JSON: the sheet (a CSV's has the file's name), header row, columns as read, skipped places, warnings; sealed. */
    readingSealed: largeBlobColumn().nullable(),
    /** JSON: letter -> up to three values of the column, sealed. */
    samplesSealed: largeBlobColumn().nullable(),
    /** JSON: a person's correction of the columns, sealed; null while our guess stands. */
    mappingSealed: p.blob().nullable(),
    /** Chosen with the applying: whether people who are not on the list have left. */
    markLeavers: p.boolean(),
    /** The refusal's code when the file as a whole could not be taken. */
    refusal: codeColumn(40).nullable(),
    createdBy: idColumn<'member'>(),
    createdAtMs: instantColumn(),
    usedAtMs: instantColumn().nullable(),
    /** When the uploaded bytes are erased. */
    eraseAtMs: instantColumn(),
  },
  indexes: [{ name: 'roster_company_index', properties: ['companyId', 'id'] }],
})
export type RosterDbRow = InferEntity<typeof Roster>

/** At most 1 MiB of the uploaded file, sealed, so that any process can read it. Erased after the import's term. */
export const RosterChunk = defineEntity({
  name: 'RosterChunk',
  tableName: 'roster_chunk',
  properties: {
    rosterId: idColumn<'roster'>().primary(),
    seq: p.integer().primary().autoincrement(false),
    bytesSealed: largeBlobColumn(),
  },
})

/** One row of a list: cells and person sealed together; faults apart, so that they can be counted and filtered. */
export const RosterRow = defineEntity({
  name: 'RosterRow',
  tableName: 'roster_row',
  properties: {
    id: idColumn<'rosterRow'>().primary(),
    rosterId: idColumn<'roster'>(),
    rowNo: p.integer(),
    /** The roster's version while these rows were read: rows of an earlier reading of the file are known by it. */
    readingVersion: p.integer(),
    /** JSON {cells, person}, sealed. `person` is what the row means after normalising. */
    sealed: largeBlobColumn(),
    faulty: p.boolean(),
    removed: p.boolean(),
    department: p.string().length(200).nullable(),
    amountFen: fenColumn().nullable(),
    phoneIndex: codeColumn(64).nullable(),
    staffNoIndex: codeColumn(64).nullable(),
    userIdIndex: codeColumn(64).nullable(),
    nameIndex: codeColumn(64).nullable(),
    /** Set when the list is applied. */
    personId: idColumn<'person'>().nullable(),
  },
  indexes: [
    { name: 'roster_row_faulty_index', properties: ['rosterId', 'removed', 'faulty', 'rowNo'] },
    { name: 'roster_row_phone_index', properties: ['rosterId', 'phoneIndex'] },
    { name: 'roster_row_staff_no_index', properties: ['rosterId', 'staffNoIndex'] },
    { name: 'roster_row_user_id_index', properties: ['rosterId', 'userIdIndex'] },
    { name: 'roster_row_name_index', properties: ['rosterId', 'nameIndex'] },
    { name: 'roster_row_person_index', properties: ['rosterId', 'personId'] },
  ],
  uniques: [{ name: 'roster_row_number_unique', properties: ['rosterId', 'rowNo'] }],
})

/** One thing wrong with one cell of a row. The cell's value is in the row, sealed. */
export const RosterFault = defineEntity({
  name: 'RosterFault',
  tableName: 'roster_fault',
  properties: {
    rowId: idColumn<'rosterRow'>().primary(),
    field: codeColumn<RosterField>(16).primary(),
    code: codeColumn<RowFaultCode>(32).primary(),
    rosterId: idColumn<'roster'>(),
    firstRow: p.integer().nullable(),
  },
  indexes: [{ name: 'roster_fault_kind_index', properties: ['rosterId', 'code', 'field'] }],
})

/** One person of a company's staff, whether or not they have a WeCom account. Found by fingerprints only. */
export const Person = defineEntity({
  name: 'Person',
  tableName: 'person',
  properties: {
    id: idColumn<'person'>().primary(),
    companyId: idColumn<'company'>(),
    /** JSON {name, phone, staffNo, hireDate, note, userid}, sealed. */
    sealed: largeBlobColumn(),
    department: p.string().length(200).nullable(),
    phoneIndex: codeColumn(64).nullable(),
    staffNoIndex: codeColumn(64).nullable(),
    userIdIndex: codeColumn(64).nullable(),
    nameIndex: codeColumn(64),
    /** Fingerprint of the phone's last four digits. */
    phoneTailIndex: codeColumn(64).nullable(),
    /** Whether we know the WeCom userid: from the list, from a look-up, or that there is none. */
    matched: codeColumn<'unknown' | 'listed' | 'found' | 'none'>(8),
    /** Look-ups of this person that WeCom did not know, within a day of each other, and when the last one was. */
    misses: p.integer().default(0),
    missedAtMs: instantColumn().nullable(),
    state: codeColumn<'active' | 'left'>(8),
    version: p.integer(),
    changedAtMs: instantColumn(),
  },
  indexes: [
    { name: 'person_company_index', properties: ['companyId', 'state', 'id'] },
    { name: 'person_phone_index', properties: ['companyId', 'phoneIndex'] },
    { name: 'person_staff_no_index', properties: ['companyId', 'staffNoIndex'] },
    { name: 'person_user_id_index', properties: ['companyId', 'userIdIndex'] },
    { name: 'person_name_index', properties: ['companyId', 'nameIndex'] },
    { name: 'person_phone_tail_index', properties: ['companyId', 'phoneTailIndex'] },
  ],
})
