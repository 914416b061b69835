import type { z } from 'zod'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { BuyInput } from '../../../contract/store/order.ts'
import type { Tx } from '../../kernel/context.ts'
import { AppError, toAppError } from '../../kernel/errors.ts'
import { differingField, keepOnce, OnceConflict, readOnce, type Keyed, type Remembered } from '../../kernel/once.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { insertRows, sendTogether } from '../../kernel/sql.ts'
import { readOpenids } from '../buyer/read-buyer.ts'
import { filingRefusal } from '../compliance/check-filing.ts'
import { readVersions, type TemplateVersionRow } from '../catalog/read-template.ts'
import { useCover } from '../cover/use-cover.ts'
import { chargeBuyers, type NewCharge } from '../funding/charge-buyer.ts'
import type { PayBodies } from '../funding/charge-wechat.ts'
import { readMerchantsOf } from '../funding/read-needs.ts'
import { placeSingleOrders } from '../order/place-single-orders.ts'
import { returnTaking } from '../shelf/return-taking.ts'
import { takeListings, type TakenListing } from '../shelf/take-listing.ts'
import { sealGreeting } from './seal-words.ts'

/** Somebody's wish for one card, under a key of theirs. */
export interface Buying {
  readonly buyerId: Id<'buyer'>
  readonly key: string
  readonly wish: z.output<typeof BuyInput>
}

/** `charge`: it was placed now, and nobody has asked WeChat Pay about it; null: the key was used before. */
export type Placed = { readonly orderId: Id<'order'>; readonly charge: NewCharge | null }

const KEYS = 'store.buy'

/**
 * Places orders of one card for any number of buyers, takes the cards from the shelf and records the payments, all in one
 * transaction; answers in their order. The same key gives the same order. Issuing reads their items as it reads those of a
 * company, once they are paid; what nobody pays in time is closed by job `store-order.close`. What may not be is refused alone: as
 * `takeListings` does, and with `idempotency_conflict`, `cover_refused`, `wechat_not_connected`, `unauthenticated` (a buyer whom
 * WeChat Pay would not know), `payment_route_barred`, `card_kind_not_filed`, `prepaid_over_ceiling`.
 */
export async function buyCards(tx: Tx, buyings: readonly Buying[], bodies: PayBodies): Promise<(Placed | AppError)[]> {
  const asked = buyings.map((buying) => ({ key: `${buying.buyerId}:${buying.key}`, input: keptOf(tx, buying) }))
  const remembered = await readOnce(tx, KEYS, asked)
  const first = new Map<string, Keyed & { orderId: Id<'order'> }>()
  const fresh: Fresh[] = []
  const answers = buyings.map((buying, index): (() => Placed | AppError) => {
    const keyed = asked[index]!
    const again = remembered[index] ?? within(first.get(keyed.key), keyed.input)
    if (again !== undefined) return () => recall(again, placedNow, keyed.key)
    const orderId = tx.newId('order')
    first.set(keyed.key, { ...keyed, orderId })
    fresh.push({ ...buying, ...keyed, orderId })
    return () => placedNow.get(keyed.key)!
  })
  const placedNow = await sendTogether(tx.em, () => placeFresh(tx, fresh, bodies))
  return answers.map((answer) => answer())
}

interface Fresh extends Omit<Buying, 'key'>, Keyed {
  readonly orderId: Id<'order'>
}
/** One that was taken from the shelf. */
interface Taken extends Fresh {
  readonly taken: TakenListing
  readonly openid: string
  readonly mchid: string
}

/** What a key was used with is kept: of words, a fingerprint. */
const keptOf = (tx: Tx, { wish }: Buying): object => ({
  ...wish,
  greeting: tx.house.seal.blindIndex('gift.greeting', wish.greeting),
})

/** The same key twice in one transaction. */
function within(known: (Keyed & { orderId: Id<'order'> }) | undefined, input: object): Remembered | undefined {
  if (known === undefined) return undefined
  const field = differingField(known.input, input)
  return field === null ? { answer: known.orderId } : { differsIn: field }
}

function recall(again: Remembered, now: ReadonlyMap<string, Placed | AppError>, key: string): Placed | AppError {
  if ('differsIn' in again) return toAppError(new OnceConflict(again.differsIn))
  const refused = now.get(key)
  return refused instanceof AppError ? refused : { orderId: again.answer as Id<'order'>, charge: null }
}

async function placeFresh(
  tx: Tx,
  fresh: readonly Fresh[],
  bodies: PayBodies,
): Promise<ReadonlyMap<string, Placed | AppError>> {
  const answers = new Map<string, Placed | AppError>()
  const taken: Taken[] = []
  for (const { one, refused } of await takeAll(tx, fresh))
    if (refused === null) taken.push(one)
    else answers.set(one.key, refused)
  if (taken.length === 0) return answers
  const charges = await writeTaken(tx, taken, bodies)
  taken.forEach(({ key, orderId }, index) => answers.set(key, { orderId, charge: charges[index]! }))
  return answers
}

/** Writes the orders of what was taken, their payments and their keys. */
async function writeTaken(tx: Tx, taken: readonly Taken[], bodies: PayBodies): Promise<NewCharge[]> {
  const endsAtMs = tx.clock.now() + limits.unpaidOrderMs
  await placeSingleOrders(
    tx,
    taken.map(({ orderId, buyerId, wish: { listingId, versionId: templateVersionId, faceFen, priceFen } }) => {
      return { id: orderId, buyerId, item: { holderId: buyerId, templateVersionId, faceFen, priceFen, listingId } }
    }),
  )
  await insertRows(
    tx.em,
    'store_order',
    taken.map((one) => storeOrderOf(tx, one, endsAtMs)),
  )
  const charges = await chargeBuyers(
    tx,
    taken.map(({ orderId, buyerId, wish, openid, mchid, taken: { version } }) => {
      const payer = { appid: tx.house.wechat!.appid, openid }
      return { orderId, buyerId, brandId: version.brandId, mchid, payer, amountFen: wish.priceFen, endsAtMs }
    }),
    bodies,
  )
  await enqueue(
    tx,
    taken.map(({ orderId }) => {
      const key = `store-order.close:${orderId}`
      return { kind: 'store-order.close', key, args: { orderId }, readyAtMs: endsAtMs }
    }),
  )
  await keepOnce(
    tx,
    KEYS,
    taken.map(({ key, input, orderId }) => ({ key, input, answer: orderId })),
  )
  return charges
}

type Judged = { readonly one: Taken; readonly refused: null } | { readonly one: Fresh; readonly refused: AppError }

/** Takes what may be taken: what is refused for another reason gives its place on the shelf back at once. */
async function takeAll(tx: Tx, fresh: readonly Fresh[]): Promise<Judged[]> {
  const appid = tx.house.wechat?.appid
  if (appid === undefined) return fresh.map((one) => ({ one, refused: new AppError('wechat_not_connected') }))
  const versions = await readVersions(tx, [...new Set(fresh.map(({ wish }) => wish.versionId))])
  const openids = await readOpenids(tx, [...new Set(fresh.map(({ buyerId }) => buyerId))], appid)
  const brandIds = [...new Set(versions.map(({ brandId }) => brandId))].sort()
  const merchants = await readMerchantsOf(tx, brandIds, tx.clock.now())
  const filed = await readFiled(tx, fresh, versions)
  // Last: from here on everybody else who buys of these listings waits for us.
  const takings = await takeListings(
    tx,
    fresh.map(({ wish, buyerId, orderId }) => ({ ...wish, buyerId, orderId })),
    versions,
  )
  const judged: Judged[] = []
  for (const [index, one] of fresh.entries()) {
    const taken = takings[index]!
    if (taken instanceof AppError) {
      judged.push({ one, refused: taken })
      continue
    }
    const openid = openids.get(one.buyerId)
    const merchant = merchants.get(taken.version.brandId)
    const refused =
      filed.get(taken.version.id) ??
      (openid === undefined ? new AppError('unauthenticated') : null) ??
      (merchant == null ? new AppError('payment_route_barred') : null) ??
      (await coverRefusal(tx, one))
    if (refused !== null) await returnTaking(tx, one.orderId)
    judged.push(
      refused === null
        ? { one: { ...one, taken, openid: openid!, mchid: merchant!.mchid }, refused }
        : { one, refused },
    )
  }
  return judged
}

/** What the filings of brands say against the cards of a version, all that are asked for together. */
async function readFiled(
  tx: Tx,
  fresh: readonly Fresh[],
  versions: readonly TemplateVersionRow[],
): Promise<ReadonlyMap<Id<'templateVersion'>, AppError>> {
  const refused = new Map<Id<'templateVersion'>, AppError>()
  for (const { id, brandId, named } of versions) {
    const faces = fresh.filter(({ wish }) => wish.versionId === id).map(({ wish }) => wish.faceFen)
    const code = await filingRefusal(tx, [
      { brandId, named, faceFen: () => faces.reduce((sum, face) => sum + face, 0) },
    ])
    if (code !== null) refused.set(id, new AppError(code))
  }
  return refused
}

async function coverRefusal(tx: Tx, { wish: { pictureId }, buyerId }: Fresh): Promise<AppError | null> {
  if (pictureId === null) return null
  try {
    await useCover(tx, pictureId, buyerId)
    return null
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

function storeOrderOf(tx: Tx, { orderId, buyerId, wish, taken }: Taken, closesAtMs: number) {
  return {
    order_id: orderId,
    buyer_id: buyerId,
    listing_id: wish.listingId,
    channel: wish.channel,
    cover: wish.cover,
    picture_id: wish.pictureId,
    greeting_sealed: sealGreeting(tx, orderId, wish.greeting),
    for_friend: wish.forFriend ? 1 : 0,
    right_ms: taken.version.rightMs,
    closes_at_ms: closesAtMs,
    created_at_ms: tx.clock.now(),
  }
}
