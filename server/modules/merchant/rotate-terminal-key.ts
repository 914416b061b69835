import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { findTerminal } from './read-terminals.ts'
import { OLD_KEY_MS, sealTerminalSecret, SECRET_BYTES, terminalSecretPlace } from './terminal-secret.ts'

/**
 * Gives a terminal a new key; says the terminal's version now. The key that the till uses opens until it has used the new
 * one, a day at most: a new key that it never took is thrown away by the next, not the one it works with. Refuses with
 * `not_found`, `state_conflict` once it was revoked.
 */
export async function rotateTerminalKey(tx: Tx, id: Id<'terminal'>): Promise<number> {
  const terminal = (await findTerminal(tx, id)) ?? refuse('not_found')
  if (terminal.state !== 'active') refuse('state_conflict')
  const now = tx.clock.now()
  const oldStands = terminal.oldSecretSealed != null && terminal.oldUntilMs != null && Number(terminal.oldUntilMs) > now
  const working = oldStands
    ? tx.house.seal.open(terminalSecretPlace(id, 'old_secret'), terminal.oldSecretSealed!)
    : tx.house.seal.open(terminalSecretPlace(id, 'secret'), terminal.secretSealed)
  const secret = tx.random(SECRET_BYTES).toString('base64url')
  const changed = await change(
    tx.em,
    `update terminal set secret_sealed = ?, old_secret_sealed = ?, old_until_ms = ?, version = version + 1
      where id = ? and version = ? and state = 'active'`,
    [
      sealTerminalSecret(tx.house, id, 'secret', secret),
      sealTerminalSecret(tx.house, id, 'old_secret', working),
      now + OLD_KEY_MS,
      id,
      terminal.version,
    ],
  )
  if (changed !== 1) refuse('content_changed')
  await trail(tx, { objectId: id, act: 'terminal.key_rotated' })
  return terminal.version + 1
}
