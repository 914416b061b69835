import { dialectOf, insertIgnore, change, sql } from '../../kernel/sql.ts'
import type { Tx } from '../../kernel/context.ts'
import { trail } from '../../kernel/trail.ts'
import type { CustodyStanding } from '../../../contract/operator/custody.ts'
import { readStandings, type Issuer } from './read-standing.ts'

/**
 * Raises the alarm of every brand whose custody falls short now and ends it where it does no more: one row a shortfall,
 * however long it lasts and however often it is looked at. Holds the brands, so that of two who look at once one acts.
 * Returns how the brands stand, as it found them.
 */
export async function noteShortfalls(tx: Tx, brands: readonly Issuer[]): Promise<CustodyStanding[]> {
  const held = [...brands].sort((a, b) => (a.id < b.id ? -1 : 1))
  if (held.length === 0) return []
  if (dialectOf(tx.em) === 'mysql') {
    const several = held.map(() => '?').join(',')
    const ids = held.map((brand) => brand.id)
    await sql(tx.em, `select id from brand force index (primary) where id in (${several}) order by id for update`, ids)
  }
  const standings = await readStandings(tx, held)
  for (const standing of standings) await noteShortfall(tx, standing)
  return standings
}

async function noteShortfall(tx: Tx, { brandId, shortfallFen, alarmAtMs }: CustodyStanding): Promise<void> {
  if (shortfallFen > 0 === (alarmAtMs !== null)) return
  const now = tx.clock.now()
  if (alarmAtMs !== null) {
    const ended = 'update custody_alarm set open_brand_id = null, ended_at_ms = ? where open_brand_id = ?'
    if ((await change(tx.em, ended, [now, brandId])) > 0) await trail(tx, { objectId: brandId, act: 'custody.covered' })
    return
  }
  const row = { id: tx.newId('custodyAlarm'), brand_id: brandId, open_brand_id: brandId, shortfall_fen: shortfallFen }
  await insertIgnore(tx.em, 'custody_alarm', [{ ...row, raised_at_ms: now, ended_at_ms: null }])
  await trail(tx, { objectId: brandId, act: 'custody.short', note: `${shortfallFen}` })
  tx.log.error({ brandId, shortfallFen }, 'custody falls short')
}
