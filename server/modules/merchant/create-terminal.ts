import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { findShop } from './read-shops.ts'
import { Terminal } from './tables.ts'
import { sealTerminalSecret, SECRET_BYTES } from './terminal-secret.ts'

/** A department store has a hundred tills. */
const MOST_TERMINALS = 200

/**
 * Makes a till that speaks to us by itself, with a key of its own (read-new-key.ts shows it). Refuses with `not_found` for
 * no such shop, `till_limit_reached`.
 */
export async function createTerminal(
  tx: Tx,
  { shopId, name }: { readonly shopId: Id<'shop'>; readonly name: string },
): Promise<Id<'terminal'>> {
  const shop = (await findShop(tx, shopId)) ?? refuse('not_found')
  const active = await sql(tx.em, "select id from terminal where shop_id = ? and state = 'active'", [shopId])
  if (active.length >= MOST_TERMINALS) refuse('till_limit_reached')
  const id = tx.newId('terminal')
  const secret = tx.random(SECRET_BYTES).toString('base64url')
  await tx.em.insert(Terminal, {
    id,
    shopId,
    merchantId: shop.merchantId,
    name,
    secretSealed: sealTerminalSecret(tx.house, id, 'secret', secret),
    oldSecretSealed: null,
    oldUntilMs: null,
    state: 'active',
    version: 1,
    createdAtMs: tx.clock.now(),
  })
  await trail(tx, { objectId: id, act: 'terminal.created', toState: 'active' })
  return id
}
