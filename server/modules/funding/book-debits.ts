import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { holdingAccount, originOf, payerIndexOf, type LineOrigin, type NewLine } from './line-origin.ts'
import { StatementLine, type StatementLineRow } from './tables.ts'

/**
 * Looks at lines of outgoing money that were just inserted. One that returns money which was not ours (the same amount
 * to the same account, and only one such is owed) ends that. The others wait: payouts and refunds take what is theirs.
 */
export async function bookDebits(tx: Tx, origin: LineOrigin, lines: readonly NewLine[]): Promise<void> {
  for (const line of lines) {
    const payerIndex = payerIndexOf(tx, line.payerAccount)
    if (payerIndex === null) continue
    const where = { payerIndex, amountFen: line.amountFen, outcome: 'not_ours' as const, source: origin.source }
    const owed = await tx.em.find(StatementLine, where, { disableIdentityMap: true })
    if (owed.length === 1) await endSendingBack(tx, line.id, owed[0]!, 'payer')
  }
}

/**
 * Says that an outgoing line returned money that was not ours, and posts that it left. False when somebody else took one
 * of the two before. The lines are held in the order of their ids.
 */
export async function endSendingBack(
  tx: Tx,
  outgoing: Id<'statementLine'>,
  owed: StatementLineRow,
  by: 'payer' | 'person',
): Promise<boolean> {
  const now = tx.clock.now()
  const taken = await change(
    tx.em,
    "update statement_line set outcome = 'sent_back', ref = ? where id = ? and outcome = 'not_ours'",
    [outgoing, owed.id],
  )
  if (taken !== 1) return false
  const ended = await change(
    tx.em,
    "update statement_line set outcome = 'returned', ref = ?, matched_by = ?, decided_at_ms = ? where id = ? and outcome = 'outgoing' and amount_fen = ?",
    [owed.id, by, now, outgoing, owed.amountFen],
  )
  if (ended !== 1) throw new Error(`statement line ${outgoing} is not what returns ${owed.id}`)
  const origin = originOf(owed)
  const lines = [
    debit(account.toSendBack(origin.source), owed.amountFen),
    credit(holdingAccount(tx, origin), owed.amountFen),
  ]
  await post(tx, [{ kind: 'money_sent_back', ref: owed.id, lines }])
  await trail(tx, { objectId: owed.id, act: 'statement_line.sent_back', note: outgoing })
  return true
}
