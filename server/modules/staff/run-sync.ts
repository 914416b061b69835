import type { Id } from '../../../contract/ids.ts'
import { z } from 'zod'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { holdCompany } from '../company/hold-company.ts'
import { readUserIdSpace, type UserIdSpace } from '../company/read-user-id-space.ts'
import { DirectorySync } from './tables.ts'

/**
 * Where a reading of the directory stands. First the departments, then the members: all ids by pages (`ids`), or the
 * direct members of one department after the other (`department`) and those who are visible by themselves (`users`).
 * Then what was read is compared (`close`), and who was not seen is gone (`leavers`).
 */
const Place = z.discriminatedUnion('at', [
  z.object({ at: z.literal('departments') }),
  z.object({ at: z.literal('ids'), next: z.string().nullable() }),
  z.object({ at: z.literal('department'), after: z.int() }),
  z.object({ at: z.literal('users'), after: z.int() }),
  z.object({ at: z.literal('close'), after: z.string(), hold: z.boolean() }),
  z.object({ at: z.literal('leavers'), after: z.string() }),
])
export type Place = z.infer<typeof Place>

/** One reading of a company's directory as a worker goes on with it. */
export interface RunningSync {
  readonly id: Id<'directorySync'>
  readonly companyId: Id<'company'>
  readonly space: UserIdSpace
  readonly startedAtMs: number
  readonly place: Place
  /** The place as it is stored: only who still finds this text moves the reading on. */
  readonly cursor: string
}

/** A reading that has not ended after so long is begun anew: WeCom's cursors do not live for ever. */
const LONGEST_MS = 20 * 3_600_000

/** Goes on with the company's reading, or begins one. Refuses with `not_found` for no such company. */
export async function beginSync(tx: Tx, companyId: Id<'company'>): Promise<RunningSync> {
  await holdCompany(tx, companyId)
  const now = tx.clock.now()
  await change(
    tx.em,
    "update directory_sync set state = 'failed', code = 'stopped', done_at_ms = ? where company_id = ? and state = 'running' and started_at_ms < ?",
    [now, companyId, Math.max(0, now - LONGEST_MS)],
  )
  const [running] = await sql<{ id: Id<'directorySync'> }>(
    tx.em,
    "select id from directory_sync where company_id = ? and state = 'running' order by id desc limit 1",
    [companyId],
  )
  const id = running?.id ?? tx.newId('directorySync')
  if (!running)
    await tx.em.insert(DirectorySync, {
      id,
      companyId,
      state: 'running',
      cursor: null,
      members: 0,
      joined: 0,
      gone: 0,
      moved: 0,
      startedAtMs: now,
    })
  const sync = await readRunning(tx, id)
  if (sync === null) throw new Error('directory: the reading just begun is not there')
  return sync
}

/** The reading as it stands now; null when it has ended. */
export async function readRunning(tx: Tx, id: Id<'directorySync'>): Promise<RunningSync | null> {
  const row = await tx.em.findOne(DirectorySync, { id, state: 'running' }, { disableIdentityMap: true })
  if (!row) return null
  const cursor = row.cursor ?? ''
  return {
    id,
    companyId: row.companyId,
    space: await readUserIdSpace(tx, row.companyId),
    startedAtMs: row.startedAtMs,
    place: cursor === '' ? { at: 'departments' } : Place.parse(JSON.parse(cursor)),
    cursor,
  }
}

/** Holds the reading until the commit; false when it has ended or another worker has moved it on. */
export async function lockSync(tx: Tx, { id, cursor }: RunningSync): Promise<boolean> {
  await change(tx.em, 'update directory_sync set members = members where id = ?', [id])
  const [row] = await sql<{ place: string | null }>(
    tx.em,
    "select `cursor` as place from directory_sync where id = ? and state = 'running'",
    [id],
  )
  return row !== undefined && (row.place ?? '') === cursor
}

/** Moves a reading that is held on to its next place. */
export async function moveSync(tx: Tx, sync: RunningSync, place: Place): Promise<void> {
  await change(tx.em, "update directory_sync set `cursor` = ? where id = ? and state = 'running'", [
    JSON.stringify(place),
    sync.id,
  ])
}

/** Ends a reading; `code` says why it failed, or what waits for a person. Once, whoever comes first. */
export async function endSync(
  tx: Tx,
  id: Id<'directorySync'>,
  end: { readonly state: 'done' | 'failed'; readonly code?: string },
): Promise<void> {
  await change(
    tx.em,
    "update directory_sync set state = ?, code = ?, `cursor` = null, done_at_ms = ? where id = ? and state = 'running'",
    [end.state, end.code?.slice(0, 40) ?? null, tx.clock.now(), id],
  )
}

/** Adds to the counts of a reading that is held. */
export async function countSync(
  tx: Tx,
  id: Id<'directorySync'>,
  column: 'members' | 'joined' | 'gone' | 'moved',
  more: number,
): Promise<void> {
  if (more > 0) await change(tx.em, `update directory_sync set ${column} = ${column} + ? where id = ?`, [more, id])
}
