import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { DifferenceGuess, DifferenceKind } from '../../../contract/operator/reconciliation.ts'
import type { DifferenceState } from '../../../contract/states.ts'
import type { BillKind } from '../../channels/wechatpay-port.ts'
import { codeColumn, fenColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** A bill of one merchant and day, and how far it was compared with the books. */
export const Bill = defineEntity({
  name: 'Bill',
  tableName: 'bill',
  properties: {
    id: idColumn<'bill'>().primary(),
    mchid: codeColumn(32),
    kind: codeColumn<BillKind>(12),
    /** YYYY-MM-DD in China. */
    day: codeColumn(10),
    /** `none`: nothing moved that day. `unreadable`: nothing of it was compared; `problem` says why. */
    state: codeColumn<'waiting' | 'none' | 'compared' | 'unreadable'>(12),
    version: p.integer(),
    lineCount: p.integer(),
    /** SHA-256 of the text: the same bill again gives the same differences. */
    textHash: codeColumn(64).nullable(),
    problem: codeColumn(80).nullable(),
    comparedAtMs: instantColumn().nullable(),
    createdAtMs: instantColumn(),
  },
  uniques: [{ name: 'bill_day_unique', properties: ['mchid', 'kind', 'day'] }],
  indexes: [{ name: 'bill_state_index', properties: ['state', 'id'] }],
})
export type BillRow = InferEntity<typeof Bill>

/** Something that a bill says and the books do not, or the other way round. It stays until somebody closes it. */
export const BillDifference = defineEntity({
  name: 'BillDifference',
  tableName: 'bill_difference',
  properties: {
    id: idColumn<'billDifference'>().primary(),
    billId: idColumn<'bill'>(),
    /** What it is about: kind and number, the same in each comparison. */
    subject: codeColumn(120),
    kind: codeColumn<DifferenceKind>(24),
    guess: codeColumn<DifferenceGuess>(24),
    state: codeColumn<DifferenceState>(8),
    version: p.integer(),
    /** The bill's row; null where the bill lacks it. */
    billRow: p.integer().nullable(),
    oursFen: fenColumn().nullable(),
    theirsFen: fenColumn().nullable(),
    /** Our object, where we have one. */
    ref: p.string().length(17).nullable(),
    /** Who looks after it. */
    ownerId: idColumn<'operator'>().nullable(),
    /** What was found, sealed: people write names. */
    noteSealed: p.blob().nullable(),
    closedBy: p.string().length(17).nullable(),
    closedAtMs: instantColumn().nullable(),
    createdAtMs: instantColumn(),
  },
  uniques: [{ name: 'bill_difference_subject_unique', properties: ['billId', 'subject', 'kind'] }],
  indexes: [
    { name: 'bill_difference_state_index', properties: ['state', 'id'] },
    { name: 'bill_difference_about_index', properties: ['subject', 'state'] },
  ],
})
export type BillDifferenceRow = InferEntity<typeof BillDifference>
