import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { readInGroups } from '../../kernel/in-groups.ts'
import { sql } from '../../kernel/sql.ts'
import { openidIndexOf } from './know-buyer.ts'

/** Which of these buyers are still known here. */
export async function readKnown(tx: Tx, buyerIds: readonly Id<'buyer'>[]): Promise<ReadonlySet<Id<'buyer'>>> {
  const rows = await sql<{ id: Id<'buyer'> }>(
    tx.em,
    `select id from buyer where id in (${buyerIds.map(() => '?').join(',')}) and forgotten_at_ms is null`,
    buyerIds,
  )
  return new Set(rows.map(({ id }) => id))
}

/** Whether this buyer is still known here: a session of one who was forgotten ends. Asked with each request, so together. */
export const isBuyerKnown = readInGroups(async (tx, buyerIds: readonly Id<'buyer'>[]) => {
  const known = await readKnown(tx, buyerIds)
  return buyerIds.map((id) => known.has(id))
})

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
