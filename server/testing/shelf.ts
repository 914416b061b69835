import type { z } from 'zod'
import { ListingFacts } from '../../contract/operator/shelf.ts'
import { fen } from '../../contract/fen.ts'
import { encodeId, type Id } from '../../contract/ids.ts'
import { priceOf } from '../../contract/price.ts'
import type { ErrorCode } from '../../contract/error-codes.ts'
import type { Edge, Tx } from '../kernel/context.ts'
import { AppError } from '../kernel/errors.ts'
import { sql } from '../kernel/sql.ts'
import { createBrand } from '../modules/catalog/create-template.ts'
import { issueOrders } from '../modules/issuance/issue-order.ts'
import { account } from '../modules/ledger/accounts.ts'
import { credit, debit, post } from '../modules/ledger/post.ts'
import { placeSingleOrders } from '../modules/order/place-single-orders.ts'
import { secureFunds } from '../modules/order/secure-funds.ts'
import { changeListing } from '../modules/shelf/change-listing.ts'
import { createListing } from '../modules/shelf/create-listing.ts'
import { factsOf } from '../modules/shelf/listing-rules.ts'
import { findListing } from '../modules/shelf/read-listing.ts'
import { takeListings, type TakenListing, type TakingWish } from '../modules/shelf/take-listing.ts'
import { aTemplate } from './cards.ts'

export interface TestListing {
  readonly id: Id<'listing'>
  readonly versionId: Id<'templateVersion'>
  readonly brandId: Id<'brand'>
}
type Template = Parameters<typeof aTemplate>[2]
type Facts = Partial<z.input<typeof ListingFacts>>

/** A brand, a card of it and its listing, on the shelf. What a test cares about, it says. */
export async function aListing(tx: Tx, more: Facts = {}, template: Template = {}): Promise<TestListing> {
  const known = await sql<{ id: Id<'brand'> }>(tx.em, "select id from brand where issuer_prefix = '6230'")
  const brandId = template?.brandId ?? known[0]?.id ?? (await createBrand(tx, { name: '青禾', issuerPrefix: '6230' }))
  const plain = { named: false, maxFaceFen: fen(100_000), validDays: 1_095 }
  const versionId = await aTemplate(tx, brandId, { ...plain, ...template })
  const facts = ListingFacts.parse({ category: 'general', title: '青禾礼品卡', ...more })
  const id = await createListing(tx, versionId, facts)
  await changeListing(tx, { ...facts, id, version: 1, templateVersionId: versionId, state: 'on' })
  return { id, versionId, brandId }
}

/** Changes some of what a listing says. */
export async function mendListing(
  tx: Tx,
  id: Id<'listing'>,
  more: Partial<ListingFacts> & { state?: 'on' | 'off'; templateVersionId?: Id<'templateVersion'> },
): Promise<number> {
  const { version, templateVersionId, state, ...row } = (await findListing(tx, id))!
  const facts = factsOf({ ...row, version, templateVersionId, state })
  return changeListing(tx, { ...facts, id, version, templateVersionId, state, ...more })
}

export const buyerNumber = (number: number): Id<'buyer'> => encodeId('buyer', BigInt(number))

/** What somebody wants who saw a face of 100 yuan at this price. */
export interface TestWish {
  readonly buyer: number
  readonly faceFen?: number
  /** In basis points of the face; 10,000 when it is not said. */
  readonly priceBp?: number
}

/** One card of a listing for one order. Throws the refusal. */
export async function takeOne(tx: Tx, wish: TakingWish): Promise<TakenListing> {
  const [one] = await takeListings(tx, [wish])
  if (one instanceof AppError) throw one
  return one!
}

/** An order of one card and what it takes from the shelf, in one transaction: the taking, or the code of its refusal. */
export async function buyOne(
  edge: Edge,
  listing: TestListing,
  { buyer, faceFen = 10_000, priceBp = 10_000 }: TestWish,
): Promise<(TakenListing & { readonly orderId: Id<'order'> }) | ErrorCode> {
  const [face, buyerId] = [fen(faceFen), buyerNumber(buyer)]
  const priceFen = priceOf(face, priceBp)
  const item = { templateVersionId: listing.versionId, faceFen: face, priceFen, listingId: listing.id }
  const wish: Omit<TakingWish, 'orderId'> = { ...item, versionId: listing.versionId, buyerId }
  try {
    return await edge.tx(async (tx) => {
      const orderId = tx.newId('order')
      await placeSingleOrders(tx, [{ id: orderId, buyerId, item: { ...item, holderId: buyerId } }])
      return { ...(await takeOne(tx, { ...wish, orderId })), orderId }
    })
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

/** How often each outcome came. */
export function tally(outcomes: readonly (object | string)[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const outcome of outcomes) {
    const key = typeof outcome === 'string' ? outcome : 'taken'
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

/** Pays orders from custody, as a bank transfer would, and makes their cards, many at once and some of them twice. */
export async function payAndIssue(edge: Edge, orderIds: readonly Id<'order'>[]): Promise<void> {
  for (const orderId of orderIds)
    await edge.tx(async (tx) => {
      const [order] = await sql<{ total: unknown }>(tx.em, 'select total_fen as total from orders where id = ?', [
        orderId,
      ])
      const amount = fen(Number(order?.total))
      const lines = [debit(account.custodyBank('main'), amount), credit(account.orderFunds(orderId), amount)]
      await post(tx, [{ kind: 'funds_received', ref: orderId, lines }])
      await secureFunds(tx, orderId, amount)
    })
  const half = Math.ceil(orderIds.length / 2)
  await Promise.all([issueOrders(edge, orderIds.slice(0, half)), issueOrders(edge, orderIds.slice(half))])
  await issueOrders(edge, orderIds.slice(0, 10))
}
