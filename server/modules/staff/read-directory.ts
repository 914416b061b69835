import type { DirectoryChangeView, DirectoryView } from '../../../contract/hr/directory.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { readConnection } from '../company/read-wecom-app.ts'
import { LEAVERS_HELD } from './close-sync.ts'
import { openFactsOf, slots, splitDepartments } from './directory-rows.ts'
import { openFacts } from './seal-person.ts'
import type { ChangeKind } from './record-changes.ts'
import { DirectorySync } from './tables.ts'

const DEPARTMENTS_SHOWN = 500

/** How the directory of the actor's company stands: the last reading, its counts, the differences that are open. */
export async function readDirectory(tx: Tx): Promise<DirectoryView> {
  const companyId = companyOf(tx.actor)
  const connection = await readConnection(tx, companyId)
  const [sync] = await tx.em.find(
    DirectorySync,
    { companyId },
    { orderBy: { id: 'desc' }, limit: 1, disableIdentityMap: true },
  )
  const [read] = await sql<{ at: number }>(
    tx.em,
    "select done_at_ms as at from directory_sync where company_id = ? and state = 'done' order by id desc limit 1",
    [companyId],
  )
  const departments = await sql<{ id: number; parent: number; name: string | null }>(
    tx.em,
    `select department_id as id, parent_id as parent, name from directory_department
     where company_id = ? and state = 'present' order by department_id`,
    [companyId],
  )
  const { corpId = '', agentId = 0, suiteId = null } = connection ?? {}
  return {
    connection: connection?.state ?? 'none',
    openData: connection?.kind === 'third_party' ? { corpId, agentId, suiteId: suiteId ?? '' } : null,
    sync: sync ? { ...sync, code: sync.code ?? null, doneAtMs: sync.doneAtMs ?? null } : null,
    readAtMs: read ? Number(read.at) : null,
    ...(await countMembers(tx, companyId, sync?.code === LEAVERS_HELD ? sync : null)),
    open: await countOpen(tx, companyId),
    departmentCount: departments.length,
    departments: departments
      .slice(0, DEPARTMENTS_SHOWN)
      .map(({ id, parent, name }) => ({ id: Number(id), parentId: Number(parent), name })),
  }
}

async function countMembers(
  tx: Tx,
  companyId: Id<'company'>,
  held: { readonly id: string; readonly startedAtMs: number } | null,
) {
  const [row] = await sql<{ members: unknown; listed: unknown; held: unknown }>(
    tx.em,
    `select count(*) as members, sum(case when p.id is not null then 1 else 0 end) as listed,
       sum(case when m.sync_id <> ? and m.changed_at_ms <= ? then 1 else 0 end) as held
     from directory_member m left join person p
       on p.company_id = m.company_id and p.user_id_index = m.user_id_index and p.state = 'active'
     where m.company_id = ? and m.state = 'present'`,
    [held?.id ?? '', held?.startedAtMs ?? -1, companyId],
  )
  return { members: readSum(row?.members), onStaffList: readSum(row?.listed), held: readSum(row?.held) }
}

async function countOpen(tx: Tx, companyId: Id<'company'>): Promise<DirectoryView['open']> {
  const rows = await sql<{ kind: ChangeKind; heads: unknown }>(
    tx.em,
    "select kind, count(*) as heads from directory_change where company_id = ? and state = 'open' group by kind",
    [companyId],
  )
  const open = { joined: 0, left: 0, moved: 0, renamed: 0, second: 0 }
  for (const { kind, heads } of rows) open[kind] = readSum(heads)
  return open
}

interface ChangeRow {
  readonly id: Id<'directoryChange'>
  readonly kind: ChangeKind
  readonly from_departments: string | null
  readonly to_departments: string | null
  readonly found_at_ms: number
  readonly member_id: Id<'directoryMember'>
  readonly member_sealed: Uint8Array
  readonly person_id: Id<'person'> | null
  readonly person_sealed: Uint8Array | null
  readonly person_department: string | null
  readonly person_state: 'active' | 'left' | null
}

/** Open differences of the actor's company, newest first, a page at a time; `malformed_request` for a crooked cursor. */
export async function readDirectoryChanges(
  tx: Tx,
  wish: { readonly kind?: ChangeKind | undefined; readonly cursor?: string | undefined; readonly limit: number },
): Promise<{ changes: DirectoryChangeView[]; nextCursor: string | null }> {
  const companyId = companyOf(tx.actor)
  if (wish.cursor !== undefined && !/^dch_[0-9A-Z]{13}$/.test(wish.cursor))
    refuse('malformed_request', { field: 'cursor' })
  const conditions = [
    "c.company_id = ? and c.state = 'open'",
    ...(wish.kind === undefined ? [] : ['c.kind = ?']),
    ...(wish.cursor === undefined ? [] : ['c.id < ?']),
  ]
  const rows = await sql<ChangeRow>(
    tx.em,
    `select c.id, c.kind, c.from_departments, c.to_departments, c.found_at_ms, m.id as member_id,
       m.sealed as member_sealed, p.id as person_id, p.sealed as person_sealed, p.department as person_department,
       p.state as person_state
     from directory_change c join directory_member m on m.id = c.member_id
       left join person p on p.id = (${personOfChange})
     where ${conditions.join(' and ')} order by c.id desc limit ?`,
    [
      companyId,
      ...(wish.kind === undefined ? [] : [wish.kind]),
      ...(wish.cursor === undefined ? [] : [wish.cursor]),
      wish.limit + 1,
    ],
  )
  const page = rows.slice(0, wish.limit)
  const names = await readNames(tx, companyId, page)
  return {
    changes: page.map((row) => viewOf(tx, row, names)),
    nextCursor: rows.length > wish.limit ? (page.at(-1)?.id ?? null) : null,
  }
}

/** Our person behind a difference (`c`, of member `m`): who was known when it was found, or who has the account by now. */
export const personOfChange = `select coalesce(c.person_id, min(o.id)) from person o
  where o.company_id = c.company_id and o.user_id_index = m.user_id_index and o.state = 'active'`

async function readNames(tx: Tx, companyId: Id<'company'>, rows: readonly ChangeRow[]) {
  const ids = [
    ...new Set(rows.flatMap((row) => [...numbersOf(row.from_departments), ...numbersOf(row.to_departments)])),
  ]
  const names = new Map<number, string>()
  if (ids.length === 0) return names
  const found = await sql<{ id: number; name: string | null }>(
    tx.em,
    `select department_id as id, name from directory_department where company_id = ? and department_id in (${slots(ids)})`,
    [companyId, ...ids],
  )
  for (const { id, name } of found) if (name !== null) names.set(Number(id), name)
  return names
}

const numbersOf = (text: string | null): number[] => splitDepartments(text ?? '')

function viewOf(tx: Tx, row: ChangeRow, names: ReadonlyMap<number, string>): DirectoryChangeView {
  const { userid, name } = openFactsOf(tx.house, { id: row.member_id, sealed: row.member_sealed })
  const refs = (text: string | null) => numbersOf(text).map((id) => ({ id, name: names.get(id) ?? null }))
  const person =
    row.person_id === null || row.person_sealed === null
      ? null
      : {
          id: row.person_id,
          name: openFacts(tx.house, { id: row.person_id, sealed: row.person_sealed }).name,
          department: row.person_department,
          state: row.person_state ?? 'active',
        }
  return {
    id: row.id,
    kind: row.kind,
    wecomUserId: userid,
    name: name ?? (person?.name || null),
    from: refs(row.from_departments),
    to: refs(row.to_departments),
    person,
    foundAtMs: Number(row.found_at_ms),
  }
}
