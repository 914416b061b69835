import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readCampaignByOrder } from '../campaign/read-campaign.ts'
import { readOrder } from '../order/read-order.ts'
import { readDepartments } from '../staff/read-departments.ts'
import type { Line } from './rules.ts'
import { Invoice, type InvoiceRow } from './tables.ts'

const PAGE = 5000

export interface OpenMoney {
  /** Paid for the order, less what was refunded or given back. */
  readonly paidFen: Fen
  /** Of it: on no invoice. One that is being reversed still counts as one. */
  readonly openFen: Fen
  readonly invoices: readonly InvoiceRow[]
}

/** What of an order's money may still be invoiced. The caller holds the order where it acts upon it. */
export async function readOpen(tx: Tx, orderId: Id<'order'>): Promise<OpenMoney> {
  const order = await readOrder(tx, orderId)
  const paidFen = fen(order === null ? 0 : order.securedFen - order.refundedFen - order.returnedFen)
  const options = { orderBy: { id: 'asc' }, disableIdentityMap: true } as const
  const invoices = await tx.em.find(Invoice, { orderId }, options)
  const taken = sumFen(
    invoices.filter((one) => one.state !== 'red' && one.state !== 'rejected').map((one) => one.amountFen),
  )
  return { paidFen, openFen: fen(Math.max(0, paidFen - taken)), invoices }
}

/**
 * What the cards of an order that were not taken back cost, by their holders' department as the campaign's list names it
 * (without a list, where they are now), by name.
 */
export async function readByDepartment(tx: Tx, orderId: Id<'order'>): Promise<Line[]> {
  const campaign = await readCampaignByOrder(tx, orderId)
  const sums = new Map<string, number>()
  for (let after = -1; ;) {
    const rows = await sql<{ seq: unknown; holder: string; price: unknown; state: string | null }>(
      tx.em,
      `select order_item.seq as seq, order_item.holder_id as holder, order_item.price_fen as price, card.state as state
        from order_item left join card on card.order_item_id = order_item.id
        where order_item.order_id = ? and order_item.seq > ? order by order_item.seq limit ${PAGE}`,
      [orderId, after],
    )
    const personIds = [...new Set(rows.map((row) => row.holder))]
    const names = await readDepartments(tx, { rosterId: campaign?.rosterId ?? null, personIds })
    for (const { holder, price, state } of rows) {
      const name = names.get(holder) ?? ''
      if (state !== 'refunded') sums.set(name, (sums.get(name) ?? 0) + Number(price))
    }
    if (rows.length < PAGE) break
    after = Number(rows.at(-1)!.seq)
  }
  const lines = [...sums].map(([department, total]) => ({ department, fen: fen(total) }))
  return lines.sort((a, b) => (a.department < b.department ? -1 : 1))
}
