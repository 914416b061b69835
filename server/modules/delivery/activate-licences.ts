import type { z } from 'zod'
import type { LicencesActivated } from '../../../contract/hr/wecom.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { matchPeople } from '../staff/match-people.ts'

/**
 * Activates licences (protocols wecom, 8.8) for people of the acting company whose last message failed because they had
 * none: one code each, in the order in which they failed. A code that WeCom did not take is counted by WeCom's code; the
 * same codes may be given again. The codes are not kept. Refuses with `wecom_not_connected`, and with `state_conflict`
 * for a self-built app, which needs none; throws OutsideError.
 */
export async function activateLicences(
  edge: Edge,
  codes: readonly string[],
): Promise<z.input<typeof LicencesActivated>> {
  const companyId = companyOf(edge.actor)
  const { app, people } = await edge.read(async (tx) => ({
    app: (await readWecomApp(tx, companyId)) ?? refuse('wecom_not_connected'),
    people: await readUnlicensed(tx, companyId, codes.length),
  }))
  if (app.suiteId === null) refuse('state_conflict')
  const matches = await matchPeople(edge, companyId, people)
  const known = people.flatMap((id) => {
    const match = matches.get(id)
    return match !== undefined && 'userid' in match ? [match.userid] : []
  })
  const list = known.map((userid, index) => ({ userid, activeCode: codes[index]! }))
  const failed = await edge.ports.wecom.activateLicences(app, list)
  const refused = new Map<string, number>()
  for (const code of failed.values()) refused.set(code, (refused.get(code) ?? 0) + 1)
  const activated = list.length - failed.size
  await edge.tx((tx) => trail(tx, { objectId: companyId, act: 'company.licences', note: `${activated}` }))
  return {
    activated,
    unused: codes.length - list.length,
    refused: [...refused].map(([code, count]) => ({ code, count })),
  }
}

/** How many people of a company cannot be reached for want of a licence, as far as messages have told. */
export async function countUnlicensed(tx: Tx): Promise<number> {
  const rows = await sql<{ n: unknown }>(
    tx.em,
    `select count(distinct d.person_id) as n from delivery d join person on person.id = d.person_id
      where d.company_id = ? and d.state = 'failed' and d.reason = 'unlicensed' and person.state = 'active'`,
    [companyOf(tx.actor)],
  )
  return Number(rows[0]?.n ?? 0)
}

async function readUnlicensed(tx: Tx, companyId: Id<'company'>, most: number): Promise<Id<'person'>[]> {
  const rows = await sql<{ id: Id<'person'> }>(
    tx.em,
    `select d.person_id as id, min(d.id) as first from delivery d join person on person.id = d.person_id
      where d.company_id = ? and d.state = 'failed' and d.reason = 'unlicensed' and person.state = 'active'
      group by d.person_id order by first limit ?`,
    [companyId, most],
  )
  return rows.map((row) => row.id)
}
