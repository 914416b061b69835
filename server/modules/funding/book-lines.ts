import type { Id } from '../../../contract/ids.ts'
import type { StatementEntry } from '../../../contract/statement-entry.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import type { Tx } from '../../kernel/context.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { lockOrders, type LockedOrder } from '../order/lock-orders.ts'
import { readOrder } from '../order/read-order.ts'
import { findWalletByReference } from '../wallet/read-wallet.ts'
import { topUpWallet } from '../wallet/top-up-wallet.ts'
import { readOrderBrands, type OrderBrand } from './read-needs.ts'
import { referencesIn } from './rules.ts'
import { settlePayment, type Arrival } from './settle-payment.ts'
import { Payment, StatementLine, type PaymentRow } from './tables.ts'

export interface NewLine extends StatementEntry {
  readonly id: Id<'statementLine'>
}

type Target =
  | { readonly kind: 'payment'; readonly payment: PaymentRow }
  | { readonly kind: 'wallet'; readonly companyId: Id<'company'> }

/**
 * Books lines that were just inserted: by the reference in its memo a line pays an order or tops up a wallet; without
 * one, or with several that differ, it waits in the account of unmatched bank money. Every line is money in custody.
 * Orders are held first, in the order of their ids, then wallets in the order of their companies.
 */
export async function bookLines(tx: Tx, lines: readonly NewLine[]): Promise<void> {
  const targets = new Map<Id<'statementLine'>, Target>()
  for (const line of lines) {
    const target = await findTarget(tx, line.memo)
    if (target) targets.set(line.id, target)
  }
  const payments = [...targets.values()].flatMap((target) => (target.kind === 'payment' ? [target.payment] : []))
  const orders = await lockOrders(
    tx,
    payments.map((payment) => payment.orderId),
  )
  const brands = new Map<Id<'order'>, OrderBrand[]>()
  for (const id of orders.keys()) brands.set(id, await readOrderBrands(tx, id))
  const toWallet: { line: NewLine; companyId: Id<'company'> }[] = []
  for (const line of lines) {
    const target = targets.get(line.id)
    if (target === undefined) await bookUnmatched(tx, line)
    else if (target.kind === 'wallet') toWallet.push({ line, companyId: target.companyId })
    else await bookPayment(tx, line, target.payment, orders.get(target.payment.orderId), brands)
  }
  for (const { line, companyId } of toWallet.sort((a, b) => (a.companyId < b.companyId ? -1 : 1))) {
    await topUpWallet(tx, { companyId, amount: line.amountFen, ref: line.id })
    await mark(tx, line, { outcome: 'top_up', companyId })
  }
}

/** The one payment or wallet that a memo names; null when it names none or more than one. */
async function findTarget(tx: Tx, memo: string): Promise<Target | null> {
  const { payments, wallets } = referencesIn(memo)
  const where = { reference: { $in: payments } }
  const rows = payments.length === 0 ? [] : await tx.em.find(Payment, where, { disableIdentityMap: true })
  const found: Target[] = rows.map((payment) => ({ kind: 'payment', payment }))
  for (const reference of wallets) {
    const companyId = await findWalletByReference(tx, reference)
    if (companyId) found.push({ kind: 'wallet', companyId })
  }
  return found.length === 1 ? found[0]! : null
}

async function bookPayment(
  tx: Tx,
  line: NewLine,
  named: PaymentRow,
  order: LockedOrder | undefined,
  brands: ReadonlyMap<Id<'order'>, OrderBrand[]>,
): Promise<void> {
  const payment = await tx.em.findOneOrFail(Payment, { id: named.id }, { disableIdentityMap: true })
  if (!order) throw new Error(`payment ${named.id} has no order`)
  // An earlier line of this transaction may have brought the order forward.
  const now = await readOrder(tx, order.id)
  const present = { ...order, state: now?.state ?? order.state }
  const arrival: Arrival = {
    amount: line.amountFen,
    from: account.custodyBank(tx.house.custody.name),
    atMs: line.arrivedAtMs,
    payer: { holder: line.payerName, account: line.payerAccount },
  }
  let settled = payment
  if ((await settlePayment(tx, present, payment, arrival, brands.get(order.id))) === null) {
    settled = await openFurther(tx, payment, line)
    await settlePayment(tx, present, settled, arrival, brands.get(order.id))
  }
  await mark(tx, line, { outcome: 'payment', companyId: settled.companyId ?? null, paymentId: settled.id })
}

/** A second transfer under a reference that was paid before is a payment of its own: none of its money is lost. */
async function openFurther(tx: Tx, payment: PaymentRow, line: NewLine): Promise<PaymentRow> {
  const row: PaymentRow = {
    ...payment,
    id: tx.newId('payment'),
    state: 'opened',
    version: 1,
    amountFen: line.amountFen,
    paidFen: null,
    outcome: null,
    payerSealed: null,
    reference: null,
    openedBy: actorName(tx.actor),
    openedAtMs: tx.clock.now(),
    paidAtMs: null,
  }
  await tx.em.insert(Payment, row)
  await trail(tx, { objectId: row.id, act: 'payment.opened', toState: 'opened', note: `further to ${payment.id}` })
  return row
}

async function bookUnmatched(tx: Tx, line: NewLine): Promise<void> {
  const lines = [
    debit(account.custodyBank(tx.house.custody.name), line.amountFen),
    credit(account.unmatched('bank'), line.amountFen),
  ]
  await post(tx, [{ kind: 'funds_unmatched', ref: line.id, lines }])
}

async function mark(
  tx: Tx,
  line: NewLine,
  found: { outcome: 'payment' | 'top_up'; companyId: Id<'company'> | null; paymentId?: Id<'payment'> },
): Promise<void> {
  await tx.em.nativeUpdate(StatementLine, { id: line.id }, found)
}
