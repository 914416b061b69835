import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { slots } from './directory-rows.ts'
import { recordChanges, type Changed } from './record-changes.ts'
import { holdsLeavers } from './rules.ts'
import { countSync, endSync, lockSync, moveSync, type RunningSync } from './run-sync.ts'

/** Members compared in one transaction. */
const PER_SLICE = 500

/** The code of a reading whose leavers wait until a person has confirmed them. */
export const LEAVERS_HELD = 'leavers_held'

/**
 * Ends the part of a reading that asks WeCom: from here on it compares. Where more are missing than can have left in a
 * day (a visible range that shrank, a reading that came to nothing), the leavers are held for a person.
 */
export async function beginClosing(tx: Tx, sync: RunningSync): Promise<void> {
  if (!(await lockSync(tx, sync))) return
  const [row] = await sql<{ present: unknown; missing: unknown; seen: unknown }>(
    tx.em,
    `select sum(case when state = 'present' then 1 else 0 end) as present,
       sum(case when state = 'present' and sync_id <> ? and changed_at_ms <= ? then 1 else 0 end) as missing,
       sum(case when sync_id = ? then 1 else 0 end) as seen
     from directory_member where company_id = ?`,
    [sync.id, sync.startedAtMs, sync.id, sync.companyId],
  )
  const counts = { present: readSum(row?.present), missing: readSum(row?.missing), seen: readSum(row?.seen) }
  await moveSync(tx, sync, { at: 'close', after: '', hold: holdsLeavers(counts) })
}

interface SeenMember {
  readonly id: Id<'directoryMember'>
  readonly user: string
  readonly departments: string
  readonly seen: string
  readonly person: Id<'person'> | null
  readonly state: 'present' | 'gone'
  readonly changed: number
}

/** Compares the next members that the reading saw with what was known of them. */
export async function closeSlice(tx: Tx, sync: RunningSync): Promise<void> {
  if (sync.place.at !== 'close' || !(await lockSync(tx, sync))) return
  const { after, hold } = sync.place
  const rows = await sql<SeenMember>(
    tx.em,
    `select id, user_id_index as user, departments, seen_departments as seen, person_id as person, state, changed_at_ms as changed
     from directory_member where company_id = ? and sync_id = ? and id > ? order by id limit ${PER_SLICE}`,
    [sync.companyId, sync.id, after],
  )
  const people = await linkPeople(tx, sync.companyId, rows)
  // What an event told after the reading began is newer than the page that was read.
  const older = rows.filter((row) => Number(row.changed) <= sync.startedAtMs)
  const joined = older.filter((row) => row.state === 'gone')
  const moved = older.filter((row) => row.state === 'present' && row.departments !== row.seen)
  const now = tx.clock.now()
  const ids = [...joined, ...moved].map((row) => row.id)
  if (ids.length > 0)
    await change(
      tx.em,
      `update directory_member set state = 'present', departments = seen_departments, changed_at_ms = ? where id in (${slots(ids)})`,
      [now, ...ids],
    )
  const changeOf = (row: SeenMember, from: string | null): Changed => {
    const personId = people.get(row.user) ?? null
    return { memberId: row.id, personId, from, to: row.seen }
  }
  if (!(await isFirst(tx, sync)))
    await recordChanges(
      tx,
      sync.companyId,
      'joined',
      joined.map((row) => changeOf(row, null)),
    )
  await recordChanges(
    tx,
    sync.companyId,
    'moved',
    moved.map((row) => changeOf(row, row.departments)),
  )
  await countSync(tx, sync.id, 'joined', joined.length)
  await countSync(tx, sync.id, 'moved', moved.length)
  const last = rows.at(-1)
  if (rows.length === PER_SLICE && last) return moveSync(tx, sync, { at: 'close', after: last.id, hold })
  if (!hold) return moveSync(tx, sync, { at: 'leavers', after: '' })
  await endSync(tx, sync.id, { state: 'done', code: LEAVERS_HELD })
}

/** The first whole reading finds everybody: nobody has joined then. */
async function isFirst(tx: Tx, sync: RunningSync): Promise<boolean> {
  const [earlier] = await sql(
    tx.em,
    "select 1 from directory_sync where company_id = ? and state = 'done' and id <> ? limit 1",
    [sync.companyId, sync.id],
  )
  return earlier === undefined
}

/** Ties members to our people by their accounts, and unties those who have another one now. */
export async function linkPeople(
  tx: Tx,
  companyId: Id<'company'>,
  rows: readonly { readonly id: Id<'directoryMember'>; readonly user: string; readonly person: Id<'person'> | null }[],
): Promise<ReadonlyMap<string, Id<'person'>>> {
  const people = new Map<string, Id<'person'>>()
  if (rows.length === 0) return people
  const users = rows.map((row) => row.user)
  const found = await sql<{ id: Id<'person'>; user: string }>(
    tx.em,
    `select id, user_id_index as user from person
     where company_id = ? and state = 'active' and user_id_index in (${slots(users)}) order by id desc`,
    [companyId, ...users],
  )
  for (const { id, user } of found) people.set(user, id)
  const wrong = rows.filter((row) => (people.get(row.user) ?? null) !== row.person)
  if (wrong.length === 0) return people
  const persons = wrong.flatMap((row) => people.get(row.user) ?? [])
  if (persons.length > 0)
    await change(
      tx.em,
      `update directory_member set person_id = null where company_id = ? and person_id in (${slots(persons)})`,
      [companyId, ...persons],
    )
  await change(
    tx.em,
    `update directory_member set person_id = case id ${wrong.map(() => 'when ? then ?').join(' ')} end where id in (${slots(wrong)})`,
    [...wrong.flatMap((row) => [row.id, people.get(row.user) ?? null]), ...wrong.map((row) => row.id)],
  )
  return people
}

/** Marks the next members whom the reading did not see as gone; ends it after the last. */
export async function closeLeavers(tx: Tx, sync: RunningSync): Promise<void> {
  if (sync.place.at !== 'leavers' || !(await lockSync(tx, sync))) return
  const rows = await sql<{
    id: Id<'directoryMember'>
    person: Id<'person'> | null
    departments: string
    sync: string
    changed: number
  }>(
    tx.em,
    `select id, person_id as person, departments, sync_id as sync, changed_at_ms as changed from directory_member
     where company_id = ? and state = 'present' and id > ? order by id limit ${PER_SLICE}`,
    [sync.companyId, sync.place.after],
  )
  const gone = rows.filter((row) => row.sync !== sync.id && Number(row.changed) <= sync.startedAtMs)
  if (gone.length > 0)
    await change(tx.em, `update directory_member set state = 'gone', changed_at_ms = ? where id in (${slots(gone)})`, [
      tx.clock.now(),
      ...gone.map((row) => row.id),
    ])
  await recordChanges(
    tx,
    sync.companyId,
    'left',
    gone.map((row) => ({ memberId: row.id, personId: row.person, from: row.departments, to: null })),
  )
  await countSync(tx, sync.id, 'gone', gone.length)
  const last = rows.at(-1)
  if (rows.length === PER_SLICE && last) return moveSync(tx, sync, { at: 'leavers', after: last.id })
  await endSync(tx, sync.id, { state: 'done' })
}
