import { setImmediate as breathe } from 'node:timers/promises'
import type { RosterChanges } from '../../../contract/hr/staff.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { companyOf, findOwn } from '../../kernel/tenant.ts'
import { matchRows, pageStaff, readLeavers, readValidRows, type StaffPage } from './match-rows.ts'
import { countRows } from './read-file.ts'
import { openFacts } from './seal-person.ts'
import { Roster } from './tables.ts'

const ROWS_AT_ONCE = 500
const EXAMPLES_OF_A_KIND = 200

/**
 * What applying a list would change against the staff as it is now; writes nothing. Refuses with `not_found` for
 * another company's list and `roster_not_ready` while it is being read.
 */
export async function readChanges(edge: Edge, id: Id<'roster'>): Promise<RosterChanges> {
  const changes: RosterChanges = { joiners: 0, leavers: 0, changed: 0, unchanged: 0, faulty: 0, examples: [] }
  changes.faulty = await edge.read((tx) => checkRead(tx, id))
  for (let after: number | null = 0; after !== null;) {
    const from: number = after
    after = await edge.read((tx) => countSlice(tx, id, from, changes))
    await breathe()
  }
  for (const page of await edge.read((tx) => pageStaff(tx, companyOf(tx.actor)))) {
    await edge.read((tx) => countLeavers(tx, id, page, changes))
    await breathe()
  }
  return changes
}

async function checkRead(tx: Tx, id: Id<'roster'>): Promise<number> {
  const { state } = await findOwn(tx, Roster, id)
  if (state === 'received' || state === 'reading' || state === 'rejected') refuse('roster_not_ready')
  return (await countRows(tx, id)).faulty
}

async function countSlice(tx: Tx, id: Id<'roster'>, after: number, changes: RosterChanges): Promise<number | null> {
  const { rows, last } = await readValidRows(tx, { rosterId: id, after, span: ROWS_AT_ONCE })
  const effects = await matchRows(tx, companyOf(tx.actor), id, rows)
  for (const { kind, facts, department, fields } of effects) {
    const count = kind === 'joiner' ? 'joiners' : kind
    changes[count] += 1
    if (kind === 'unchanged' || changes[count] > EXAMPLES_OF_A_KIND) continue
    changes.examples.push({ kind, name: facts.name, department, fields: [...fields] })
  }
  return last
}

async function countLeavers(tx: Tx, rosterId: Id<'roster'>, page: StaffPage, changes: RosterChanges): Promise<void> {
  const leavers = await readLeavers(tx, { companyId: companyOf(tx.actor), rosterId, page })
  for (const person of leavers.slice(0, Math.max(0, EXAMPLES_OF_A_KIND - changes.leavers))) {
    const { name } = openFacts(tx.house, person)
    changes.examples.push({ kind: 'leaver', name, department: person.department, fields: [] })
  }
  changes.leavers += leavers.length
}
