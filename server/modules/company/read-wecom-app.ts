import { z } from 'zod'
import type { Id } from '../../../contract/ids.ts'
import type { ConnectionState } from '../../../contract/states.ts'
import type { WecomApp, WecomAppKind, WecomCallbackKeys } from '../../channels/ports.ts'
import type { Tx } from '../../kernel/context.ts'
import { readBound } from '../../kernel/sql.ts'
import { callbackPlace, contactSecretPlace, secretPlace } from './connect-wecom.ts'
import { WecomConnection } from './tables.ts'

const Callback = z.object({ token: z.string(), encodingAesKey: z.string() })

/**
 * How to call a company's WeCom, with the secrets opened; null while nothing may be sent: it is not connected, WeCom has
 * refused the credential, the company has withdrawn it, or WeCom has not told the agent id yet. Throws SealBroken.
 */
export async function readWecomApp(tx: Tx, companyId: Id<'company'>): Promise<WecomApp | null> {
  const found = await readAnyWecomApp(tx, companyId)
  if (found?.state !== 'active' || found.agentId < 1) return null
  const { state: _active, ...app } = found
  return app
}

/** The same whatever its state, for those who test it or ask WeCom how it stands. Throws SealBroken. */
export async function readAnyWecomApp(
  tx: Tx,
  companyId: Id<'company'>,
): Promise<(WecomApp & { readonly state: ConnectionState }) | null> {
  const [row] = await readBound<SealedApp>(
    tx.em,
    `select kind, state, suite_id as suiteId, corp_id as corpId, agent_id as agentId, secret_sealed as secretSealed,
       contact_secret_sealed as contactSecretSealed from wecom_connection where company_id = ?`,
    [companyId],
  )
  if (row === undefined) return null
  const { seal } = tx.house
  const { secretSealed, contactSecretSealed, ...app } = row
  const secret = seal.open(secretPlace(companyId), secretSealed)
  const contactSecret = contactSecretSealed && seal.open(contactSecretPlace(companyId), contactSecretSealed)
  return { ...app, secret, contactSecret }
}

interface SealedApp {
  readonly kind: WecomAppKind
  readonly state: ConnectionState
  readonly suiteId: string | null
  readonly corpId: string
  readonly agentId: number
  readonly secretSealed: Uint8Array
  readonly contactSecretSealed: Uint8Array | null
}

/** The opened keys of a company's callback; null while none is set up. Throws SealBroken. */
export async function readCallbackKeys(tx: Tx, companyId: Id<'company'>): Promise<WecomCallbackKeys | null> {
  const row = await tx.em.findOne(WecomConnection, { companyId }, { disableIdentityMap: true })
  if (!row?.callbackSealed) return null
  const keys = Callback.parse(JSON.parse(tx.house.seal.open(callbackPlace(companyId), row.callbackSealed)))
  return { ...keys, receiveIds: [row.corpId] }
}

export interface ConnectionFacts {
  readonly kind: WecomAppKind
  readonly suiteId: string | null
  readonly state: ConnectionState
  readonly brokenCode: string | null
  readonly corpId: string
  readonly agentId: number
  readonly callbackSet: boolean
  readonly contactSecretSet: boolean
  readonly accountLimit: number | null
  /** JSON texts as they stand. */
  readonly scope: string | null
  readonly checks: string | null
  readonly trialEndsAtMs: number | null
  readonly authorisedAtMs: number | null
  readonly callbackSeenAtMs: number | null
}

/** What may be shown of a company's connection; nothing sealed is opened. */
export async function readConnection(tx: Tx, companyId: Id<'company'>): Promise<ConnectionFacts | null> {
  const row = await tx.em.findOne(WecomConnection, { companyId }, { disableIdentityMap: true })
  if (!row) return null
  const { kind, state, corpId, agentId } = row
  return {
    kind,
    state,
    corpId,
    agentId,
    suiteId: row.suiteId ?? null,
    brokenCode: row.brokenCode ?? null,
    callbackSet: row.callbackSealed != null,
    contactSecretSet: row.contactSecretSealed != null,
    accountLimit: row.accountLimit ?? null,
    scope: row.scope ?? null,
    checks: row.checks ?? null,
    trialEndsAtMs: row.trialEndsAtMs ?? null,
    authorisedAtMs: row.authorisedAtMs ?? null,
    callbackSeenAtMs: row.callbackSeenAtMs ?? null,
  }
}
