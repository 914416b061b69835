import type { Tx } from '../../kernel/context.ts'
import { trail } from '../../kernel/trail.ts'
import { Wallet, WalletAlert, type WalletRow } from './tables.ts'

/**
 * Raises the alert of a wallet that has just fallen below its company's threshold, and ends it when it is above again:
 * one row a fall, however often money moves in between. The caller holds the wallet's row and gives it as it stands.
 */
export async function noteLow(tx: Tx, wallet: WalletRow): Promise<void> {
  const { companyId, balanceFen, lowFen, lowAlertId } = wallet
  const low = lowFen != null && balanceFen < lowFen
  if (low === (lowAlertId != null)) return
  const now = tx.clock.now()
  if (lowAlertId != null) {
    await tx.em.nativeUpdate(WalletAlert, { id: lowAlertId }, { endedAtMs: now })
    await tx.em.nativeUpdate(Wallet, { companyId }, { lowAlertId: null })
    return
  }
  const id = tx.newId('walletAlert')
  await tx.em.insert(WalletAlert, { id, companyId, thresholdFen: lowFen!, balanceFen, raisedAtMs: now })
  await tx.em.nativeUpdate(Wallet, { companyId }, { lowAlertId: id })
  await trail(tx, { objectId: companyId, act: 'wallet.low', note: `${balanceFen} ${lowFen}` })
}
