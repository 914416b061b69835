import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { readSum } from '../../kernel/columns.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { feeOf } from './rules.ts'
import { Split } from './tables.ts'

/**
 * What of a transaction went back to its payer, while no refund of it is under way: what was accepted, but for what has
 * not begun, and for what WeChat Pay refused or gave up, which lies there still.
 */
export async function readGone(tx: Tx, paymentId: Id<'payment'>): Promise<Fen> {
  const [row] = await sql<{ gone: unknown }>(
    tx.em,
    `select payment.refunded_fen - (select coalesce(sum(refund_part.fen), 0) from refund_part
        where refund_part.payment_id = payment.id and refund_part.route = 'wechat'
          and refund_part.state in ('waiting', 'closed', 'stuck')) as gone
      from payment where payment.id = ?`,
    [paymentId],
  )
  return fen(readSum(row?.gone))
}

/**
 * What of a refund a brand pays from its own balance, before it is called for: nothing while its money is frozen or we
 * collect; otherwise all but what receivers gave back for it and the brand has not got.
 */
export async function ownShareOfRefund(tx: Tx, paymentId: Id<'payment'>, amount: Fen, returned: Fen): Promise<Fen> {
  const split = await tx.em.findOne(Split, { paymentId }, { disableIdentityMap: true })
  if (split?.state !== 'finished' || split.collector !== 'brand') return fen(0)
  return fen(Math.max(0, amount - returned))
}

/**
 * Says that WeChat Pay gave money of a transaction back to its payer, in the transaction that posts it; `own` of it from
 * the brand's own balance. What WeChat Pay kept comes back in proportion: to a brand that collects itself, beside our
 * books; to us by an entry. Once for each refund part that succeeded; the caller holds the order. Returns whose balance
 * pays `own`: the brand that the transaction was freed to, also of money that no brand was to get.
 */
export async function noteRefund(
  tx: Tx,
  paymentId: Id<'payment'>,
  refund: { readonly partId: Id<'refundPart'>; readonly amountFen: Fen; readonly ownFen: Fen },
): Promise<Id<'brand'> | null> {
  const split = await tx.em.findOne(Split, { paymentId }, { disableIdentityMap: true })
  if (!split) return null
  const { amountFen, ownFen } = refund
  const gone = await readGone(tx, paymentId)
  if (split.state !== 'finished') {
    await change(tx.em, 'update split set refunded_fen = ?, version = version + 1 where id = ?', [gone, split.id])
    return split.brandId
  }
  // Money that no account of the payer took had left the transaction before its split ended.
  const counted = split.refundedFen + split.refundedOfReturnsFen + split.refundedOfRestFen
  if (counted >= gone) return split.brandId
  await change(
    tx.em,
    `update split set refunded_of_returns_fen = refunded_of_returns_fen + ?, refunded_of_rest_fen = refunded_of_rest_fen + ?,
      version = version + 1 where id = ?`,
    [amountFen - ownFen, ownFen, split.id],
  )
  if (split.collector !== 'platform') return split.brandId
  const before = split.paidFen - counted
  const feeBp = tx.house.wechatPay.feeBp(split.mchid)
  const back = feeOf(fen(before), feeBp) - feeOf(fen(before - amountFen), feeBp)
  if (back <= 0) return split.brandId
  const lines = [debit(account.collected(split.mchid), fen(back)), credit(account.wechatFee(split.mchid), fen(back))]
  await post(tx, [{ kind: 'wechat_fee_refunded', ref: refund.partId, lines }])
  return split.brandId
}
