import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'

/**
 * Sets how often people may pass a card of the actor's company on; 0: never. It counts from the next gift: what was
 * offered before may still be claimed.
 */
export async function chooseGiftDepth(tx: Tx, giftDepth: number): Promise<number> {
  const companyId = companyOf(tx.actor)
  const changed = await change(tx.em, 'update company set gift_depth = ? where id = ? and gift_depth <> ?', [
    giftDepth,
    companyId,
    giftDepth,
  ])
  if (changed === 1) await trail(tx, { objectId: companyId, act: 'company.gift_depth', note: String(giftDepth) })
  return giftDepth
}
