import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/** The merchants that collect for brands. */
export async function readCollectingMerchants(tx: Tx): Promise<{ readonly mchid: string; readonly appid: string }[]> {
  return sql(
    tx.em,
    'select distinct mchid, appid from brand where mchid is not null and appid is not null order by mchid',
  )
}
