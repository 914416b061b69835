import { signedFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { PayoutState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { setPayeeAccount, type PayeeBank } from './payee-account.ts'
import { PayoutItem } from './tables.ts'

/** A refund part that is paid by the bank is a payee of its own. */
export const refundPayee = (partId: Id<'refundPart'>): string => `refund:${partId}`

/**
 * Puts a refund part that the bank pays on the next payout: a payout of its own, to the payer's account where it is known
 * (otherwise finance enters it). Once per part; again it gives the item that stands. When the payout is paid, the part is
 * woken (job `refund.part`) and posts that the money left custody; `readPayoutOfRefund` tells.
 */
export async function addPayoutItem(
  tx: Tx,
  refund: { readonly partId: Id<'refundPart'>; readonly orderId: Id<'order'>; readonly amountFen: Fen },
  bank: PayeeBank | null,
): Promise<Id<'payoutItem'>> {
  const { partId, orderId, amountFen } = refund
  const known = await tx.em.findOne(PayoutItem, { kind: 'refund', ref: partId }, { disableIdentityMap: true })
  if (known) return known.id
  const payee = refundPayee(partId)
  if (bank !== null) await setPayeeAccount(tx, payee, bank)
  const id = tx.newId('payoutItem')
  await tx.em.insert(PayoutItem, {
    id,
    payee,
    orderId,
    brandId: null,
    amountFen: signedFen(amountFen),
    kind: 'refund',
    ref: partId,
    payoutId: null,
    createdAtMs: tx.clock.now(),
  })
  return id
}

/** How the payout of a refund part stands: `waiting` for a payout, or the payout's own state. Null: it is on none. */
export async function readPayoutOfRefund(
  tx: Tx,
  partId: Id<'refundPart'>,
): Promise<{ readonly state: PayoutState | 'waiting'; readonly paidAtMs: number | null } | null> {
  const [row] = await sql<{ state: PayoutState | null; paidAtMs: unknown }>(
    tx.em,
    `select payout.state as state, payout.paid_at_ms as paidAtMs from payout_item
      left join payout on payout.id = payout_item.payout_id where payout_item.kind = 'refund' and payout_item.ref = ?`,
    [partId],
  )
  if (!row) return null
  return { state: row.state ?? 'waiting', paidAtMs: row.paidAtMs == null ? null : Number(row.paidAtMs) }
}
