import type { Id } from '../../../contract/ids.ts'
import { isId } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { findWalletByReference, readWallet } from '../wallet/read-wallet.ts'
import { endSendingBack } from './book-debits.ts'
import { payByLine, topUpByLine } from './book-lines.ts'
import { bookWithdrawal } from './book-withdrawal.ts'
import { holdingAccount, openLinePayer, originOf, type NewLine } from './line-origin.ts'
import { Payment, StatementLine, type PaymentRow, type StatementLineRow } from './tables.ts'

/** What a person says a line is. */
export interface Decision {
  readonly lineId: Id<'statementLine'>
  /** `withdrawal`: it left our merchant account at WeChat Pay; `sent_back`: an outgoing line returned what was not ours. */
  readonly to: 'payment' | 'wallet' | 'withdrawal' | 'not_ours' | 'sent_back'
  /** A payment's id or reference, a company's id or its wallet's reference, or the line that was not ours. */
  readonly target?: string | undefined
  /** Why it is not ours: whoever sends it back reads it. */
  readonly reason?: string | undefined
}

/**
 * Says what a line is that nobody could match, once: of two who decide at the same time one is refused with
 * `line_decided`. The account of unmatched money gives the money back to where it lies (`unmatched_assigned`), and it is
 * booked as if the line had named its target; money that is not ours is owed back to its payer instead. The same key
 * gives the same answer. Refuses with `not_found`, `line_decided`, `withdrawal_over_collected`, `malformed_request`
 * (to, target, reason).
 */
export async function assignLine(tx: Tx, decision: Decision, key: string): Promise<void> {
  const { lineId, to, target = null, reason } = decision
  // People write names into reasons: the key knows it by fingerprint.
  const why = reason === undefined ? null : tx.house.seal.blindIndex('statement-reason', reason)
  await once(tx, 'statement.assign', key, { lineId, to, target, why }, () => decide(tx, decision))
}

async function decide(tx: Tx, decision: Decision): Promise<null> {
  const { lineId, to } = decision
  const line = await tx.em.findOne(StatementLine, { id: lineId }, { disableIdentityMap: true })
  if (line === null) refuse('not_found')
  if (to === 'sent_back') await sendBack(tx, line, decision.target)
  else if (line.direction === 'out') refuse('malformed_request', { field: 'to' })
  else await decideIncoming(tx, line, to, decision)
  const note = [to, decision.target].filter((part) => part !== undefined).join(' ')
  await trail(tx, { objectId: lineId, act: 'statement_line.assigned', note: note.slice(0, 64) })
  return null
}

async function decideIncoming(
  tx: Tx,
  row: StatementLineRow,
  to: 'payment' | 'wallet' | 'withdrawal' | 'not_ours',
  { target, reason }: Decision,
): Promise<void> {
  const origin = originOf(row)
  const line = lineOf(tx, row)
  switch (to) {
    case 'payment': {
      const payment = await findTransfer(tx, target)
      await claim(tx, row.id, 'payment')
      await lockOrders(tx, [payment.orderId])
      await emptyUnmatched(tx, row)
      const now = await tx.em.findOneOrFail(Payment, { id: payment.id }, { disableIdentityMap: true })
      return payByLine(tx, origin, line, now, 'person')
    }
    case 'wallet': {
      const companyId = await findWallet(tx, target)
      await claim(tx, row.id, 'top_up')
      await emptyUnmatched(tx, row)
      return topUpByLine(tx, origin, line, companyId, 'person')
    }
    case 'withdrawal': {
      if (origin.source !== 'bank' || tx.house.wechatPay.platform === null) refuse('malformed_request', { field: 'to' })
      await claim(tx, row.id, 'withdrawn')
      await emptyUnmatched(tx, row)
      if (!(await bookWithdrawal(tx, row, 'person'))) refuse('withdrawal_over_collected')
      return
    }
    case 'not_ours': {
      if (reason === undefined) refuse('malformed_request', { field: 'reason' })
      const place = { table: 'statement_line', column: 'reason_sealed', rowId: row.id }
      await claim(tx, row.id, 'not_ours', tx.house.seal.seal(place, reason))
      const { unmatched, toSendBack } = account
      const lines = [debit(unmatched(origin.source), row.amountFen), credit(toSendBack(origin.source), row.amountFen)]
      await post(tx, [{ kind: 'money_not_ours', ref: row.id, lines }])
    }
  }
}

/** Takes the line for this decision. One guarded update decides between two people. */
async function claim(
  tx: Tx,
  id: Id<'statementLine'>,
  outcome: StatementLineRow['outcome'],
  reason: Buffer | null = null,
): Promise<void> {
  const claimed = await change(
    tx.em,
    "update statement_line set outcome = ?, matched_by = 'person', decided_at_ms = ?, reason_sealed = ? where id = ? and outcome = 'unmatched'",
    [outcome, tx.clock.now(), reason, id],
  )
  if (claimed !== 1) refuse('line_decided')
}

/** The money leaves the account of unmatched money and lies where it arrived: it is booked from there. */
async function emptyUnmatched(tx: Tx, row: StatementLineRow): Promise<void> {
  const origin = originOf(row)
  const lines = [
    debit(account.unmatched(origin.source), row.amountFen),
    credit(holdingAccount(tx, origin), row.amountFen),
  ]
  await post(tx, [{ kind: 'unmatched_assigned', ref: row.id, lines }])
}

/** The bank transfer that is meant: by its id or its reference. Only a transfer is paid by a bank's line. */
async function findTransfer(tx: Tx, target = ''): Promise<PaymentRow> {
  const where = isId('payment', target) ? { id: target } : { reference: target.replaceAll(/\s/g, '').toUpperCase() }
  const payment = await tx.em.findOne(Payment, where, { disableIdentityMap: true })
  return payment?.source === 'bank_transfer' ? payment : refuse('malformed_request', { field: 'target' })
}

async function findWallet(tx: Tx, target = ''): Promise<Id<'company'>> {
  const companyId = isId('company', target) ? target : await findWalletByReference(tx, target)
  if (companyId === null || (await readWallet(tx, companyId)) === null) refuse('malformed_request', { field: 'target' })
  return companyId
}

async function sendBack(tx: Tx, outgoing: StatementLineRow, target = ''): Promise<void> {
  if (outgoing.outcome !== 'outgoing') refuse('line_decided')
  const owed = isId('statementLine', target)
    ? await tx.em.findOne(StatementLine, { id: target }, { disableIdentityMap: true })
    : null
  if (owed === null || owed.amountFen !== outgoing.amountFen || owed.source !== outgoing.source)
    refuse('malformed_request', { field: 'target' })
  if (!(await endSendingBack(tx, outgoing.id, owed, 'person'))) refuse('line_decided')
}

function lineOf(tx: Tx, row: StatementLineRow): NewLine {
  const { holder: payerName, account: payerAccount, memo } = openLinePayer(tx, row)
  const { id, serial, direction, amountFen, arrivedAtMs } = row
  return { id, row: 0, serial, direction, amountFen, arrivedAtMs, payerName, payerAccount, memo }
}
