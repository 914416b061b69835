/**
 * Limits of prepaid cards that server and pages both check. Where each one comes from, and since when, stands in
 * server/modules/compliance/rules.ts.
 */
export const cardLimits = {
  /** A named card holds at most this. */
  namedFaceFen: 500_000,
  /** A card without a name holds at most this. */
  unnamedFaceFen: 100_000,
  /** A card without a name is valid for at least three years, counted as days. */
  unnamedValidDays: 1095,
} as const

export interface CardTerms {
  readonly named: boolean
  /** Days from issue; null: it does not expire. */
  readonly validDays: number | null
}
export type CardRuleId = 'named_face' | 'unnamed_face' | 'named_no_expiry' | 'unnamed_validity'

/** The rules that a card of these terms with this face would break; empty when it may be made. */
export function brokenCardRules(terms: CardTerms, faceFen: number): CardRuleId[] {
  const broken: CardRuleId[] = []
  if (terms.named && faceFen > cardLimits.namedFaceFen) broken.push('named_face')
  if (!terms.named && faceFen > cardLimits.unnamedFaceFen) broken.push('unnamed_face')
  if (terms.named && terms.validDays !== null) broken.push('named_no_expiry')
  if (!terms.named && terms.validDays !== null && terms.validDays < cardLimits.unnamedValidDays)
    broken.push('unnamed_validity')
  return broken
}
