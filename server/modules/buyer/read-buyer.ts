import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { openidIndexOf } from './know-buyer.ts'

/** Whether this buyer is still known here: a session of one who was forgotten ends. */
export async function isBuyerKnown(tx: Tx, buyerId: Id<'buyer'>): Promise<boolean> {
  const [row] = await sql(tx.em, 'select 1 from buyer where id = ? and forgotten_at_ms is null', [buyerId])
  return row !== undefined
}

/** The openid of a buyer under an app, for WeChat alone; null where they never came by it. */
export async function readOpenid(tx: Tx, buyerId: Id<'buyer'>, appid: string): Promise<string | null> {
  return (await readOpenids(tx, [buyerId], appid)).get(buyerId) ?? null
}

/** The same of many buyers; who never came by the app is left out. */
export async function readOpenids(
  tx: Tx,
  buyerIds: readonly Id<'buyer'>[],
  appid: string,
): Promise<ReadonlyMap<Id<'buyer'>, string>> {
  if (buyerIds.length === 0) return new Map()
  const rows = await sql<{ id: string; buyerId: Id<'buyer'>; sealed: Uint8Array }>(
    tx.em,
    `select id, buyer_id as buyerId, openid_sealed as sealed from buyer_account
      where buyer_id in (${buyerIds.map(() => '?').join(',')}) and appid = ? order by id`,
    [...buyerIds, appid],
  )
  const placeOf = (rowId: string) => ({ table: 'buyer_account', column: 'openid_sealed', rowId })
  return new Map(rows.map(({ id, buyerId, sealed }) => [buyerId, tx.house.seal.open(placeOf(id), sealed)]))
}

/** Whose account an openid of an app is; null for one that we do not know. */
export async function findBuyer(
  tx: Tx,
  as: { readonly appid: string; readonly openid: string },
): Promise<Id<'buyer'> | null> {
  const [row] = await sql<{ id: Id<'buyer'> }>(
    tx.em,
    'select buyer_id as id from buyer_account where appid = ? and openid_index = ?',
    [as.appid, openidIndexOf(tx, as)],
  )
  return row?.id ?? null
}
