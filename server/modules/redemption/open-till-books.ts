import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { HoldState, RedemptionState } from '../../../contract/states.ts'
import { CHINA, dayOf } from '../../kernel/company-day.ts'
import type { Tx } from '../../kernel/context.ts'
import { dialectOf, readBound } from '../../kernel/sql.ts'
import { findSpendable, lockCards } from '../card/lock-cards.ts'
import { readDayLimits } from '../catalog/read-day-limits.ts'
import { madeAtMs, ownerIn } from './pay-code.ts'
import { cardNow, type CardNow, type HoldNow, type RedemptionNow, type TillBooks } from './till-books.ts'

type Row = Readonly<Record<string, unknown>>

/** What acts are about. */
export interface About {
  readonly shiftIds: readonly Id<'shift'>[]
  readonly redemptionIds: readonly Id<'redemption'>[]
  /** Of these is asked when value was last taken. */
  readonly undoIds: readonly Id<'redemption'>[]
  /** What is signed of codes that are shown, and at whose tills. */
  readonly shown: readonly { readonly code: string; readonly brandId: Id<'brand'> }[]
  readonly brandIds: readonly Id<'brand'>[]
}

/**
 * Locks what acts are about and reads it as it stands then: shifts, purchases, cards, in this order and each in the order
 * of their ids, so that two transactions never wait for each other.
 */
export async function openTillBooks(tx: Tx, about: About): Promise<TillBooks> {
  const nowMs = tx.clock.now()
  const day = dayNumber(nowMs)
  const shifts = await lockShifts(tx, about.shiftIds)
  const rows = await lockRedemptions(tx, about.redemptionIds)
  const opened = rows.filter((row) => row['state'] === 'opened').map((row) => String(row['id']))
  const holds = await readHolds(tx, rows)
  const scans = await readScans(tx, opened)
  const taken = await readCaptures(tx, about.undoIds)
  const brandOf = new Map(rows.map((row) => [String(row['id']), row['brand_id'] as Id<'brand'>]))
  const shown = [
    ...about.shown,
    ...scans.map(({ code, redemptionId }) => ({ code, brandId: brandOf.get(redemptionId)! })),
  ]
  const { ids, byHolder } = await findCards(tx, shown)
  const locked = await lockCards(tx, [...ids, ...holds.map((hold) => hold['card_id'] as Id<'card'>)])
  const cards = new Map([...locked].map(([id, card]) => [id, cardNow(card, day)]))
  // Read before the lock: a card may have gone to somebody else, or got another number, since the code was made.
  const cardsBehind = (code: string, brandId: Id<'brand'>): CardNow[] => {
    const owner = ownerIn(code)
    if (owner.kind === 'holder')
      return (byHolder.get(`${owner.holderId}:${brandId}`) ?? [])
        .flatMap((id) => cards.get(id) ?? [])
        .filter((card) => card.before.holderId === owner.holderId)
    const card = cards.get(owner.cardId)
    return card === undefined || card.before.handSinceMs >= madeAtMs(code) ? [] : [card]
  }
  const used = await readUsed(
    tx,
    shown.map(({ code }) => code),
  )
  const limits = await readDayLimits(tx, [...new Set([...about.brandIds, ...brandOf.values()])])
  const scannedOf = (id: string, brandId: Id<'brand'>): CardNow[] => [
    ...new Set(scans.filter((scan) => scan.redemptionId === id).flatMap(({ code }) => cardsBehind(code, brandId))),
  ]
  const redemptions = rows.map((row) =>
    redemptionOf(row, {
      scanned: scannedOf(String(row['id']), row['brand_id'] as Id<'brand'>),
      holds: holds.filter((hold) => hold['ref'] === row['id']).map((hold) => holdOf(hold, cards)),
      capturedAtMs: taken.get(String(row['id'])) ?? null,
    }),
  )
  return {
    nowMs,
    day,
    cards,
    cardsBehind,
    limitOf: (brandId) => limits.get(brandId) ?? { cardDayFen: null, cardDayTimes: null },
    isShiftOpen: (shiftId) => shifts.has(shiftId),
    redemptions: new Map(redemptions.map((one) => [one.id, one])),
    usedCodes: used,
    newCodes: [],
    movements: [],
    newId: { redemption: () => tx.newId('redemption'), hold: () => tx.newId('hold') },
  }
}

/** A day of China: 20261123. */
const dayNumber = (ms: number): number => Number(dayOf(ms, CHINA).replaceAll('-', ''))

const slots = (values: readonly unknown[]): string => values.map(() => '?').join(',')
const sorted = <T extends string>(ids: readonly T[]): T[] => [...new Set(ids)].sort()
const holdWords = (tx: Tx): [string, string] =>
  dialectOf(tx.em) === 'mysql' ? ['force index (primary)', 'for update'] : ['', '']

/** The open ones of the shifts that acts belong to: closing one waits for what is done in it, and the other way round. */
async function lockShifts(tx: Tx, shiftIds: About['shiftIds']): Promise<Set<string>> {
  const ids = sorted(shiftIds)
  if (ids.length === 0) return new Set()
  const [index, hold] = holdWords(tx)
  const text = `select id, state from shift ${index} where id in (${slots(ids)}) order by id ${hold}`
  const rows = await readBound<Row>(tx.em, text, ids)
  return new Set(rows.filter((row) => row['state'] === 'open').map((row) => String(row['id'])))
}

async function lockRedemptions(tx: Tx, redemptionIds: About['redemptionIds']): Promise<Row[]> {
  const ids = sorted(redemptionIds)
  if (ids.length === 0) return []
  const [index, hold] = holdWords(tx)
  return readBound(tx.em, `select * from redemption ${index} where id in (${slots(ids)}) order by id ${hold}`, ids)
}

async function readHolds(tx: Tx, redemptions: readonly Row[]): Promise<Row[]> {
  if (redemptions.length === 0) return []
  const ids = redemptions.map((row) => String(row['id']))
  return readBound(tx.em, `select * from hold where ref in (${slots(ids)}) order by id`, ids)
}

async function readScans(tx: Tx, ids: readonly string[]): Promise<{ code: string; redemptionId: string }[]> {
  if (ids.length === 0) return []
  const text = `select code, redemption_id as redemptionId from used_code where redemption_id in (${slots(ids)}) order by code`
  return readBound(tx.em, text, ids)
}

async function readCaptures(tx: Tx, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map()
  const text = `select redemption_id as id, max(at_ms) as atMs from redemption_movement
    where redemption_id in (${slots(ids)}) and kind = 'capture' group by redemption_id`
  const rows = await readBound<{ id: string; atMs: unknown }>(tx.em, text, ids)
  return new Map(rows.map((row) => [row.id, Number(row.atMs)]))
}

async function readUsed(tx: Tx, codes: readonly string[]): Promise<Map<string, Id<'redemption'>>> {
  if (codes.length === 0) return new Map()
  const text = `select code, redemption_id as id from used_code where code in (${slots(codes)})`
  const rows = await readBound<{ code: string; id: Id<'redemption'> }>(tx.em, text, codes)
  return new Map(rows.map((row) => [row.code, row.id]))
}

/** The cards that codes name, and those that a holder's code stands for. */
async function findCards(tx: Tx, shown: readonly { readonly code: string; readonly brandId: Id<'brand'> }[]) {
  const ids: Id<'card'>[] = []
  const byHolder = new Map<string, readonly Id<'card'>[]>()
  for (const { code, brandId } of shown) {
    const owner = ownerIn(code)
    if (owner.kind === 'card') ids.push(owner.cardId)
    else if (!byHolder.has(`${owner.holderId}:${brandId}`)) {
      const held = await findSpendable(tx, owner.holderId, brandId)
      byHolder.set(`${owner.holderId}:${brandId}`, held)
      ids.push(...held)
    }
  }
  return { ids, byHolder }
}

function redemptionOf(row: Row, more: Pick<RedemptionNow, 'scanned' | 'holds' | 'capturedAtMs'>): RedemptionNow {
  const state = row['state'] as RedemptionState
  return {
    ...more,
    id: row['id'] as Id<'redemption'>,
    till: {
      merchantId: row['merchant_id'] as Id<'merchant'>,
      brandId: row['brand_id'] as Id<'brand'>,
      shopId: row['shop_id'] as Id<'shop'>,
      tillId: String(row['till_id']),
      shiftId: row['shift_id'] as Id<'shift'> | null,
    },
    isNew: false,
    createdAtMs: Number(row['created_at_ms']),
    stateBefore: state,
    byTillId: String(row['till_id']),
    state,
    ref: row['ref'] as string | null,
    billFen: Number(row['bill_fen']),
    authorisedFen: Number(row['authorised_fen']),
    capturedFen: Number(row['captured_fen']),
    refundedFen: Number(row['refunded_fen']),
    movedAtMs: row['moved_at_ms'] == null ? null : Number(row['moved_at_ms']),
    endsAtMs: Number(row['ends_at_ms']),
    changed: false,
  }
}

const holdOf = (row: Row, cards: ReadonlyMap<Id<'card'>, CardNow>): HoldNow => ({
  id: row['id'] as Id<'hold'>,
  card: cards.get(row['card_id'] as Id<'card'>)!,
  amountFen: fen(Number(row['amount_fen'])),
  isNew: false,
  day: dayNumber(Number(row['created_at_ms'])),
  state: row['state'] as HoldState,
  capturedFen: Number(row['captured_fen']),
  refundedFen: Number(row['refunded_fen']),
})
