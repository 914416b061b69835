import { StoreInvoice, StoreInvoiceIdInput, StoreInvoiceInput } from '../../../contract/store/invoice.ts'
import { CHINA, dayOf } from '../../kernel/company-day.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { buyerOf } from '../../kernel/tenant.ts'
import { printInvoice } from './print-invoice.ts'
import { readBuyersInvoice } from './read-invoices.ts'
import { requestInvoice } from './request-invoice.ts'
import { cancelBuyersInvoice } from './reverse-invoices.ts'

/** What a buyer asks for and sees of the invoice of an order. */
export const storeInvoiceEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/store/orders/:id/invoice', may: 'buyer.read', scope: 'read' } as const),
    input: StoreInvoiceIdInput,
    output: StoreInvoice,
    run: (tx, { id }, http) => readBuyersInvoice(tx, id, http.lang),
  }),
  endpoint({
    ...({ method: 'POST', path: '/store/orders/:id/invoice', may: 'buyer.act', scope: 'tx', body: 'json' } as const),
    idempotent: true,
    input: StoreInvoiceInput,
    output: StoreInvoice,
    run: async (tx, { id: orderId, title, taxNumber, email }, http) => {
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      const buyer = { title, taxNumber, email }
      // What a key was used with is kept in the open: of the title only a fingerprint may be.
      const buyerIndex = tx.house.seal.blindIndex('invoice-buyer', JSON.stringify(buyer))
      const work = () => requestInvoice(tx, { orderId, kind: 'ordinary', buyer, byDepartment: false })
      await once(tx, `store.invoice:${buyerOf(tx.actor)}`, key, { orderId, buyerIndex }, work)
      return readBuyersInvoice(tx, orderId, http.lang)
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/store/orders/:id/invoice/cancel', may: 'buyer.act', scope: 'tx' } as const),
    input: StoreInvoiceIdInput,
    output: StoreInvoice,
    run: async (tx, { id }, http) => {
      await cancelBuyersInvoice(tx, id)
      return readBuyersInvoice(tx, id, http.lang)
    },
  }),
  endpoint({
    ...({ method: 'GET', path: '/store/orders/:id/invoice.pdf', may: 'buyer.read', scope: 'edge' } as const),
    input: StoreInvoiceIdInput,
    output: 'stream',
    run: async (edge, { id }, http) => {
      const { invoice } = await edge.read((tx) => readBuyersInvoice(tx, id, 'zh'))
      if (invoice === null) return refuse('not_found')
      const bytes = await printInvoice(invoice, edge.house.sandbox, dayOf(edge.clock.now(), CHINA))
      http.setHeader('Content-Type', 'application/pdf')
      http.setHeader('Content-Disposition', `attachment; filename="${invoice.id}.pdf"`)
      return bytes
    },
  }),
]
