import { z } from 'zod'
import type { Id } from '../../../contract/ids.ts'
import type { WecomApp, WecomCallbackKeys } from '../../channels/ports.ts'
import type { Tx } from '../../kernel/context.ts'
import { callbackPlace, secretPlace } from './connect-wecom.ts'
import { WecomConnection } from './tables.ts'

const Callback = z.object({ token: z.string(), encodingAesKey: z.string() })

/** How to call a company's WeCom, with the secret opened; null while it is not connected. Throws SealBroken. */
export async function readWecomApp(tx: Tx, companyId: Id<'company'>): Promise<WecomApp | null> {
  const row = await tx.em.findOne(WecomConnection, { companyId }, { disableIdentityMap: true })
  if (!row) return null
  const secret = tx.house.seal.open(secretPlace(companyId), row.secretSealed)
  return { corpId: row.corpId, agentId: row.agentId, secret }
}

/** The opened keys of a company's callback; null while none is set up. Throws SealBroken. */
export async function readCallbackKeys(tx: Tx, companyId: Id<'company'>): Promise<WecomCallbackKeys | null> {
  const row = await tx.em.findOne(WecomConnection, { companyId }, { disableIdentityMap: true })
  if (!row?.callbackSealed) return null
  const keys = Callback.parse(JSON.parse(tx.house.seal.open(callbackPlace(companyId), row.callbackSealed)))
  return { ...keys, corpId: row.corpId }
}

export interface ConnectionFacts {
  readonly corpId: string
  readonly agentId: number
  readonly callbackSet: boolean
}

/** What may be shown of a company's connection; nothing sealed is opened. */
export async function readConnection(tx: Tx, companyId: Id<'company'>): Promise<ConnectionFacts | null> {
  const row = await tx.em.findOne(WecomConnection, { companyId }, { disableIdentityMap: true })
  return row && { corpId: row.corpId, agentId: row.agentId, callbackSet: row.callbackSealed !== null }
}
