import { signedFen } from '../../../contract/fen.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, dialectOf, sql } from '../../kernel/sql.ts'
import { readWithdrawn } from '../funding/book-withdrawal.ts'
import { PayoutItem } from './tables.ts'

/**
 * Brings our own payout items in line with our merchant account at WeChat Pay: what it collected for others we owe custody
 * (their orders' items say so), what was withdrawn to the bank we have brought, and a transfer that came in there we owe.
 * So our commission leaves custody only once it and everything that others are owed came there. Returns what it changed.
 */
export async function settleOwnMerchant(tx: Tx): Promise<number> {
  const taken = dialectOf(tx.em) === 'mysql' ? 'on duplicate key update' : 'on conflict (name) do update set'
  await change(tx.em, `insert into counter (name, next) values ('own-merchant', 1) ${taken} next = counter.next + 1`)
  const { netFen, lastId } = await readWithdrawn(tx)
  const [row] = await sql<{ total: unknown }>(
    tx.em,
    "select sum(amount_fen) as total from payout_item where payee = 'platform' and kind = 'withdrawal'",
  )
  const due = netFen - readSum(row?.total)
  if (due === 0) return 0
  const id = tx.newId('payoutItem')
  const about = { orderId: null, brandId: null, kind: 'withdrawal' as const, ref: lastId ?? id }
  await tx.em.insert(PayoutItem, {
    id,
    payee: 'platform',
    ...about,
    amountFen: signedFen(due),
    payoutId: null,
    createdAtMs: tx.clock.now(),
  })
  return due
}
