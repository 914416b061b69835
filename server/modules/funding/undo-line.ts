import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { paymentMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { once } from '../../kernel/once.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { unsecureFunds } from '../order/unsecure-funds.ts'
import { undoTopUp } from '../wallet/undo-top-up.ts'
import { undoWithdrawal } from './book-withdrawal.ts'
import { holdingAccount, originOf } from './line-origin.ts'
import { needsOf, readStanding } from './read-standing.ts'
import { cutParts } from './rules.ts'
import { writeParts } from './settle-payment.ts'
import { Payment, PaymentPart, StatementLine, type PaymentRow, type StatementLineRow } from './tables.ts'

/**
 * Undoes what a line of incoming money was taken for, by a person or by the machine: entries of the other sign bring the
 * money back to where it lies, and it waits as unmatched. A payment waits for its transfer again. Refuses with `line_used`
 * once the money paid for cards, went back, or is not in the wallet any more, with `line_decided` when there is nothing to
 * undo or somebody was faster, and with `not_found`. The same key gives the same answer.
 */
export async function undoLine(tx: Tx, lineId: Id<'statementLine'>, key: string): Promise<void> {
  await once(tx, 'statement.undo', key, { lineId }, () => undo(tx, lineId))
}

async function undo(tx: Tx, lineId: Id<'statementLine'>): Promise<null> {
  const line = (await tx.em.findOne(StatementLine, { id: lineId }, { disableIdentityMap: true })) ?? refuse('not_found')
  const { outcome } = line
  switch (outcome) {
    case 'payment':
      await release(tx, line)
      await undoPayment(tx, line)
      await waitAgain(tx, line)
      break
    case 'top_up': {
      await release(tx, line)
      const from = holdingAccount(tx, originOf(line))
      const topUp = { companyId: line.companyId!, amount: line.amountFen, ref: lineId, from }
      if (!(await undoTopUp(tx, topUp))) refuse('line_used')
      await waitAgain(tx, line)
      break
    }
    case 'withdrawn':
      await release(tx, line)
      await undoWithdrawal(tx, { id: lineId, amountFen: line.amountFen, mchid: line.mchid ?? '' })
      await waitAgain(tx, line)
      break
    case 'not_ours': {
      await release(tx, line)
      const { source } = line
      const lines = [
        debit(account.toSendBack(source), line.amountFen),
        credit(account.unmatched(source), line.amountFen),
      ]
      await post(tx, [{ kind: 'assignment_undone', ref: lineId, lines }])
      break
    }
    case 'sent_back':
      return refuse('line_used')
    case 'unmatched':
    case 'outgoing':
    case 'paid_out':
    case 'returned':
      return refuse('line_decided')
  }
  await trail(tx, { objectId: lineId, act: 'statement_line.undone', note: `${outcome} ${aboutOf(line)}`.trim() })
  return null
}

const aboutOf = (line: StatementLineRow): string => line.paymentId ?? line.companyId ?? ''

/** One guarded update decides between two who undo at once, and between undoing and sending back. */
async function release(tx: Tx, line: StatementLineRow): Promise<void> {
  const released = await change(
    tx.em,
    `update statement_line set outcome = 'unmatched', matched_by = null, decided_at_ms = null, reason_sealed = null,
        payment_id = null, company_id = null, mchid = case when source = 'bank' then null else mchid end
      where id = ? and outcome = ?`,
    [line.id, line.outcome],
  )
  if (released !== 1) refuse('line_decided')
}

/** The money lies where it arrived, and is nobody's until somebody says whose. */
async function waitAgain(tx: Tx, line: StatementLineRow): Promise<void> {
  const origin = originOf(line)
  const lines = [
    debit(holdingAccount(tx, origin), line.amountFen),
    credit(account.unmatched(origin.source), line.amountFen),
  ]
  await post(tx, [{ kind: 'assignment_undone', ref: line.id, lines }])
}

/** Takes the money away from the payment and its order, as long as nothing was made or given back of it. */
async function undoPayment(tx: Tx, line: StatementLineRow): Promise<void> {
  const seen = await tx.em.findOneOrFail(Payment, { id: line.paymentId! }, { disableIdentityMap: true })
  const order = (await lockOrders(tx, [seen.orderId])).get(seen.orderId)!
  const payment = await tx.em.findOneOrFail(Payment, { id: seen.id }, { disableIdentityMap: true })
  if (payment.state !== 'paid' || payment.refundedFen !== 0 || payment.paidFen !== line.amountFen) refuse('line_used')
  const parts = await tx.em.find(PaymentPart, { paymentId: payment.id }, { disableIdentityMap: true })
  const counted = sumFen(parts.map((part) => part.amountFen))
  if (counted > 0 && !(await unsecureFunds(tx, order.id, counted))) refuse('line_used')
  await postUndone(tx, payment, line, counted)
  const open = order.state === 'awaiting_funds' && payment.reference !== null && payment.outcome !== 'late'
  await moveBack(tx, payment, open ? 'opened' : 'closed')
  // An invoice over money that was not the company's is reversed, as after a refund.
  const args = { orderId: order.id }
  await enqueue(tx, [{ kind: 'invoice.reverse', key: `invoice.reverse:${line.id}:${tx.newId('job')}`, args }])
}

async function postUndone(tx: Tx, payment: PaymentRow, line: StatementLineRow, counted: Fen): Promise<void> {
  const surplus = fen(line.amountFen - counted)
  const lines = [
    ...(counted > 0 ? [debit(account.orderFunds(payment.orderId), counted)] : []),
    ...(surplus > 0 ? [debit(account.overpaid(payment.orderId), surplus)] : []),
    credit(holdingAccount(tx, originOf(line)), line.amountFen),
  ]
  await post(tx, [{ kind: 'funds_undone', ref: payment.id, lines }])
}

/** `opened`: it waits for its transfer, with parts as when it was opened; `closed`: nobody should pay it. */
async function moveBack(tx: Tx, payment: PaymentRow, to: 'opened' | 'closed'): Promise<void> {
  const set = { paid_fen: null, outcome: null, paid_at_ms: null, payer_sealed: null }
  const step = { table: 'payment', id: payment.id, from: 'paid', to, moves: paymentMoves }
  if (!(await move(tx, { ...step, set, note: 'line_undone' }))) refuse('line_used')
  const standing = (await readStanding(tx, await lockOrders(tx, [payment.orderId]))).get(payment.orderId)!
  const needs = to === 'opened' ? needsOf(standing) : []
  const asked = fen(Math.min(payment.amountFen, sumFen(needs.map((need) => need.missingFen))))
  await writeParts(tx, payment.id, asked === 0 ? [] : cutParts(asked, needs))
}
