import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'

const HOUR_MS = 3_600_000
/** Longer than WeCom's longest window of a member, and than the 4 hours in which bytes are repeated. */
const SENDS_MS = 5 * HOUR_MS
const BODIES_MS = 24 * HOUR_MS
/** A card can be changed for 72 hours. */
const CODES_MS = 72 * HOUR_MS
const AT_ONCE = 1000

/**
 * Job `deliveries.forget`: erases what only served the sending: bodies with their userids after a day, who was counted
 * for a limit after some hours, and the codes of cards after three days. Returns how many rows it touched; 0: done.
 */
export async function forgetDeliveries(tx: Tx): Promise<number> {
  const now = tx.clock.now()
  const none = Buffer.alloc(0)
  const bodies = await erase(tx, {
    table: 'delivery_batch',
    where: "state <> 'planned' and created_at_ms < ? and length(people_sealed) > 0",
    values: [now - BODIES_MS],
    set: 'body_sealed = ?, people_sealed = ?',
    to: [none, none],
  })
  const cards = await erase(tx, {
    table: 'notification',
    where: "state not in ('planned', 'sending') and created_at_ms < ? and body_sealed is not null",
    values: [now - BODIES_MS],
    set: 'body_sealed = null',
    to: [],
  })
  const codes = await erase(tx, {
    table: 'notification',
    where: 'response_code_at_ms < ? and response_code_sealed is not null',
    values: [now - CODES_MS],
    set: 'response_code_sealed = null',
    to: [],
  })
  return bodies + cards + codes + (await dropSends(tx, now - SENDS_MS))
}

/**
 * Erases all of a company that a message named: bodies, receivers, codes and counts. The deliveries stay, by pseudonym.
 * A bounded piece at a time; returns how many rows it touched, 0: done.
 */
export async function forgetMessages(tx: Tx, companyId: Id<'company'>): Promise<number> {
  const none = Buffer.alloc(0)
  const bodies = await erase(tx, {
    table: 'delivery_batch',
    where: "company_id = ? and state <> 'planned' and length(people_sealed) > 0",
    values: [companyId],
    set: 'body_sealed = ?, people_sealed = ?',
    to: [none, none],
  })
  const cards = await erase(tx, {
    table: 'notification',
    where:
      "company_id = ? and state not in ('planned', 'sending') and (body_sealed is not null or response_code_sealed is not null)",
    values: [companyId],
    set: 'body_sealed = null, response_code_sealed = null',
    to: [],
  })
  return bodies + cards + (await dropSendsOf(tx, companyId))
}

interface Erasing {
  readonly table: 'delivery_batch' | 'notification'
  readonly where: string
  readonly values: readonly unknown[]
  readonly set: string
  readonly to: readonly unknown[]
}

async function erase(tx: Tx, { table, where, values, set, to }: Erasing): Promise<number> {
  const rows = await sql<{ id: string }>(tx.em, `select id from ${table} where ${where} order by id limit ?`, [
    ...values,
    AT_ONCE,
  ])
  if (rows.length === 0) return 0
  const ids = rows.map(({ id }) => id)
  return change(tx.em, `update ${table} set ${set} where id in (${ids.map(() => '?').join(',')})`, [...to, ...ids])
}

/** From the oldest on, about a thousand at a time: those of one call were counted at one instant. */
async function dropSends(tx: Tx, before: number): Promise<number> {
  const [last] = await sql<{ atMs: unknown }>(
    tx.em,
    `select at_ms as atMs from member_send where at_ms < ? order by at_ms limit 1 offset ${AT_ONCE}`,
    [before],
  )
  return change(tx.em, 'delete from member_send where at_ms <= ?', [last ? Number(last.atMs) : before - 1])
}

/** Member by member, about a thousand rows at a time. */
async function dropSendsOf(tx: Tx, companyId: Id<'company'>): Promise<number> {
  const [last] = await sql<{ who: string }>(
    tx.em,
    `select user_id_index as who from member_send where company_id = ? order by user_id_index limit 1 offset ${AT_ONCE}`,
    [companyId],
  )
  const some = last === undefined ? '' : 'and user_id_index <= ?'
  const values = last === undefined ? [companyId] : [companyId, last.who]
  return change(tx.em, `delete from member_send where company_id = ? ${some}`, values)
}
