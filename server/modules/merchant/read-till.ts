import type { Id } from '../../../contract/ids.ts'
import type { Actor, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { readBound } from '../../kernel/sql.ts'

/** Where a till stands and whose cards it takes. */
export interface TillPlace {
  readonly merchantId: Id<'merchant'>
  readonly brandId: Id<'brand'>
  readonly shopId: Id<'shop'>
}

/** The place of a clerk's phone or a terminal. Refuses with `forbidden` for anybody else. */
export async function readTill(tx: Tx, actor: Actor): Promise<TillPlace> {
  if (actor.kind !== 'clerk' && actor.kind !== 'terminal') refuse('forbidden')
  const { merchantId, shopId } = actor
  const text = 'select brand_id as brandId from shop where id = ? and merchant_id = ?'
  const [row] = await readBound<{ brandId: Id<'brand'> }>(tx.em, text, [shopId, merchantId])
  return { merchantId, shopId, brandId: (row ?? refuse('forbidden')).brandId }
}
