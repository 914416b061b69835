import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, insertIgnore, sql } from '../../kernel/sql.ts'
import { LEASE_MS } from './rules.ts'

/** The turn of one job at an address. */
export interface Turn {
  readonly token: string
  /** The server gave no answer when it was last asked. */
  readonly silent: boolean
}

/**
 * Takes the turn at an address, or keeps the one that is had (`mine`). Null while it is another job's: that one sends
 * what is due, and should it have died, a job comes when its turn is over.
 */
export async function takeTurn(tx: Tx, endpointId: Id<'webhookEndpoint'>, mine: Turn | null): Promise<Turn | null> {
  const now = tx.clock.now()
  const token = tx.random(16).toString('hex')
  const untilMs = now + LEASE_MS
  if (mine === null)
    await insertIgnore(tx.em, 'webhook_turn', [
      { endpoint_id: endpointId, token: '', until_ms: 0, queued_for_ms: 0, silent: 0 },
    ])
  const taken = await change(
    tx.em,
    'update webhook_turn set token = ?, until_ms = ? where endpoint_id = ? and (until_ms <= ? or token = ?)',
    [token, untilMs, endpointId, now, mine?.token ?? '-'],
  )
  const [row] = await sql<{ untilMs: unknown; silent: unknown }>(
    tx.em,
    'select until_ms as untilMs, silent from webhook_turn where endpoint_id = ?',
    [endpointId],
  )
  if (taken === 1) return { token, silent: Number(row?.silent) === 1 }
  await queueAt(tx, endpointId, Number(row?.untilMs), 'held')
  return null
}

/** Remembers whether the server answers. */
export async function noteSilence(tx: Tx, endpointId: Id<'webhookEndpoint'>, silent: boolean): Promise<void> {
  await change(tx.em, 'update webhook_turn set silent = ? where endpoint_id = ?', [silent ? 1 : 0, endpointId])
}

/**
 * Gives the turn up and sees to it that a job comes when the next event is due, one however many gave their turn up. It
 * holds the turn's row before it looks: whoever was turned away before that had written down what is found here. For a
 * paused address no job comes; resuming it queues one.
 */
export async function giveUpTurn(
  tx: Tx,
  endpointId: Id<'webhookEndpoint'>,
  turn: Turn,
  state: 'active' | 'paused',
): Promise<void> {
  const mine = await change(
    tx.em,
    "update webhook_turn set token = '', until_ms = 0 where endpoint_id = ? and token = ?",
    [endpointId, turn.token],
  )
  if (mine !== 1 || state === 'paused') return
  const [next] = await sql<{ at: unknown; queuedFor: unknown }>(
    tx.em,
    `select delivery.next_at_ms as at, turn.queued_for_ms as queuedFor
      from webhook_delivery delivery join webhook_turn turn on turn.endpoint_id = delivery.endpoint_id
      where delivery.endpoint_id = ? and delivery.state = 'waiting' order by delivery.next_at_ms limit 1`,
    [endpointId],
  )
  if (next === undefined) return
  const [at, queuedFor] = [Number(next.at), Number(next.queuedFor)]
  if (queuedFor > tx.clock.now() && queuedFor <= at) return
  await queueAt(tx, endpointId, at, tx.newId('job'))
  await change(tx.em, 'update webhook_turn set queued_for_ms = ? where endpoint_id = ?', [at, endpointId])
}

/** `cause` and instant make the key: the same ones queue once. */
async function queueAt(tx: Tx, endpointId: Id<'webhookEndpoint'>, readyAtMs: number, cause: string): Promise<void> {
  const key = `webhook.deliver:${endpointId}:${readyAtMs}:${cause}`
  await enqueue(tx, [{ kind: 'webhook.deliver', key, args: { endpointId }, readyAtMs, lane: 'webhook' }])
}
