import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { findMerchant } from './read-merchants.ts'
import { merchantMoves } from './rules.ts'

export interface MerchantChange {
  readonly id: Id<'merchant'>
  /** As the person saw it. */
  readonly version: number
  readonly name: string
  readonly state: 'active' | 'suspended'
}

/**
 * Renames, suspends or resumes a merchant; says its version now. Suspended, its tills are refused from the next request
 * on. Refuses with `not_found`, `content_changed` when somebody was faster, `merchant_name_taken`.
 */
export async function changeMerchant(tx: Tx, wish: MerchantChange): Promise<number> {
  const { id, name } = wish
  const seen = (await findMerchant(tx, id)) ?? refuse('not_found')
  if (seen.version !== wish.version) refuse('content_changed')
  let { version } = seen
  if (seen.name !== name) {
    if (!(await rename(tx, id, version, name))) refuse('content_changed')
    await trail(tx, { objectId: id, act: 'merchant.renamed' })
    version += 1
  }
  if (seen.state !== wish.state) {
    const step = { table: 'merchant', id, from: seen.state, to: wish.state, moves: merchantMoves }
    if (!(await move(tx, step))) refuse('content_changed')
    version += 1
  }
  return version
}

async function rename(tx: Tx, id: Id<'merchant'>, version: number, name: string): Promise<boolean> {
  const text = 'update merchant set name = ?, version = version + 1 where id = ? and version = ?'
  try {
    return (await change(tx.em, text, [name, id, version])) === 1
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) refuse('merchant_name_taken', { field: 'name' })
    throw error
  }
}
