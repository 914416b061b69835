import type { SignedFen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { CreditLine, CreditMovement } from './tables.ts'

/**
 * Writes a change of what a company owes, with what it owes after it. The caller has just changed the row in this
 * transaction. Throws when there is none.
 */
export async function recordCredit(
  tx: Tx,
  movement: {
    readonly companyId: Id<'company'>
    readonly kind: 'drawn' | 'repaid' | 'refunded'
    readonly amount: SignedFen
    readonly ref: string
  },
): Promise<void> {
  const { companyId, kind, amount: amountFen, ref } = movement
  const line = await tx.em.findOneOrFail(CreditLine, { companyId }, { disableIdentityMap: true })
  const id = tx.newId('creditMovement')
  await tx.em.insert(CreditMovement, {
    id,
    companyId,
    kind,
    amountFen,
    ref,
    owedAfterFen: line.owedFen,
    atMs: tx.clock.now(),
  })
}
