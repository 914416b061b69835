import type { ErrorCode } from '../../../contract/error-codes.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { readFilingsAt } from '../catalog/read-filing.ts'
import { readBrands } from '../catalog/read-template.ts'
import { readPrepaidAt } from './read-prepaid.ts'

/** Cards that are to be made of a brand. */
export interface Wanted {
  readonly brandId: Id<'brand'>
  readonly named: boolean
  /** What they hold together, in fen; read only where the filing names a ceiling. */
  readonly faceFen: () => Promise<number> | number
}

/**
 * What the filings in force now say against making these cards: `card_kind_not_filed` where a filing does not cover the
 * kind, `prepaid_over_ceiling` where the brand would owe more than its filing allows; null: nothing. A brand without a
 * filing is not stopped. What was approved and is not made yet does not count towards the ceiling: issuing asks again.
 */
export async function filingRefusal(
  tx: Tx,
  wanted: readonly Wanted[],
): Promise<Extract<ErrorCode, 'card_kind_not_filed' | 'prepaid_over_ceiling'> | null> {
  const now = tx.clock.now() + 1
  const filings = await readFilingsAt(tx, [...new Set(wanted.map((one) => one.brandId))], now)
  for (const { brandId, named } of wanted) {
    const { cards = 'all' } = filings.get(brandId) ?? {}
    if (cards !== 'all' && cards !== (named ? 'named' : 'unnamed')) return 'card_kind_not_filed'
  }
  const limited = [...filings.values()].filter((filing) => filing.ceilingFen !== null)
  if (limited.length === 0) return null
  const brands = await readBrands(
    tx,
    limited.map((filing) => filing.brandId),
  )
  const balances = await readPrepaidAt(tx, brands, now)
  for (const { brandId, ceilingFen } of limited) {
    let owed: number = balances.get(brandId)!
    for (const one of wanted) if (one.brandId === brandId) owed += await one.faceFen()
    if (owed > ceilingFen!) return 'prepaid_over_ceiling'
  }
  return null
}
