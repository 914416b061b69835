import type { z } from 'zod'
import type { Lang } from '../../../contract/error-codes.ts'
import { fen, type Fen } from '../../../contract/fen.ts'
import type { InvoiceDetail, InvoiceOrders, InvoiceView } from '../../../contract/hr/invoice.ts'
import type { Id } from '../../../contract/ids.ts'
import { invoiceSentence } from '../../../contract/invoice-words.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf, findOwn } from '../../kernel/tenant.ts'
import { readCampaignByOrder } from '../campaign/read-campaign.ts'
import { findBuyersOrder } from '../order/read-order.ts'
import { readOpen } from './read-open.ts'
import { openBuyer, type Buyer } from './seal-buyer.ts'
import { Invoice, InvoiceLine, type InvoiceRow } from './tables.ts'

const MOST_ORDERS = 100

export interface InvoicePage {
  readonly orderId?: Id<'order'> | undefined
  readonly cursor?: string | undefined
  readonly limit: number
}

/** Lines of invoices, in their order. */
export const readLines = (tx: Tx, ids: readonly Id<'invoice'>[]) =>
  tx.em.find(
    InvoiceLine,
    { invoiceId: { $in: [...ids] } },
    { orderBy: { invoiceId: 'asc', seq: 'asc' }, disableIdentityMap: true },
  )

/** A page of the invoices of the actor's company, newest first. */
export async function readOwnInvoices(tx: Tx, page: InvoicePage, lang: Lang) {
  const { orderId, cursor } = page
  const where = {
    companyId: companyOf(tx.actor),
    ...(orderId === undefined ? {} : { orderId }),
    ...(cursor === undefined ? {} : { id: { $lt: cursor as Id<'invoice'> } }),
  }
  const options = { orderBy: { id: 'desc' }, limit: page.limit + 1, disableIdentityMap: true } as const
  const rows = await tx.em.find(Invoice, where, options)
  const shown = rows.slice(0, page.limit)
  const titles = await readTitles(
    tx,
    shown.map((one) => one.orderId),
  )
  return {
    invoices: shown.map((one) => present(tx, one, titles.get(one.orderId) ?? null, lang)),
    nextCursor: rows.length > page.limit ? shown.at(-1)!.id : null,
  }
}

/** An invoice of the actor's company, whole; anything else is 404. */
export async function readOwnInvoice(tx: Tx, id: Id<'invoice'>, lang: Lang): Promise<z.input<typeof InvoiceDetail>> {
  const one = await findOwn(tx, Invoice, id)
  const titles = await readTitles(tx, [one.orderId])
  return presentWhole(tx, one, titles.get(one.orderId) ?? null, lang)
}

/** The newest invoice of an order of the buyer who asks, and what of its money is on none; another's order is 404. */
export async function readBuyersInvoice(
  tx: Tx,
  orderId: Id<'order'>,
  lang: Lang,
): Promise<{ readonly invoice: z.input<typeof InvoiceDetail> | null; readonly openFen: Fen }> {
  await findBuyersOrder(tx, orderId)
  const { openFen, invoices } = await readOpen(tx, orderId)
  const newest = invoices.at(-1)
  return { invoice: newest === undefined ? null : await presentWhole(tx, newest, null, lang), openFen }
}

async function presentWhole(
  tx: Tx,
  one: InvoiceRow,
  campaignTitle: string | null,
  lang: Lang,
): Promise<z.input<typeof InvoiceDetail>> {
  const { taxNumber, email } = openBuyer(tx, one)
  const lines = await readLines(tx, [one.id])
  return {
    ...present(tx, one, campaignTitle, lang),
    taxNumber,
    email,
    lines: lines.map((line) => ({ department: line.department, fen: line.amountFen })),
    redNumber: one.redProviderNumber ?? null,
    redOn: one.redOn ?? null,
  }
}

/** Companies have a tax number. */
const lastOf = ({ title, taxNumber, email }: Buyer) => ({ title, taxNumber: taxNumber ?? '', email })

function present(tx: Tx, one: InvoiceRow, campaignTitle: string | null, lang: Lang): z.input<typeof InvoiceView> {
  return {
    id: one.id,
    orderId: one.orderId,
    campaignTitle,
    state: one.state,
    fen: one.amountFen,
    title: openBuyer(tx, one).title,
    providerNumber: one.providerNumber ?? null,
    issuedOn: one.issuedOn ?? null,
    text: invoiceSentence(one.state, one.reason ?? null, lang),
    reissueOf: one.reissueOf ?? null,
    requestedAtMs: one.requestedAtMs,
    mayCancel: one.state === 'requested',
    mayReverse: one.state === 'issued',
  }
}

async function readTitles(tx: Tx, orderIds: readonly Id<'order'>[]): Promise<Map<string, string | null>> {
  const titles = new Map<string, string | null>()
  for (const orderId of new Set(orderIds)) titles.set(orderId, (await readCampaignByOrder(tx, orderId))?.title ?? null)
  return titles
}

/** Orders of the actor's company of which paid money is on no invoice, newest first, and what the last invoice said. */
export async function readInvoiceOrders(tx: Tx): Promise<z.input<typeof InvoiceOrders>> {
  const companyId = companyOf(tx.actor)
  const rows = await sql<{ id: Id<'order'>; paid: unknown; taken: unknown }>(
    tx.em,
    `select books.id, books.paid, books.taken from (select orders.id as id,
        orders.secured_fen - orders.refunded_fen - orders.returned_fen as paid,
        (select coalesce(sum(invoice.amount_fen), 0) from invoice
          where invoice.order_id = orders.id and invoice.state not in ('red', 'rejected')) as taken
      from orders where orders.company_id = ? and orders.secured_fen > 0) as books
      where books.paid > books.taken order by books.id desc limit ${MOST_ORDERS}`,
    [companyId],
  )
  const titles = await readTitles(
    tx,
    rows.map((row) => row.id),
  )
  const options = { orderBy: { id: 'desc' }, disableIdentityMap: true } as const
  const last = await tx.em.findOne(Invoice, { companyId }, options)
  return {
    orders: rows.map(({ id, paid, taken }) => ({
      orderId: id,
      campaignTitle: titles.get(id) ?? null,
      paidFen: fen(Number(paid)),
      openFen: fen(Number(paid) - Number(taken)),
    })),
    last: last === null ? null : lastOf(openBuyer(tx, last)),
  }
}
