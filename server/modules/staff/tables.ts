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
    /** JSON of PersonFacts (seal-person.ts), sealed. */
    sealed: largeBlobColumn(),
    department: p.string().length(200).nullable(),
    phoneIndex: codeColumn(64).nullable(),
    staffNoIndex: codeColumn(64).nullable(),
    userIdIndex: codeColumn(64).nullable(),
    /** In a provider's space: the account that a list names, where WeCom knows the person by another one. */
    listedUserIdIndex: codeColumn(64).nullable(),
    nameIndex: codeColumn(64),
    /** Fingerprint of the phone's last four digits. */
    phoneTailIndex: codeColumn(64).nullable(),
    /** Fingerprints of month and day (MM-DD) of birth and of hire: who has their day today. */
    birthdayIndex: codeColumn(64).nullable(),
    hireDayIndex: codeColumn(64).nullable(),
    /** Whether we know the WeCom userid: from the list, from a look-up, or that there is none. */
    matched: codeColumn<'unknown' | 'listed' | 'found' | 'none'>(8),
    state: codeColumn<'active' | 'left'>(8),
    version: p.integer(),
    changedAtMs: instantColumn(),
  },
  indexes: [
    { name: 'person_company_index', properties: ['companyId', 'state', 'id'] },
    { name: 'person_phone_index', properties: ['companyId', 'phoneIndex'] },
    { name: 'person_staff_no_index', properties: ['companyId', 'staffNoIndex'] },
    { name: 'person_user_id_index', properties: ['companyId', 'userIdIndex'] },
    { name: 'person_listed_user_id_index', properties: ['companyId', 'listedUserIdIndex'] },
    { name: 'person_name_index', properties: ['companyId', 'nameIndex'] },
    { name: 'person_phone_tail_index', properties: ['companyId', 'phoneTailIndex'] },
    { name: 'person_birthday_index', properties: ['companyId', 'birthdayIndex'] },
    { name: 'person_hire_day_index', properties: ['companyId', 'hireDayIndex'] },
  ],
})

/** Somebody as WeCom's directory shows them to the app of a company. Found by fingerprint only. */
export const DirectoryMember = defineEntity({
  name: 'DirectoryMember',
  tableName: 'directory_member',
  properties: {
    id: idColumn<'directoryMember'>().primary(),
    companyId: idColumn<'company'>(),
    /** Fingerprint of the userid; of provider apps as it came, of self-built apps folded. */
    userIdIndex: codeColumn(64),
    /** JSON {userid, name}, sealed; a third-party app never learns the name. */
    sealed: largeBlobColumn(),
    /** Department numbers, sorted, by comma: as the last reading that came to its end, or an event, left them. */
    departments: p.string().length(1000),
    /** Those that the reading under way has seen; they count once it has come to its end. */
    seenDepartments: p.string().length(1000).default(''),
    /** Our person, once they are matched. */
    personId: idColumn<'person'>().nullable(),
    state: codeColumn<'present' | 'gone'>(8),
    /** The sync that saw them last. */
    syncId: idColumn<'directorySync'>(),
    firstSeenAtMs: instantColumn(),
    changedAtMs: instantColumn(),
  },
  uniques: [{ name: 'directory_member_user_unique', properties: ['companyId', 'userIdIndex'] }],
  indexes: [
    { name: 'directory_member_state_index', properties: ['companyId', 'state', 'id'] },
    { name: 'directory_member_person_index', properties: ['companyId', 'personId'] },
    { name: 'directory_member_sync_index', properties: ['companyId', 'syncId', 'id'] },
  ],
})

/** A department of WeCom's directory. */
export const DirectoryDepartment = defineEntity({
  name: 'DirectoryDepartment',
  tableName: 'directory_department',
  properties: {
    companyId: idColumn<'company'>().primary(),
    departmentId: p.integer().primary().autoincrement(false),
    parentId: p.integer(),
    /** Null where the app may not know it. */
    name: p.string().length(200).nullable(),
    state: codeColumn<'present' | 'gone'>(8),
    changedAtMs: instantColumn(),
  },
})

/** One reading of the directory, page by page; it can be stopped and go on. */
export const DirectorySync = defineEntity({
  name: 'DirectorySync',
  tableName: 'directory_sync',
  properties: {
    id: idColumn<'directorySync'>().primary(),
    companyId: idColumn<'company'>(),
    state: codeColumn<'running' | 'done' | 'failed'>(8),
    /** Where to go on: a cursor or the next department; null at the start. */
    cursor: p.text().nullable(),
    members: p.integer(),
    joined: p.integer(),
    gone: p.integer(),
    moved: p.integer(),
    /** Why it failed: WeCom's code. */
    code: codeColumn(40).nullable(),
    startedAtMs: instantColumn(),
    doneAtMs: instantColumn().nullable(),
  },
  indexes: [{ name: 'directory_sync_company_index', properties: ['companyId', 'id'] }],
})

/** A difference that HR can act on: somebody joined, left, moved, or has another account. */
export const DirectoryChange = defineEntity({
  name: 'DirectoryChange',
  tableName: 'directory_change',
  properties: {
    id: idColumn<'directoryChange'>().primary(),
    companyId: idColumn<'company'>(),
    memberId: idColumn<'directoryMember'>(),
    personId: idColumn<'person'>().nullable(),
    kind: codeColumn<'joined' | 'left' | 'moved' | 'renamed' | 'second'>(8),
    fromDepartments: p.string().length(1000).nullable(),
    toDepartments: p.string().length(1000).nullable(),
    state: codeColumn<'open' | 'done' | 'dismissed'>(12),
    foundAtMs: instantColumn(),
    decidedAtMs: instantColumn().nullable(),
    decidedBy: idColumn<'member'>().nullable(),
  },
  indexes: [
    { name: 'directory_change_state_index', properties: ['companyId', 'state', 'kind', 'id'] },
    { name: 'directory_change_member_index', properties: ['memberId', 'state'] },
  ],
})
