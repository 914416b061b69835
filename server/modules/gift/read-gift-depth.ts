import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { readCompany } from '../company/read-company.ts'

/** How often a card may be passed on: as its company allows; one that was bought, as often as the house allows. */
export async function readGiftDepth(
  tx: Tx,
  { companyId = null }: { readonly companyId?: Id<'company'> | null | undefined },
): Promise<number> {
  if (companyId === null) return limits.boughtGiftDepth
  return ((await readCompany(tx, companyId)) ?? refuse('not_found')).giftDepth
}
