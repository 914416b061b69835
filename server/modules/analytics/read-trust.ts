import type { z } from 'zod'
import type { Id } from '../../../contract/ids.ts'
import { custodyPercent } from '../../../contract/operator/filing.ts'
import type { TrustView } from '../../../contract/store/trust.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { viewFiling } from '../catalog/read-filing.ts'
import { readBrands } from '../catalog/read-template.ts'

/** What anybody may know of an issuer before they buy of it. Refuses with `not_found`. */
export async function readTrust(tx: Tx, brandId: Id<'brand'>): Promise<z.input<typeof TrustView>> {
  const [brand] = await readBrands(tx, [brandId])
  if (brand === undefined) return refuse('not_found')
  const filing = await viewFiling(tx, brandId)
  return {
    brandId,
    brandName: brand.name,
    filing: filing && {
      class: filing.class,
      number: filing.number,
      filedDay: filing.filedDay,
      custodyBank: filing.custodyBank,
      requiredPercent: custodyPercent[filing.class],
    },
    custody: await readCustody(tx, brandId),
    proof: await readLastProof(tx),
  }
}

/** By the last statement, which was written once: reckoning it anew for every visitor would read all entries of the day. */
async function readCustody(tx: Tx, brandId: Id<'brand'>): Promise<z.input<typeof TrustView>['custody']> {
  const [row] = await sql<{
    day: string
    quarter: unknown
    confirmed: unknown
    confirmedDay: string | null
    guarantee: unknown
    shortfall: unknown
  }>(
    tx.em,
    `select day, quarter_fen as quarter, confirmed_fen as confirmed, confirmed_day as confirmedDay,
        guarantee_fen as guarantee, shortfall_fen as shortfall
      from custody_statement where brand_id = ? order by day desc limit 1`,
    [brandId],
  )
  if (row === undefined) return null
  const covered = BigInt(Number(row.confirmed ?? 0)) + BigInt(Number(row.guarantee))
  const quarter = BigInt(Number(row.quarter))
  return {
    day: row.day,
    coveredPercent: quarter === 0n ? null : Number((covered * 100n) / quarter),
    confirmedDay: row.confirmedDay,
    enough: Number(row.shortfall) === 0,
  }
}

async function readLastProof(tx: Tx): Promise<z.input<typeof TrustView>['proof']> {
  const [row] = await sql<{ atMs: unknown; findings: unknown }>(
    tx.em,
    'select at_ms as atMs, findings from books_proof order by id desc limit 1',
  )
  return row === undefined ? null : { atMs: Number(row.atMs), ok: Number(row.findings) === 0 }
}
