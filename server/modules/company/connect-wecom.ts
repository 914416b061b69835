import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { insertIgnore } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { holdCompany } from './hold-company.ts'
import { WecomConnection } from './tables.ts'

export interface NewConnection {
  readonly companyId: Id<'company'>
  readonly corpId: string
  readonly agentId: number
  readonly secret: string
  /** The callback of the app as it stands in the WeCom console; left out, there is none. */
  readonly callback?: { readonly token: string; readonly encodingAesKey: string } | null
}

/**
 * Connects a company to its WeCom by a self-built app, or changes the connection. Secret and callback keys are sealed.
 * Refuses with `not_found`, and with `wecom_corp_taken` when another company holds this corp; throws RangeError on what WeCom cannot have given.
 */
export async function connectWecom(tx: Tx, connection: NewConnection): Promise<void> {
  const { companyId, corpId, agentId, secret, callback = null } = connection
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(corpId) || !Number.isInteger(agentId) || agentId < 1 || secret === '')
    throw new RangeError('a WeCom app has a corp id, an agent id and a secret')
  if (callback && (!/^[A-Za-z0-9]{1,32}$/.test(callback.token) || !/^[A-Za-z0-9]{43}$/.test(callback.encodingAesKey)))
    throw new RangeError('a callback has a token of at most 32 letters or digits and an EncodingAESKey of 43')
  await holdCompany(tx, companyId)
  const row = {
    corpId,
    agentId,
    secretSealed: tx.house.seal.seal(secretPlace(companyId), secret),
    callbackSealed: callback && tx.house.seal.seal(callbackPlace(companyId), JSON.stringify(callback)),
    changedAtMs: tx.clock.now(),
  }
  // The insert is passed over when the company is connected, and when another company holds the corp: the update tells.
  await insertIgnore(tx.em, 'wecom_connection', [
    {
      company_id: companyId,
      corp_id: row.corpId,
      agent_id: row.agentId,
      secret_sealed: row.secretSealed,
      callback_sealed: row.callbackSealed,
      changed_at_ms: row.changedAtMs,
    },
  ])
  try {
    const changed = await tx.em.nativeUpdate(WecomConnection, { companyId }, row)
    if (changed === 0) refuse('wecom_corp_taken', { field: 'corpId' })
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) refuse('wecom_corp_taken', { field: 'corpId' })
    throw error
  }
  await trail(tx, { objectId: companyId, act: 'company.wecom_connected' })
}

/** Where the sealed parts of a connection stand. */
export const secretPlace = (companyId: Id<'company'>) => ({
  table: 'wecom_connection',
  column: 'secret_sealed',
  rowId: companyId,
})
export const callbackPlace = (companyId: Id<'company'>) => ({
  table: 'wecom_connection',
  column: 'callback_sealed',
  rowId: companyId,
})
