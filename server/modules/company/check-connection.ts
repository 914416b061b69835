import { z } from 'zod'
import { Check, type CheckPoint } from '../../../contract/hr/wecom.ts'
import type { Id } from '../../../contract/ids.ts'
import type { WecomApp } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change, sql } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { breakConnection } from './break-connection.ts'
import { holdCompany } from './hold-company.ts'
import { mendConnection } from './mend-connection.ts'
import { readConnection, readAnyWecomApp, type ConnectionFacts } from './read-wecom-app.ts'

type Found = Omit<Check, 'point' | 'atMs'>

/** Messages a day for each account (protocols wecom, 10). */
const MESSAGES_PER_ACCOUNT = 200
/** Departments whose members are counted one call each; more would make a person wait. */
const MOST_DEPARTMENTS = 20
/** Nobody has this account: a message to it is accepted or refused for the app's sake alone, and reaches nobody. */
const NOBODY = 'fulika-connection-check-nobody'

/**
 * Looks at one point of the acting company's connection and keeps what it found: which of WeCom's demands are met, and for
 * the others the code that says what to do. A credential that works ends `broken`, one that WeCom refuses begins it; a
 * secret that was refused is not tried again until it changes. Refuses with `wecom_not_connected`.
 */
export async function checkConnection(edge: Edge, point: CheckPoint): Promise<Check> {
  const companyId = companyOf(edge.actor)
  const { app, facts } = await edge.read(async (tx) => ({
    app: (await readAnyWecomApp(tx, companyId)) ?? refuse('wecom_not_connected'),
    facts: (await readConnection(tx, companyId)) ?? refuse('wecom_not_connected'),
  }))
  const found = await look[point]({ edge, companyId, app, facts }).catch(notAnswered)
  const check: Check = { ...found, point, atMs: edge.clock.now() }
  await edge.tx(async (tx) => {
    await keepCheck(tx, companyId, check)
    if (point === 'credential') await judge(tx, companyId, facts, check)
  })
  return check
}

/** The checks that stand in a connection's row; what cannot be read is left out. */
export function readChecks(text: string | null): Check[] {
  const kept = z.array(Check).safeParse(JSON.parse(text ?? '[]'))
  return kept.success ? kept.data : []
}

interface Looked {
  readonly edge: Edge
  readonly companyId: Id<'company'>
  readonly app: WecomApp
  readonly facts: ConnectionFacts
}

const ok = (count: number | null = null, people: number | null = null): Found => ({
  outcome: 'ok',
  code: null,
  count,
  people,
})
const not = (outcome: 'missing' | 'waiting' | 'unused', code: string | null): Found => {
  return { outcome, code, count: null, people: null }
}

/** A refusal says what is missing; a busy or silent WeCom says nothing yet. */
function notAnswered(error: unknown): Found {
  if (!(error instanceof OutsideError)) throw error
  return not(error.outcome === 'broken' || error.outcome === 'refused' ? 'missing' : 'waiting', error.code)
}

const look: Readonly<Record<CheckPoint, (looked: Looked) => Promise<Found>>> = {
  credential: async ({ edge, app }) => {
    await edge.ports.wecom.checkCredential(app)
    return ok()
  },
  agent: async ({ edge, app }) => {
    if (app.agentId < 1) return not('waiting', 'no_agent')
    const body = { touser: NOBODY, msgtype: 'text', agentid: app.agentId, text: { content: '-' } }
    await edge.ports.wecom.send(app, JSON.stringify(body))
    return ok()
  },
  visible: async ({ edge, app }) => {
    const departments = await edge.ports.wecom.departments(app)
    let people = 0
    for (const { id } of departments.slice(0, MOST_DEPARTMENTS))
      people += (await edge.ports.wecom.membersOf(app, id)).length
    if (departments.length > MOST_DEPARTMENTS) return ok(departments.length)
    return people === 0
      ? { ...not('missing', 'empty'), count: departments.length, people }
      : ok(departments.length, people)
  },
  sign_in: async ({ edge, companyId, facts }) => {
    const lastMs = await edge.read((tx) => lastSignIn(tx, companyId))
    return lastMs !== null && lastMs >= (facts.authorisedAtMs ?? 0) ? ok() : not('waiting', 'never')
  },
  callback: async ({ edge, companyId, facts }) => {
    if (facts.kind !== 'third_party' && !facts.callbackSet) return not('missing', 'no_keys')
    const seen = facts.callbackSeenAtMs !== null || (await edge.read((tx) => hasEvent(tx, companyId)))
    return seen ? ok() : not('waiting', 'never')
  },
  contact_sync: async ({ edge, app }) => {
    if (app.contactSecret === null) return not('unused', null)
    const page = await edge.ports.wecom.memberIds(app, null)
    return ok(null, new Set(page.items.map((item) => item.userid)).size)
  },
  customer_contact: async ({ edge, app }) => {
    const users = await edge.ports.wecom.followUsers(app)
    return users.length === 0 ? not('missing', 'empty') : ok(null, users.length)
  },
  quota: async ({ facts }) =>
    facts.accountLimit === null ? not('missing', 'unset') : ok(facts.accountLimit * MESSAGES_PER_ACCOUNT),
}

async function keepCheck(tx: Tx, companyId: Id<'company'>, check: Check): Promise<void> {
  await holdCompany(tx, companyId)
  const kept = readChecks((await readConnection(tx, companyId))?.checks ?? null)
  const checks = [...kept.filter((one) => one.point !== check.point), check]
  await change(tx.em, 'update wecom_connection set checks = ? where company_id = ?', [
    JSON.stringify(checks),
    companyId,
  ])
}

async function judge(tx: Tx, companyId: Id<'company'>, facts: ConnectionFacts, check: Check): Promise<void> {
  if (check.outcome === 'missing') await breakConnection(tx, companyId, check.code ?? 'refused')
  if (check.outcome === 'ok' && facts.state === 'broken') await mendConnection(tx, companyId)
}

async function lastSignIn(tx: Tx, companyId: Id<'company'>): Promise<number | null> {
  const [row] = await sql<{ atMs: unknown }>(
    tx.em,
    `select max(trail.at_ms) as atMs from trail join member on member.id = trail.object_id
      where member.company_id = ? and trail.act = 'member.signed_in'`,
    [companyId],
  )
  return row?.atMs == null ? null : Number(row.atMs)
}

async function hasEvent(tx: Tx, companyId: Id<'company'>): Promise<boolean> {
  return (await sql(tx.em, 'select 1 from wecom_event where company_id = ? limit 1', [companyId])).length > 0
}
