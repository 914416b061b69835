import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import { faultOfTerms, type ShareTerms } from '../../../contract/commission.ts'
import { BrandTerms } from './tables.ts'

/** WeChat Pay unfreezes by itself after 30 days: everything is shared well before. */
const LONGEST_HOLD_MS = 25 * 86_400_000

export interface NewTerms extends ShareTerms {
  readonly brandId: Id<'brand'>
  readonly holdMs: number
  readonly walletCredit: boolean
}

/**
 * Writes new terms of a brand, in force for orders that are placed from now on; returns the number of the terms. Equal
 * terms are not written again. Refuses with `ratio_over_cap` where the receivers would get more than WeChat Pay lets be
 * shared, and `malformed_request` with the field.
 */
export async function setTerms(tx: Tx, terms: NewTerms): Promise<number> {
  const fault = faultOfTerms(terms)
  if (fault) refuse(fault.code, { field: fault.field })
  if (!Number.isSafeInteger(terms.holdMs) || terms.holdMs < 0 || terms.holdMs > LONGEST_HOLD_MS)
    refuse('malformed_request', { field: 'holdMs' })
  const { brandId } = terms
  const options = { orderBy: { number: 'desc' }, limit: 1, disableIdentityMap: true } as const
  const [newest] = await tx.em.find(BrandTerms, { brandId }, options)
  const { collector, platformBp, maxRatioBp, holdMs, walletCredit } = terms
  const facts = { collector, platformBp, maxRatioBp, holdMs, walletCredit, channels: JSON.stringify(terms.channels) }
  const same = newest && (Object.keys(facts) as (keyof typeof facts)[]).every((key) => newest[key] === facts[key])
  if (same) return newest.number
  const number = (newest?.number ?? 0) + 1
  const id = tx.newId('brandTerms')
  const row = { id, brandId, number, ...facts, createdBy: actorName(tx.actor), createdAtMs: tx.clock.now() }
  await tx.em.insert(BrandTerms, row)
  await trail(tx, { objectId: brandId, act: 'brand.terms_set', note: `${number}` })
  return number
}
