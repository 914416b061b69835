import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, sql } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { holdCompany } from '../company/hold-company.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { LEAVERS_HELD } from './close-sync.ts'

/**
 * A person of the company says that the leavers whom the last reading held have really left: the reading goes on where it
 * stopped. Refuses with `not_found` for another company's reading and `state_conflict` when it is not the last one or
 * holds nobody (any more).
 */
export async function confirmLeavers(tx: Tx, syncId: Id<'directorySync'>): Promise<void> {
  const companyId = companyOf(tx.actor)
  await holdCompany(tx, companyId)
  const [last] = await sql<{ id: string; code: string | null }>(
    tx.em,
    'select id, code from directory_sync where company_id = ? order by id desc limit 1',
    [companyId],
  )
  if (last?.id !== syncId) {
    const own = await sql(tx.em, 'select 1 from directory_sync where id = ? and company_id = ?', [syncId, companyId])
    refuse(own.length === 0 ? 'not_found' : 'state_conflict')
  }
  const place = JSON.stringify({ at: 'leavers', after: '' })
  const changed = await change(
    tx.em,
    "update directory_sync set state = 'running', `cursor` = ?, code = null, done_at_ms = null where id = ? and state = 'done' and code = ?",
    [place, syncId, LEAVERS_HELD],
  )
  if (changed !== 1) refuse('state_conflict')
  await trail(tx, { objectId: syncId, act: 'directory.leavers_confirmed' })
  await enqueue(tx, [{ kind: 'directory.sync', key: `directory.sync:${syncId}:leavers`, args: { companyId } }])
}

/** A person asks for a reading now. Refuses with `wecom_not_connected`. False when one runs already: it goes on. */
export async function askForSync(tx: Tx): Promise<boolean> {
  const companyId = companyOf(tx.actor)
  if ((await readWecomApp(tx, companyId)) === null) refuse('wecom_not_connected')
  const running = await sql(tx.em, "select 1 from directory_sync where company_id = ? and state = 'running' limit 1", [
    companyId,
  ])
  const key = `directory.sync:${companyId}:${tx.newId('job')}`
  await enqueue(tx, [{ kind: 'directory.sync', key, args: { companyId } }])
  return running.length === 0
}
