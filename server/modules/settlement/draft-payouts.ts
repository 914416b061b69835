import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { Payout } from './tables.ts'

/** Payees looked at in one go; whoever has more runs it again. */
const PAYEES_AT_ONCE = 1_000

/**
 * Drafts a payout for every payee to whom more is owed than it owes: all of its open items, netted. Who owes more than
 * it is owed waits for the next. A transaction each, so that it may stop anywhere; two at once never draft an item twice.
 * Answers the payouts.
 */
export async function draftPayouts(edge: Edge): Promise<Id<'payout'>[]> {
  const owed = await edge.read((tx) =>
    sql<{ payee: string }>(
      tx.em,
      'select payee from payout_item where payout_id is null group by payee having sum(amount_fen) > 0 order by payee limit ?',
      [PAYEES_AT_ONCE],
    ),
  )
  const drafted: Id<'payout'>[] = []
  for (const { payee } of owed) {
    const id = await edge.tx((tx) => draftOne(tx, payee))
    if (id !== null) drafted.push(id)
  }
  return drafted
}

async function draftOne(tx: Tx, payee: string): Promise<Id<'payout'> | null> {
  const id = tx.newId('payout')
  await change(tx.em, 'update payout_item set payout_id = ? where payee = ? and payout_id is null', [id, payee])
  const [row] = await sql<{ total: unknown }>(
    tx.em,
    'select sum(amount_fen) as total from payout_item where payout_id = ?',
    [id],
  )
  const total = readSum(row?.total)
  if (total <= 0) {
    await change(tx.em, 'update payout_item set payout_id = null where payout_id = ?', [id])
    return null
  }
  await tx.em.insert(Payout, {
    id,
    payee,
    amountFen: fen(total),
    state: 'drafted',
    version: 1,
    fileId: null,
    statementLineId: null,
    problem: null,
    draftedAtMs: tx.clock.now(),
    exportedAtMs: null,
    paidAtMs: null,
  })
  await trail(tx, { objectId: id, act: 'payout.drafted', toState: 'drafted', note: `${total}` })
  return id
}
