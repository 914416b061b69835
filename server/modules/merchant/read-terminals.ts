import type { Id } from '../../../contract/ids.ts'
import type { TerminalView } from '../../../contract/operator/terminal.ts'
import type { Tx } from '../../kernel/context.ts'
import { Terminal } from './tables.ts'
import { SHOWN_MS, terminalSecretPlace } from './terminal-secret.ts'

/** A terminal by id; null when there is none. */
export async function findTerminal(tx: Tx, id: Id<'terminal'>) {
  return tx.em.findOne(Terminal, { id }, { disableIdentityMap: true })
}

/** The terminals of a merchant, those in use first, then by age. */
export async function readTerminals(tx: Tx, merchantId: Id<'merchant'>): Promise<TerminalView[]> {
  const rows = await tx.em.find(
    Terminal,
    { merchantId },
    { orderBy: { state: 'asc', id: 'asc' }, disableIdentityMap: true },
  )
  const now = tx.clock.now()
  return rows.map(({ id, shopId, name, state, createdAtMs, oldUntilMs }) => ({
    id,
    shopId,
    name,
    state,
    createdAtMs,
    oldKeyUntilMs: oldUntilMs != null && oldUntilMs > now ? oldUntilMs : null,
  }))
}

/**
 * The key of a terminal for whoever has just asked for it (`version`, `askedAtMs`): null ten minutes later, and once there
 * is another.
 */
export async function readNewKey(
  tx: Tx,
  id: Id<'terminal'>,
  asked: { readonly version: number; readonly atMs: number },
): Promise<string | null> {
  const terminal = await findTerminal(tx, id)
  if (terminal === null || terminal.version !== asked.version || tx.clock.now() >= asked.atMs + SHOWN_MS) return null
  return tx.house.seal.open(terminalSecretPlace(id, 'secret'), terminal.secretSealed)
}
