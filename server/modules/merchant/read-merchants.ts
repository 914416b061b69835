import type { Id } from '../../../contract/ids.ts'
import type { Merchants } from '../../../contract/operator/merchant.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { readBrands } from '../catalog/read-template.ts'
import { Merchant } from './tables.ts'

/** A merchant by id; null when there is none. */
export async function findMerchant(tx: Tx, id: Id<'merchant'>) {
  return tx.em.findOne(Merchant, { id }, { disableIdentityMap: true })
}

/** The merchant of a brand with this name; null when there is none. */
export async function findMerchantByName(tx: Tx, brandId: Id<'brand'>, name: string) {
  return tx.em.findOne(Merchant, { brandId, name }, { disableIdentityMap: true })
}

export interface MerchantPage {
  readonly brandId?: Id<'brand'> | undefined
  readonly cursor?: string | undefined
  readonly limit: number
}
type MerchantView = Merchants['merchants'][number]

interface Counted extends Omit<MerchantView, 'brandName' | 'shops' | 'clerks'> {
  readonly shops: unknown
  readonly clerks: unknown
}
const counted = `select merchant.id as id, merchant.brand_id as brandId, merchant.name as name, merchant.state as state,
    merchant.version as version,
    (select count(*) from shop where shop.merchant_id = merchant.id and shop.state = 'open') as shops,
    (select count(*) from clerk where clerk.merchant_id = merchant.id and clerk.state = 'active') as clerks
  from merchant`

/** A page of merchants, newest first, with how many open shops and active clerks each has. */
export async function readMerchants(tx: Tx, page: MerchantPage): Promise<Merchants> {
  const { brandId, cursor, limit } = page
  const wheres = ['1 = 1', ...(brandId ? ['merchant.brand_id = ?'] : []), ...(cursor ? ['merchant.id < ?'] : [])]
  const values = [...(brandId ? [brandId] : []), ...(cursor ? [cursor] : [])]
  const rows = await sql<Counted>(
    tx.em,
    `${counted} where ${wheres.join(' and ')} order by merchant.id desc limit ${limit + 1}`,
    values,
  )
  const shown = rows.slice(0, limit)
  return {
    merchants: await present(tx, shown),
    nextCursor: rows.length > limit ? shown.at(-1)!.id : null,
  }
}

/** One merchant as the list shows it; anything else is 404. */
export async function readMerchant(tx: Tx, id: Id<'merchant'>): Promise<MerchantView> {
  const [one] = await present(tx, await sql<Counted>(tx.em, `${counted} where merchant.id = ?`, [id]))
  return one ?? refuse('not_found')
}

async function present(tx: Tx, rows: readonly Counted[]): Promise<MerchantView[]> {
  const brands = await readBrands(tx, [...new Set(rows.map((row) => row.brandId))])
  const nameOf = new Map(brands.map((brand) => [brand.id, brand.name]))
  return rows.map((row) => ({
    ...row,
    brandName: nameOf.get(row.brandId) ?? '',
    shops: readSum(row.shops),
    clerks: readSum(row.clerks),
  }))
}
