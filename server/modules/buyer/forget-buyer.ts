import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'

/**
 * Job `buyer.forget`: erases who a buyer is, because they withdrew their data or WeChat told that the account is gone. Their
 * sessions end, and the same account that comes again is somebody new. Purchases and cards stay in the books under an id that
 * names nobody any more. Harmless to repeat.
 */
export async function forgetBuyer(tx: Tx, buyerId: Id<'buyer'>): Promise<void> {
  const marked = await change(tx.em, 'update buyer set forgotten_at_ms = ? where id = ? and forgotten_at_ms is null', [
    tx.clock.now(),
    buyerId,
  ])
  await change(tx.em, 'delete from buyer_account where buyer_id = ?', [buyerId])
  if (marked === 1) await trail(tx, { objectId: buyerId, act: 'buyer.forgotten' })
}
