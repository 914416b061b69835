import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { openLinePayer, payerIndexOf, type LinePayer } from './line-origin.ts'
import { StatementLine, type StatementLineRow } from './tables.ts'

/** Money that a statement shows leaving, which nobody has taken for a payout or refund. */
export interface OpenDebit {
  readonly id: Id<'statementLine'>
  readonly amountFen: Fen
  readonly atMs: number
  /** Who got it, and what was written on it. */
  readonly payee: LinePayer
}

/** An outgoing line; null when it is none, or was taken. */
export async function readDebit(tx: Tx, id: Id<'statementLine'>): Promise<OpenDebit | null> {
  const line = await tx.em.findOne(StatementLine, { id, outcome: 'outgoing' }, { disableIdentityMap: true })
  return line && present(tx, line)
}

/** Outgoing lines of an amount that nobody has taken; with `payeeAccount` only those to it. */
export async function findDebits(
  tx: Tx,
  what: { readonly amountFen: Fen; readonly payeeAccount?: string },
): Promise<OpenDebit[]> {
  const payerIndex = what.payeeAccount === undefined ? undefined : payerIndexOf(tx, what.payeeAccount)
  if (payerIndex === null) return []
  const where = {
    outcome: 'outgoing' as const,
    amountFen: what.amountFen,
    ...(payerIndex === undefined ? {} : { payerIndex }),
  }
  const options = { orderBy: { id: 'asc' }, limit: 20, disableIdentityMap: true } as const
  return (await tx.em.find(StatementLine, where, options)).map((line) => present(tx, line))
}

/**
 * Takes an outgoing line for the payout or refund part `ref`; the caller posts that the money left custody. One guarded
 * update decides: false when somebody took it before.
 */
export async function takeDebit(
  tx: Tx,
  id: Id<'statementLine'>,
  ref: string,
  by: NonNullable<StatementLineRow['matchedBy']>,
): Promise<boolean> {
  const taken = await change(
    tx.em,
    "update statement_line set outcome = 'paid_out', ref = ?, matched_by = ?, decided_at_ms = ? where id = ? and outcome = 'outgoing'",
    [ref, by, tx.clock.now(), id],
  )
  if (taken === 1) await trail(tx, { objectId: id, act: 'statement_line.paid_out', note: ref })
  return taken === 1
}

function present(tx: Tx, line: StatementLineRow): OpenDebit {
  return { id: line.id, amountFen: line.amountFen, atMs: line.arrivedAtMs, payee: openLinePayer(tx, line) }
}
