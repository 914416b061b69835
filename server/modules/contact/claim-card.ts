import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { change, insertIgnore, sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { markClaimed } from '../delivery/mark-claimed.ts'
import { byAddress, byDoor, countMore, readGuesses, type Counted } from './count-guesses.ts'
import { findClaimant, lockClaimants, type Claimant } from './find-claimant.ts'
import { findDoor, type Door, type DoorKey } from './find-door.ts'
import { inGroups } from '../../kernel/in-groups.ts'
import { linkContact } from './link-contact.ts'
import { contactLimits } from './rules.ts'
import { codeIndexOf, phoneIndexOf, sameIndex, usedIndexOf } from './seal-contact.ts'

export interface ClaimRequest {
  readonly door: DoorKey
  readonly mobile: string
  readonly code: string
  /** The request's own key: the very same request again is answered alike. */
  readonly key: string
  /** The fingerprint of where it came from. */
  readonly addressIndex: string
  /** What the link of a welcome message carried. */
  readonly contact: string | null
}
export interface ClaimedCard extends Claimant {
  readonly companyId: Id<'company'>
  readonly campaignId: Id<'campaign'>
}
/** `refused` says nothing about why: wrong code, wrong number, nobody on the list, no card, a used link. */
export type ClaimOutcome = ClaimedCard | 'refused' | 'throttled'

/**
 * Takes a card for whoever proves the mobile that stands on the list: a claim, the delivery claimed, the code used, all in
 * one transaction. Once a person and campaign; the same person again is let in again. A wrong guess counts against its
 * code and its address, and against its door when it was made at a code that lives: otherwise a stranger with some
 * addresses could shut a whole factory out, guessing at nothing.
 */
export const claimCard: (edge: Edge, request: ClaimRequest) => Promise<ClaimOutcome> = inGroups(claimMany)

interface Judged {
  readonly request: ClaimRequest
  readonly door: Door | null
  readonly phoneIndex: string
  readonly claimant: Claimant | null
}

async function claimMany(tx: Tx, requests: readonly ClaimRequest[]): Promise<readonly ClaimOutcome[]> {
  const judged: Judged[] = []
  for (const request of requests) {
    const door = await findDoor(tx, request.door)
    const phoneIndex = phoneIndexOf(tx.house, request.mobile)
    judged.push({ request, door, phoneIndex, claimant: door && (await findClaimant(tx, door, phoneIndex)) })
  }
  await lockClaimants(
    tx,
    judged.map(({ claimant }) => claimant),
  )
  const address = (one: Judged): Counted => byAddress(one.request.addressIndex)
  const counters = (one: Judged): Counted[] => [address(one), ...(one.door ? [byDoor(one.door.id)] : [])]
  const guesses = await readGuesses(tx, [...new Set(judged.flatMap(counters).map(([name]) => name))])
  const wrong = new Map<string, number>()
  const outcomes: ClaimOutcome[] = []
  for (const one of judged) {
    const over = counters(one).some(([name, most]) => (guesses.get(name) ?? 0) + (wrong.get(name) ?? 0) >= most)
    const outcome = over ? 'throttled' : await claimOne(tx, one)
    const counted = outcome === 'guessed' ? counters(one) : outcome === 'refused' ? [address(one)] : []
    for (const [name] of counted) wrong.set(name, (wrong.get(name) ?? 0) + 1)
    outcomes.push(outcome === 'guessed' ? 'refused' : outcome)
  }
  await countMore(tx, wrong)
  return outcomes
}

/** `guessed`: refused for a wrong code in the place of one that lives. */
async function claimOne(tx: Tx, judged: Judged): Promise<ClaimOutcome | 'guessed'> {
  const { request, door, claimant } = judged
  if (door === null) return 'refused'
  const proof = await proveCode(tx, door.companyId, judged)
  if (proof === 'guessed') return 'guessed'
  if (proof === 'wrong' || claimant === null) return 'refused'
  const claimed = { ...claimant, companyId: door.companyId, campaignId: door.campaignId }
  if (proof === 'repeated') return (await isClaimed(tx, claimed)) ? claimed : 'refused'
  if (!door.open) return 'refused'
  if (!(await recordClaim(tx, door, claimed))) return 'refused'
  await linkContact(tx, { companyId: door.companyId, personId: claimant.personId, ticket: request.contact })
  return claimed
}

interface CodeRow {
  readonly id: Id<'smsCode'>
  readonly codeIndex: string
  readonly state: string
}

/**
 * Uses the live code of a number up. `repeated`: this very request did so before, and its answer was lost. `guessed`: there
 * is a code, and this is not it.
 */
async function proveCode(
  tx: Tx,
  companyId: Id<'company'>,
  judged: Judged,
): Promise<'proven' | 'repeated' | 'guessed' | 'wrong'> {
  const { request, phoneIndex, door, claimant } = judged
  const [row] = await sql<CodeRow>(
    tx.em,
    `select id, code_index as codeIndex, state from sms_code
      where company_id = ? and phone_index = ? and expires_at_ms > ? and state in ('planned', 'sent', 'used')
      order by created_at_ms desc, id desc limit 1`,
    [companyId, phoneIndex, tx.clock.now()],
  )
  if (row === undefined) return 'wrong'
  const used = usedIndexOf(tx.house, row.id, request.code, request.key)
  if (row.state === 'used') return sameIndex(row.codeIndex, used) ? 'repeated' : 'wrong'
  // A closed door, or somebody who may not claim here, must not burn a code that is good elsewhere.
  const right = sameIndex(row.codeIndex, codeIndexOf(tx.house, row.id, request.code))
  if (right && (claimant === null || door?.open !== true)) return 'wrong'
  if (!right) {
    // The state comes first: MariaDB counts with what stands to the left of it.
    await change(
      tx.em,
      `update sms_code set state = case when tries + 1 >= ? then 'ended' else state end, tries = tries + 1
        where id = ? and state in ('planned', 'sent')`,
      [contactLimits.triesOfACode, row.id],
    )
    return 'guessed'
  }
  const changed = await change(
    tx.em,
    "update sms_code set state = 'used', code_index = ?, phone_sealed = null where id = ? and state in ('planned', 'sent') and tries < ?",
    [used, row.id, contactLimits.triesOfACode],
  )
  return changed === 1 ? 'proven' : 'wrong'
}

/** Writes the claim, once a person and campaign, and uses a personal link up. False when there is nothing to take any more. */
async function recordClaim(tx: Tx, door: Door, claimed: ClaimedCard): Promise<boolean> {
  const { companyId, campaignId, personId } = claimed
  if (door.kind === 'link') {
    const used = await change(tx.em, "update claim_link set state = 'used' where id = ? and state = 'live'", [door.id])
    if (used !== 1) return false
  }
  await markClaimed(tx, { campaignId, personId })
  const [delivery] = await sql<{ state: string }>(
    tx.em,
    'select state from delivery where campaign_id = ? and person_id = ?',
    [campaignId, personId],
  )
  if (delivery?.state !== 'claimed') return false
  const id = tx.newId('claim')
  await insertIgnore(tx.em, 'claim', [
    {
      id,
      company_id: companyId,
      campaign_id: campaignId,
      person_id: personId,
      contact_way_id: door.kind === 'way' ? door.id : null,
      claim_link_id: door.kind === 'link' ? door.id : null,
      at_ms: tx.clock.now(),
    },
  ])
  await trail(tx, { objectId: personId, act: 'claim.proven', note: door.id })
  return true
}

async function isClaimed(tx: Tx, { campaignId, personId }: ClaimedCard): Promise<boolean> {
  const rows = await sql(tx.em, 'select 1 from claim where campaign_id = ? and person_id = ?', [campaignId, personId])
  return rows.length === 1
}
