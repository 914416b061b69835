import type { z } from 'zod'
import type { InvoiceDecision, OpenInvoices } from '../../../contract/operator/invoice.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readCompany } from '../company/read-company.ts'
import { openBuyer } from './seal-buyer.ts'
import { Invoice, type InvoiceRow } from './tables.ts'

/** Longer than this nothing waits that goes well: a service answers within minutes. */
const HANGS_MS = 3_600_000

/** A refusal that is no answer to anybody's wish, and that no later request of the order has overtaken. */
const refused = `(invoice.state = 'rejected' and invoice.reason not in ('cancelled', 'refunded')
  and not exists (select 1 from invoice later where later.order_id = invoice.order_id and later.id > invoice.id))`
const unreversed = "(invoice.state = 'issued' and invoice.reason is not null)"
const onTheWay = "invoice.state in ('requested', 'issuing', 'reversing')"
const since =
  'coalesce((select max(trail.at_ms) from trail where trail.object_id = invoice.id), invoice.requested_at_ms)'

/** A page of invoices that are not at their end, oldest first: all, or those that a person must look at. */
export async function readHangingInvoices(
  tx: Tx,
  page: { readonly which: 'person' | 'open'; readonly cursor?: string | undefined; readonly limit: number },
): Promise<Omit<z.input<typeof OpenInvoices>, 'connected'>> {
  const stuck = page.which === 'person' ? `(${onTheWay} and ${since} < ?)` : `(${onTheWay})`
  const rows = await sql<{ id: Id<'invoice'>; sinceMs: unknown }>(
    tx.em,
    `select invoice.id as id, ${since} as sinceMs from invoice
      where invoice.id > ? and (${refused} or ${unreversed} or ${stuck}) order by invoice.id limit ?`,
    [page.cursor ?? '', ...(page.which === 'person' ? [tx.clock.now() - HANGS_MS] : []), page.limit + 1],
  )
  const shown = rows.slice(0, page.limit)
  const where = { id: { $in: shown.map((row) => row.id) } }
  const invoices = new Map((await tx.em.find(Invoice, where, { disableIdentityMap: true })).map((one) => [one.id, one]))
  const names = new Map<string, string | null>()
  for (const companyId of new Set([...invoices.values()].flatMap((one) => one.companyId ?? [])))
    names.set(companyId, (await readCompany(tx, companyId))?.name ?? null)
  return {
    invoices: shown.map(({ id, sinceMs }) => {
      const one = invoices.get(id)!
      return {
        id,
        orderId: one.orderId,
        companyName: names.get(one.companyId ?? '') ?? null,
        title: openBuyer(tx, one).title,
        fen: one.amountFen,
        state: one.state,
        reason: one.reason ?? null,
        requestedAtMs: one.requestedAtMs,
        sinceMs: readSum(sinceMs),
        calls: one.state === 'reversing' || one.state === 'issued' ? one.redCalls : one.calls,
        decisions: decisionsFor(one),
      }
    }),
    nextCursor: rows.length > page.limit ? shown.at(-1)!.id : null,
  }
}

function decisionsFor({ state }: InvoiceRow): InvoiceDecision[] {
  switch (state) {
    case 'requested':
    case 'rejected':
      return ['retry', 'withdraw']
    case 'issuing':
    case 'reversing':
    case 'issued':
      return ['retry']
    case 'red':
      return []
  }
}
