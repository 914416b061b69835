import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { Id } from '../../../contract/ids.ts'
import type { WecomAppKind } from '../../channels/ports.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, insertIgnore, sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { holdCompany } from './hold-company.ts'
import { moveConnection } from './move-connection.ts'
import { WecomConnection } from './tables.ts'

export interface NewConnection {
  readonly companyId: Id<'company'>
  readonly kind?: WecomAppKind
  /** Which of our suites or templates it was installed from; null for self-built. */
  readonly suiteId?: string | null
  readonly corpId: string
  /** 0 while WeCom has not told it yet: nothing can be sent before. */
  readonly agentId: number
  /** The app's secret or the permanent code; left out, the one that stands here stays. */
  readonly secret?: string
  /** The callback of the app as it stands in the WeCom console. Left out, it stays as it is; null takes it away. */
  readonly callback?: { readonly token: string; readonly encodingAesKey: string } | null
  /** The secret of contact sync. Left out, it stays as it is; null takes it away. */
  readonly contactSecret?: string | null
  readonly accountLimit?: number | null
  /** Since when this credential holds; now, when it is not said. */
  readonly authorisedAtMs?: number
  /** When the trial of an installed app ends; the first one said counts, for a second install begins no second trial. */
  readonly trialEndsAtMs?: number
}

/**
 * Connects a company to its WeCom, or changes the connection. Secrets and keys are sealed. A credential that differs ends
 * `broken` and `cancelled`; where the ids of people change their meaning (another corp, another provider), what was
 * derived from the old ones is forgotten by a job. Refuses with `not_found`, with `wecom_corp_taken` when another company
 * holds this corp, and with `wecom_secret_missing`; throws RangeError on what WeCom cannot have given.
 */
export async function connectWecom(tx: Tx, connection: NewConnection): Promise<void> {
  checkForm(connection)
  const { companyId, corpId } = connection
  await holdCompany(tx, companyId)
  const before = await tx.em.findOne(WecomConnection, { companyId }, { disableIdentityMap: true })
  const secret = connection.secret ?? (before?.corpId === corpId ? openSecret(tx, before) : null)
  if (secret === null || secret === '') refuse('wecom_secret_missing', { field: 'secret' })
  const kind = connection.kind ?? 'self_built'
  const suiteId = connection.suiteId ?? null
  const row = {
    ...columnsOf(tx, connection),
    kind,
    suite_id: suiteId,
    secret_sealed: sealSecret(tx, companyId, secret),
  }
  if (before === null) await insertIgnore(tx.em, 'wecom_connection', [{ company_id: companyId, ...row }])
  await update(tx, companyId, row)
  const same = before?.corpId === corpId && before.agentId === connection.agentId && openSecret(tx, before) === secret
  if (!same) await begin(tx, connection, before?.state ?? 'active')
  const moved = before && (before.corpId !== corpId || before.kind !== kind || (before.suiteId ?? null) !== suiteId)
  if (moved)
    await enqueue(tx, [
      {
        kind: 'company.forget',
        key: `company.forget:${companyId}:${tx.clock.now()}`,
        args: { companyId, reason: 'changed' },
      },
    ])
  await trail(tx, { objectId: companyId, act: 'company.wecom_connected', note: kind })
}

/** Where the sealed parts of a connection stand. */
export const secretPlace = (companyId: Id<'company'>) => placeOf('secret_sealed', companyId)
export const callbackPlace = (companyId: Id<'company'>) => placeOf('callback_sealed', companyId)
export const contactSecretPlace = (companyId: Id<'company'>) => placeOf('contact_secret_sealed', companyId)
const placeOf = (column: string, rowId: Id<'company'>) => ({ table: 'wecom_connection', column, rowId })

function checkForm({ kind = 'self_built', suiteId = null, corpId, agentId, secret, callback }: NewConnection): void {
  const least = kind === 'self_built' ? 1 : 0
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(corpId) || !Number.isInteger(agentId) || agentId < least)
    throw new RangeError('a WeCom app has a corp id and an agent id')
  if (secret === '') throw new RangeError('a secret has characters')
  if ((kind === 'self_built') !== (suiteId === null)) throw new RangeError('only a self-built app has no suite')
  if (callback && (!/^[A-Za-z0-9]{1,32}$/.test(callback.token) || !/^[A-Za-z0-9]{43}$/.test(callback.encodingAesKey)))
    throw new RangeError('a callback has a token of at most 32 letters or digits and an EncodingAESKey of 43')
}

function openSecret(tx: Tx, row: { readonly companyId: Id<'company'>; readonly secretSealed: Uint8Array }): string {
  return tx.house.seal.open(secretPlace(row.companyId), row.secretSealed)
}

const sealSecret = (tx: Tx, companyId: Id<'company'>, secret: string): Buffer =>
  tx.house.seal.seal(secretPlace(companyId), secret)

type Columns = Record<string, string | number | Buffer | null>

function columnsOf(tx: Tx, connection: NewConnection): Columns {
  const { companyId, corpId, agentId, callback, contactSecret, accountLimit } = connection
  const { seal } = tx.house
  return {
    corp_id: corpId,
    agent_id: agentId,
    changed_at_ms: tx.clock.now(),
    ...(callback !== undefined && {
      callback_sealed: callback && seal.seal(callbackPlace(companyId), JSON.stringify(callback)),
    }),
    ...(contactSecret !== undefined && {
      contact_secret_sealed: contactSecret === null ? null : seal.seal(contactSecretPlace(companyId), contactSecret),
    }),
    ...(accountLimit !== undefined && { account_limit: accountLimit }),
  }
}

/** The insert is passed over when another company holds the corp: then no row is there to be updated. */
async function update(tx: Tx, companyId: Id<'company'>, row: Columns): Promise<void> {
  const names = Object.keys(row)
  try {
    const changed = await change(
      tx.em,
      `update wecom_connection set version = version + 1, ${names.map((name) => `${name} = ?`).join(', ')} where company_id = ?`,
      [...Object.values(row), companyId],
    )
    if (changed === 0) refuse('wecom_corp_taken', { field: 'corpId' })
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) refuse('wecom_corp_taken', { field: 'corpId' })
    throw error
  }
}

/** A credential that was not here before: what was known of the old one ends with it. */
async function begin(tx: Tx, connection: NewConnection, from: 'active' | 'broken' | 'cancelled'): Promise<void> {
  const { companyId, authorisedAtMs = tx.clock.now(), trialEndsAtMs = null } = connection
  if (from !== 'active') await moveConnection(tx, { companyId, from, to: 'active', set: { broken_code: null } })
  await sql(
    tx.em,
    `update wecom_connection set broken_code = null, checks = null, cancelled_at_ms = null, authorised_at_ms = ?,
        trial_ends_at_ms = coalesce(trial_ends_at_ms, ?) where company_id = ?`,
    [authorisedAtMs, trialEndsAtMs, companyId],
  )
}
