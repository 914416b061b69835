import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
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
} from '../../../contract/hr/funding.ts'
import type { Id } from '../../../contract/ids.ts'
import {
  ImportedStatement,
  ImportStatementInput,
  StatementLines,
  StatementLinesInput,
} from '../../../contract/operator/platform.ts'
import type { WechatPayTrade } from '../../channels/ports.ts'
import { coalesce } from '../../kernel/coalesce.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { endpoint, fileNameHeader, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import type { House } from '../../kernel/house.ts'
import { canonical } from '../../kernel/once.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { readCampaignByOrder } from '../campaign/read-campaign.ts'
import { readCompany } from '../company/read-company.ts'
import { paymentRoutes, ruleText } from '../compliance/rules.ts'
import { findOwnOrder } from '../order/read-order.ts'
import { readWallet } from '../wallet/read-wallet.ts'
import { acceptNotices, type NoticeAnswer } from './accept-notices.ts'
import { askPayment } from './ask-payment.ts'
import { closePayment } from './close-payment.ts'
import { importStatement, type ReadStatement } from './import-statement.ts'
import { openPayment } from './open-payment.ts'
import { prepareNative } from './prepare-native.ts'
import { readOrderBrands, type OrderBrand } from './read-needs.ts'
import { findOwnPayment, readOwnPayment, readOwnPayments, readPaymentsOfOrder, sumOpen } from './read-payment.ts'
import type { PaymentFacts } from './read-payment.ts'
import { readStatementLines } from './read-statement.ts'

/** How often an open page looks for money that arrived. */
const LOOK_MS = 500
/** A notice is a few hundred bytes. */
const NOTICE_BYTES = 64 * 1024

/** A year of a busy account. */
const STATEMENT_BYTES = 20 * 1024 * 1024

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
    run: async (edge, { id: orderId, source, amountFen, brandId }, http) => {
      const wish = { orderId, source, amountFen: fen(amountFen), brandId }
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      return showPayment(edge, await openPayment(edge, wish, key))
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
        if (standing === 'never_placed' || standing === 'unpaid') await prepareNative(edge, id)
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

interface ToldTrade {
  readonly edge: Edge
  readonly trade: WechatPayTrade
}
const queues = new WeakMap<House, (told: ToldTrade) => Promise<NoticeAnswer>>()

/** The queue of a house's notices: those that arrive while one transaction runs share the next. */
function noticesOf(edge: Edge): (told: ToldTrade) => Promise<NoticeAnswer> {
  const known = queues.get(edge.house)
  if (known) return known
  const actor = { kind: 'system', name: 'wechat_pay' } as const
  const queue = coalesce<ToldTrade, NoticeAnswer>({
    most: 100,
    waiting: 2000,
    doMany: (told) =>
      told[0]!.edge.tx((tx) =>
        acceptNotices(
          { ...tx, actor },
          told.map((one) => one.trade),
        ),
      ),
  })
  queues.set(edge.house, queue)
  return queue
}

/** Where WeChat Pay tells of payments. Its signature over the raw bytes stands in for a sign-in. */
const noticeEndpoint = endpoint({
  method: 'POST',
  path: '/notify/wechatpay',
  may: 'notice',
  body: 'raw',
  limitBytes: NOTICE_BYTES,
  scope: 'edge',
  input: z.object({}),
  output: 'stream',
  run: async (edge, _input, http) => {
    const notice = edge.ports.wechatPay.openNotice(http.headers, http.raw ?? Buffer.alloc(0))
    const { trade } = notice
    if (trade === null) return edge.log.warn({ eventType: notice.eventType }, 'a notice of another kind')
    const answer = await noticesOf(edge)({ edge, trade })
    switch (answer.kind) {
      case 'accepted':
      case 'repeated':
      case 'unpaid':
        return
      default:
        refuse('notice_refused', { detail: answer.kind })
    }
  },
})

/** What the platform's finance does with bank statements. */
const statementEndpoints = (readStatement: StatementReader): readonly Endpoint[] => [
  endpoint({
    method: 'POST',
    path: '/operator/bank-statements',
    may: 'statement.import',
    body: 'raw',
    limitBytes: STATEMENT_BYTES,
    scope: 'edge',
    headerInputs: fileNameHeader,
    input: ImportStatementInput,
    output: ImportedStatement,
    run: async (edge, { fileName }, http) => {
      const bytes = http.raw ?? Buffer.alloc(0)
      const read = await readStatement(bytes, fileName)
      return { ...(await importStatement(edge, { fileName, bytes, read }, http.lang)) }
    },
  }),
  endpoint({
    method: 'GET',
    path: '/operator/statement-lines',
    may: 'statement.import',
    scope: 'read',
    input: StatementLinesInput,
    output: StatementLines,
    run: async (tx, input) => {
      const { lines, nextCursor } = await readStatementLines(tx, input)
      const shown = lines.map(({ payer, ...line }) => ({
        ...line,
        payerName: payer.holder,
        payerAccount: payer.account.replaceAll(/.(?=.{4})/g, '*'),
        memo: payer.memo,
      }))
      return { lines: shown, nextCursor }
    },
  }),
]

/** Reads a statement file; it lives outside the modules and is given to them. */
export type StatementReader = (bytes: Uint8Array, fileName: string) => Promise<ReadStatement>

/** All endpoints of funding. */
export function fundingEndpoints(given: { readonly readStatement: StatementReader }): readonly Endpoint[] {
  return [...hrEndpoints, noticeEndpoint, ...statementEndpoints(given.readStatement)]
}

const showPayment = (edge: Edge, id: Id<'payment'>) =>
  edge.read(async (tx) => present(await readOwnPayment(tx, id), tx.clock.now()))

function present({ payment, parts }: PaymentFacts, nowMs: number): z.input<typeof PaymentView> {
  const { id, source, state, amountFen, paidFen, outcome, expiresAtMs, transactionId, reference } = payment
  const [first] = parts
  const payable = state === 'opened' && nowMs < (expiresAtMs ?? 0)
  return {
    id,
    source,
    state,
    amountFen,
    paidFen: paidFen ?? null,
    outcome: outcome ?? null,
    brand: source === 'wechat_pay' && first ? { id: first.brandId, name: first.brandName } : null,
    codeUrl: payable ? (payment.codeUrl ?? null) : null,
    expiresAtMs: expiresAtMs ?? null,
    transactionId: transactionId ?? null,
    reference: reference ?? null,
    openedAtMs: payment.openedAtMs,
    paidAtMs: payment.paidAtMs ?? null,
    parts: [...parts],
  }
}

/** The order with its money, for a company's page; another company's is 404. */
async function showOrder(
  tx: Tx,
  id: Id<'order'>,
  lang: Lang,
  known?: readonly OrderBrand[],
): Promise<z.input<typeof OrderView>> {
  const order = await findOwnOrder(tx, id)
  const brands = known ?? (await readOrderBrands(tx, id))
  const payments = await readPaymentsOfOrder(tx, id)
  const companyId = companyOf(tx.actor)
  const [campaign, company] = [await readCampaignByOrder(tx, id), await readCompany(tx, companyId)]
  const routes = paymentRoutes(company?.paymentRoute ?? 'strict', order.totalFen)
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
    payments: payments.map((facts) => present(facts, tx.clock.now())),
    routes: routes.map(({ source, allowed, note, ruleId }) => ({
      source,
      allowed,
      text: note?.[lang] ?? null,
      rule: ruleId === null ? null : ruleText(ruleId, lang),
    })),
    walletFen: (await readWallet(tx, companyId))?.balanceFen ?? 0,
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
  let brands: readonly OrderBrand[] | undefined
  let sent = ''
  while (!gone.aborted) {
    const view = await edge.read((tx) => showOrder(tx, id, lang, brands))
    const text = canonical(view)
    if (text !== sent && !send('order', OrderView.parse(view))) return
    sent = text
    if (view.state !== 'placing' && view.state !== 'awaiting_funds' && view.openFen === 0) return
    // Items are added while an order is being placed; afterwards its brands and prices stay.
    if (view.state !== 'placing') brands ??= await edge.read((tx) => readOrderBrands(tx, id))
    await sleep(LOOK_MS, undefined, { signal: gone }).catch(() => undefined)
  }
}
