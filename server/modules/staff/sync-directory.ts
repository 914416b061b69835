import type { Id } from '../../../contract/ids.ts'
import type { WecomApp } from '../../channels/ports.ts'
import type { Edge } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { sql } from '../../kernel/sql.ts'
import { breakConnection } from '../company/break-connection.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { beginClosing, closeLeavers, closeSlice } from './close-sync.ts'
import { keepDepartments, keepSightings, type Sighting } from './keep-sightings.ts'
import { beginSync, endSync, lockSync, moveSync, readRunning, type Place, type RunningSync } from './run-sync.ts'

/** Members noted in one transaction, and members asked for by themselves at once. */
const PER_TRANSACTION = 500
const AT_ONCE = 8
/** A department that was dissolved or left the visible range while we read: WeCom's codes for it. */
const NO_SUCH_DEPARTMENT = ['60003', '60123']

/**
 * Job `directory.sync`: reads the departments and members that a company's app may see, page by page, and writes what
 * differs from the last reading for HR to act on. A stop at any point goes on from its page; two at once make one
 * reading. A refusal or a broken credential fails the reading with WeCom's code and concludes nothing. Throws
 * OutsideError where waiting helps.
 */
export async function syncDirectory(edge: Edge, companyId: Id<'company'>): Promise<void> {
  const app = await edge.read((tx) => readWecomApp(tx, companyId))
  if (app === null) return
  const begun = await edge.tx((tx) => beginSync(tx, companyId))
  try {
    for (let sync: RunningSync | null = begun; sync !== null;) {
      await step(edge, app, sync)
      sync = await edge.read((tx) => readRunning(tx, begun.id))
    }
  } catch (error) {
    if (!(error instanceof OutsideError) || error.outcome === 'busy' || error.outcome === 'unknown') throw error
    edge.log.warn({ companyId, code: error.code, outcome: error.outcome }, 'directory not read')
    await edge.tx(async (tx) => {
      await endSync(tx, begun.id, { state: 'failed', code: error.code })
      if (error.outcome === 'broken') await breakConnection(tx, companyId, error.code)
    })
  }
}

function step(edge: Edge, app: WecomApp, sync: RunningSync): Promise<void> {
  const { place } = sync
  switch (place.at) {
    case 'departments':
      return readDepartments(edge, app, sync)
    case 'ids':
      return readIds(edge, app, sync, place.next)
    case 'department':
      return readDepartment(edge, app, sync, place.after)
    case 'users':
      return readUsers(edge, app, sync, place.after)
    case 'close':
      return edge.tx((tx) => closeSlice(tx, sync))
    case 'leavers':
      return edge.tx((tx) => closeLeavers(tx, sync))
  }
}

async function readDepartments(edge: Edge, app: WecomApp, sync: RunningSync): Promise<void> {
  const departments = await edge.ports.wecom.departments(app)
  await edge.tx(async (tx) => {
    if (!(await lockSync(tx, sync))) return
    await keepDepartments(tx, sync.companyId, departments)
    const next: Place = app.contactSecret === null ? { at: 'department', after: -1 } : { at: 'ids', next: null }
    await moveSync(tx, sync, next)
  })
}

async function readIds(edge: Edge, app: WecomApp, sync: RunningSync, cursor: string | null): Promise<void> {
  const page = await edge.ports.wecom.memberIds(app, cursor)
  const seen = page.items.map(({ userid, department }) => ({ userid, name: null, departments: [department] }))
  if (!(await keepAll(edge, sync, seen))) return
  if (page.next === null) return edge.tx((tx) => beginClosing(tx, sync))
  await moveOn(edge, sync, { at: 'ids', next: page.next })
}

async function readDepartment(edge: Edge, app: WecomApp, sync: RunningSync, after: number): Promise<void> {
  const [next] = await edge.read((tx) =>
    sql<{ id: number }>(
      tx.em,
      `select department_id as id from directory_department
       where company_id = ? and state = 'present' and department_id > ? order by department_id limit 1`,
      [sync.companyId, after],
    ),
  )
  if (!next) return moveOn(edge, sync, { at: 'users', after: 0 })
  const id = Number(next.id)
  if (!(await keepAll(edge, sync, await membersOf(edge, app, id)))) return
  await moveOn(edge, sync, { at: 'department', after: id })
}

async function membersOf(edge: Edge, app: WecomApp, departmentId: number): Promise<readonly Sighting[]> {
  try {
    return await edge.ports.wecom.membersOf(app, departmentId)
  } catch (error) {
    if (error instanceof OutsideError && NO_SUCH_DEPARTMENT.includes(error.code)) return []
    throw error
  }
}

/** Those who were chosen by themselves for an installed app stand in no department that it sees. */
async function readUsers(edge: Edge, app: WecomApp, sync: RunningSync, after: number): Promise<void> {
  const userIds = await visibleUsers(edge, app)
  const piece = userIds.slice(after, after + PER_TRANSACTION)
  const seen: Sighting[] = []
  for (let from = 0; from < piece.length; from += AT_ONCE) {
    const asked = piece.slice(from, from + AT_ONCE).map((userid) => edge.ports.wecom.member(app, userid))
    for (const member of await Promise.all(asked)) if (member !== null) seen.push(member)
  }
  if (!(await keepAll(edge, sync, seen))) return
  const next = after + piece.length
  if (next >= userIds.length) return edge.tx((tx) => beginClosing(tx, sync))
  await moveOn(edge, sync, { at: 'users', after: next })
}

async function visibleUsers(edge: Edge, app: WecomApp): Promise<readonly string[]> {
  if (app.suiteId === null) return []
  const { userIds } = await edge.ports.wecom.authInfo(app.suiteId, app.corpId, app.secret)
  return [...userIds].sort()
}

/** False when the reading has ended or was moved on by another worker. */
async function keepAll(edge: Edge, sync: RunningSync, seen: readonly Sighting[]): Promise<boolean> {
  for (let from = 0; from < seen.length; from += PER_TRANSACTION) {
    const slice = seen.slice(from, from + PER_TRANSACTION)
    if (!(await edge.tx((tx) => keepSightings(tx, sync, slice)))) return false
  }
  return true
}

async function moveOn(edge: Edge, sync: RunningSync, place: Place): Promise<void> {
  await edge.tx(async (tx) => {
    if (await lockSync(tx, sync)) await moveSync(tx, sync, place)
  })
}
