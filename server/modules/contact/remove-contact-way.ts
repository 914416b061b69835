import type { Id } from '../../../contract/ids.ts'
import { contactWayMoves } from '../../../contract/states.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { sql } from '../../kernel/sql.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { contactLimits, removedSite } from './rules.ts'
import { ContactWay } from './tables.ts'

/**
 * Ends a QR code of the actor's company: its page closes at once, its members are forgotten, and WeCom's place is given
 * back by a job. The site may have a new one. Refuses with `state_conflict` when it was ended before.
 */
export async function removeContactWay(tx: Tx, id: Id<'contactWay'>): Promise<void> {
  const way = await findOwn(tx, ContactWay, id)
  if (!(await end(tx, way))) refuse('state_conflict')
}

/** Tries a QR code again that WeCom refused. Refuses with `state_conflict` for any other. */
export async function retryContactWay(tx: Tx, id: Id<'contactWay'>): Promise<void> {
  const way = await findOwn(tx, ContactWay, id)
  if (way.state !== 'failed') refuse('state_conflict')
  const step = { table: 'contact_way', id, from: 'failed', to: 'planned', moves: contactWayMoves }
  if (!(await move(tx, { ...step, set: { code: null } }))) refuse('state_conflict')
  const key = `contact-way.make:${id}:${way.version + 1}`
  await enqueue(tx, [{ kind: 'contact-way.make', key, args: { contactWayId: id } }])
}

/** QR codes of one transaction. */
const BATCH = 100

/**
 * Ends QR codes whose time is over: 90 days, or everybody of the campaign has their card; who lost the message
 * only, by a recall, still claims here. Returns how many; call again until there are none.
 */
export async function endContactWays(tx: Tx): Promise<number> {
  const rows = await sql<{ id: Id<'contactWay'>; state: 'planned' | 'active' | 'failed'; site: string; adds: unknown }>(
    tx.em,
    `select way.id as id, way.state as state, way.site as site, way.adds as adds from contact_way way
      where way.state <> 'removed' and (way.created_at_ms < ? or (
        exists (select 1 from delivery where delivery.campaign_id = way.campaign_id) and
        not exists (select 1 from delivery where delivery.campaign_id = way.campaign_id
          and (delivery.state not in ('opened', 'claimed', 'revoked') or delivery.reason in ('recalled', 'person_returned')))))
      order by way.id limit ${BATCH}`,
    [tx.clock.now() - contactLimits.wayLifeMs],
  )
  for (const row of rows) await end(tx, { ...row, adds: readSum(row.adds) === 1 })
  return rows.length
}

async function end(
  tx: Tx,
  way: {
    readonly id: Id<'contactWay'>
    readonly state: keyof typeof contactWayMoves
    readonly site: string
    readonly adds: boolean
  },
): Promise<boolean> {
  if (way.state === 'removed') return false
  const set = { members_sealed: null, site: removedSite(way.site, way.id) }
  const step = { table: 'contact_way', id: way.id, from: way.state, to: 'removed', moves: contactWayMoves }
  if (!(await move(tx, { ...step, set }))) return false
  if (way.adds)
    await enqueue(tx, [
      { kind: 'contact-way.delete', key: `contact-way.delete:${way.id}`, args: { contactWayId: way.id } },
    ])
  return true
}
