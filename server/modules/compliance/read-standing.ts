import { fen, type Fen } from '../../../contract/fen.ts'
import type { CustodyStanding } from '../../../contract/operator/custody.ts'
import type { Id } from '../../../contract/ids.ts'
import { addDays, daysBetween } from '../../../contract/wall-clock.ts'
import { readSum } from '../../kernel/columns.ts'
import { CHINA, dayOf, startOfDay } from '../../kernel/company-day.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readFilingsAt } from '../catalog/read-filing.ts'
import { quarterEndBefore, requiredCustody, shortfallOf } from './custody-rules.ts'
import { readPrepaidAt } from './read-prepaid.ts'
import { CustodyAlarm } from './tables.ts'

/** A brand as custody looks at it. */
export interface Issuer {
  readonly id: Id<'brand'>
  readonly name: string
  readonly createdAtMs: number
}

/** What brands must keep in custody and what is there, as things stand at this instant; in the order given. */
export async function readStandings(tx: Tx, brands: readonly Issuer[]): Promise<CustodyStanding[]> {
  if (brands.length === 0) return []
  const now = tx.clock.now()
  const today = dayOf(now, CHINA)
  const ids = brands.map((brand) => brand.id)
  const quarterDay = quarterEndBefore(today)
  const balances = await readPrepaidAt(tx, brands, now + 1)
  const quarters = await readPrepaidAt(tx, brands, startOfDay(addDays(quarterDay, 1), CHINA))
  const filings = await readFilingsAt(tx, ids, now + 1)
  const covers = await readCovers(tx, ids, today)
  const alarms = await tx.em.find(CustodyAlarm, { openBrandId: { $in: ids } }, { disableIdentityMap: true })
  const raised = new Map(alarms.map((alarm) => [alarm.brandId, alarm.raisedAtMs]))
  return brands.map((brand) => {
    const filed = filings.get(brand.id)?.class ?? null
    const quarterFen = quarters.get(brand.id)!
    const { confirmedFen, confirmedDay, guaranteeFen } = covers(brand.id)
    const requiredFen = requiredCustody(filed, quarterFen)
    return {
      brandId: brand.id,
      brandName: brand.name,
      class: filed,
      balanceFen: balances.get(brand.id)!,
      quarterDay,
      quarterFen,
      requiredFen,
      confirmedFen,
      confirmedDay,
      guaranteeFen,
      staleDays: confirmedDay === null ? null : daysBetween(confirmedDay, today),
      shortfallFen: shortfallOf(requiredFen, confirmedFen, guaranteeFen),
      alarmAtMs: raised.get(brand.id) ?? null,
    }
  })
}

/** What stands against required custody on a day. */
export interface Cover {
  readonly confirmedFen: Fen | null
  readonly confirmedDay: string | null
  readonly guaranteeFen: Fen
}

/**
 * What banks had confirmed for a day or the newest before it, as it was entered last, and the guarantees that count on
 * that day, for each of these brands.
 */
export async function readCovers(
  tx: Tx,
  brandIds: readonly Id<'brand'>[],
  day: string,
): Promise<(brandId: Id<'brand'>) => Cover> {
  const several = brandIds.map(() => '?').join(',')
  const balances = await sql<{ brandId: Id<'brand'>; day: string; fen: unknown }>(
    tx.em,
    `select balance.brand_id as brandId, balance.day as day, balance.fen as fen
      from custody_balance as balance join (select brand_id, max(day) as day from custody_balance
        where brand_id in (${several}) and day <= ? group by brand_id) as newest
      on newest.brand_id = balance.brand_id and newest.day = balance.day order by balance.id`,
    [...brandIds, day],
  )
  const guarantees = await sql<{ brandId: Id<'brand'>; total: unknown }>(
    tx.em,
    `select brand_id as brandId, sum(fen) as total from custody_guarantee
      where brand_id in (${several}) and from_day <= ? and coalesce(ended_day, to_day) >= ? group by brand_id`,
    [...brandIds, day, day],
  )
  const confirmed = new Map(balances.map((row) => [row.brandId, row]))
  const guaranteed = new Map(guarantees.map((row) => [row.brandId, fen(readSum(row.total))]))
  return (brandId) => {
    const row = confirmed.get(brandId)
    return {
      confirmedFen: row === undefined ? null : fen(Number(row.fen)),
      confirmedDay: row?.day ?? null,
      guaranteeFen: guaranteed.get(brandId) ?? fen(0),
    }
  }
}
