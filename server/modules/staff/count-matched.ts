import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { lookUpsLeft } from './rules.ts'

export interface MatchedCounts {
  /** People whose WeCom account we know. */
  readonly withUserId: number
  /** People who must be looked up by their mobile first. */
  readonly toLookUp: number
}

const PER_QUERY = 1000

/** How many of these people we know in WeCom, how many must be looked up; the rest cannot be found. Opens nothing. */
export async function countMatched(tx: Tx, personIds: readonly Id<'person'>[]): Promise<MatchedCounts> {
  let [withUserId, toLookUp] = [0, 0]
  for (let from = 0; from < personIds.length; from += PER_QUERY) {
    const ids = personIds.slice(from, from + PER_QUERY)
    const [row] = await sql<{ known: unknown; open: unknown }>(
      tx.em,
      `select sum(case when matched in ('listed', 'found') then 1 else 0 end) as known,
         sum(case when matched = 'unknown' and phone_index is not null then 1 else 0 end) as open
       from person where id in (${ids.map(() => '?').join(',')})`,
      ids,
    )
    withUserId += readSum(row?.known)
    toLookUp += readSum(row?.open)
  }
  return { withUserId, toLookUp }
}

/** How many look-ups a company has for a day in which WeCom knew none of the numbers. */
export async function countLookUps(tx: Tx, companyId: Id<'company'>): Promise<number> {
  const [row] = await sql<{ known: unknown }>(
    tx.em,
    "select count(*) as known from person where company_id = ? and matched in ('listed', 'found')",
    [companyId],
  )
  return lookUpsLeft({ known: readSum(row?.known), missed: 0 })
}
