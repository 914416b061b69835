import type { Fen, SignedFen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { Wallet, WalletAlert, WalletMovement } from './tables.ts'

export interface WalletFacts {
  readonly balanceFen: Fen
  /** What to write on a transfer that tops it up. */
  readonly reference: string
}

/** A company's wallet; null when it has none. */
export async function readWallet(tx: Tx, companyId: Id<'company'>): Promise<WalletFacts | null> {
  const row = await tx.em.findOne(Wallet, { companyId }, { disableIdentityMap: true })
  return row && { balanceFen: row.balanceFen, reference: row.reference }
}

export interface LowFacts {
  /** Null: the company did not ask to be told. */
  readonly thresholdFen: Fen | null
  /** The fall below it that stands now. */
  readonly alert: { readonly raisedAtMs: number; readonly balanceFen: Fen } | null
}

/** When a company wants to be told of its balance, and whether it has to be now. */
export async function readLow(tx: Tx, companyId: Id<'company'>): Promise<LowFacts> {
  const wallet = await tx.em.findOne(Wallet, { companyId }, { disableIdentityMap: true })
  const id = wallet?.lowAlertId
  const alert = id == null ? null : await tx.em.findOneOrFail(WalletAlert, { id }, { disableIdentityMap: true })
  return {
    thresholdFen: wallet?.lowFen ?? null,
    alert: alert && { raisedAtMs: alert.raisedAtMs, balanceFen: alert.balanceFen },
  }
}

/** Whose wallet a reference names, written in whatever case and with spaces; null when it names none. */
export async function findWalletByReference(tx: Tx, reference: string): Promise<Id<'company'> | null> {
  const folded = reference.replaceAll(/\s/g, '').toUpperCase()
  const row = await tx.em.findOne(Wallet, { reference: folded }, { disableIdentityMap: true })
  return row?.companyId ?? null
}

export interface Movement {
  readonly id: Id<'walletMovement'>
  readonly kind: 'top_up' | 'undone' | 'spent' | 'refunded'
  readonly amountFen: SignedFen
  readonly balanceAfterFen: Fen
  readonly atMs: number
}

/** The latest changes of a company's wallet, newest first. */
export async function readMovements(tx: Tx, companyId: Id<'company'>, limit: number): Promise<Movement[]> {
  const rows = await tx.em.find(
    WalletMovement,
    { companyId },
    { orderBy: { id: 'desc' }, limit, disableIdentityMap: true },
  )
  return rows.map(({ id, kind, amountFen, balanceAfterFen, atMs }) => ({ id, kind, amountFen, balanceAfterFen, atMs }))
}
