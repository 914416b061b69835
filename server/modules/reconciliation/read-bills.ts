import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { insertIgnore, sql } from '../../kernel/sql.ts'
import type { Id } from '../../../contract/ids.ts'
import { billKinds } from '../../../contract/operator/reconciliation.ts'
import { merchantsOf } from './merchants-of.ts'
import { yesterdayOf } from './rules.ts'

/** Days whose bills are looked for: a machine that was off for some days catches up. */
const DAYS = 3
const DAY_MS = 86_400_000

/**
 * Job `bills.read`, daily at 10:30 (protocols wechat-pay 9): has the bills of the last days compared, one job for each
 * merchant, kind and day, once for ever.
 */
export async function readBills(edge: Edge): Promise<void> {
  await edge.tx(async (tx) => {
    const now = tx.clock.now()
    for (const { mchid } of await merchantsOf(tx))
      for (let back = 0; back < DAYS; back += 1)
        for (const kind of billKinds) await planBill(tx, mchid, kind, yesterdayOf(now - back * DAY_MS))
  })
}

async function planBill(tx: Tx, mchid: string, kind: string, day: string): Promise<void> {
  const id = tx.newId('bill')
  const row = { id, mchid, kind, day, state: 'waiting', version: 1, line_count: 0, created_at_ms: tx.clock.now() }
  await insertIgnore(tx.em, 'bill', [row])
  const [held] = await sql<{ id: Id<'bill'> }>(
    tx.em,
    'select id from bill where mchid = ? and kind = ? and day = ? and id = ?',
    [mchid, kind, day, id],
  )
  if (held) await enqueue(tx, [{ kind: 'bill.compare', key: `bill.compare:${id}`, args: { billId: id } }])
}

/** Has a bill fetched and compared again, now. Refuses with `not_found`. */
export async function compareAgain(tx: Tx, id: Id<'bill'>): Promise<boolean> {
  const [bill] = await sql<{ version: unknown }>(tx.em, 'select version from bill where id = ?', [id])
  if (!bill) refuse('not_found')
  await enqueue(tx, [{ kind: 'bill.compare', key: `bill.compare:${id}:${tx.newId('job')}`, args: { billId: id } }])
  return true
}
