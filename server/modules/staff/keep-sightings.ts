import type { Id } from '../../../contract/ids.ts'
import type { WecomDepartment } from '../../channels/ports.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, insertRows, sql } from '../../kernel/sql.ts'
import { joinDepartments, memberIndex, openFactsOf, sealFacts, slots, splitDepartments } from './directory-rows.ts'
import { countSync, lockSync, type RunningSync } from './run-sync.ts'

/** A member as one page of a reading shows them; the same member may come on other pages with other departments. */
export interface Sighting {
  readonly userid: string
  /** Null where this reading does not tell it. */
  readonly name: string | null
  readonly departments: readonly number[]
}

interface KnownMember {
  readonly id: Id<'directoryMember'>
  readonly user: string
  readonly sealed: Uint8Array
  readonly departments: string
  readonly seen: string
  readonly sync: Id<'directorySync'>
}

/**
 * Notes members that a reading saw, up to some hundred. What is known of them as present stays as it is until the reading
 * has come to its end; seen again with another department, they are in both. Harmless to repeat. False when the reading
 * has ended or was moved on by another worker.
 */
export async function keepSightings(tx: Tx, sync: RunningSync, sightings: readonly Sighting[]): Promise<boolean> {
  if (!(await lockSync(tx, sync))) return false
  const seen = new Map<string, { userid: string; name: string | null; departments: Set<number> }>()
  for (const { userid, name, departments } of sightings) {
    const index = memberIndex(tx.house, sync.space, userid)
    const one = seen.get(index) ?? { userid, name, departments: new Set<number>() }
    for (const department of departments) one.departments.add(department)
    seen.set(index, { ...one, name: one.name ?? name })
  }
  if (seen.size === 0) return true
  const known = await readKnown(tx, sync.companyId, [...seen.keys()])
  const unchanged: Id<'directoryMember'>[] = []
  let more = 0
  for (const member of known) {
    const sighted = seen.get(member.user)
    seen.delete(member.user)
    if (!sighted) continue
    const again = member.sync === sync.id
    if (!again) more += 1
    const before = again ? splitDepartments(member.seen) : []
    const departments = joinDepartments([...before, ...sighted.departments])
    const facts = openFactsOf(tx.house, member)
    const renamed = sighted.name !== null && sighted.name !== facts.name
    if (!renamed && !again && departments === member.departments) unchanged.push(member.id)
    else if (renamed || !again || departments !== member.seen) {
      const sealed = renamed ? sealFacts(tx.house, member.id, { ...facts, name: sighted.name }) : member.sealed
      await change(tx.em, 'update directory_member set sync_id = ?, seen_departments = ?, sealed = ? where id = ?', [
        sync.id,
        departments,
        sealed,
        member.id,
      ])
    }
  }
  if (unchanged.length > 0)
    await change(
      tx.em,
      `update directory_member set sync_id = ?, seen_departments = departments where id in (${slots(unchanged)})`,
      [sync.id, ...unchanged],
    )
  await insertFresh(tx, sync, seen)
  await countSync(tx, sync.id, 'members', more + seen.size)
  return true
}

async function readKnown(tx: Tx, companyId: Id<'company'>, indexes: readonly string[]): Promise<KnownMember[]> {
  return sql<KnownMember>(
    tx.em,
    `select id, user_id_index as user, sealed, departments, seen_departments as seen, sync_id as sync
     from directory_member where company_id = ? and user_id_index in (${slots(indexes)}) order by id`,
    [companyId, ...indexes],
  )
}

/** Somebody new is not present before the reading has come to its end. */
async function insertFresh(
  tx: Tx,
  sync: RunningSync,
  seen: ReadonlyMap<string, { userid: string; name: string | null; departments: ReadonlySet<number> }>,
): Promise<void> {
  const rows = [...seen].map(([index, { userid, name, departments }]) => {
    const id = tx.newId('directoryMember')
    return {
      id,
      company_id: sync.companyId,
      user_id_index: index,
      sealed: sealFacts(tx.house, id, { userid, name }),
      departments: '',
      seen_departments: joinDepartments(departments),
      state: 'gone',
      sync_id: sync.id,
      first_seen_at_ms: tx.clock.now(),
      changed_at_ms: sync.startedAtMs,
    }
  })
  await insertRows(tx.em, 'directory_member', rows)
}

const DEPARTMENTS_AT_ONCE = 500

/**
 * Brings the departments in line with a reading of all of them. A name that the app may not know keeps the one that was
 * known. An empty reading says nothing.
 */
export async function keepDepartments(
  tx: Tx,
  companyId: Id<'company'>,
  departments: readonly WecomDepartment[],
): Promise<void> {
  if (departments.length === 0) return
  const now = tx.clock.now()
  const known = new Map(
    (
      await sql<{ id: number; parent: number; name: string | null; state: string }>(
        tx.em,
        'select department_id as id, parent_id as parent, name, state from directory_department where company_id = ?',
        [companyId],
      )
    ).map((row) => [Number(row.id), row]),
  )
  const fresh = []
  for (const { id, parentId, name: given } of departments) {
    const before = known.get(id)
    known.delete(id)
    const name = given?.slice(0, 200) ?? before?.name ?? null
    if (!before)
      fresh.push({
        company_id: companyId,
        department_id: id,
        parent_id: parentId,
        name,
        state: 'present',
        changed_at_ms: now,
      })
    else if (before.name !== name || Number(before.parent) !== parentId || before.state !== 'present')
      await change(
        tx.em,
        "update directory_department set parent_id = ?, name = ?, state = 'present', changed_at_ms = ? where company_id = ? and department_id = ?",
        [parentId, name, now, companyId, id],
      )
  }
  for (let from = 0; from < fresh.length; from += DEPARTMENTS_AT_ONCE)
    await insertRows(tx.em, 'directory_department', fresh.slice(from, from + DEPARTMENTS_AT_ONCE))
  const gone = [...known].filter(([, row]) => row.state === 'present').map(([id]) => id)
  for (let from = 0; from < gone.length; from += DEPARTMENTS_AT_ONCE) {
    const ids = gone.slice(from, from + DEPARTMENTS_AT_ONCE)
    await change(
      tx.em,
      `update directory_department set state = 'gone', changed_at_ms = ? where company_id = ? and department_id in (${slots(ids)})`,
      [now, companyId, ...ids],
    )
  }
}
