import type { Id } from '../../../contract/ids.ts'
import { webhookMoves } from '../../../contract/states.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { move, moveMany } from '../../kernel/move.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change, sql } from '../../kernel/sql.ts'
import { readWebhookTarget } from '../merchant/read-webhooks.ts'
import { GIVE_UP_MS, restOf, waitOf } from './rules.ts'
import { giveUpTurn, noteSilence, takeTurn, type Turn } from './take-turn.ts'

/** Events on their way to one server at once. */
const AT_ONCE = 20
/** A job gives way after so long; what is left is another's. */
const SPELL_MS = 20_000
/** Events that one transaction gives up. */
const GIVEN_UP_AT_ONCE = 500

interface Due {
  readonly id: Id<'webhookDelivery'>
  readonly event: string
  readonly body: string
  readonly version: number
  readonly attempts: number
  readonly sinceMs: number
}
type Answer = { readonly status: number; readonly fault: null } | { readonly status: null; readonly fault: string }

/**
 * Sends what is due to an address, some at once, one job at a time: anything but 2xx comes again later, for a day, and is
 * then given up. A server that gives no answer is asked with one event at a time, and all that wait for it rest
 * meanwhile. Whatever is cut off between the call and its record is sent again: an event may come twice, under the same
 * id. A paused address is left alone.
 */
export async function deliverEvents(edge: Edge, endpointId: Id<'webhookEndpoint'>): Promise<void> {
  const until = performance.now() + SPELL_MS
  let turn = await edge.tx((tx) => takeTurn(tx, endpointId, null))
  while (turn !== null) {
    const mine: Turn = turn
    const found = await edge.read((tx) => readDue(tx, endpointId, mine.silent))
    if (found === null || found.due.length === 0 || performance.now() >= until)
      return edge.tx((tx) => giveUpTurn(tx, endpointId, mine, found === null ? 'paused' : 'active'))
    const answers = await Promise.all(found.due.map((one) => send(edge, found.target, one)))
    turn = await edge.tx(async (tx) => {
      await record(tx, endpointId, found.due, answers)
      return takeTurn(tx, endpointId, mine)
    })
  }
}

/** The events that are due to whoever has the turn: of a silent server one. Null: the address is paused. */
async function readDue(tx: Tx, endpointId: Id<'webhookEndpoint'>, silent: boolean) {
  const target = await readWebhookTarget(tx, endpointId)
  if (target === null) return null
  const rows = await sql<Record<'id' | 'event' | 'body', string> & Record<'version' | 'attempts' | 'sinceMs', unknown>>(
    tx.em,
    `select id, event, body, version, attempts, since_ms as sinceMs from webhook_delivery
      where endpoint_id = ? and state = 'waiting' and next_at_ms <= ? order by next_at_ms, id
      limit ${silent ? 1 : AT_ONCE}`,
    [endpointId, tx.clock.now()],
  )
  const due = rows.map(({ id, event, body, ...row }): Due => {
    const facts = { version: Number(row.version), attempts: Number(row.attempts), sinceMs: Number(row.sinceMs) }
    return { id: id as Due['id'], event, body, ...facts }
  })
  return { target, due }
}

async function send(edge: Edge, target: { readonly url: string; readonly secret: string }, one: Due): Promise<Answer> {
  try {
    const { status } = await edge.ports.webhook.send({ ...target, eventId: one.id, event: one.event, body: one.body })
    return { status, fault: null }
  } catch (error) {
    if (error instanceof OutsideError) return { status: null, fault: error.code.slice(0, 40) }
    throw error
  }
}

async function record(
  tx: Tx,
  endpointId: Id<'webhookEndpoint'>,
  due: readonly Due[],
  answers: readonly Answer[],
): Promise<void> {
  const now = tx.clock.now()
  for (const [index, one] of due.entries()) {
    const { status, fault } = answers[index]!
    const facts = { attempts: one.attempts + 1, last_status: status, last_fault: fault }
    const step = { table: 'webhook_delivery', id: one.id, from: 'waiting', moves: webhookMoves }
    if (status !== null && status >= 200 && status < 300)
      await move(tx, { ...step, to: 'delivered', set: { ...facts, delivered_at_ms: now } })
    else if (now - one.sinceMs >= GIVE_UP_MS) await move(tx, { ...step, to: 'failed', set: facts })
    else
      await change(
        tx.em,
        `update webhook_delivery set attempts = ?, last_status = ?, last_fault = ?, next_at_ms = ?, version = version + 1
          where id = ? and version = ? and state = 'waiting'`,
        [facts.attempts, status, fault, now + waitOf(now - one.sinceMs), one.id, one.version],
      )
  }
  const silent = due.filter((_one, index) => answers[index]!.fault !== null)
  await noteSilence(tx, endpointId, silent.length > 0)
  if (silent.length > 0) await letRest(tx, endpointId, Math.min(...silent.map((one) => one.sinceMs)))
}

/** Nothing is sent to a server that gave no answer for a while; what has waited for a day is given up. */
async function letRest(tx: Tx, endpointId: Id<'webhookEndpoint'>, sinceMs: number): Promise<void> {
  const now = tx.clock.now()
  const old = await sql<{ id: string }>(
    tx.em,
    `select id from webhook_delivery where endpoint_id = ? and state = 'waiting' and since_ms <= ? and next_at_ms <= ?
      order by id limit ${GIVEN_UP_AT_ONCE}`,
    [endpointId, now - GIVE_UP_MS, now],
  )
  if (old.length > 0)
    await moveMany(tx, { table: 'webhook_delivery', from: 'waiting', to: 'failed', moves: webhookMoves, steps: old })
  const until = now + restOf(now - sinceMs)
  await change(
    tx.em,
    "update webhook_delivery set next_at_ms = ? where endpoint_id = ? and state = 'waiting' and next_at_ms <= ?",
    [until, endpointId, now],
  )
}
