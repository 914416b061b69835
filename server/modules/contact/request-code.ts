import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, insertRows, sql } from '../../kernel/sql.ts'
import { countMore, readGuesses } from './count-guesses.ts'
import { findClaimant, lockClaimants, type Claimant } from './find-claimant.ts'
import { findDoor, type DoorKey } from './find-door.ts'
import { inGroups } from '../../kernel/in-groups.ts'
import { codeWaitMs, contactLimits, sixDigits } from './rules.ts'
import { codeIndexOf, phoneIndexOf, sealCode } from './seal-contact.ts'

export interface CodeRequest {
  readonly door: DoorKey
  readonly mobile: string
}
interface Wanted {
  readonly companyId: Id<'company'>
  readonly campaignId: Id<'campaign'>
  readonly mobile: string
  readonly phoneIndex: string
  readonly claimant: Claimant | null
}

/**
 * Sends a fresh code to a mobile whose card waits behind a door, unless one went there a moment ago. Whatever the number
 * is, the caller learns nothing: same answer, same kind of work. A new code ends the one before. What a stranger who knows
 * the wall and our numbers can make us send is bounded by the campaign's heads, and everybody gets some codes even then.
 */
export const requestCode: (edge: Edge, request: CodeRequest) => Promise<void> = inGroups(requestMany)

const DAY_MS = 86_400_000
/** Codes of one job: some dozens are sent at once, and a job that dies repeats few. */
const PER_JOB = 50

async function requestMany(tx: Tx, requests: readonly CodeRequest[]): Promise<readonly void[]> {
  const wanted: (Wanted | null)[] = []
  for (const { door: key, mobile } of requests) {
    const door = await findDoor(tx, key)
    const phoneIndex = phoneIndexOf(tx.house, mobile)
    const claimant = door?.open ? await findClaimant(tx, door, phoneIndex) : null
    wanted.push(door && { companyId: door.companyId, campaignId: door.campaignId, mobile, phoneIndex, claimant })
  }
  await lockClaimants(
    tx,
    wanted.map((one) => one?.claimant ?? null),
  )
  const rows: NewCode[] = []
  const sent = new Map<string, number>()
  for (const one of wanted) {
    const row = one?.claimant ? await newCode(tx, one, rows) : null
    if (row === null) continue
    rows.push(row)
    add(sent, sentName(one!.campaignId))
  }
  // Written whether somebody was on the list or not: a commit that writes nothing would be told by its speed.
  const asked = new Map(wanted.flatMap((one) => (one === null ? [] : [[`claim.asked:${one.campaignId}`, 0] as const])))
  for (const one of wanted) if (one !== null) add(asked, `claim.asked:${one.campaignId}`)
  await countMore(tx, asked)
  await countMore(tx, sent, dayOf(tx))
  await insertRows(tx.em, 'sms_code', rows)
  for (let from = 0; from < rows.length; from += PER_JOB) {
    const ids = rows.slice(from, from + PER_JOB).map(({ id }) => id)
    await enqueue(tx, [{ kind: 'sms.send', key: `sms.send:${ids[0]}`, args: { codeIds: ids.join(',') } }])
  }
  return requests.map(() => undefined)
}

const add = (counts: Map<string, number>, name: string): unknown => counts.set(name, (counts.get(name) ?? 0) + 1)

type NewCode = {
  readonly id: Id<'smsCode'>
  readonly company_id: Id<'company'>
  readonly phone_index: string
  readonly code_index: string
  readonly phone_sealed: Buffer
  readonly state: 'planned'
  readonly tries: number
  readonly created_at_ms: number
  readonly expires_at_ms: number
}

const sentName = (campaignId: string): string => `claim.sent:${campaignId}`
const dayOf = (tx: Tx): number => tx.clock.now() - (tx.clock.now() % DAY_MS)

/** Whether a campaign has had as many codes today as its people can need. */
async function isSpent(tx: Tx, campaignId: Id<'campaign'>): Promise<boolean> {
  const name = sentName(campaignId)
  const sent = (await readGuesses(tx, [name], dayOf(tx))).get(name) ?? 0
  const [row] = await sql<{ heads: unknown }>(tx.em, 'select heads from campaign where id = ?', [campaignId])
  return sent >= contactLimits.codesOfAHead * Math.max(1, readSum(row?.heads))
}

/** The row of a fresh code, with the ones before it ended; null while the last one is too young. */
async function newCode(tx: Tx, wanted: Wanted, others: readonly NewCode[]): Promise<NewCode | null> {
  const { companyId, mobile, phoneIndex } = wanted
  const now = tx.clock.now()
  if (others.some((one) => one.company_id === companyId && one.phone_index === phoneIndex)) return null
  const [sent] = await sql<{ count: unknown; lastMs: unknown }>(
    tx.em,
    'select count(*) as count, max(created_at_ms) as lastMs from sms_code where company_id = ? and phone_index = ? and created_at_ms > ?',
    [companyId, phoneIndex, now - DAY_MS],
  )
  if (readSum(sent?.lastMs) + codeWaitMs(readSum(sent?.count)) > now) return null
  if (readSum(sent?.count) >= contactLimits.codesAlways && (await isSpent(tx, wanted.campaignId))) return null
  await change(
    tx.em,
    "update sms_code set state = 'ended', phone_sealed = null where company_id = ? and phone_index = ? and state in ('planned', 'sent')",
    [companyId, phoneIndex],
  )
  const id = tx.newId('smsCode')
  const code = sixDigits(tx.random)
  return {
    id,
    company_id: companyId,
    phone_index: phoneIndex,
    code_index: codeIndexOf(tx.house, id, code),
    phone_sealed: sealCode(tx.house, id, { mobile, code }),
    state: 'planned',
    tries: 0,
    created_at_ms: now,
    expires_at_ms: now + contactLimits.codeLifeMs,
  }
}
