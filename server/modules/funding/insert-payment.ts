import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import type { LockedOrder } from '../order/lock-orders.ts'
import { newReference, type Part } from './rules.ts'
import { writeParts } from './settle-payment.ts'
import { Payment, type PaymentRow } from './tables.ts'

/** What a payment is when it is opened; what is left out is empty. */
export interface PaymentSeed extends Partial<PaymentRow> {
  readonly id: Id<'payment'>
  readonly source: PaymentRow['source']
  readonly amountFen: Fen
}

/** Writes an open payment of an order with what each brand is to get of it. The caller holds the order. */
export async function insertPayment(
  tx: Tx,
  order: Pick<LockedOrder, 'id' | 'companyId'>,
  seed: PaymentSeed,
  parts: readonly Part[],
): Promise<PaymentRow> {
  const row: PaymentRow = {
    companyId: order.companyId,
    orderId: order.id,
    state: 'opened',
    version: 1,
    paidFen: null,
    outcome: null,
    mchid: null,
    appid: null,
    outTradeNo: null,
    product: null,
    combineNo: null,
    combineMchid: null,
    requestSealed: null,
    codeUrl: null,
    codeUntilMs: null,
    expiresAtMs: null,
    transactionId: null,
    bankType: null,
    payerSealed: null,
    reference: seed.source === 'bank_transfer' ? newReference(tx.random) : null,
    openedBy: actorName(tx.actor),
    openedAtMs: tx.clock.now(),
    paidAtMs: null,
    refundedFen: fen(0),
    inFlight: null,
    inFlightRef: null,
    refundsWaiting: 0,
    ...seed,
  }
  await tx.em.insert(Payment, row)
  await writeParts(tx, row.id, parts)
  await trail(tx, { objectId: row.id, act: 'payment.opened', toState: 'opened', note: row.source })
  return row
}
