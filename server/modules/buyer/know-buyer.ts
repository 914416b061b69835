import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, insertIgnore, sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { Buyer } from './tables.ts'

/** Who WeChat says is there. Personal: for finding the buyer, never for showing or logging. */
export interface KnownAs {
  readonly appid: string
  readonly openid: string
  readonly unionid: string | null
}

/**
 * The buyer behind an account, made at the first visit. An account that is new is joined to the buyer whose unionid it
 * shares, and to nobody else: names and pictures prove nothing. Two visits at once give one buyer.
 */
export async function knowBuyer(tx: Tx, as: KnownAs): Promise<Id<'buyer'>> {
  const unionidIndex = as.unionid === null ? null : tx.house.seal.blindIndex('buyer.unionid', as.unionid)
  const known = await findAccount(tx, as)
  if (known !== null) {
    if (unionidIndex !== null && known.unionidIndex !== unionidIndex)
      await change(tx.em, 'update buyer_account set unionid_index = ? where id = ?', [unionidIndex, known.id])
    return known.buyerId
  }
  const joined = unionidIndex === null ? null : await findByUnion(tx, unionidIndex)
  const buyerId = joined ?? tx.newId('buyer')
  const id = tx.newId('buyerAccount')
  const place = { table: 'buyer_account', column: 'openid_sealed', rowId: id }
  await insertIgnore(tx.em, 'buyer_account', [
    {
      id,
      buyer_id: buyerId,
      appid: as.appid,
      openid_sealed: tx.house.seal.seal(place, as.openid),
      openid_index: openidIndexOf(tx, as),
      unionid_index: unionidIndex,
      created_at_ms: tx.clock.now(),
    },
  ])
  const written = await findAccount(tx, as)
  if (written === null) throw new Error('a buyer account was not written')
  if (written.id === id && joined === null) await makeBuyer(tx, buyerId)
  return written.buyerId
}

async function findAccount(tx: Tx, as: KnownAs) {
  const [account] = await sql<{ id: Id<'buyerAccount'>; buyerId: Id<'buyer'>; unionidIndex: string | null }>(
    tx.em,
    'select id, buyer_id as buyerId, unionid_index as unionidIndex from buyer_account where appid = ? and openid_index = ?',
    [as.appid, openidIndexOf(tx, as)],
  )
  return account ?? null
}

async function findByUnion(tx: Tx, unionidIndex: string): Promise<Id<'buyer'> | null> {
  const [found] = await sql<{ id: Id<'buyer'> }>(
    tx.em,
    'select buyer_id as id from buyer_account where unionid_index = ? order by id limit 1',
    [unionidIndex],
  )
  return found?.id ?? null
}

async function makeBuyer(tx: Tx, id: Id<'buyer'>): Promise<void> {
  await tx.em.insert(Buyer, { id, createdAtMs: tx.clock.now(), forgottenAtMs: null })
  await trail(tx, { objectId: id, act: 'buyer.known' })
}

/** The fingerprint by which an account is found. */
export const openidIndexOf = (tx: Pick<Tx, 'house'>, as: Pick<KnownAs, 'appid' | 'openid'>): string =>
  tx.house.seal.blindIndex('buyer.openid', `${as.appid}.${as.openid}`)
