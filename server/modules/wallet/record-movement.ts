import type { SignedFen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { noteLow } from './note-low.ts'
import { Wallet, WalletMovement } from './tables.ts'

/**
 * Writes a change of a wallet with the balance after it, and raises or ends its low-balance alert. The caller has just
 * changed the row in this transaction, so nobody else can change it before the commit. Throws when the wallet is missing.
 */
export async function recordMovement(
  tx: Tx,
  movement: {
    readonly companyId: Id<'company'>
    readonly kind: 'top_up' | 'undone' | 'spent' | 'refunded'
    readonly amount: SignedFen
    readonly ref: string
  },
): Promise<void> {
  const { companyId, kind, amount, ref } = movement
  const wallet = await tx.em.findOneOrFail(Wallet, { companyId }, { disableIdentityMap: true })
  await tx.em.insert(WalletMovement, {
    id: tx.newId('walletMovement'),
    companyId,
    kind,
    amountFen: amount,
    balanceAfterFen: wallet.balanceFen,
    ref,
    atMs: tx.clock.now(),
  })
  await noteLow(tx, wallet)
}
