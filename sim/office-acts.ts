import { fen } from '../contract/fen.ts'
import type { Id } from '../contract/ids.ts'
import { refundDecisions, type RefundDecision } from '../contract/refunds.ts'
import type { RefundPartState } from '../contract/states.ts'
import { assignLine } from '../server/modules/funding/assign-line.ts'
import { retrySplit, leaveToPayout } from '../server/modules/settlement/decide-split.ts'
import { decidePart } from '../server/modules/refund/decide-part.ts'
import { draftPayouts } from '../server/modules/settlement/draft-payouts.ts'
import { exportPayouts } from '../server/modules/settlement/export-payouts.ts'
import { cancelPayout, failPayout, redraftPayout } from '../server/modules/settlement/move-payout.ts'
import { setPayeeAccount } from '../server/modules/settlement/payee-account.ts'
import { requestInvoice } from '../server/modules/invoice/request-invoice.ts'
import { cancelInvoice, reverseByHand } from '../server/modules/invoice/reverse-invoices.ts'
import { buyerOf } from './cast.ts'
import { bringStatement, NOTHING, rows, type Act } from './play.ts'
import { together } from './together.ts'

/** What a person of the platform would do with a part that stands so. */
const fitting: Partial<Record<RefundPartState, readonly RefundDecision[]>> = {
  stuck: ['retry', 'without_returns', 'pay_out'],
  closed: ['new_number', 'pay_out'],
  abnormal: ['to_merchant_card'],
}

/** A person decides about a refund that cannot go on; or presses a button on a page that is no longer true. */
export const decide: Act = async (stage, cast) => {
  const { chance } = stage
  const stale = chance.oneIn(4)
  const found = await rows<{ id: Id<'refundPart'>; state: RefundPartState }>(
    stage,
    `select id, state from refund_part where ${stale ? "route = 'wechat'" : "state in ('stuck', 'closed', 'abnormal')"} order by id desc limit 8`,
  )
  if (found.length === 0) return NOTHING
  const part = chance.pick(found)
  const decision = chance.pick((stale ? null : fitting[part.state]) ?? refundDecisions)
  await decidePart(stage.edge(cast.operator), part.id, decision)
  return `${decision} for ${part.id}, which was ${part.state}`
}

/** A person decides about sharing that is stuck. */
export const decideSharing: Act = async (stage, cast) => {
  const { chance } = stage
  const found = await rows<{ id: Id<'split'> }>(
    stage,
    `select id from split ${chance.oneIn(4) ? '' : "where state = 'stuck'"} order by id desc limit 6`,
  )
  if (found.length === 0) return NOTHING
  const { id } = chance.pick(found)
  const how = chance.oneIn(2) ? retrySplit : leaveToPayout
  return `${how.name} ${id}: ${await stage.edge(cast.operator).tx((tx) => how(tx, id))}`
}

/** The platform's finance drafts payouts, or two of them do at once. */
export const draft: Act = async (stage, cast) => {
  const edge = stage.edge(cast.operator)
  const runs = Array.from({ length: stage.chance.between(1, 2) }, () => () => draftPayouts(edge))
  const done = await together(stage.chance, runs)
  const drafted = done.map((run) => {
    if (run.status === 'rejected') throw run.reason
    return run.value.length
  })
  return `drafts ${drafted.join(' + ')} payouts`
}

/** What is drafted goes into a file for the bank; payees without an account get one first. */
export const exportFile: Act = async (stage, cast) => {
  const edge = stage.edge(cast.operator)
  const waiting = await rows<{ payee: string }>(
    stage,
    "select distinct payee from payout where state = 'drafted' and payee not in (select payee from payee_account)",
  )
  for (const { payee } of waiting)
    await edge.tx((tx) =>
      setPayeeAccount(tx, payee, { holder: '收款方', number: stage.chance.bytes(8).toString('hex'), bank: '沙箱银行' }),
    )
  const { payouts, totalFen } = await edge.tx((tx) => exportPayouts(tx))
  return `exports ${payouts} payouts of ${totalFen}`
}

/** The bank carries payouts out, and its statement shows them: once, twice, or in another amount. */
export const carryOut: Act = async (stage, cast) => {
  const { chance } = stage
  const found = await rows<{ id: Id<'payout'>; amount_fen: unknown }>(
    stage,
    "select id, amount_fen from payout where state = 'exported' order by id limit 8",
  )
  if (found.length === 0) return NOTHING
  const payout = chance.pick(found)
  const amountFen = fen(Number(payout.amount_fen) + (chance.oneIn(8) ? 1 : 0))
  const line = {
    direction: 'out' as const,
    amountFen,
    arrivedAtMs: stage.now(),
    payerName: '收款方',
    payerAccount: '6222000099998888',
    memo: payout.id.slice(4),
  }
  await bringStatement(stage, cast, chance.oneIn(8) ? [line, line] : [line])
  return `the bank carries out ${payout.id}: ${amountFen}`
}

/** A payout fails at the bank, is drafted again, or is given up: where it stands so, and where it does not. */
export const movePayout: Act = async (stage, cast) => {
  const { chance } = stage
  const found = await rows<{ id: Id<'payout'>; state: string }>(
    stage,
    'select id, state from payout order by id desc limit 6',
  )
  if (found.length === 0) return NOTHING
  const { id, state } = chance.pick(found)
  const how = chance.pick(['fail', 'redraft', 'cancel'] as const)
  await stage.edge(cast.operator).tx(async (tx) => {
    if (how === 'fail') await failPayout(tx, id, 'ACCOUNT_WRONG')
    else if (how === 'redraft') await redraftPayout(tx, id)
    else await cancelPayout(tx, id)
  })
  return `${how} of ${id}, which was ${state}`
}

/** A person says what a line is that nobody could place, sometimes wrongly, and sometimes two do at once. */
export const assign: Act = async (stage, cast) => {
  const { chance } = stage
  const lines = await rows<{ id: Id<'statementLine'>; outcome: string }>(
    stage,
    `select id, outcome from statement_line where ${chance.oneIn(5) ? "outcome <> 'top_up'" : "outcome = 'unmatched'"} order by id desc limit 6`,
  )
  const payments = await rows<{ id: string }>(
    stage,
    "select id from payment where source = 'bank_transfer' order by id desc limit 6",
  )
  if (lines.length === 0 || payments.length === 0) return NOTHING
  const line = chance.pick(lines)
  const wish = () => {
    const to = chance.pick(['payment', 'payment', 'wallet', 'not_ours'] as const)
    const target =
      to === 'payment' ? chance.pick(payments).id : to === 'wallet' ? chance.pick(cast.companies).id : undefined
    return { lineId: line.id, to, target, ...(to === 'not_ours' ? { reason: '不是货款' } : {}) }
  }
  const edge = stage.edge(cast.operator)
  const wishes = chance.oneIn(4) ? [wish(), wish()] : [wish()]
  const done = await together(
    chance,
    wishes.map((one) => () => edge.tx((tx) => assignLine(tx, one, chance.bytes(8).toString('hex')))),
  )
  const taken = done.filter((run) => run.status === 'fulfilled').length
  if (taken > 1) throw new Error(`line ${line.id} was assigned twice`)
  if (taken === 0) throw (done[0] as PromiseRejectedResult).reason
  return `${line.id}, which was ${line.outcome}, is ${wishes.map((one) => one.to).join(' or ')}`
}

const buyer = { title: '青禾制造有限公司', taxNumber: '9144030071526726XG', email: null }

/** A company asks for an invoice, gives a request up, or has one reversed. */
export const invoice: Act = async (stage, cast) => {
  const { chance } = stage
  const made = await rows<{ id: Id<'invoice'>; company_id: Id<'company'>; state: string }>(
    stage,
    'select id, company_id, state from invoice order by id desc limit 6',
  )
  if (made.length > 0 && chance.oneIn(3)) {
    const one = chance.pick(made)
    const how = chance.oneIn(2) ? reverseByHand : cancelInvoice
    await stage.edge(buyerOf(cast, one.company_id).finance).tx((tx) => how(tx, one.id))
    return `${how.name} ${one.id}, which was ${one.state}`
  }
  const orders = await rows<{ id: Id<'order'>; company_id: Id<'company'>; secured_fen: unknown }>(
    stage,
    'select id, company_id, secured_fen from orders where secured_fen > 0 order by id desc limit 8',
  )
  if (orders.length === 0) return NOTHING
  const order = chance.pick(orders)
  const amount = chance.oneIn(2) ? fen(chance.between(1, Number(order.secured_fen))) : undefined
  const wish = { orderId: order.id, kind: 'ordinary', buyer, amount, byDepartment: false } as const
  const id = await stage.edge(buyerOf(cast, order.company_id).finance).tx((tx) => requestInvoice(tx, wish))
  return `invoice ${id} over ${order.id}`
}
