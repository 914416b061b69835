import { defineEntity, p } from '@mikro-orm/core'
import { codeColumn, idColumn, instantColumn, signedFenColumn } from '../../kernel/columns.ts'
import type { Unit } from './accounts.ts'

/** One thing that happened to money or value. Append-only: a correction is another entry that names the first. */
export const Entry = defineEntity({
  name: 'Entry',
  tableName: 'entry',
  properties: {
    id: idColumn<'entry'>().primary(),
    kind: codeColumn(),
    ref: p.string().length(40),
    correctsId: idColumn<'entry'>().nullable(),
    atMs: instantColumn(),
  },
  indexes: [
    { name: 'entry_ref_index', properties: ['ref'] },
    { name: 'entry_at_index', properties: ['atMs'] },
  ],
})

/** One line of an entry: debit positive, credit negative. The lines of an entry sum to zero in each unit. */
export const Posting = defineEntity({
  name: 'Posting',
  tableName: 'posting',
  properties: {
    entryId: idColumn<'entry'>().primary(),
    line: p.integer().primary().autoincrement(false),
    unit: codeColumn<Unit>(8),
    account: codeColumn(120),
    amount: signedFenColumn(),
  },
  indexes: [{ name: 'posting_account_index', properties: ['unit', 'account'] }],
})
