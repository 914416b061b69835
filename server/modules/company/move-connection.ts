import type { Id } from '../../../contract/ids.ts'
import { connectionMoves, type ConnectionState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'

export interface ConnectionStep {
  readonly companyId: Id<'company'>
  readonly from: ConnectionState
  readonly to: ConnectionState
  readonly set?: Readonly<Record<string, string | number | Buffer | null>>
  /** A code of WeCom's; nothing personal. */
  readonly note?: string
}

/**
 * kernel/move for a company's connection, whose key is the company: one guarded update and one trail row. False when it
 * is not in `from` any more. Throws when the table of moves does not know the step.
 */
export async function moveConnection(tx: Tx, step: ConnectionStep): Promise<boolean> {
  const { companyId, from, to, note } = step
  if (!connectionMoves[from].includes(to)) throw new Error(`wecom_connection: no move ${from} -> ${to}`)
  const more = Object.entries({ changed_at_ms: tx.clock.now(), ...step.set })
  const changed = await change(
    tx.em,
    `update wecom_connection set state = ?, version = version + 1, ${more.map(([column]) => `${column} = ?`).join(', ')}
      where company_id = ? and state = ?`,
    [to, ...more.map(([, value]) => value), companyId, from],
  )
  if (changed !== 1) return false
  await trail(tx, {
    objectId: companyId,
    act: `wecom_connection.${to}`,
    fromState: from,
    toState: to,
    ...(note === undefined ? {} : { note }),
  })
  return true
}
