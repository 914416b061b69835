import type { Tx } from '../../kernel/context.ts'
import { tokenIndexOf } from './seal-gift.ts'
import { Gift, type GiftRow } from './tables.ts'

/** The gift behind a link; null when there is none. */
export async function findGift(tx: Tx, token: string): Promise<GiftRow | null> {
  return tx.em.findOne(Gift, { tokenIndex: tokenIndexOf(tx, token) }, { disableIdentityMap: true })
}
