import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import type { Lang } from '../../../contract/error-codes.ts'
import { fen } from '../../../contract/fen.ts'
import {
  OpenPaymentInput,
  OrderIdInput,
  OrderView,
  PaymentIdInput,
  PaymentList,
  PaymentListInput,
  PaymentView,
  SplitPaymentInput,
  SplitPayments,
} from '../../../contract/hr/funding.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import type { House } from '../../kernel/house.ts'
import { canonical } from '../../kernel/once.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { readCampaignByOrder } from '../campaign/read-campaign.ts'
import { readCompany } from '../company/read-company.ts'
import { paymentRoutes, ruleText } from '../compliance/rules.ts'
import { findOwnOrder } from '../order/read-order.ts'
import { readCredit } from '../wallet/read-credit.ts'
import { readWallet } from '../wallet/read-wallet.ts'
import { askPayment } from './ask-payment.ts'
import { closePayment } from './close-payment.ts'
import { openPayment } from './open-payment.ts'
import { noticeEndpoint, type RefundNoticeTaker } from './notice-endpoint.ts'
import { preparePayment } from './prepare-payment.ts'
import { present, showPayment } from './present-payment.ts'
import { readCollectors, readOrderBrands, type CollectedBrand } from './read-needs.ts'
import { findOwnPayment, readOwnPayments, readPaymentsOfOrder, sumOpen } from './read-payment.ts'
import { COMBINED_MOST } from './rules.ts'
import { splitPayment } from './split-payment.ts'
import { statementEndpoints, type StatementReader } from './statement-endpoints.ts'

/** How often an open page looks for money that arrived. */
const LOOK_MS = 500

/** What a company sees and does about the money of its orders. */
const hrEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/hr/orders/:id',
    may: 'order.read',
    scope: 'read',
    input: OrderIdInput,
    output: OrderView,
    run: (tx, { id }, http) => showOrder(tx, id, http.lang),
  }),
  endpoint({
    method: 'GET',
    path: '/hr/orders/:id/events',
    may: 'order.read',
    scope: 'edge',
    input: OrderIdInput,
    output: 'stream',
    run: async (edge, { id }, http) => {
      await edge.read((tx) => findOwnOrder(tx, id))
      http.sse((send, gone) => followOrder(edge, id, http.lang, send, gone))
    },
  }),
  endpoint({
    method: 'POST',
    path: '/hr/orders/:id/payments',
    may: 'payment.open',
    body: 'json',
    idempotent: true,
    scope: 'edge',
    input: OpenPaymentInput,
    output: PaymentView,
    run: async (edge, { id: orderId, amountFen, ...how }, http) => {
      const wish = { ...how, orderId, amountFen: fen(amountFen), clientIp: http.clientIp }
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      return showPayment(edge, await openPayment(edge, wish, key))
    },
  }),
  endpoint({
    method: 'POST',
    path: '/hr/orders/:id/payments/split',
    may: 'payment.open',
    body: 'json',
    idempotent: true,
    scope: 'edge',
    input: SplitPaymentInput,
    output: SplitPayments,
    run: async (edge, { id: orderId, ...how }, http) => {
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      const ids = await splitPayment(edge, { ...readSplit(how), orderId, clientIp: http.clientIp }, key)
      return { payments: await Promise.all(ids.map((id) => showPayment(edge, id))) }
    },
  }),
  endpoint({
    method: 'POST',
    path: '/hr/payments/:id/close',
    may: 'payment.open',
    scope: 'edge',
    input: PaymentIdInput,
    output: PaymentView,
    run: async (edge, { id }) => {
      await closePayment(edge, id)
      return showPayment(edge, id)
    },
  }),
  endpoint({
    method: 'POST',
    path: '/hr/payments/:id/query',
    may: 'payment.open',
    scope: 'edge',
    input: PaymentIdInput,
    output: PaymentView,
    run: async (edge, { id }) => {
      const payment = await edge.read((tx) => findOwnPayment(tx, id))
      if (payment.source === 'wechat_pay' && ['opened', 'closed', 'failed'].includes(payment.state)) {
        const standing = await askPayment(edge, id)
        if (standing === 'never_placed' || standing === 'unpaid') await preparePayment(edge, id)
      }
      return showPayment(edge, id)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/hr/payments',
    may: 'order.read',
    scope: 'read',
    input: PaymentListInput,
    output: PaymentList,
    run: async (tx, input) => {
      const { payments, nextCursor } = await readOwnPayments(tx, input)
      const titles = new Map<Id<'order'>, string | null>()
      for (const orderId of new Set(payments.map(({ payment }) => payment.orderId)))
        titles.set(orderId, (await readCampaignByOrder(tx, orderId))?.title ?? null)
      return {
        payments: payments.map((facts) => ({
          ...present(facts, tx.clock.now()),
          orderId: facts.payment.orderId,
          campaignTitle: titles.get(facts.payment.orderId) ?? null,
        })),
        nextCursor,
      }
    },
  }),
]

/** All endpoints of funding. What lives outside the module is given to it. */
export function fundingEndpoints(given: {
  readonly readStatement: StatementReader
  readonly takeRefund?: RefundNoticeTaker
}): readonly Endpoint[] {
  return [...hrEndpoints, noticeEndpoint(given.takeRefund), ...statementEndpoints(given.readStatement)]
}

const readSplit = ({ amountFen, mostFen, pieces, ...how }: Omit<z.infer<typeof SplitPaymentInput>, 'id'>) => ({
  ...how,
  amountFen: fen(amountFen),
  mostFen: mostFen === undefined ? undefined : fen(mostFen),
  pieces: pieces?.map(fen),
})

/** One charge may pay all: there is somebody to combine them, and neither too few brands nor too many. */
function mayCombine(house: House, brands: readonly CollectedBrand[]): boolean {
  const taking = brands.filter((brand) => brand.merchant !== null).length
  return house.wechatPay.platform !== null && taking >= 2 && taking <= COMBINED_MOST
}

const readBrandsOf = async (tx: Tx, id: Id<'order'>): Promise<CollectedBrand[]> =>
  readCollectors(tx, id, await readOrderBrands(tx, id))

/** The order with its money, for a company's page; another company's is 404. */
async function showOrder(
  tx: Tx,
  id: Id<'order'>,
  lang: Lang,
  known?: readonly CollectedBrand[],
): Promise<z.input<typeof OrderView>> {
  const order = await findOwnOrder(tx, id)
  const brands = known ?? (await readBrandsOf(tx, id))
  const payments = await readPaymentsOfOrder(tx, id)
  const companyId = companyOf(tx.actor)
  const [campaign, company] = [await readCampaignByOrder(tx, id), await readCompany(tx, companyId)]
  const credit = await readCredit(tx, companyId)
  const hasCredit = credit !== null && credit.limitFen > 0
  const routes = paymentRoutes(company?.paymentRoute ?? 'strict', order.totalFen, hasCredit)
  const { holder, number, bank } = tx.house.custody
  return {
    id,
    campaignId: campaign?.id ?? null,
    campaignTitle: campaign?.title ?? null,
    state: order.state,
    totalFen: order.totalFen,
    securedFen: order.securedFen,
    missingFen: Math.max(0, order.totalFen - order.securedFen),
    openFen: sumOpen(payments),
    brands: brands.map(({ id: brandId, name, priceFen, merchant }) => ({
      id: brandId,
      name,
      priceFen,
      takesWechatPay: merchant !== null,
    })),
    combinedWechat: mayCombine(tx.house, brands),
    payments: payments.map((facts) => present(facts, tx.clock.now())),
    routes: routes.map(({ source, allowed, note, ruleId }) => ({
      source,
      allowed,
      text: note?.[lang] ?? null,
      rule: ruleId === null ? null : ruleText(ruleId, lang),
    })),
    walletFen: (await readWallet(tx, companyId))?.balanceFen ?? 0,
    creditFen: hasCredit ? credit.leftFen : null,
    bankAccount: { holder, number, bank },
  }
}

/** Sends the order whenever it changed, until nothing about its money can change any more or nobody listens. */
async function followOrder(
  edge: Edge,
  id: Id<'order'>,
  lang: Lang,
  send: (event: string, data: unknown) => boolean,
  gone: AbortSignal,
): Promise<void> {
  let brands: readonly CollectedBrand[] | undefined
  let sent = ''
  while (!gone.aborted) {
    const view = await edge.read((tx) => showOrder(tx, id, lang, brands))
    const text = canonical(view)
    if (text !== sent && !send('order', OrderView.parse(view))) return
    sent = text
    if (view.state !== 'placing' && view.state !== 'awaiting_funds' && view.openFen === 0) return
    // Items are added while an order is being placed; afterwards its brands and prices stay.
    if (view.state !== 'placing') brands ??= await edge.read((tx) => readBrandsOf(tx, id))
    await sleep(LOOK_MS, undefined, { signal: gone }).catch(() => undefined)
  }
}
