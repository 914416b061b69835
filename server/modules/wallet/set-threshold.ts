import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { noteLow } from './note-low.ts'
import { Wallet } from './tables.ts'

/**
 * Sets below which balance a company wants to be told; null: not at all. An alert is raised or ended at once where the
 * balance says so. Refuses with `not_found` for a company without a wallet.
 */
export async function setThreshold(tx: Tx, companyId: Id<'company'>, lowFen: Fen | null): Promise<void> {
  await change(tx.em, 'update wallet set low_fen = ?, version = version + 1 where company_id = ?', [lowFen, companyId])
  const wallet = await tx.em.findOne(Wallet, { companyId }, { disableIdentityMap: true })
  if (wallet === null) return refuse('not_found')
  await trail(tx, { objectId: companyId, act: 'wallet.threshold', note: `${lowFen ?? 'none'}` })
  await noteLow(tx, wallet)
}
