import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'

/**
 * Takes money away again that was counted for an order by mistake, and posts nothing. False, with nothing written, when the
 * order waits for no money any more: its cards are paid with it. The caller holds the order and posts.
 */
export async function unsecureFunds(tx: Tx, orderId: Id<'order'>, amount: Fen): Promise<boolean> {
  const taken = await change(
    tx.em,
    `update orders set secured_fen = secured_fen - ?, version = version + 1
      where id = ? and state = 'awaiting_funds' and secured_fen - issued_fen - returned_fen >= ?`,
    [amount, orderId, amount],
  )
  return taken === 1
}
