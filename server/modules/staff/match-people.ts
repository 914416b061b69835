import type { DeliveryReason } from '../../../contract/delivery-reasons.ts'
import type { Id } from '../../../contract/ids.ts'
import type { WecomApp } from '../../channels/ports.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { sql } from '../../kernel/sql.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { keepLookedUp, type LookedUp } from './correct-person.ts'
import type { Matched } from './read-people.ts'
import { lookUpsLeft } from './rules.ts'
import { openFacts, type PersonFacts } from './seal-person.ts'

export type Match = { readonly userid: string } | { readonly reason: DeliveryReason }

/** Look-ups at once, and how many are kept in one transaction. */
const AT_ONCE = 8
const PER_TRANSACTION = 200
const PER_QUERY = 1000
const DAY_MS = 86_400_000

interface Unmatched {
  readonly id: Id<'person'>
  readonly version: number
  readonly facts: PersonFacts
  readonly phone: string
}

/**
 * The WeCom userid (lower case) of each person, or why there is none: the account that the list names, else a look-up
 * by mobile, which is kept whatever it gives. Look-ups stop for the day when too many numbers are unknown to WeCom
 * (protocol sheet wecom 4.2: a company is barred for a day), then the rest have `lookup_rationed`. Throws OutsideError
 * where waiting helps; what was found until then is kept, so asking again goes on from there.
 */
export async function matchPeople(
  edge: Edge,
  companyId: Id<'company'>,
  personIds: readonly Id<'person'>[],
): Promise<Map<Id<'person'>, Match>> {
  const { matches, left } = await edge.read((tx) => readMatches(tx, companyId, personIds))
  if (left.length === 0) return matches
  const app = await edge.read((tx) => readWecomApp(tx, companyId))
  const rest = app === null ? 'app_not_connected' : await lookUpAll(edge, companyId, app, left, matches)
  for (const person of left) if (!matches.has(person.id)) matches.set(person.id, { reason: rest })
  return matches
}

async function readMatches(tx: Tx, companyId: Id<'company'>, personIds: readonly Id<'person'>[]) {
  const matches = new Map<Id<'person'>, Match>()
  const left: Unmatched[] = []
  for (let from = 0; from < personIds.length; from += PER_QUERY) {
    const ids = personIds.slice(from, from + PER_QUERY)
    const rows = await sql<{ id: Id<'person'>; sealed: Uint8Array; matched: Matched; version: number }>(
      tx.em,
      `select id, sealed, matched, version from person where company_id = ? and id in (${ids.map(() => '?').join(',')})`,
      [companyId, ...ids],
    )
    for (const { id, sealed, matched, version } of rows) {
      const facts = openFacts(tx.house, { id, sealed })
      if (facts.userid !== null) matches.set(id, { userid: facts.userid })
      else if (matched === 'none' || facts.phone === null) matches.set(id, { reason: 'no_wecom_account' })
      else left.push({ id, version: Number(version), facts, phone: facts.phone })
    }
  }
  return { matches, left }
}

/** Works through the people in portions; returns the reason for those who were not looked up. */
async function lookUpAll(
  edge: Edge,
  companyId: Id<'company'>,
  app: WecomApp,
  left: readonly Unmatched[],
  matches: Map<Id<'person'>, Match>,
): Promise<DeliveryReason> {
  for (let from = 0; from < left.length; from += PER_TRANSACTION) {
    const portion = left.slice(from, from + PER_TRANSACTION)
    const ration = await edge.read((tx) => readRation(tx, companyId))
    const done = await lookUpPortion(edge, app, portion, ration)
    if (done.kept.length > 0) await edge.tx((tx) => keepLookedUp(tx, done.kept))
    for (const { id, userid } of done.kept)
      matches.set(id, userid === null ? { reason: 'no_wecom_account' } : { userid })
    for (const id of done.refused) matches.set(id, { reason: 'refused_by_wecom' })
    if (done.stop instanceof OutsideError) throw done.stop
    if (done.stop !== null) return done.stop
  }
  return 'lookup_rationed'
}

interface Ration {
  known: number
  missed: number
}

/** Accounts that are known to exist, and look-ups of numbers that WeCom did not know in the last day. */
async function readRation(tx: Tx, companyId: Id<'company'>): Promise<Ration> {
  const [row] = await sql<{ known: unknown; missed: unknown }>(
    tx.em,
    `select sum(case when matched in ('listed', 'found') then 1 else 0 end) as known,
       sum(case when missed_at_ms > ? then misses else 0 end) as missed
     from person where company_id = ?`,
    [tx.clock.now() - DAY_MS, companyId],
  )
  return { known: readSum(row?.known), missed: readSum(row?.missed) }
}

interface Portion {
  readonly kept: LookedUp[]
  readonly refused: Id<'person'>[]
  stop: DeliveryReason | OutsideError | null
}

async function lookUpPortion(
  edge: Edge,
  app: WecomApp,
  people: readonly Unmatched[],
  ration: Ration,
): Promise<Portion> {
  const portion: Portion = { kept: [], refused: [], stop: null }
  for (let from = 0; portion.stop === null && from < people.length;) {
    const round = people.slice(from, from + Math.min(AT_ONCE, lookUpsLeft(ration)))
    if (round.length === 0) portion.stop = 'lookup_rationed'
    await Promise.all(round.map((person) => lookUp(edge, app, person, ration, portion)))
    from += round.length
  }
  return portion
}

async function lookUp(edge: Edge, app: WecomApp, one: Unmatched, ration: Ration, portion: Portion): Promise<void> {
  const { phone, ...person } = one
  try {
    const userid = (await edge.ports.wecom.userIdByMobile(app, phone))?.toLowerCase() ?? null
    portion.kept.push({ ...person, userid })
    if (userid === null) ration.missed += 1
    else ration.known += 1
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
