import { fen } from '../../../contract/fen.ts'
import type { Custody, CustodyBrand, CustodyDay } from '../../../contract/operator/custody.ts'
import { isId, type Id } from '../../../contract/ids.ts'
import { addDays, daysBetween } from '../../../contract/wall-clock.ts'
import { readSum } from '../../kernel/columns.ts'
import { CHINA, dayOf } from '../../kernel/company-day.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { viewFiling } from '../catalog/read-filing.ts'
import { readAllBrands, readBrands } from '../catalog/read-template.ts'
import { readOperator } from '../company/read-operator.ts'
import { readStandings } from './read-standing.ts'
import { CustodyBalance, CustodyGuarantee, CustodyStatement } from './tables.ts'

const SHOWN_DAYS = 31
const MOST_DAYS = 366
/** Balances and guarantees that a page shows: a bank confirms one a day. */
const SHOWN_COVERS = 50

/** How every brand stands, by name. */
export async function viewCustody(tx: Tx): Promise<Custody> {
  return { today: dayOf(tx.clock.now(), CHINA), brands: await readStandings(tx, await readAllBrands(tx)) }
}

/**
 * One brand: how it stands, its filing, its statements from one day to another (the last 31 unless said) with the mean of
 * their balances, and what was entered. Refuses with `malformed_request` more than a year, or an end before its begin.
 */
export async function viewCustodyBrand(
  tx: Tx,
  wish: { readonly id: Id<'brand'>; readonly fromDay?: string | undefined; readonly toDay?: string | undefined },
): Promise<CustodyBrand> {
  const [brand] = await readBrands(tx, [wish.id])
  if (brand === undefined) refuse('not_found')
  const today = dayOf(tx.clock.now(), CHINA)
  const toDay = wish.toDay ?? addDays(today, -1)
  const fromDay = wish.fromDay ?? addDays(toDay, 1 - SHOWN_DAYS)
  const length = daysBetween(fromDay, toDay) + 1
  if (length < 1 || length > MOST_DAYS) refuse('malformed_request', { field: 'fromDay' })
  const [standing] = await readStandings(tx, [brand])
  const filing = await viewFiling(tx, brand.id)
  const days = await readDays(tx, brand.id, fromDay, toDay)
  const meanFen = await readMean(tx, brand.id, fromDay, toDay)
  return { today, standing: standing!, filing, fromDay, toDay, days, meanFen, ...(await readEntered(tx, brand.id)) }
}

async function readDays(tx: Tx, brandId: Id<'brand'>, fromDay: string, toDay: string): Promise<CustodyDay[]> {
  const options = { orderBy: { day: 'desc' }, disableIdentityMap: true } as const
  const rows = await tx.em.find(CustodyStatement, { brandId, day: { $gte: fromDay, $lte: toDay } }, options)
  return rows.map((row) => ({
    day: row.day,
    class: row.class ?? null,
    beginFen: row.beginFen,
    balanceFen: row.balanceFen,
    issuedCards: row.issuedCards,
    issuedFen: row.issuedFen,
    redeemedFen: row.redeemedFen,
    refundedFen: row.refundedFen,
    quarterFen: row.quarterFen,
    requiredFen: row.requiredFen,
    shortfallFen: row.shortfallFen,
    confirmedFen: row.confirmedFen ?? null,
    confirmedDay: row.confirmedDay ?? null,
    guaranteeFen: row.guaranteeFen,
  }))
}

/**
 * Outstanding prepaid liability, the metric: the mean of what a brand's cards held at the end of each day of a span, over
 * the days that have a statement, rounded down to the fen; null where none has one.
 */
async function readMean(tx: Tx, brandId: Id<'brand'>, fromDay: string, toDay: string): Promise<number | null> {
  const [row] = await sql<{ total: unknown; days: unknown }>(
    tx.em,
    `select sum(balance_fen) as total, count(*) as days from custody_statement
      where brand_id = ? and day >= ? and day <= ?`,
    [brandId, fromDay, toDay],
  )
  const days = Number(row?.days ?? 0)
  return days === 0 ? null : fen(Math.floor(readSum(row?.total) / days))
}

async function readEntered(tx: Tx, brandId: Id<'brand'>): Promise<Pick<CustodyBrand, 'balances' | 'guarantees'>> {
  const newest = { orderBy: { day: 'desc', id: 'desc' }, limit: SHOWN_COVERS, disableIdentityMap: true } as const
  const balances = await tx.em.find(CustodyBalance, { brandId }, newest)
  const last = { orderBy: { toDay: 'desc', id: 'desc' }, limit: SHOWN_COVERS, disableIdentityMap: true } as const
  const guarantees = await tx.em.find(CustodyGuarantee, { brandId }, last)
  const names = new Map<string, string>()
  for (const by of new Set(balances.map((row) => row.enteredBy)))
    names.set(by, (isId('operator', by) ? (await readOperator(tx, by))?.name : null) ?? by)
  return {
    balances: balances.map(({ id, day, fen: amount, document, enteredBy, enteredAtMs }) => ({
      id,
      day,
      fen: amount,
      document,
      enteredAtMs,
      enteredBy: names.get(enteredBy)!,
    })),
    guarantees: guarantees.map(({ id, kind, fen: amount, fromDay, toDay, endedDay, document }) => ({
      id,
      kind,
      fen: amount,
      fromDay,
      toDay,
      endedDay: endedDay ?? null,
      document,
    })),
  }
}
