import type { Tx } from '../../kernel/context.ts'
import type { RedemptionView } from '../../../contract/till.ts'
import { AppError } from '../../kernel/errors.ts'
import { viewOf } from './act-at-till.ts'
import { ActRefused } from './act-refused.ts'
import { decideAct } from './decide-act.ts'
import { openTillBooks } from './open-till-books.ts'
import { openPayCode } from './pay-code.ts'
import type { Till } from './till-acts.ts'

/**
 * What a code could pay at this till now: decided as a scan is, and written nowhere, so the code is as good as before.
 * Refuses as a scan does.
 */
export async function readCodeBalance(
  tx: Tx,
  till: Till,
  code: string,
): Promise<Pick<RedemptionView, 'availableFen' | 'cards'>> {
  const signed = openPayCode(tx, code)?.signed ?? null
  const { brandId } = till
  const books = await openTillBooks(tx, {
    shiftIds: [],
    redemptionIds: [],
    undoIds: [],
    shown: signed === null ? [] : [{ code: signed, brandId }],
    brandIds: [brandId],
  })
  try {
    return viewOf(books, decideAct(books, { till, key: '', act: { kind: 'scan', codes: [code] } }, [signed]))
  } catch (error) {
    if (error instanceof ActRefused) throw new AppError(error.code, { field: 'code' })
    throw error
  }
}
