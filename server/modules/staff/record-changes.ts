import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, insertRows, sql } from '../../kernel/sql.ts'
import { slots } from './directory-rows.ts'

export type ChangeKind = 'joined' | 'left' | 'moved' | 'renamed' | 'second'

/** A member of the directory whose standing changed, as it was before and as it is now. */
export interface Changed {
  readonly memberId: Id<'directoryMember'>
  readonly personId: Id<'person'> | null
  readonly from: string | null
  readonly to: string | null
}

interface OpenChange {
  readonly id: Id<'directoryChange'>
  readonly member: Id<'directoryMember'>
  readonly kind: ChangeKind
  readonly before: string | null
}

/**
 * Writes differences that HR can act on, one for each member of a kind: who comes back before anybody acted on the
 * leaving has not left, who goes before anybody acted on the joining has not joined, and a second move goes on from where
 * the first began. Returns how many differences are new.
 */
export async function recordChanges(
  tx: Tx,
  companyId: Id<'company'>,
  kind: ChangeKind,
  changed: readonly Changed[],
): Promise<number> {
  if (changed.length === 0) return 0
  const open = await readOpen(
    tx,
    changed.map((one) => one.memberId),
  )
  const fresh: Changed[] = []
  for (const one of changed) {
    const own = open.get(one.memberId) ?? []
    const undone = own.filter((other) => other.kind === opposite[kind])
    const same = own.find((other) => other.kind === kind)
    await dismiss(
      tx,
      undone.map((other) => other.id),
    )
    if (kind === 'left') await dismiss(tx, idsOf(own, 'moved'))
    if (same && kind === 'moved') await moveOn(tx, same, one)
    if (!same && undone.length === 0) fresh.push(one)
  }
  await insertRows(
    tx.em,
    'directory_change',
    fresh.map((one) => ({
      id: tx.newId('directoryChange'),
      company_id: companyId,
      member_id: one.memberId,
      person_id: one.personId,
      kind,
      from_departments: one.from,
      to_departments: one.to,
      state: 'open',
      found_at_ms: tx.clock.now(),
    })),
  )
  return fresh.length
}

const opposite: Readonly<Record<ChangeKind, ChangeKind | null>> = {
  joined: 'left',
  left: 'joined',
  moved: null,
  renamed: null,
  second: null,
}

const idsOf = (open: readonly OpenChange[], kind: ChangeKind) =>
  open.filter((one) => one.kind === kind).map((one) => one.id)

async function readOpen(tx: Tx, memberIds: readonly Id<'directoryMember'>[]) {
  const rows = await sql<OpenChange>(
    tx.em,
    `select id, member_id as member, kind, from_departments as \`before\` from directory_change
     where state = 'open' and member_id in (${slots(memberIds)}) order by id`,
    memberIds,
  )
  return Map.groupBy(rows, (row) => row.member)
}

/** A move back to where it began is none. */
async function moveOn(tx: Tx, open: OpenChange, { personId, to }: Changed): Promise<void> {
  if (open.before === to) return dismiss(tx, [open.id])
  await change(
    tx.em,
    "update directory_change set to_departments = ?, person_id = coalesce(?, person_id), found_at_ms = ? where id = ? and state = 'open'",
    [to, personId, tx.clock.now(), open.id],
  )
}

/** Nothing is left to be done about these differences: they no longer stand. */
export async function dismiss(tx: Tx, ids: readonly Id<'directoryChange'>[]): Promise<void> {
  if (ids.length === 0) return
  await change(
    tx.em,
    `update directory_change set state = 'dismissed', decided_at_ms = ? where state = 'open' and id in (${slots(ids)})`,
    [tx.clock.now(), ...ids],
  )
}
