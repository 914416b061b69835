import type { Tx } from '../../kernel/context.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import { PayeeAccount } from './tables.ts'

/** Where a payee's money goes. */
export interface PayeeBank {
  readonly holder: string
  readonly number: string
  readonly bank: string
}
const place = (payee: string) => ({ table: 'payee_account', column: 'bank_sealed', rowId: payee })

/** Remembers where a payee's money goes from now on; payouts that stand in a file keep what they were exported with. */
export async function setPayeeAccount(tx: Tx, payee: string, bank: PayeeBank): Promise<void> {
  const bankSealed = tx.house.seal.seal(place(payee), JSON.stringify(bank))
  const row = { payee, bankSealed, changedBy: actorName(tx.actor), changedAtMs: tx.clock.now() }
  await tx.em.upsert(PayeeAccount, row)
  if (!payee.startsWith('refund:')) await trail(tx, { objectId: payee.slice(0, 17), act: 'payee.account_set' })
}

/** Where the money of payees goes; a payee without an account is left out. */
export async function readPayeeAccounts(tx: Tx, payees: readonly string[]): Promise<ReadonlyMap<string, PayeeBank>> {
  const where = { payee: { $in: [...new Set(payees)] } }
  const rows = await tx.em.find(PayeeAccount, where, { disableIdentityMap: true })
  return new Map(
    rows.map((row) => [row.payee, JSON.parse(tx.house.seal.open(place(row.payee), row.bankSealed)) as PayeeBank]),
  )
}
