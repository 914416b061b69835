import type { Id } from '../../../contract/ids.ts'
import { rosterMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, insertRows, sql } from '../../kernel/sql.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { readUserIdSpace, type UserIdSpace } from '../company/read-user-id-space.ts'
import { matchRows, pageStaff, readLeavers, readValidRows, type RowEffect, type StaffPage } from './match-rows.ts'
import { countRows } from './read-file.ts'
import { sealPerson } from './seal-person.ts'
import { Person, Roster } from './tables.ts'
import { lockRoster } from './write-rows.ts'

export interface Applying {
  readonly id: Id<'roster'>
  /** Go on without the rows that have faults. */
  readonly leaveOutFaulty: boolean
  /** People who are not on this list have left the company. */
  readonly markLeavers: boolean
}

/**
 * Begins to make a list the company's staff; the job `roster.apply` does it. Refuses with `not_found` for another
 * company's list, `roster_not_ready` while rows have faults (unless they are left out) or none is left, and
 * `state_conflict` for a list in any other state or while another list of the company is being applied.
 */
export async function startApplying(tx: Tx, wish: Applying): Promise<void> {
  const { companyId } = await findOwn(tx, Roster, wish.id)
  // One list at a time: two at once would each add the same new people.
  await change(tx.em, 'update roster set rows_read = rows_read where company_id = ?', [companyId])
  const [other] = await sql(
    tx.em,
    "select 1 from roster where company_id = ? and state = 'applying' and id <> ? limit 1",
    [companyId, wish.id],
  )
  if (other) refuse('state_conflict')
  const roster = await lockRoster(tx, wish.id)
  if (roster?.state !== 'ready' && roster?.state !== 'needs_mending') refuse('state_conflict')
  if (roster.state === 'needs_mending' && !wish.leaveOutFaulty) refuse('roster_not_ready')
  const { all, faulty } = await countRows(tx, wish.id)
  if (all === faulty) refuse('roster_not_ready')
  const set = { mark_leavers: wish.markLeavers ? 1 : 0 }
  await move(tx, { table: 'roster', id: wish.id, from: roster.state, to: 'applying', moves: rosterMoves, set })
  await enqueue(tx, [{ kind: 'roster.apply', key: `roster.apply:${wish.id}`, args: { rosterId: wish.id } }])
}

/** Rows applied in one transaction; each may write its row and its person. */
const ROWS_PER_SLICE = 250

/**
 * Applies the next rows of a list that is being applied: adds who is new, changes who changed, and ties each row to its
 * person. Returns the last row number it did, or null when none is left; rows that were done are passed over.
 */
export async function applySlice(tx: Tx, rosterId: Id<'roster'>, after: number): Promise<number | null> {
  const roster = await lockRoster(tx, rosterId)
  if (roster?.state !== 'applying') return null
  const wish = { rosterId, after, span: ROWS_PER_SLICE, unapplied: true }
  const { rows, last } = await readValidRows(tx, wish)
  if (rows.length === 0) return last
  const { companyId } = await tx.em.findOneOrFail(Roster, { id: rosterId }, { disableIdentityMap: true })
  const effects = await matchRows(tx, companyId, rosterId, rows)
  const ids = effects.map((effect) => effect.known?.id ?? tx.newId('person'))
  const space = await readUserIdSpace(tx, companyId)
  await addPeople(tx, { companyId, space }, effects, ids)
  for (const effect of effects) if (effect.known && effect.writes) await changePerson(tx, space, effect)
  await tieRows(tx, effects, ids)
  return last
}

async function addPeople(
  tx: Tx,
  { companyId, space }: { readonly companyId: Id<'company'>; readonly space: UserIdSpace },
  effects: readonly RowEffect[],
  ids: readonly Id<'person'>[],
): Promise<void> {
  const added = effects.flatMap((effect, index) => {
    const id = ids[index]
    if (effect.known || !id) return []
    const columns = sealPerson(tx.house, space, id, effect.facts)
    return {
      id,
      company_id: companyId,
      sealed: columns.sealed,
      department: effect.department,
      phone_index: columns.phoneIndex,
      staff_no_index: columns.staffNoIndex,
      user_id_index: columns.userIdIndex,
      listed_user_id_index: columns.listedUserIdIndex,
      name_index: columns.nameIndex,
      phone_tail_index: columns.phoneTailIndex,
      birthday_index: columns.birthdayIndex,
      hire_day_index: columns.hireDayIndex,
      matched: effect.matched,
      state: 'active',
      version: 1,
      changed_at_ms: tx.clock.now(),
    }
  })
  await insertRows(tx.em, 'person', added)
}

/** Throws when the person was changed since it was read: the slice is then done again. */
async function changePerson(
  tx: Tx,
  space: UserIdSpace,
  { known, facts, department, matched }: RowEffect,
): Promise<void> {
  if (!known) return
  const changed = await tx.em.nativeUpdate(
    Person,
    { id: known.id, version: known.version },
    {
      ...sealPerson(tx.house, space, known.id, facts),
      department,
      matched,
      state: 'active',
      version: known.version + 1,
      changedAtMs: tx.clock.now(),
    },
  )
  if (changed !== 1) throw new Error(`person ${known.id} changed meanwhile`)
}

async function tieRows(tx: Tx, effects: readonly RowEffect[], personIds: readonly string[]): Promise<void> {
  const rowIds = effects.map((effect) => effect.row.id)
  await change(
    tx.em,
    `update roster_row set person_id = case id ${rowIds.map(() => 'when ? then ?').join(' ')} end where id in (${rowIds.map(() => '?').join(',')})`,
    [...rowIds.flatMap((id, index) => [id, personIds[index]]), ...rowIds],
  )
}

/** The pages of people in which to look for leavers; none where nobody is to leave. */
export async function pageLeavers(tx: Tx, rosterId: Id<'roster'>): Promise<StaffPage[]> {
  const roster = await tx.em.findOne(Roster, { id: rosterId }, { disableIdentityMap: true })
  return roster?.state === 'applying' && roster.markLeavers ? pageStaff(tx, roster.companyId) : []
}

/** Marks those of a page of people who are not on the list as left. Harmless to repeat. */
export async function markLeavers(tx: Tx, rosterId: Id<'roster'>, page: StaffPage): Promise<void> {
  const roster = await lockRoster(tx, rosterId)
  if (roster?.state !== 'applying') return
  const { companyId } = await tx.em.findOneOrFail(Roster, { id: rosterId }, { disableIdentityMap: true })
  const leavers = await readLeavers(tx, { companyId, rosterId, page })
  if (leavers.length === 0) return
  const ids = leavers.map((person) => person.id)
  await change(
    tx.em,
    `update person set state = 'left', version = version + 1, changed_at_ms = ? where state = 'active' and id in (${ids.map(() => '?').join(',')})`,
    [tx.clock.now(), ...ids],
  )
  await trail(tx, { objectId: rosterId, act: 'people.left', note: `${ids.length}` })
}

/** Ends the applying: from now on the list can be used for a campaign. Who is on it again gets back what they had. */
export async function finishApplying(tx: Tx, rosterId: Id<'roster'>): Promise<void> {
  const { companyId } = await tx.em.findOneOrFail(Roster, { id: rosterId }, { disableIdentityMap: true })
  const set = { used_at_ms: tx.clock.now() }
  const ended = await move(tx, { table: 'roster', id: rosterId, from: 'applying', to: 'used', moves: rosterMoves, set })
  const key = `returners.give-back:${rosterId}`
  if (ended) await enqueue(tx, [{ kind: 'returners.give-back', key, args: { companyId } }])
}
