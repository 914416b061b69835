import { setTimeout as sleep } from 'node:timers/promises'
import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { sql } from '../../kernel/sql.ts'
import { addMember } from './add-member.ts'
import { connectWecom } from './connect-wecom.ts'
import { createCompany } from './create-company.ts'
import { findCompanyByCorpId } from './read-company.ts'

export interface Authorisation {
  readonly suiteId: string
  readonly authCode: string
  /** For which company it is; null when only WeCom's answer can tell. */
  readonly companyId: Id<'company'> | null
  /** When it was given, by WeCom's clock. */
  readonly atMs: number
  /** It only gives another code to an install that stands: a company that uses another app by now keeps that one. */
  readonly renews?: boolean
  /** How long to look for what the other path does with the same code; a job comes back by itself. */
  readonly patienceMs: number
  /** What else a company needs that is made here; it belongs to other modules. */
  readonly companyMade: (tx: Tx, companyId: Id<'company'>) => Promise<void>
}

const TRIES = 3
const USED = '40078'
const LOOK_MS = 200
const TRIAL_MS = 90 * 24 * 3_600_000
/** How far apart WeCom's clock and ours may be when an install is looked for that another path has taken. */
const SKEW_MS = 5 * 60_000
const CODE_LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'

/**
 * Exchanges an auth code for the permanent code and connects the company by it (protocols wecom, 8.2, 8.3). The redirect
 * and the market may race and each may come twice: the corp is connected once, and a code that is used means that the
 * other path was faster. A corp that nobody has becomes a company of its own, with the installing administrator as its
 * member. The agent id and the rest are asked for by a job. Returns the company. Refuses with `wecom_corp_taken`, and with
 * `wecom_install_lost` when the code is used and nobody here has the corp; throws OutsideError.
 */
export async function takeAuthorisation(edge: Edge, given: Authorisation): Promise<Id<'company'>> {
  const answer = await exchange(edge, given)
  if (answer === null) return (await awaitTaken(edge, given)) ?? refuse('wecom_install_lost')
  const { suiteId, atMs } = given
  const { corpId, corpName, permanentCode, adminUserId } = answer
  const suite = edge.house.wecomSuites.find((one) => one.suiteId === suiteId) ?? refuse('not_found')
  return edge.tx(async (tx) => {
    const known = (await findCompanyByCorpId(tx, corpId))?.id ?? null
    if (known !== null && given.companyId !== null && known !== given.companyId) refuse('wecom_corp_taken')
    if (known !== null && given.renews === true && (await usesAnother(tx, known, suiteId))) return known
    const companyId = known ?? given.companyId ?? (await found(tx, given, corpName))
    await connectWecom(tx, {
      companyId,
      kind: suite.kind,
      suiteId,
      corpId,
      agentId: await agentOf(tx, { companyId, corpId, suiteId }),
      secret: permanentCode,
      authorisedAtMs: atMs,
      trialEndsAtMs: atMs + TRIAL_MS,
    })
    if (adminUserId !== null && known === null)
      await addMember(tx, { companyId, name: '管理员', userid: adminUserId, roles: ['admin'] })
    const key = `wecom.authorise:${companyId}:${tx.clock.now()}`
    await enqueue(tx, [{ kind: 'wecom.authorise', key, args: { companyId }, lane: 'fast' }])
    return companyId
  })
}

/** Null: the code was used before, by us or by the other path. The same code is repeated while no answer came. */
async function exchange(edge: Edge, { suiteId, authCode }: Authorisation) {
  for (let tried = 1; ; tried += 1) {
    try {
      return await edge.ports.wecom.permanentCode(suiteId, authCode)
    } catch (error) {
      if (!(error instanceof OutsideError)) throw error
      if (error.code === USED) return null
      edge.log.warn({ suiteId, code: error.code, outcome: error.outcome, tried }, 'wecom gave no permanent code')
      if (error.outcome !== 'unknown' || tried === TRIES) throw error
      await sleep(200 * tried)
    }
  }
}

/** The other path may have used the code a moment ago and not have stored what it got. */
async function awaitTaken(edge: Edge, given: Authorisation): Promise<Id<'company'> | null> {
  for (let waited = 0; ; waited += LOOK_MS) {
    const taken = await edge.read((tx) => findTaken(tx, given))
    if (taken !== null || waited >= given.patienceMs) return taken
    await sleep(LOOK_MS)
  }
}

/** The company that the other path connected with the same install. */
async function findTaken(tx: Tx, { suiteId, companyId, atMs }: Authorisation): Promise<Id<'company'> | null> {
  const rows = await sql<{ id: Id<'company'> }>(
    tx.em,
    `select company_id as id from wecom_connection
      where suite_id = ? and state <> 'cancelled' and authorised_at_ms >= ? ${companyId === null ? '' : 'and company_id = ?'}
      order by authorised_at_ms limit 1`,
    [suiteId, atMs - SKEW_MS, ...(companyId === null ? [] : [companyId])],
  )
  return rows[0]?.id ?? null
}

/** Known already from an earlier install of the same app; 0 until WeCom has told it. */
async function agentOf(
  tx: Tx,
  {
    companyId,
    corpId,
    suiteId,
  }: { readonly companyId: Id<'company'>; readonly corpId: string; readonly suiteId: string },
): Promise<number> {
  const [row] = await sql<{ agentId: number }>(
    tx.em,
    'select agent_id as agentId from wecom_connection where company_id = ? and corp_id = ? and suite_id = ?',
    [companyId, corpId, suiteId],
  )
  return Number(row?.agentId ?? 0)
}

async function usesAnother(tx: Tx, companyId: Id<'company'>, suiteId: string): Promise<boolean> {
  const rows = await sql(
    tx.em,
    "select 1 from wecom_connection where company_id = ? and state <> 'cancelled' and (suite_id is null or suite_id <> ?)",
    [companyId, suiteId],
  )
  return rows.length > 0
}

async function found(tx: Tx, { companyMade }: Authorisation, corpName: string): Promise<Id<'company'>> {
  const code = `wecom-${Array.from(tx.random(8), (byte) => CODE_LETTERS[byte % CODE_LETTERS.length]).join('')}`
  const name = corpName.trim().slice(0, 100) || code
  const companyId = await createCompany(tx, { code, name, paymentRoute: 'strict' })
  await companyMade(tx, companyId)
  return companyId
}
