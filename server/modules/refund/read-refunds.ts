import type { z } from 'zod'
import type { Lang } from '../../../contract/error-codes.ts'
import { sumFen } from '../../../contract/fen.ts'
import type { RefundView } from '../../../contract/hr/refund.ts'
import type { Id } from '../../../contract/ids.ts'
import type { RefundParts } from '../../../contract/operator/refund.ts'
import { refundPartSentence } from '../../../contract/refund-words.ts'
import type { RefundDecision } from '../../../contract/refunds.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { readCampaignByOrder } from '../campaign/read-campaign.ts'
import { readBrands } from '../catalog/read-template.ts'
import { readCompany } from '../company/read-company.ts'
import type { PaymentSource } from './rules.ts'
import { Refund, RefundPart, type RefundPartRow, type RefundRow } from './tables.ts'

export interface RefundPage {
  readonly orderId?: Id<'order'> | undefined
  readonly campaignId?: Id<'campaign'> | undefined
  readonly cursor?: string | undefined
  readonly limit: number
}

/** A page of the refunds of the actor's company, newest first. */
export async function readOwnRefunds(tx: Tx, page: RefundPage, lang: Lang) {
  const { orderId, campaignId, cursor } = page
  const where = {
    companyId: companyOf(tx.actor),
    ...(orderId === undefined ? {} : { orderId }),
    ...(campaignId === undefined ? {} : { campaignId }),
    ...(cursor === undefined ? {} : { id: { $lt: cursor as Id<'refund'> } }),
  }
  const options = { orderBy: { id: 'desc' }, limit: page.limit + 1, disableIdentityMap: true } as const
  const rows = await tx.em.find(Refund, where, options)
  const shown = rows.slice(0, page.limit)
  return {
    refunds: await presentRefunds(tx, shown, lang),
    nextCursor: rows.length > page.limit ? shown.at(-1)!.id : null,
  }
}

/** Refunds with their parts, as a company reads them. */
export async function presentRefunds(
  tx: Tx,
  refunds: readonly RefundRow[],
  lang: Lang,
): Promise<z.input<typeof RefundView>[]> {
  const where = { refundId: { $in: refunds.map((refund) => refund.id) } }
  const parts = await tx.em.find(RefundPart, where, { orderBy: { id: 'asc' }, disableIdentityMap: true })
  const facts = await readAround(tx, parts)
  const titles = new Map<string, string | null>()
  for (const orderId of new Set(refunds.map((refund) => refund.orderId)))
    titles.set(orderId, (await readCampaignByOrder(tx, orderId))?.title ?? null)
  return refunds.map((refund) => {
    const own = parts.filter((part) => part.refundId === refund.id)
    return {
      id: refund.id,
      kind: refund.kind,
      state: refund.state,
      orderId: refund.orderId,
      campaignId: refund.campaignId ?? null,
      campaignTitle: titles.get(refund.orderId) ?? null,
      fen: refund.amountFen,
      doneFen: sumFen(own.filter((part) => part.state === 'done').map((part) => part.fen)),
      cardsPlanned: refund.cardsPlanned,
      cardsBack: refund.cardsBack,
      cardsKept: refund.cardsKept,
      requestedAtMs: refund.requestedAtMs,
      doneAtMs: refund.doneAtMs ?? null,
      parts: own.map((part) => ({
        id: part.id,
        paymentId: part.paymentId,
        source: facts.sourceOf(part),
        route: part.route,
        brandName: facts.brandOf(part),
        fen: part.fen,
        state: part.state,
        text: sentence(part, lang),
        doneAtMs: part.doneAtMs ?? null,
      })),
    }
  })
}

const sentence = (part: RefundPartRow, lang: Lang): string =>
  refundPartSentence({ state: part.state, route: part.route, reason: part.reason ?? null }, lang)

/** By which source each part's payment came, and whose cards it paid. */
async function readAround(tx: Tx, parts: readonly RefundPartRow[]) {
  const paymentIds = [...new Set(parts.map((part) => part.paymentId))]
  const payments =
    paymentIds.length === 0
      ? []
      : await sql<{ id: Id<'payment'>; source: PaymentSource }>(
          tx.em,
          `select id, source from payment where id in (${paymentIds.map(() => '?').join(',')})`,
          paymentIds,
        )
  const sources = new Map(payments.map((payment) => [payment.id, payment.source]))
  const brandIds = [...new Set(parts.flatMap((part) => (part.brandId ? [part.brandId] : [])))]
  const brands = new Map((await readBrands(tx, brandIds)).map((brand) => [brand.id, brand.name]))
  return {
    sourceOf: (part: RefundPartRow): PaymentSource => sources.get(part.paymentId)!,
    brandOf: (part: RefundPartRow): string | null => (part.brandId ? (brands.get(part.brandId) ?? null) : null),
  }
}

/** A page of parts that have not arrived, oldest first: all of them, or those that only a person can bring forward. */
export async function readOpenParts(
  tx: Tx,
  page: { readonly which: 'person' | 'open'; readonly cursor?: string | undefined; readonly limit: number },
  lang: Lang,
): Promise<z.input<typeof RefundParts>> {
  const state = page.which === 'person' ? { $in: ['stuck', 'closed', 'abnormal'] as const } : { $ne: 'done' as const }
  const after = page.cursor === undefined ? {} : { id: { $gt: page.cursor as Id<'refundPart'> } }
  const options = { orderBy: { id: 'asc' }, limit: page.limit + 1, disableIdentityMap: true } as const
  const rows = await tx.em.find(RefundPart, { state, ...after } as object, options)
  const shown = rows.slice(0, page.limit)
  const facts = await readAround(tx, shown)
  const names = new Map<string, string | null>()
  for (const companyId of new Set(shown.flatMap((part) => (part.companyId ? [part.companyId] : []))))
    names.set(companyId, (await readCompany(tx, companyId))?.name ?? null)
  return {
    parts: shown.map((part) => ({
      id: part.id,
      refundId: part.refundId,
      companyName: part.companyId ? (names.get(part.companyId) ?? null) : null,
      paymentId: part.paymentId,
      source: facts.sourceOf(part),
      route: part.route,
      brandName: facts.brandOf(part),
      fen: part.fen,
      state: part.state,
      text: sentence(part, lang),
      outRefundNo: part.outRefundNo ?? null,
      createdAtMs: part.createdAtMs,
      nextAtMs: part.nextAtMs ?? null,
      decisions: decisionsFor(part),
    })),
    nextCursor: rows.length > page.limit ? shown.at(-1)!.id : null,
  }
}

function decisionsFor(part: RefundPartRow): RefundDecision[] {
  switch (part.state) {
    case 'closed':
      return ['new_number', 'pay_out']
    case 'abnormal':
      return ['to_merchant_card']
    case 'stuck':
      return isOfReturns(part) ? ['retry', 'without_returns'] : ['retry', 'pay_out']
    default:
      return []
  }
}

const isOfReturns = ({ reason }: RefundPartRow): boolean =>
  reason === 'receiver_not_enough' || reason === 'receiver_no_auth' || reason === 'return_failed'
