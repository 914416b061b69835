import { z } from 'zod'
import {
  InvoiceDetail,
  InvoiceExportInput,
  InvoiceIdInput,
  InvoiceList,
  InvoiceListInput,
  InvoiceOrders,
  InvoicePreview,
  InvoicePreviewInput,
  RequestInvoiceInput,
} from '../../../contract/hr/invoice.ts'
import {
  DecidedInvoice,
  DecideInvoiceInput,
  OpenInvoices,
  OpenInvoicesInput,
} from '../../../contract/operator/invoice.ts'
import { fen } from '../../../contract/fen.ts'
import { CHINA, dayOf } from '../../kernel/company-day.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { findOwnOrder } from '../order/read-order.ts'
import { decideInvoice } from './decide-invoice.ts'
import { exportInvoices } from './export-invoices.ts'
import { printInvoice } from './print-invoice.ts'
import { readHangingInvoices } from './read-hanging.ts'
import { readInvoiceOrders, readOwnInvoice, readOwnInvoices } from './read-invoices.ts'
import { planLines, requestInvoice } from './request-invoice.ts'
import { cancelInvoice, reverseByHand } from './reverse-invoices.ts'

const read = { method: 'GET', may: 'invoice.read' } as const
const written = { method: 'POST', may: 'invoice.request', scope: 'tx' } as const
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

/** What a company's finance sees of invoices, and asks for. */
const hrEndpoints: readonly Endpoint[] = [
  endpoint({
    ...read,
    path: '/hr/invoices',
    scope: 'edge',
    input: InvoiceListInput,
    output: InvoiceList,
    run: async (edge, page, http) => {
      const found = await edge.read((tx) => readOwnInvoices(tx, page, http.lang))
      return { ...found, connected: edge.ports.invoice.configured }
    },
  }),
  endpoint({
    ...read,
    path: '/hr/invoice-orders',
    scope: 'read',
    input: z.object({}),
    output: InvoiceOrders,
    run: (tx) => readInvoiceOrders(tx),
  }),
  endpoint({
    ...read,
    path: '/hr/orders/:id/invoice-preview',
    scope: 'read',
    input: InvoicePreviewInput,
    output: InvoicePreview,
    run: async (tx, { id, byDepartment, amountFen }) => {
      await findOwnOrder(tx, id)
      const amount = amountFen === undefined ? undefined : fen(amountFen)
      const plan = await planLines(tx, { orderId: id, byDepartment: byDepartment === 'true', amount })
      return { paidFen: plan.paidFen, openFen: plan.openFen, fen: plan.amount, lines: [...plan.lines] }
    },
  }),
  endpoint({
    ...written,
    path: '/hr/orders/:id/invoices',
    body: 'json',
    idempotent: true,
    input: RequestInvoiceInput,
    output: InvoiceDetail,
    run: async (tx, { id: orderId, kind, title, taxNumber, email, amountFen, byDepartment }, http) => {
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      const amount = amountFen === undefined ? undefined : fen(amountFen)
      const buyer = { title, taxNumber, email }
      // What a key was used with is kept in the open: of the buyer only a fingerprint may be.
      const buyerIndex = tx.house.seal.blindIndex('invoice-buyer', JSON.stringify(buyer))
      const asked = { orderId, kind, amountFen: amountFen ?? null, byDepartment, buyerIndex }
      const work = () => requestInvoice(tx, { orderId, kind, buyer, amount, byDepartment })
      const made = await once(tx, `invoice:${companyOf(tx.actor)}`, key, asked, work)
      return readOwnInvoice(tx, made, http.lang)
    },
  }),
  endpoint({
    ...read,
    path: '/hr/invoices/:id',
    scope: 'read',
    input: InvoiceIdInput,
    output: InvoiceDetail,
    run: (tx, { id }, http) => readOwnInvoice(tx, id, http.lang),
  }),
  endpoint({
    ...read,
    path: '/hr/invoices/:id/pdf',
    scope: 'edge',
    input: InvoiceIdInput,
    output: 'stream',
    run: async (edge, { id }, http) => {
      const facts = await edge.read((tx) => readOwnInvoice(tx, id, 'zh'))
      const today = dayOf(edge.clock.now(), CHINA)
      const bytes = await printInvoice(facts, edge.house.sandbox, today)
      http.setHeader('Content-Type', 'application/pdf')
      http.setHeader('Content-Disposition', `attachment; filename="${id}.pdf"`)
      return bytes
    },
  }),
  endpoint({
    ...written,
    path: '/hr/invoices/:id/cancel',
    input: InvoiceIdInput,
    output: InvoiceDetail,
    run: async (tx, { id }, http) => {
      await cancelInvoice(tx, id)
      return readOwnInvoice(tx, id, http.lang)
    },
  }),
  endpoint({
    ...written,
    path: '/hr/invoices/:id/reverse',
    input: InvoiceIdInput,
    output: InvoiceDetail,
    run: async (tx, { id }, http) => {
      await reverseByHand(tx, id)
      return readOwnInvoice(tx, id, http.lang)
    },
  }),
  endpoint({
    ...read,
    scope: 'tx',
    path: '/hr/invoice-fields.xlsx',
    input: InvoiceExportInput,
    output: 'stream',
    run: async (tx, { only }, http) => {
      const bytes = await exportInvoices(tx, only, http.lang)
      http.setHeader('Content-Type', XLSX)
      http.setHeader('Content-Disposition', 'attachment; filename="invoices.xlsx"')
      return bytes
    },
  }),
]

/** What the platform's finance sees of invoices that hang, and does about them. */
const operatorEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/operator/invoices',
    may: 'invoice.decide',
    scope: 'edge',
    input: OpenInvoicesInput,
    output: OpenInvoices,
    run: async (edge, page) => {
      const found = await edge.read((tx) => readHangingInvoices(tx, page))
      return { ...found, connected: edge.ports.invoice.configured }
    },
  }),
  endpoint({
    method: 'POST',
    path: '/operator/invoices/:id/decide',
    may: 'invoice.decide',
    scope: 'tx',
    body: 'json',
    input: DecideInvoiceInput,
    output: DecidedInvoice,
    run: async (tx, { id, decision }) => ({ state: await decideInvoice(tx, id, decision) }),
  }),
]

export const invoiceEndpoints: readonly Endpoint[] = [...hrEndpoints, ...operatorEndpoints]
