import {
  GiveUpInput,
  RefundCardsInput,
  RefundIdInput,
  RefundList,
  RefundListInput,
  RefundPreview,
  RefundPreviewInput,
  RefundSurplusInput,
  RefundView,
  Surplus,
  SurplusInput,
  TakeBackInput,
  TakeBackPreview,
  TakeBackPreviewInput,
} from '../../../contract/hr/refund.ts'
import type { Lang } from '../../../contract/error-codes.ts'
import type { Id } from '../../../contract/ids.ts'
import { DecidedPart, DecidePartInput, RefundParts, RefundPartsInput } from '../../../contract/operator/refund.ts'
import type { Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { decidePart } from './decide-part.ts'
import { previewCards } from './preview-cards.ts'
import { readPart } from './read-part.ts'
import { presentRefunds, readOpenParts, readOwnRefunds } from './read-refunds.ts'
import { readSurpluses } from './read-surpluses.ts'
import { findOwnRefund, requestRefund, type RefundWish } from './request-refund.ts'
import { previewTakeBack, takeBackCampaign } from './take-back-campaign.ts'

const written = { may: 'refund.request', scope: 'tx', body: 'json', idempotent: true } as const

/** What a company sees and does about money that goes back. */
const hrEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/hr/campaigns/:id/take-back',
    may: 'refund.request',
    scope: 'read',
    input: TakeBackPreviewInput,
    output: TakeBackPreview,
    run: (tx, { id }) => previewTakeBack(tx, id),
  }),
  endpoint({
    ...written,
    method: 'POST',
    path: '/hr/campaigns/:id/take-back',
    input: TakeBackInput,
    output: RefundView,
    run: (tx, { id: campaignId, toWallet }, http) =>
      onceFor(tx, http, { campaignId, toWallet }, () => takeBackCampaign(tx, { campaignId, toWallet })),
  }),
  endpoint({
    method: 'POST',
    path: '/hr/orders/:id/refund-preview',
    may: 'refund.request',
    scope: 'read',
    body: 'json',
    input: RefundPreviewInput,
    output: RefundPreview,
    run: (tx, { id, cardIds }) => previewCards(tx, id, cardIds),
  }),
  endpoint({
    method: 'GET',
    path: '/hr/orders/:id/surplus',
    may: 'order.read',
    scope: 'read',
    input: SurplusInput,
    output: Surplus,
    run: (tx, { id }) => readSurpluses(tx, id),
  }),
  endpoint({
    ...written,
    method: 'POST',
    path: '/hr/orders/:id/refunds',
    input: RefundCardsInput,
    output: RefundView,
    run: (tx, { id: orderId, cardIds, toWallet }, http) => ask(tx, http, { kind: 'cards', orderId, cardIds, toWallet }),
  }),
  endpoint({
    ...written,
    method: 'POST',
    path: '/hr/payments/:id/refund-surplus',
    input: RefundSurplusInput,
    output: RefundView,
    run: (tx, { id: paymentId }, http) => ask(tx, http, { kind: 'surplus', paymentId }),
  }),
  endpoint({
    ...written,
    method: 'POST',
    path: '/hr/orders/:id/give-up',
    input: GiveUpInput,
    output: RefundView,
    run: (tx, { id: orderId }, http) => ask(tx, http, { kind: 'order_funds', orderId }),
  }),
  endpoint({
    method: 'GET',
    path: '/hr/refunds',
    may: 'order.read',
    scope: 'read',
    input: RefundListInput,
    output: RefundList,
    run: (tx, page, http) => readOwnRefunds(tx, page, http.lang),
  }),
  endpoint({
    method: 'GET',
    path: '/hr/refunds/:id',
    may: 'order.read',
    scope: 'read',
    input: RefundIdInput,
    output: RefundView,
    run: async (tx, { id }, http) => show(tx, (await findOwnRefund(tx, id)).id, http.lang),
  }),
]

/** What the platform's finance does about what hangs. */
const operatorEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/operator/refund-parts',
    may: 'refund.decide',
    scope: 'read',
    input: RefundPartsInput,
    output: RefundParts,
    run: (tx, page, http) => readOpenParts(tx, page, http.lang),
  }),
  endpoint({
    method: 'POST',
    path: '/operator/refund-parts/:id/decide',
    may: 'refund.decide',
    scope: 'edge',
    body: 'json',
    input: DecidePartInput,
    output: DecidedPart,
    run: async (edge, { id, decision }) => {
      await decidePart(edge, id, decision)
      const { part } = (await edge.read((tx) => readPart(tx, id))) ?? refuse('not_found')
      return { state: part.state }
    },
  }),
]

export const refundEndpoints: readonly Endpoint[] = [...hrEndpoints, ...operatorEndpoints]

interface Asked {
  readonly idempotencyKey: string | null
  readonly lang: Lang
}

const ask = (tx: Tx, http: Asked, wish: RefundWish) => onceFor(tx, http, wish, () => requestRefund(tx, wish))

/** One refund for a key, however often it is asked for. */
async function onceFor(tx: Tx, http: Asked, input: object, work: () => Promise<Id<'refund'>>) {
  const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
  return show(tx, await once(tx, `refund:${companyOf(tx.actor)}`, key, input, work), http.lang)
}

async function show(tx: Tx, id: Id<'refund'>, lang: Lang) {
  const [view] = await presentRefunds(tx, [await findOwnRefund(tx, id)], lang)
  return view ?? refuse('not_found')
}
