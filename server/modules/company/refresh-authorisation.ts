import type { Id } from '../../../contract/ids.ts'
import type { WecomAuthInfo } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change } from '../../kernel/sql.ts'
import { breakConnection } from './break-connection.ts'
import { cancelConnection } from './cancel-connection.ts'
import { mendConnection } from './mend-connection.ts'
import { readAnyWecomApp } from './read-wecom-app.ts'

/** WeCom's codes for an authorisation that is no more (protocols wecom, 8.5). */
const withdrawn = new Set(['40084', '48004'])

/**
 * Asks WeCom what an installed app may see and do, and takes it over: agent id, account limit, visible range. A credential
 * that works ends `broken`; an authorisation that is gone ends the connection. Does nothing for a self-built app, and for
 * one that was cancelled. Throws OutsideError while WeCom does not tell.
 */
export async function refreshAuthorisation(edge: Edge, companyId: Id<'company'>): Promise<void> {
  const app = await edge.read((tx) => readAnyWecomApp(tx, companyId))
  if (app === null || app.suiteId === null || app.state === 'cancelled') return
  const { suiteId, corpId, secret, state } = app
  try {
    const info = await edge.ports.wecom.authInfo(suiteId, corpId, secret)
    await edge.tx((tx) => keep(tx, companyId, state === 'broken', info))
  } catch (error) {
    if (!(error instanceof OutsideError) || error.outcome !== 'broken') throw error
    edge.log.warn({ companyId, code: error.code }, 'wecom refused the authorisation')
    await edge.tx(async (tx) => {
      if (withdrawn.has(error.code)) await cancelConnection(tx, { suiteId, corpId, atMs: null })
      else await breakConnection(tx, companyId, error.code)
    })
  }
}

async function keep(tx: Tx, companyId: Id<'company'>, wasBroken: boolean, info: WecomAuthInfo): Promise<void> {
  const { corpId, agentId, accountLimit, authMode, departments, userIds, tags } = info
  // People stand here by their number only: who they are is the directory's, sealed.
  const scope = JSON.stringify({ authMode, departments, users: userIds.length, tags })
  if (wasBroken) await mendConnection(tx, companyId)
  await change(
    tx.em,
    'update wecom_connection set agent_id = ?, account_limit = ?, scope = ?, changed_at_ms = ? where company_id = ? and corp_id = ?',
    [agentId, accountLimit, scope, tx.clock.now(), companyId, corpId],
  )
  const key = `directory.sync:${companyId}:${tx.clock.now()}`
  await enqueue(tx, [{ kind: 'directory.sync', key, args: { companyId } }])
}
