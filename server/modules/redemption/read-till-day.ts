import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { PurchaseDetail, PurchaseLine, Purchases, ShiftView } from '../../../contract/merchant/till.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { readBound } from '../../kernel/sql.ts'
import { readClerkNames } from '../merchant/read-clerks.ts'
import { readShopNames } from '../merchant/read-shops.ts'
import { clerkOf, findOpenShift } from './find-till.ts'
import { viewRedemption } from './read-redemption.ts'
import { Redemption, RedemptionMovement, Shift } from './tables.ts'

/** Shifts that a page shows beside the open ones: a few days of a shop. */
const MOST_SHIFTS = 20

export interface ShiftSums {
  readonly capturedFen: Fen
  readonly returnedFen: Fen
  /** Purchases of which something was taken in the shift. */
  readonly purchases: number
}

/** What shifts took and gave back by the journal of the tills; a shift in which nothing moved is left out. */
export async function readShiftSums(tx: Tx, ids: readonly Id<'shift'>[]): Promise<ReadonlyMap<Id<'shift'>, ShiftSums>> {
  if (ids.length === 0) return new Map()
  const rows = await readBound<{ id: Id<'shift'>; captured: unknown; returned: unknown; purchases: unknown }>(
    tx.em,
    `select shift_id as id, sum(case when kind = 'capture' then amount_fen else 0 end) as captured,
        sum(case when kind = 'capture' then 0 else amount_fen end) as returned,
        count(distinct case when kind = 'capture' then redemption_id end) as purchases
      from redemption_movement where shift_id in (${ids.map(() => '?').join(',')}) group by shift_id`,
    ids,
  )
  const sumsOf = (row: (typeof rows)[number]): ShiftSums => ({
    capturedFen: fen(readSum(row.captured)),
    returnedFen: fen(readSum(row.returned)),
    purchases: readSum(row.purchases),
  })
  return new Map(rows.map((row) => [row.id, sumsOf(row)]))
}

type ShiftRow = Awaited<ReturnType<typeof findShifts>>[number]
const findShifts = (tx: Tx, where: object, limit: number) =>
  tx.em.find(Shift, where, { orderBy: { id: 'desc' }, limit, disableIdentityMap: true })

/** A shift of the merchant of the clerk who acts; anything else is 404. */
export async function readShift(tx: Tx, id: Id<'shift'>): Promise<ShiftView> {
  const { merchantId } = clerkOf(tx)
  const [view] = await presentShifts(tx, await findShifts(tx, { id, merchantId }, 1))
  return view ?? refuse('not_found')
}

/** The open shift of the clerk who acts, wherever they began it; null when there is none. */
export async function readOpenShift(tx: Tx): Promise<ShiftView | null> {
  const open = await findOpenShift(tx, clerkOf(tx).clerkId)
  return open === null ? null : readShift(tx, open.id)
}

/** A clerk's own shifts, newest first; for a manager those of the shop, after all of the merchant that are open. */
export async function readShifts(tx: Tx): Promise<ShiftView[]> {
  const { clerkId, merchantId, shopId, roles } = clerkOf(tx)
  if (!roles.includes('manager')) return presentShifts(tx, await findShifts(tx, { clerkId, merchantId }, MOST_SHIFTS))
  const open = await findShifts(tx, { merchantId, state: 'open' }, 10 * MOST_SHIFTS)
  const closed = await findShifts(tx, { merchantId, shopId, state: 'closed' }, MOST_SHIFTS)
  return presentShifts(tx, [...open, ...closed])
}

async function presentShifts(tx: Tx, rows: readonly ShiftRow[]): Promise<ShiftView[]> {
  const { clerkId } = clerkOf(tx)
  const openIds = rows.filter((row) => row.state === 'open').map((row) => row.id)
  const sums = await readShiftSums(tx, openIds)
  const names = await readClerkNames(
    tx,
    rows.map((row) => row.clerkId),
  )
  const shops = await readShopNames(
    tx,
    rows.map((row) => row.shopId),
  )
  return rows.map((row) => ({
    id: row.id,
    shopId: row.shopId,
    shopName: shops.get(row.shopId) ?? '',
    clerkName: names.get(row.clerkId) ?? '',
    mine: row.clerkId === clerkId,
    state: row.state,
    openedAtMs: row.openedAtMs,
    closedAtMs: row.closedAtMs ?? null,
    capturedFen: sums.get(row.id)?.capturedFen ?? row.capturedFen,
    returnedFen: sums.get(row.id)?.returnedFen ?? row.returnedFen,
    purchases: sums.get(row.id)?.purchases ?? row.purchases,
  }))
}

export interface PurchasePage {
  /** Of the clerk's open shift, or of everybody in the shop. */
  readonly of: 'shift' | 'shop'
  readonly cursor?: string | undefined
  readonly limit: number
}

/** A page of what was paid by card where the clerk who acts stands, newest first. What took nothing is no purchase. */
export async function readPurchases(tx: Tx, page: PurchasePage): Promise<Purchases> {
  const { clerkId, shopId } = clerkOf(tx)
  const shift = page.of === 'shift' ? await findOpenShift(tx, clerkId) : null
  if (page.of === 'shift' && shift === null) return { purchases: [], nextCursor: null }
  const rows = await tx.em.find(
    Redemption,
    {
      shopId,
      capturedFen: { $gt: 0 as Fen },
      ...(shift === null ? {} : { tillId: clerkId, shiftId: shift.id }),
      ...(page.cursor === undefined ? {} : { id: { $lt: page.cursor as Id<'redemption'> } }),
    },
    { orderBy: { id: 'desc' }, limit: page.limit + 1, disableIdentityMap: true },
  )
  const shown = rows.slice(0, page.limit)
  const names = await readClerkNames(
    tx,
    shown.map((row) => row.tillId),
  )
  return {
    purchases: shown.map((row): PurchaseLine => ({
      id: row.id,
      state: row.state,
      billFen: row.billFen,
      capturedFen: row.capturedFen,
      refundedFen: row.refundedFen,
      createdAtMs: row.createdAtMs,
      clerkName: names.get(row.tillId) ?? null,
    })),
    nextCursor: rows.length > page.limit ? shown.at(-1)!.id : null,
  }
}

/** A purchase of the shop where the clerk who acts stands, whole; another shop's is 404. */
export async function readPurchase(tx: Tx, id: Id<'redemption'>): Promise<PurchaseDetail> {
  const { clerkId, shopId } = clerkOf(tx)
  const row = await tx.em.findOne(Redemption, { id, shopId }, { disableIdentityMap: true })
  if (row === null) refuse('not_found')
  const where = { redemptionId: id }
  const movements = await tx.em.find(RedemptionMovement, where, { orderBy: { id: 'asc' }, disableIdentityMap: true })
  const capturedAtMs = movements.find((one) => one.kind === 'capture')?.atMs ?? null
  const shift = await findOpenShift(tx, clerkId)
  const undoUntilMs = capturedAtMs === null ? 0 : capturedAtMs + limits.undoMs
  const nowMs = tx.clock.now()
  const mayUndo = row.state === 'captured' && row.shiftId === shift?.id && nowMs < undoUntilMs
  return {
    ...(await viewRedemption(tx, row)),
    clerkName: (await readClerkNames(tx, [row.tillId])).get(row.tillId) ?? null,
    undoUntilMs: mayUndo ? undoUntilMs : null,
    nowMs,
    movements: movements.map(({ kind, amountFen, atMs }) => ({ kind, amountFen, atMs })),
  }
}
