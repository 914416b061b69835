import { fen, splitFen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import type { PaidPart } from '../funding/read-paid-parts.ts'

/**
 * What of an order's payments on credit its company has not repaid, by brand (decision 0025): what it owes lies with the
 * newest of its payments, so a repayment pays for the oldest first, and a refund lowers what is owed. One statement, so
 * that debt and payments are of one moment. `parts` are the order's.
 */
export async function readUnrepaid(
  tx: Tx,
  orderId: Id<'order'>,
  parts: readonly PaidPart[],
): Promise<Map<Id<'brand'>, Fen>> {
  const held = new Map<Id<'brand'>, Fen>()
  if (!parts.some((part) => part.source === 'credit_line')) return held
  const rows = await sql<{ id: Id<'payment'>; net: unknown; left: unknown }>(
    tx.em,
    `select books.id as id, books.net as net, books.owed - (books.until - books.net) as \`left\` from (
      select own.id as id, own.order_id as order_id, own.net as net, own.owed as owed,
          sum(own.net) over (order by own.id desc) as until from (
        select payment.id as id, payment.order_id as order_id, credit_line.owed_fen as owed,
            payment.paid_fen - (select coalesce(sum(refund_part.fen), 0) from refund_part
              where refund_part.payment_id = payment.id and refund_part.route = 'credit' and refund_part.state = 'done') as net
          from payment join credit_line on credit_line.company_id = payment.company_id
          where payment.company_id = (select company_id from orders where id = ?) and payment.source = 'credit_line'
            and payment.state in ('paid', 'refunding', 'part_refunded', 'refunded')) as own) as books
      where books.order_id = ?`,
    [orderId, orderId],
  )
  for (const row of rows) {
    const own = parts.filter((part) => part.paymentId === row.id)
    const nets = own.map((part) => fen(part.amountFen - part.backFen))
    const unrepaid = Math.min(Math.max(0, Math.min(Number(row.net), Number(row.left))), sumFen(nets))
    if (unrepaid === 0) continue
    const cut = splitFen(fen(unrepaid), nets)
    own.forEach(({ brandId }, index) => held.set(brandId, sumFen([held.get(brandId) ?? fen(0), cut[index]!])))
  }
  return held
}
