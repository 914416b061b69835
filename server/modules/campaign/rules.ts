import { createHash } from 'node:crypto'
import type { ErrorCode } from '../../../contract/error-codes.ts'
import type { Fen } from '../../../contract/fen.ts'
import { unknownFields } from '../../../contract/greeting.ts'
import type { CampaignContent } from '../../../contract/hr/campaign.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import { priceOf } from '../../../contract/price.ts'
import { canonical } from '../../kernel/once.ts'
import { faceAllowed, type Faces } from '../catalog/rules.ts'
import { cardRules, type RuleId } from '../compliance/rules.ts'
import type { Recipient } from '../staff/read-recipients.ts'

/** What of a template version the rules of a campaign look at. */
export interface Terms extends Faces {
  readonly named: boolean
  readonly validDays?: number | null | undefined
  readonly priceBp: number
}

/** One person who gets one card. */
export interface Head {
  readonly personId: Id<'person'>
  readonly department: string | null
  readonly faceFen: Fen
  readonly priceFen: Fen
}

/** Why a row of the list gets no card: the list says no amount, the card has no such face, or the person was there before. */
export type LeftOutCode = 'no_amount' | 'face_not_allowed' | 'repeated'

/** Something that keeps a campaign from being submitted and approved. */
export interface Block {
  readonly code: ErrorCode
  readonly field: string
  readonly ruleId: RuleId | null
}

/**
 * Who gets a card of which face, in the order of the list. A person who stands in it twice counts once, with the first
 * row. Rows without an amount, or with a face that the card does not have, are left out and counted by their reason.
 */
export function chooseHeads(
  content: Pick<CampaignContent, 'amountFrom' | 'faceFen'>,
  terms: Terms,
  recipients: readonly Recipient[],
): { readonly heads: readonly Head[]; readonly leftOut: ReadonlyMap<LeftOutCode, number> } {
  const heads: Head[] = []
  const leftOut = new Map<LeftOutCode, number>()
  const seen = new Set<Id<'person'>>()
  for (const { personId, department, amountFen } of recipients) {
    const faceFen = content.amountFrom === 'same' ? content.faceFen : amountFen
    const reason = seen.has(personId) ? 'repeated' : reasonAgainst(faceFen, terms)
    seen.add(personId)
    if (faceFen === null || reason !== null) {
      const code = reason ?? 'no_amount'
      leftOut.set(code, (leftOut.get(code) ?? 0) + 1)
    } else heads.push({ personId, department, faceFen, priceFen: priceOf(faceFen, terms.priceBp) })
  }
  return { heads, leftOut }
}

function reasonAgainst(faceFen: Fen | null, terms: Terms): LeftOutCode | null {
  if (faceFen === null) return 'no_amount'
  return faceFen > 0 && faceAllowed(terms, faceFen) && brokenBy(terms, faceFen) === null ? null : 'face_not_allowed'
}

const brokenBy = (terms: Terms, faceFen: number): RuleId | null =>
  cardRules({ named: terms.named, validDays: terms.validDays ?? null }, faceFen)[0] ?? null

/** Fingerprint of all that an approver agrees to: the words, the card, the time, and who gets how much in which order. */
export function hashContent(
  campaignId: Id<'campaign'>,
  content: CampaignContent,
  heads: readonly Pick<Head, 'personId' | 'faceFen'>[],
): string {
  // One text: looking at each of 200,000 pairs takes ten times as long, and the database's only writer may be waiting.
  const recipients = heads.map((head) => `${head.personId}:${head.faceFen}`).join()
  return createHash('sha256').update(canonical({ campaignId, content, recipients })).digest('hex')
}

export interface Judged {
  readonly content: CampaignContent
  readonly terms: Terms
  readonly heads: number
  /** False when the list is not applied yet. */
  readonly rosterUsed: boolean
  readonly nowMs: number
  /** Merge fields of the greeting beside the common ones. */
  readonly mergeFields?: readonly string[]
}

/** All that keeps a campaign from going on, the gravest first. */
export function blocksOf({ content, terms, heads, rosterUsed, nowMs, mergeFields = [] }: Judged): Block[] {
  const blocks: Block[] = []
  const block = (code: ErrorCode, field: string, ruleId: RuleId | null = null) => blocks.push({ code, field, ruleId })
  const { amountFrom, faceFen, sendAtMs } = content
  const broken = amountFrom === 'same' && faceFen !== null ? brokenBy(terms, faceFen) : null
  if (broken !== null) block('face_over_limit', 'faceFen', broken)
  else if (amountFrom === 'same' && (faceFen === null || !faceAllowed(terms, faceFen)))
    block('face_out_of_range', 'faceFen')
  else if (!rosterUsed) block('roster_not_ready', 'rosterId')
  else if (heads === 0) block('recipients_empty', 'selection')
  if (heads > limits.itemsPerOrder) block('too_many_recipients', 'selection')
  if (sendAtMs !== null && sendAtMs < nowMs) block('send_time_past', 'sendAtMs')
  if (unknownFields(content.greeting, mergeFields).length > 0) block('greeting_unknown_field', 'greeting')
  return blocks
}
