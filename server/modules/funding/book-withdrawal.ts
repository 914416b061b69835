import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, dialectOf, sql } from '../../kernel/sql.ts'
import { readSum } from '../../kernel/columns.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { readBalance } from '../ledger/prove.ts'
import type { StatementLineRow } from './tables.ts'

/** Money of a bank's line, as far as a withdrawal asks. */
interface Withdrawn {
  readonly id: Id<'statementLine'>
  readonly amountFen: Fen
}

/**
 * Takes a bank's line for money that left our own merchant account at WeChat Pay for custody, and posts that it lies there
 * now (decision 0025). False, with nothing written, where we have no merchant or the books do not have as much in it: then
 * the line is something else, or the books are behind.
 */
export async function bookWithdrawal(
  tx: Tx,
  line: Withdrawn,
  by: NonNullable<StatementLineRow['matchedBy']>,
): Promise<boolean> {
  const mchid = tx.house.wechatPay.platform?.mchid
  if (mchid === undefined) return false
  await holdMerchant(tx, mchid)
  if ((await readBalance(tx, 'CNY', account.collected(mchid))) < line.amountFen) return false
  const lines = [
    debit(account.custodyBank(tx.house.custody.name), line.amountFen),
    credit(account.collected(mchid), line.amountFen),
  ]
  await post(tx, [{ kind: 'withdrawn', ref: line.id, lines }])
  await change(
    tx.em,
    "update statement_line set outcome = 'withdrawn', mchid = ?, matched_by = ?, decided_at_ms = ? where id = ?",
    [mchid, by, tx.clock.now(), line.id],
  )
  await enqueueOwnPosition(tx, line.id)
  return true
}

/** A line that was no withdrawal: the money lies in the merchant account still. The caller has taken the line. */
export async function undoWithdrawal(tx: Tx, line: Withdrawn & { readonly mchid: string }): Promise<void> {
  await holdMerchant(tx, line.mchid)
  const lines = [
    debit(account.collected(line.mchid), line.amountFen),
    credit(account.custodyBank(tx.house.custody.name), line.amountFen),
  ]
  await post(tx, [{ kind: 'withdrawal_undone', ref: line.id, lines }])
  await enqueueOwnPosition(tx, line.id)
}

/** What our merchant account holds for others has changed: job `payouts.match` brings our own payout items in line. */
export const enqueueOwnPosition = (tx: Tx, why: Id<'statementLine'>): Promise<void> =>
  enqueue(tx, [{ kind: 'payouts.match', key: `payouts.match:${why}:${tx.newId('job')}`, args: {} }])

/** Whoever withdraws holds the merchant until the end of the transaction: two never take the same money. */
async function holdMerchant(tx: Tx, mchid: string): Promise<void> {
  const taken = dialectOf(tx.em) === 'mysql' ? 'on duplicate key update' : 'on conflict (name) do update set'
  await change(tx.em, `insert into counter (name, next) values (?, 1) ${taken} next = counter.next + 1`, [
    `withdrawal:${mchid}`,
  ])
}

/**
 * What came from our merchant account to the bank less what came into it by transfer, as far as statements and incomes
 * tell, and the latest of these lines (null: there is none). Payouts count with it (settlement/settle-own-merchant.ts).
 */
export async function readWithdrawn(
  tx: Tx,
): Promise<{ readonly netFen: number; readonly lastId: Id<'statementLine'> | null }> {
  const [row] = await sql<{ total: unknown; last: Id<'statementLine'> | null }>(
    tx.em,
    `select sum(case when outcome = 'withdrawn' then amount_fen else 0 - amount_fen end) as total, max(id) as last
      from statement_line where outcome = 'withdrawn'
        or (source = 'wechat_income' and outcome in ('unmatched', 'payment', 'top_up', 'not_ours'))`,
  )
  return { netFen: readSum(row?.total), lastId: row?.last ?? null }
}
