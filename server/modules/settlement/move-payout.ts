import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { isId } from '../../../contract/ids.ts'
import { payoutMoves, type PayoutState } from '../../../contract/states.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { change, sql } from '../../kernel/sql.ts'
import { findDebits, readDebit, takeDebit } from '../funding/take-debit.ts'
import { account, type Account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { wakeRefund } from './finish-split.ts'
import { readPayeeAccounts } from './payee-account.ts'
import { settleOwnMerchant } from './settle-own-merchant.ts'
import { Payout, type PayoutRow } from './tables.ts'

/**
 * Says that a payout left custody: a statement's line of outgoing money shows it, which is then nobody else's. Posts it by
 * its payee; what goes back to a payer is posted by its refund. Refuses with `not_found`, `state_conflict` when the
 * payout stands in no file or the line was taken, and `payout_differs` when the line is of another amount.
 */
export async function payPayout(
  tx: Tx,
  id: Id<'payout'>,
  lineId: Id<'statementLine'>,
  by: 'person' | 'payer' | 'reference' = 'person',
): Promise<void> {
  const payout = (await tx.em.findOne(Payout, { id }, { disableIdentityMap: true })) ?? refuse('not_found')
  const line = (await readDebit(tx, lineId)) ?? refuse('state_conflict')
  if (line.amountFen !== payout.amountFen) refuse('payout_differs')
  const set = { statement_line_id: lineId, paid_at_ms: line.atMs, problem: null }
  const step = { table: 'payout', id, from: 'exported', to: 'paid', moves: payoutMoves }
  if (!(await move(tx, { ...step, set }))) refuse('state_conflict')
  if (!(await takeDebit(tx, lineId, id, by))) refuse('state_conflict')
  const part = payout.payee.slice('refund:'.length)
  if (payout.payee.startsWith('refund:') && isId('refundPart', part)) return wakeRefund(tx, part, `paid:${id}`)
  const lines = [
    debit(owedTo(payout), payout.amountFen),
    credit(account.custodyBank(tx.house.custody.name), payout.amountFen),
  ]
  await post(tx, [{ kind: 'paid_out', ref: id, lines }])
}

/** Our own commission leaves custody by this entry alone, after cooling-off. */
function owedTo({ payee }: PayoutRow): Account {
  if (payee === 'platform') return account.platformBank()
  return isId('brand', payee) ? account.brandPayable(payee) : account.channelPayable(payee)
}

/** The bank did not carry it out, and why in a word of ours; it may be drafted again. Refuses as `movePayout`. */
export const failPayout = (tx: Tx, id: Id<'payout'>, problem: string): Promise<void> =>
  movePayout(tx, id, 'exported', 'failed', { problem })

/** A failed payout goes into the next file. */
export const redraftPayout = (tx: Tx, id: Id<'payout'>): Promise<void> =>
  movePayout(tx, id, 'failed', 'drafted', { file_id: null, exported_at_ms: null })

/** A drafted payout is given up: its items go into the payee's next one. */
export async function cancelPayout(tx: Tx, id: Id<'payout'>): Promise<void> {
  await movePayout(tx, id, 'drafted', 'cancelled', {})
  await change(tx.em, 'update payout_item set payout_id = null where payout_id = ?', [id])
}

/** Refuses with `not_found`, and `state_conflict` when it stands elsewhere. */
async function movePayout(
  tx: Tx,
  id: Id<'payout'>,
  from: PayoutState,
  to: PayoutState,
  set: Readonly<Record<string, string | number | null>>,
): Promise<void> {
  if (await move(tx, { table: 'payout', id, from, to, moves: payoutMoves, set })) return
  refuse((await tx.em.findOne(Payout, { id }, { disableIdentityMap: true })) ? 'state_conflict' : 'not_found')
}

/** Payouts looked at in one run. */
const MATCHED_AT_ONCE = 500

/**
 * The body of job `payouts.match`: finds exported payouts on imported statements. A line that carries the payout's number
 * pays it; else one line of the amount to the payee's account, when nothing else has that amount and account. What came
 * from our merchant account to the bank goes onto our own payout items first.
 */
export async function matchPayouts(edge: Edge): Promise<number> {
  await edge.tx(settleOwnMerchant)
  const open = await edge.read((tx) =>
    tx.em.find(
      Payout,
      { state: 'exported' },
      { orderBy: { id: 'asc' }, limit: MATCHED_AT_ONCE, disableIdentityMap: true },
    ),
  )
  let paid = 0
  for (const payout of open) if (await edge.tx((tx) => matchOne(tx, payout))) paid += 1
  return paid
}

async function matchOne(tx: Tx, payout: PayoutRow): Promise<boolean> {
  const amountFen = fen(payout.amountFen)
  const lines = await findDebits(tx, { amountFen })
  const named = lines.filter((line) => line.payee.memo.toUpperCase().includes(payout.id.slice(4)))
  if (named.length === 1) {
    await payPayout(tx, payout.id, named[0]!.id, 'reference')
    return true
  }
  const bank = (await readPayeeAccounts(tx, [payout.payee])).get(payout.payee)
  if (!bank) return false
  const [twins] = await sql<{ count: unknown }>(
    tx.em,
    "select count(*) as count from payout where state = 'exported' and amount_fen = ? and payee = ?",
    [payout.amountFen, payout.payee],
  )
  const own = await findDebits(tx, { amountFen, payeeAccount: bank.number })
  if (own.length !== 1 || Number(twins?.count) !== 1) return false
  await payPayout(tx, payout.id, own[0]!.id, 'payer')
  return true
}
