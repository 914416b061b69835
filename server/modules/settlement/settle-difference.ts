import { fen, signedFen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { readPaidParts } from '../funding/read-paid-parts.ts'
import type { Verdicts } from './next-work.ts'
import { readLiveReceivers } from './plan-next.ts'
import { readOrderToSettle, readSales, type BrandSale } from './read-sales.ts'
import { readUnrepaid } from './read-unrepaid.ts'
import { reckonTargets } from './reckon-targets.ts'
import { cutOver, sumShares, takeShares, type Payee, type Share, type Target } from './rules.ts'
import { PayoutItem, Settlement, Split, type SplitReceiverRow, type SplitRow } from './tables.ts'

/**
 * Brings the payout items of an order in line: what each payee is owed of the cards that are still people's, less what
 * profit sharing and unfreezing bring and less what a company has not repaid of its credit, is what payouts bring; the
 * difference to what stands becomes new items. So money
 * from wallet and bank, what the cap or a refused receiver left over, a discount that we bear, and every refund after
 * that come out to the fen, whichever happens first. Does nothing before the order is planned. The caller holds the
 * order (lockOrders). Returns how many items it wrote.
 */
export async function settleDifference(tx: Tx, orderId: Id<'order'>): Promise<number> {
  const planned = await tx.em.findOne(Settlement, { orderId }, { disableIdentityMap: true })
  const order = planned && (await readOrderToSettle(tx, orderId))
  if (!order) return 0
  const sales = await readSales(tx, orderId, order.orderedAtMs)
  const owed = new Map() as Sums
  for (const sale of sales) owe(owed, sale)
  const splits = await tx.em.find(Split, { orderId }, { orderBy: { id: 'asc' }, disableIdentityMap: true })
  const parts = await readPaidParts(tx, orderId)
  for (const split of splits) {
    const part = parts.find((one) => one.paymentId === split.paymentId)
    const sale = sales.find((one) => one.brandId === split.brandId)
    const targets = part && sale ? reckonTargets(tx, sale, parts, part) : []
    await takeReceived(tx, owed, { split, targets, backFen: part?.refundedFen ?? 0 })
  }
  await holdUnrepaid(tx, owed, { settled: planned, sales, unrepaid: await readUnrepaid(tx, orderId, parts) })
  const items = await sql<{ brandId: string; payee: string; total: unknown }>(
    tx.em,
    "select brand_id as brandId, payee, sum(amount_fen) as total from payout_item where order_id = ? and kind = 'settlement' group by brand_id, payee",
    [orderId],
  )
  for (const item of items) add(owed, item.brandId, item.payee, -readSum(item.total))
  const due = [...owed.values()].filter((one) => one.fen !== 0)
  const rows = due.map(({ brandId, payee, fen: amount }) => ({
    id: tx.newId('payoutItem'),
    payee,
    orderId,
    brandId: brandId as Id<'brand'>,
    amountFen: signedFen(amount),
    kind: 'settlement' as const,
    ref: orderId,
    payoutId: null,
    createdAtMs: tx.clock.now(),
  }))
  if (rows.length > 0) await tx.em.insertMany(PayoutItem, rows)
  return rows.length
}

/** Signed fen by brand and payee. */
type Sums = Map<string, { readonly brandId: string; readonly payee: Payee; readonly fen: number }>

function add(sums: Sums, brandId: string, payee: Payee, amount: number): void {
  const key = `${brandId} ${payee}`
  sums.set(key, { brandId, payee, fen: (sums.get(key)?.fen ?? 0) + amount })
}

/** A brand is owed what its cards hold; the discount on it is ours, beside our commission. */
function owe(owed: Sums, sale: BrandSale): void {
  const channels = sale.channelFen.reduce<number>((sum, part) => sum + part, 0)
  sale.terms.channels.forEach((channel, index) =>
    add(owed, sale.brandId, `${sale.brandId}.${channel.code}`, sale.channelFen[index]!),
  )
  add(owed, sale.brandId, 'platform', sale.platformFen - (sale.faceFen - sale.priceFen))
  add(owed, sale.brandId, sale.brandId, sale.faceFen - sale.platformFen - channels)
}

interface Waiting {
  readonly settled: { readonly orderId: Id<'order'>; readonly heldFen: Fen }
  readonly sales: readonly BrandSale[]
  readonly unrepaid: ReadonlyMap<Id<'brand'>, Fen>
}

/**
 * What was bought on credit and not repaid is nobody's to pay out: it waits, cut over brand, channels and us as the price
 * of these cards is, and is written on the order.
 */
async function holdUnrepaid(tx: Tx, owed: Sums, { settled, sales, unrepaid }: Waiting): Promise<void> {
  let held = 0
  for (const sale of sales) {
    const waits = unrepaid.get(sale.brandId) ?? fen(0)
    if (waits === 0) continue
    held += waits
    const rest = fen(sale.priceFen - sale.platformFen - sumFen(sale.channelFen))
    const [platform, brand, ...channels] = cutOver(waits, [sale.platformFen, rest, ...sale.channelFen])
    add(owed, sale.brandId, 'platform', 0 - platform!)
    add(owed, sale.brandId, sale.brandId, 0 - brand!)
    sale.terms.channels.forEach(({ code }, index) =>
      add(owed, sale.brandId, `${sale.brandId}.${code}`, 0 - channels[index]!),
    )
  }
  if (held === settled.heldFen) return
  await change(tx.em, 'update settlement set held_fen = ? where order_id = ?', [held, settled.orderId])
}

interface Bringing {
  readonly split: SplitRow
  /** Who is to have what in the end, as refunds stand that were accepted. */
  readonly targets: readonly Target[]
  /** Of the transaction, accepted to be given back. */
  readonly backFen: number
}

/**
 * What a transaction brings: to receivers what they got or will get, to who collects all the rest, fee included. While a
 * refund is on its way it counts as if it had arrived: what it takes from a receiver is what is above the new targets.
 */
async function takeReceived(tx: Tx, owed: Sums, { split, targets, backFen }: Bringing): Promise<void> {
  const gone = split.refundedFen + split.refundedOfReturnsFen + split.refundedOfRestFen
  const had = byPayee(await readShared(tx, split))
  const limit = backFen > gone ? byPayee(targets.flatMap((target) => target.shares)) : null
  let shared = 0
  for (const [payee, amount] of had) {
    const stays = limit === null ? amount : Math.min(amount, limit.get(payee) ?? 0)
    shared += stays
    add(owed, split.brandId, payee, 0 - stays)
  }
  const collector = split.collector === 'brand' ? split.brandId : 'platform'
  add(owed, split.brandId, collector, shared - (split.paidFen - Math.max(gone, backFen)))
}

function byPayee(shares: readonly Share[]): Map<Payee, number> {
  const sums = new Map<Payee, number>()
  for (const share of shares) sums.set(share.payee, (sums.get(share.payee) ?? 0) + share.fen)
  return sums
}

/** Who has, or is still to get, what of a transaction by profit sharing, without what was given back. */
async function readShared(tx: Tx, split: SplitRow): Promise<Share[]> {
  const rows = await readLiveReceivers(tx, split)
  const got = rows.filter((row) => row.state !== 'pending' && row.state !== 'closed')
  const had = got.flatMap((row) => takeShares(JSON.parse(row.shares) as Share[], row.returnedFen, row.amountFen))
  return split.state === 'finished' ? had : [...had, ...stillToCome(split, got)]
}

function stillToCome(split: SplitRow, got: readonly SplitReceiverRow[]): Share[] {
  const verdicts = JSON.parse(split.givenUp) as Verdicts
  return (JSON.parse(split.targets) as Target[]).flatMap((target) => {
    if (verdicts[target.account]?.reason) return []
    const has = got.filter((row) => row.account === target.account).reduce((sum, row) => sum + row.amountFen, 0)
    return takeShares(target.shares, has, Math.max(0, sumShares(target.shares) - has))
  })
}
