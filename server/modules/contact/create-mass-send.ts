import type { Id } from '../../../contract/ids.ts'
import { massSendMoves } from '../../../contract/states.ts'
import type { WecomApp } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change } from '../../kernel/sql.ts'
import { breakConnection } from '../company/break-connection.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { markOf } from './make-mass-send.ts'
import { isDeadCredential } from './rules.ts'
import { openMassSend } from './seal-contact.ts'
import { MassSend } from './tables.ts'

/** WeCom's clock and ours may differ by so much when a task is looked for by its time. */
const AROUND_MS = 10 * 60_000
const FIRST_ASK_MS = 60_000

/**
 * Job `mass-send.create`: hands a mass-sending task to WeCom with the bytes that were stored. What an earlier call
 * without an answer may have made is looked for among the tasks of that time before it is repeated: members never find
 * the same task twice. Throws OutsideError where it must be tried again; what WeCom refuses leaves it `failed`.
 */
export async function createMassSend(edge: Edge, id: Id<'massSend'>): Promise<void> {
  const begun = await edge.tx((tx) => begin(tx, id))
  if (begun === null) return
  const { app, row, doubtfulSinceMs } = begun
  try {
    const found = doubtfulSinceMs === null ? null : await findMade(edge, app, id, doubtfulSinceMs)
    const made = found ?? (await edge.ports.wecom.createMassSend(app, openMassSend(edge.house, row)))
    await edge.tx((tx) => recordMade(tx, row, made))
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    edge.log.warn({ massSendId: id, code: error.code, outcome: error.outcome }, 'a mass-sending task was not made')
    if (error.outcome === 'unknown' || error.outcome === 'busy') throw error
    await edge.tx(async (tx) => {
      await fail(tx, id, error.code)
      if (isDeadCredential(error.code)) await breakConnection(tx, row.companyId, error.code)
    })
  }
}

/** Writes that a call is about to be made. `askedAtMs` of a planned task is the instant of the first one. */
async function begin(tx: Tx, id: Id<'massSend'>) {
  const row = await tx.em.findOne(MassSend, { id }, { disableIdentityMap: true })
  if (row === null || row.state !== 'planned') return null
  const app = await readWecomApp(tx, row.companyId)
  if (app === null) {
    await fail(tx, id, 'not_connected')
    return null
  }
  const doubtfulSinceMs = row.askedAtMs ?? null
  if (doubtfulSinceMs === null)
    await change(tx.em, 'update mass_send set asked_at_ms = ? where id = ?', [tx.clock.now(), id])
  return { app, row, doubtfulSinceMs }
}

async function findMade(edge: Edge, app: WecomApp, id: Id<'massSend'>, sinceMs: number) {
  const window = { fromMs: sinceMs - AROUND_MS, toMs: edge.clock.now() + AROUND_MS }
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof edge.ports.wecom.massSends>> = await edge.ports.wecom.massSends(
      app,
      window,
      cursor,
    )
    const found = page.items.find((one) => one.text.includes(markOf(id)))
    if (found !== undefined) return { messageId: found.messageId, failed: [] as readonly string[] }
    cursor = page.next
  } while (cursor !== null)
  return null
}

async function recordMade(
  tx: Tx,
  row: { readonly id: Id<'massSend'>; readonly targets: number },
  made: { readonly messageId: string; readonly failed: readonly string[] },
): Promise<void> {
  // Whom WeCom does not take is no friend of any member any more.
  const lost = Math.min(made.failed.length, row.targets)
  const set = { message_id: made.messageId, not_friends: lost, waiting: row.targets - lost, code: null }
  const step = { table: 'mass_send', id: row.id, from: 'planned', to: 'created', moves: massSendMoves }
  if (!(await move(tx, { ...step, set }))) return
  const key = `mass-send.poll:${row.id}:0`
  const readyAtMs = tx.clock.now() + FIRST_ASK_MS
  await enqueue(tx, [{ kind: 'mass-send.poll', key, args: { massSendId: row.id, round: 0 }, readyAtMs }])
}

async function fail(tx: Tx, id: Id<'massSend'>, code: string): Promise<void> {
  const step = { table: 'mass_send', id, from: 'planned', to: 'failed', moves: massSendMoves }
  await move(tx, { ...step, set: { code: code.slice(0, 40) }, note: code.slice(0, 40) })
}
