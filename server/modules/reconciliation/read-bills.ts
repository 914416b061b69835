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
 * A bill with open differences is compared again each day for as long as WeChat Pay has it (three months, protocols
 * wechat-pay 7), so many of them at a time.
 */
const [AGAIN_MS, AGAIN_AT_ONCE] = [88 * DAY_MS, 500]

/**
 * Job `bills.read`, daily at 10:30 (protocols wechat-pay 9): has the bills of the last days compared, one job for each
 * merchant, kind and day, once for ever; and once a day those again of which a difference is open: what the books have
 * learnt meanwhile closes it.
 */
export async function readBills(edge: Edge): Promise<void> {
  await edge.tx(async (tx) => {
    const now = tx.clock.now()
    for (const { mchid } of await merchantsOf(tx))
      for (let back = 0; back < DAYS; back += 1)
        for (const kind of billKinds) await planBill(tx, mchid, kind, yesterdayOf(now - back * DAY_MS))
    await planAgain(tx, now)
  })
}

async function planAgain(tx: Tx, now: number): Promise<void> {
  const open = await sql<{ id: Id<'bill'> }>(
    tx.em,
    `select distinct bill.id as id from bill join bill_difference on bill_difference.bill_id = bill.id
      where bill_difference.state = 'open' and bill.created_at_ms >= ? order by bill.id limit ?`,
    [now - AGAIN_MS, AGAIN_AT_ONCE],
  )
  const day = yesterdayOf(now)
  const jobs = open.map(({ id }) => {
    return { kind: 'bill.compare', key: `bill.compare:${id}:after:${day}`, args: { billId: id } }
  })
  await enqueue(tx, jobs)
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
