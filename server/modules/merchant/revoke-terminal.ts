import type { Id } from '../../../contract/ids.ts'
import type { Moves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { findTerminal } from './read-terminals.ts'

const terminalMoves = { active: ['revoked'], revoked: [] } as const satisfies Moves

/** Takes a terminal's access away from its next request on, for good; again, it changes nothing. Refuses with `not_found`. */
export async function revokeTerminal(tx: Tx, id: Id<'terminal'>): Promise<void> {
  const terminal = (await findTerminal(tx, id)) ?? refuse('not_found')
  if (terminal.state === 'active')
    await move(tx, {
      table: 'terminal',
      id,
      from: 'active',
      to: 'revoked',
      moves: terminalMoves,
      set: { old_secret_sealed: null, old_until_ms: null },
    })
}
