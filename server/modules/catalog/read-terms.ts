import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import type { Channel, ShareTerms } from '../../../contract/commission.ts'
import type { BrandTermsRow } from './tables.ts'

/** Terms as they stood at an instant. Without any the brand collects and keeps all of it. */
export interface Terms extends ShareTerms {
  readonly brandId: Id<'brand'>
  /** 0: the brand has none. */
  readonly number: number
  readonly holdMs: number
  readonly walletCredit: boolean
}

/** How long money is held before it is shared where nothing else was agreed: a day, far inside WeChat Pay's 30. */
export const DEFAULT_HOLD_MS = 86_400_000
/** What WeChat Pay grants by default (protocols wechat-pay 0). */
const DEFAULT_RATIO_BP = 3000

/**
 * The terms of brands at an instant, for an order at the one when it was placed (`orders.created_at_ms`): what came
 * later changes nothing for it, neither at its issue nor at a refund a year on.
 */
export async function readTermsAt(
  tx: Tx,
  brandIds: readonly Id<'brand'>[],
  atMs: number,
): Promise<ReadonlyMap<Id<'brand'>, Terms>> {
  const termsAt = await readTermsOf(tx, brandIds)
  return new Map(brandIds.map((brandId) => [brandId, termsAt(brandId, atMs)]))
}

/**
 * The same for many instants at once: says the terms of one of these brands at any of them, as `readTermsAt` would.
 */
export async function readTermsOf(
  tx: Tx,
  brandIds: readonly Id<'brand'>[],
): Promise<(brandId: Id<'brand'>, atMs: number) => Terms> {
  const rows = await readRows(tx, brandIds)
  return (brandId, atMs) => {
    const row = rows.find((one) => one.brandId === brandId && one.createdAtMs <= atMs)
    return row === undefined ? withoutTerms(brandId) : presentTerms(row)
  }
}

/** Terms with their number and when they were set, newest first; the defaults with number 0 where none were. */
export async function readAllTerms(
  tx: Tx,
  brandId: Id<'brand'>,
): Promise<readonly (Terms & { readonly createdAtMs: number | null })[]> {
  const rows = await readRows(tx, [brandId])
  if (rows.length === 0) return [{ ...withoutTerms(brandId), createdAtMs: null }]
  return rows.map((row) => ({ ...presentTerms(row), createdAtMs: row.createdAtMs }))
}

/** The number of the newest terms; 0: none were set. */
export const readTermsNumber = async (tx: Tx, brandId: Id<'brand'>): Promise<number> =>
  (await readAllTerms(tx, brandId))[0]!.number

type Row = Omit<BrandTermsRow, 'id' | 'createdBy'>

/** Newest first. */
async function readRows(tx: Tx, brandIds: readonly Id<'brand'>[]): Promise<Row[]> {
  if (brandIds.length === 0) return []
  const rows = await sql<Row>(
    tx.em,
    `select brand_id as brandId, number, collector, platform_bp as platformBp, channels, max_ratio_bp as maxRatioBp,
        hold_ms as holdMs, wallet_credit as walletCredit, created_at_ms as createdAtMs
      from brand_terms where brand_id in (${brandIds.map(() => '?').join(',')}) order by number desc`,
    brandIds,
  )
  return rows.map((row) => ({
    ...row,
    number: Number(row.number),
    platformBp: Number(row.platformBp),
    maxRatioBp: Number(row.maxRatioBp),
    holdMs: Number(row.holdMs),
    walletCredit: Boolean(Number(row.walletCredit)),
    createdAtMs: Number(row.createdAtMs),
  }))
}

function presentTerms(row: Row): Terms {
  const { brandId, number, collector, platformBp, maxRatioBp, holdMs, walletCredit } = row
  const channels = JSON.parse(row.channels) as Channel[]
  return { brandId, number, collector, platformBp, channels, maxRatioBp, holdMs, walletCredit }
}

const withoutTerms = (brandId: Id<'brand'>): Terms => ({
  brandId,
  number: 0,
  collector: 'brand',
  platformBp: 0,
  channels: [],
  maxRatioBp: DEFAULT_RATIO_BP,
  holdMs: DEFAULT_HOLD_MS,
  walletCredit: false,
})
