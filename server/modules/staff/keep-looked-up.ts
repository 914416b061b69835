import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import type { UserIdSpace } from '../company/read-user-id-space.ts'
import { sealPerson, type PersonFacts } from './seal-person.ts'

/** A person as it was read, and what WeCom said about them. */
export interface LookedUp {
  readonly id: Id<'person'>
  readonly version: number
  readonly facts: PersonFacts
  /** The account; null where WeCom knows none. */
  readonly userid: string | null
  /** `listed`: found by the account that a list names; `phone`: by their mobile. */
  readonly by: 'listed' | 'phone'
}

/**
 * Keeps what look-ups gave, except for people who were changed meanwhile: they are looked up again. One account belongs
 * to one person: whoever comes second has none. Returns the people who really have what was found for them.
 */
export async function keepLookedUp(
  tx: Tx,
  company: { readonly id: Id<'company'>; readonly space: UserIdSpace },
  people: readonly LookedUp[],
): Promise<Set<Id<'person'>>> {
  const now = tx.clock.now()
  const sealed = people.map((one) => ({ ...one, facts: factsAfter(one) }))
  const indexes = sealed.map(({ id, facts }) => sealPerson(tx.house, company.space, id, facts).userIdIndex)
  const holders = await readHolders(tx, company.id, indexes)
  const kept = new Set<Id<'person'>>()
  for (const [at, one] of sealed.entries()) {
    const index = indexes[at] ?? null
    const taken = index !== null && (holders.get(index) ?? one.id) !== one.id
    const facts = taken ? { ...one.facts, userid: null } : one.facts
    if (index !== null && !taken) holders.set(index, one.id)
    await write(tx, company.space, { ...one, facts }, now)
    if (!taken) kept.add(one.id)
  }
  return kept
}

const factsAfter = ({ facts, userid, by }: LookedUp): PersonFacts =>
  by === 'listed' && userid === null ? { ...facts, listedUnknown: true } : { ...facts, userid }

/** Who of the company has these accounts already. */
async function readHolders(tx: Tx, companyId: Id<'company'>, indexes: readonly (string | null)[]) {
  const known = indexes.filter((index) => index !== null)
  const holders = new Map<string, Id<'person'>>()
  if (known.length === 0) return holders
  const rows = await sql<{ id: Id<'person'>; user: string }>(
    tx.em,
    `select id, user_id_index as user from person
     where company_id = ? and state = 'active' and user_id_index in (${known.map(() => '?').join(',')}) order by id desc`,
    [companyId, ...known],
  )
  for (const { id, user } of rows) holders.set(user, id)
  return holders
}

async function write(tx: Tx, space: UserIdSpace, one: LookedUp, now: number): Promise<void> {
  const { id, version, facts, by } = one
  const columns = sealPerson(tx.house, space, id, facts)
  const found = by === 'listed' ? 'listed' : 'found'
  // A listed account that WeCom does not know leaves the mobile to be tried, where there is one.
  const none = by === 'listed' && one.userid === null && facts.phone !== null ? 'unknown' : 'none'
  await change(
    tx.em,
    `update person set sealed = ?, user_id_index = ?, matched = ?, changed_at_ms = ?, version = version + 1 where id = ? and version = ? and matched = 'unknown'`,
    [columns.sealed, columns.userIdIndex, facts.userid === null ? none : found, now, id, version],
  )
}
