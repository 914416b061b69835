import type { DeliveryReason } from '../../../contract/delivery-reasons.ts'
import type { Id } from '../../../contract/ids.ts'
import type { WecomApp } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { sql } from '../../kernel/sql.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { inSpace, readUserIdSpace, type UserIdSpace } from '../company/read-user-id-space.ts'
import { keepLookedUp, type LookedUp } from './keep-looked-up.ts'
import { settleRation, takeRation } from './look-up-ration.ts'
import type { Matched } from './read-people.ts'
import { openFacts, type PersonFacts } from './seal-person.ts'

export type Match = { readonly userid: string } | { readonly reason: DeliveryReason }

/** Look-ups at once, and how many are asked for and kept together. */
const AT_ONCE = 8
const PER_TRANSACTION = 200
const PER_QUERY = 1000

interface Unmatched {
  readonly id: Id<'person'>
  readonly version: number
  readonly facts: PersonFacts
}

/**
 * The WeCom userid of each person, or why there is none: the account that the list names (for provider apps converted
 * to their own ids), else a look-up by mobile, which is kept whatever it gives. Asking stops for the day when too much
 * is unknown to WeCom (protocols wecom 4.2: a company is barred for a day), then the rest have `lookup_rationed`.
 * Somebody who left has `person_left`. Throws OutsideError where waiting helps; what was found until then is kept, so
 * asking again goes on from there.
 */
export async function matchPeople(
  edge: Edge,
  companyId: Id<'company'>,
  personIds: readonly Id<'person'>[],
): Promise<Map<Id<'person'>, Match>> {
  const { matches, left } = await edge.read((tx) => readMatches(tx, companyId, personIds))
  if (left.length === 0) return matches
  const known = await edge.read(async (tx) => ({
    app: await readWecomApp(tx, companyId),
    space: await readUserIdSpace(tx, companyId),
  }))
  const { app, space } = known
  const rest = app === null ? 'app_not_connected' : await lookUpAll(edge, { id: companyId, space, app }, left, matches)
  for (const person of left) if (!matches.has(person.id)) matches.set(person.id, { reason: rest })
  return matches
}

async function readMatches(tx: Tx, companyId: Id<'company'>, personIds: readonly Id<'person'>[]) {
  const matches = new Map<Id<'person'>, Match>()
  const left: Unmatched[] = []
  for (let from = 0; from < personIds.length; from += PER_QUERY) {
    const ids = personIds.slice(from, from + PER_QUERY)
    const rows = await sql<{
      id: Id<'person'>
      sealed: Uint8Array
      matched: Matched
      state: 'active' | 'left'
      version: number
    }>(
      tx.em,
      `select id, sealed, matched, state, version from person where company_id = ? and id in (${ids.map(() => '?').join(',')})`,
      [companyId, ...ids],
    )
    for (const { id, sealed, matched, state, version } of rows) {
      const facts = openFacts(tx.house, { id, sealed })
      if (state === 'left') matches.set(id, { reason: 'person_left' })
      else if (facts.userid !== null) matches.set(id, { userid: facts.userid })
      else if (matched === 'none' || wayOf(facts) === null) matches.set(id, { reason: 'no_wecom_account' })
      else left.push({ id, version: Number(version), facts })
    }
  }
  return { matches, left }
}

/** How a person can be asked for: the listed account first, then the mobile; null where neither is left. */
function wayOf(facts: PersonFacts): LookedUp['by'] | null {
  if (facts.listedUserid != null && facts.listedUnknown !== true) return 'listed'
  return facts.phone === null ? null : 'phone'
}

interface Asked {
  readonly id: Id<'company'>
  readonly space: UserIdSpace
  readonly app: WecomApp
}

/** Works through the people in portions; returns the reason for those who were not looked up. */
async function lookUpAll(
  edge: Edge,
  company: Asked,
  left: readonly Unmatched[],
  matches: Map<Id<'person'>, Match>,
): Promise<DeliveryReason> {
  let waiting = [...left]
  while (waiting.length > 0) {
    const by = wayOf(waiting[0]!.facts) ?? 'phone'
    const fitting = waiting.filter((person) => wayOf(person.facts) === by).slice(0, PER_TRANSACTION)
    const ration = await edge.tx((tx) => takeRation(tx, company.id, fitting.length))
    if (ration.granted === 0) return 'lookup_rationed'
    const portion = fitting.slice(0, ration.granted)
    const done = by === 'listed' ? await convert(edge, company, portion) : await lookUpPortion(edge, company, portion)
    const missed = done.kept.filter((one) => one.userid === null).length
    const held = await edge.tx(async (tx) => {
      await settleRation(tx, ration, missed)
      return keepLookedUp(tx, company, done.kept)
    })
    const again = new Map<Id<'person'>, Unmatched>()
    for (const { id, userid, facts, version, by: way } of done.kept) {
      if (userid !== null && held.has(id)) matches.set(id, { userid: inSpace(company.space, userid) })
      else if (way === 'listed' && userid === null && facts.phone !== null)
        again.set(id, { id, version: version + 1, facts: { ...facts, listedUnknown: true } })
      else matches.set(id, { reason: 'no_wecom_account' })
    }
    for (const id of done.refused) matches.set(id, { reason: 'refused_by_wecom' })
    if (done.stop instanceof OutsideError) throw done.stop
    if (done.stop !== null) return done.stop
    waiting = waiting.flatMap((person) => again.get(person.id) ?? (matches.has(person.id) ? [] : [person]))
  }
  return 'lookup_rationed'
}

interface Portion {
  readonly kept: LookedUp[]
  readonly refused: Id<'person'>[]
  stop: DeliveryReason | OutsideError | null
}

/** The corp's own ids of a list as ids of ours (batch/userid_to_openuserid), all in one call. */
async function convert(edge: Edge, { app }: Asked, people: readonly Unmatched[]): Promise<Portion> {
  const portion: Portion = { kept: [], refused: [], stop: null }
  const ids = people.flatMap(({ facts }) => facts.listedUserid ?? [])
  try {
    const known = await edge.ports.wecom.openUserIds(app, [...new Set(ids)])
    for (const person of people)
      portion.kept.push({ ...person, userid: known.get(person.facts.listedUserid ?? '') ?? null, by: 'listed' })
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    const meaning = meaningOf(error)
    if (meaning === 'refused_by_wecom') portion.refused.push(...people.map(({ id }) => id))
    else portion.stop = meaning
  }
  return portion
}

async function lookUpPortion(edge: Edge, company: Asked, people: readonly Unmatched[]): Promise<Portion> {
  const portion: Portion = { kept: [], refused: [], stop: null }
  for (let from = 0; portion.stop === null && from < people.length; from += AT_ONCE)
    await Promise.all(people.slice(from, from + AT_ONCE).map((person) => lookUp(edge, company, person, portion)))
  return portion
}

async function lookUp(edge: Edge, { app, space }: Asked, person: Unmatched, portion: Portion): Promise<void> {
  try {
    const userid = await edge.ports.wecom.userIdByMobile(app, person.facts.phone ?? '')
    portion.kept.push({ ...person, userid: userid === null ? null : inSpace(space, userid), by: 'phone' })
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    const meaning = meaningOf(error)
    if (meaning === 'refused_by_wecom') portion.refused.push(person.id)
    else portion.stop ??= meaning
  }
}

/** What a failed look-up means: for this person, for all the rest, or (the error itself) that waiting helps. */
function meaningOf(error: OutsideError): DeliveryReason | OutsideError {
  // 45009 on getuserid is the bar of a day; our own pacing says 'paced' and passes within a minute.
  if (error.code === '45009') return 'lookup_rationed'
  switch (error.outcome) {
    case 'broken':
      return 'app_not_connected'
    case 'refused':
      return 'refused_by_wecom'
    case 'busy':
    case 'unknown':
      return error
  }
}
