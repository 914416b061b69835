import type { Id } from '../../../contract/ids.ts'
import type { RosterField } from '../../../contract/roster-row.ts'
import { rosterMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { importJob } from './read-file.ts'
import { openReading, sealMapping, sealReading, type Mapping } from './reading.ts'
import { Roster } from './tables.ts'
import { lockRoster } from './write-rows.ts'

/**
 * Takes a person's word for which column is which, and has the file read again by it; edits of rows go with the old
 * rows. Refuses with `not_found` for another company's list, `malformed_request` when a name column, or both a phone
 * and an account column are missing or one column stands for two fields, `state_conflict` for a list that is being read,
 * applied or used, or whose file is erased.
 */
export async function mapColumns(
  tx: Tx,
  wish: { readonly id: Id<'roster'>; readonly columns: Partial<Record<RosterField, string>> },
): Promise<void> {
  const { columns } = wish
  await findOwn(tx, Roster, wish.id)
  const letters = Object.values(columns)
  if (columns.name === undefined || (columns.phone === undefined && columns.wecomUserId === undefined))
    refuse('malformed_request', {
      field: 'columns',
      detail: {
        zh: '需要姓名列，以及手机号或企业微信账号列。',
        en: 'A column of names is needed, and one of mobile numbers or WeCom accounts.',
      },
    })
  if (new Set(letters).size < letters.length)
    refuse('malformed_request', {
      field: 'columns',
      detail: { zh: '一列只能对应一个字段。', en: 'A column can stand for one field only.' },
    })
  const held = await lockRoster(tx, wish.id)
  const roster = await findOwn(tx, Roster, wish.id)
  const reading = openReading(tx, roster)
  if (held?.state !== 'needs_mending' && held?.state !== 'ready') refuse('state_conflict')
  if (reading === null || roster.eraseAtMs <= tx.clock.now()) refuse('state_conflict')
  const mapping: Mapping = { sheet: reading.sheet, headerRow: reading.headerRow, columns }
  const set = {
    mapping_sealed: sealMapping(tx, wish.id, mapping),
    reading_sealed: sealReading(tx, wish.id, { ...reading, mappingRefused: null }),
    rows_read: 0,
    row_count: 0,
    faulty_count: 0,
  }
  await move(tx, { table: 'roster', id: wish.id, from: held.state, to: 'reading', moves: rosterMoves, set })
  await enqueue(tx, [importJob({ id: wish.id, version: held.version + 1 })])
}
