import type { FilingClass, FilingView } from '../../../contract/operator/filing.ts'
import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { BrandFiling, type BrandFilingRow, type FiledCards } from './tables.ts'

/** What of a filing rules look at. */
export interface Filing {
  readonly brandId: Id<'brand'>
  readonly class: FilingClass
  readonly cards: FiledCards
  readonly ceilingFen: Fen | null
}

/** The filings of brands in force just before an instant; a brand without one is left out. */
export async function readFilingsAt(
  tx: Tx,
  brandIds: readonly Id<'brand'>[],
  beforeMs: number,
): Promise<ReadonlyMap<Id<'brand'>, Filing>> {
  if (brandIds.length === 0) return new Map()
  const rows = await sql<Filing & { readonly ceiling: unknown }>(
    tx.em,
    `select filing.brand_id as brandId, filing.class as class, filing.cards as cards, filing.ceiling_fen as ceiling
      from brand_filing as filing join (select brand_id, max(version) as version from brand_filing
        where brand_id in (${brandIds.map(() => '?').join(',')}) and created_at_ms < ? group by brand_id) as newest
      on newest.brand_id = filing.brand_id and newest.version = filing.version`,
    [...brandIds, beforeMs],
  )
  const read = rows.map(({ ceiling, ...row }): Filing => ({
    ...row,
    ceilingFen: ceiling === null ? null : fen(Number(ceiling)),
  }))
  return new Map(read.map((filing) => [filing.brandId, filing]))
}

/** A brand's filing in force, its custody account masked; null where none was entered. */
export async function viewFiling(tx: Tx, brandId: Id<'brand'>): Promise<FilingView | null> {
  const options = { orderBy: { version: 'desc' }, limit: 1, disableIdentityMap: true } as const
  const [row] = await tx.em.find(BrandFiling, { brandId }, options)
  if (row === undefined) return null
  const { version, cards, createdAtMs } = row
  const account = accountOf(tx, row)
  return {
    version,
    class: row.class,
    cards,
    createdAtMs,
    number: row.number ?? null,
    filedDay: row.filedDay ?? null,
    custodyBank: row.custodyBank ?? null,
    custodyAccountMasked: account === null ? null : maskAccount(account),
    ceilingFen: row.ceilingFen ?? null,
  }
}

/** The version of a brand's filing in force; 0: none was entered. */
export async function readFilingVersion(tx: Tx, brandId: Id<'brand'>): Promise<number> {
  return (await viewFiling(tx, brandId))?.version ?? 0
}

/** An account by its last four signs: enough to tell it from another, too little to use it. */
export const maskAccount = (account: string): string => `**** ${account.replaceAll(/[ -]/g, '').slice(-4)}`

export const accountPlace = (id: Id<'brandFiling'>) => ({
  table: 'brand_filing',
  column: 'custody_account_sealed',
  rowId: id,
})

/** The custody account of a filing, opened; null where it names none. */
export const accountOf = (tx: Tx, row: BrandFilingRow): string | null =>
  row.custodyAccountSealed == null
    ? null
    : tx.house.seal.open(accountPlace(row.id), row.custodyAccountSealed as Uint8Array)
