import type { Id } from '../../../contract/ids.ts'
import type { WecomCallback, WecomCallbackQuery, WecomValue } from '../../channels/ports.ts'
import { coalesce } from '../../kernel/coalesce.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import type { House } from '../../kernel/house.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, insertIgnore, sql } from '../../kernel/sql.ts'
import { cancelConnection } from './cancel-connection.ts'
import { keepTicket } from './keep-ticket.ts'
import { readKeysOf, type CallbackSource } from './read-callback-keys.ts'
import { messagePlace } from './read-event.ts'

/** Under the second that WeCom allows a suite's commands, however many come at once (protocols wecom, 2.5). */
const MOST_AT_ONCE = 200
const MOST_WAITING = 5_000
/** Kinds that are worked at once: a person waits, or a code dies within minutes. */
const urgent = new Set(['template_card_event', 'create_auth', 'reset_permanent_code'])

/**
 * Takes one callback of WeCom: verified and opened, then stored as it came together with the job that works it, in one
 * short transaction; nothing else happens before the answer. The same text counts once, however often it comes. A ticket
 * is kept and a withdrawn authorisation ends in that same transaction. Refuses with `not_found`; throws NoticeRefused.
 */
export async function receiveCallback(
  edge: Edge,
  source: CallbackSource,
  query: WecomCallbackQuery,
  raw: Buffer,
): Promise<'success'> {
  const keys = await readKeysOf(edge, source, 'event')
  const opened = edge.ports.wecom.openCallback(keys, query, raw)
  await queueOf(edge)({ edge, source, opened, command: commandOf(edge, source, opened) })
  return 'success'
}

/** What a command of a suite says about an install, read while no transaction is open. */
interface Command {
  readonly corpId: string | null
  readonly ticket: string | null
  readonly atMs: number
}

interface Received {
  readonly edge: Edge
  readonly source: CallbackSource
  readonly opened: WecomCallback
  readonly command: Command | null
}

type Queue = (received: Received) => Promise<null>
const queues = new WeakMap<House, Queue>()

/** One queue for each house: what comes while a transaction runs goes together into the next. */
function queueOf(edge: Edge): Queue {
  const known = queues.get(edge.house)
  if (known) return known
  const made = coalesce<Received, null>({
    most: MOST_AT_ONCE,
    atOnce: 1,
    waiting: MOST_WAITING,
    doMany: (many) => many[0]!.edge.tx((tx) => storeAll({ ...tx, actor: { kind: 'system', name: 'wecom' } }, many)),
  })
  queues.set(edge.house, made)
  return made
}

async function storeAll(tx: Tx, many: readonly Received[]): Promise<null[]> {
  for (const one of many) await store(tx, one)
  return many.map(() => null)
}

async function store(tx: Tx, received: Received): Promise<void> {
  const { source, opened, command } = received
  const companyId = await companyOf(tx, received)
  const owner = source.kind === 'app' ? source.companyId : source.suiteId
  const contentIndex = tx.house.seal.blindIndex('wecom.event', `${source.kind}\0${owner}\0${opened.message}`)
  const id = tx.newId('wecomEvent')
  await insertIgnore(tx.em, 'wecom_event', [
    {
      id,
      company_id: companyId,
      suite_id: source.kind === 'app' ? null : source.suiteId,
      content_index: contentIndex,
      kind: opened.kind,
      change_type: opened.changeType,
      message_sealed: tx.house.seal.seal(messagePlace(id), opened.message),
      state: 'received',
      copies: 1,
      received_at_ms: tx.clock.now(),
    },
  ])
  const [kept] = await sql<{ id: string }>(tx.em, 'select id from wecom_event where content_index = ?', [contentIndex])
  if (kept?.id !== id) {
    await change(tx.em, 'update wecom_event set copies = copies + 1 where content_index = ?', [contentIndex])
    return
  }
  if (command !== null && (await doneAtOnce(tx, source, opened, command)))
    await change(tx.em, "update wecom_event set state = 'done', done_at_ms = ? where id = ?", [tx.clock.now(), id])
  else await enqueue(tx, [jobOf(id, opened)])
}

const jobOf = (eventId: Id<'wecomEvent'>, { kind, message }: WecomCallback) => ({
  kind: 'wecom.event',
  key: `wecom.event:${eventId}`,
  args: { eventId },
  lane: urgent.has(kind) || /<WelcomeCode>/i.test(message) ? ('fast' as const) : ('small' as const),
})

/** A ticket is all of its event, so that it outlives a cold start; a withdrawal stops the sending before the answer. */
async function doneAtOnce(tx: Tx, source: CallbackSource, opened: WecomCallback, command: Command): Promise<boolean> {
  if (source.kind !== 'command') return false
  const { suiteId } = source
  const { corpId, ticket, atMs } = command
  if (opened.kind === 'suite_ticket' && ticket !== null) {
    await keepTicket(tx, { suiteId, ticket, atMs })
    return true
  }
  return opened.kind === 'cancel_auth' && corpId !== null && (await cancelConnection(tx, { suiteId, corpId, atMs }))
}

/** The company that it is about, as far as we know it already. */
async function companyOf(tx: Tx, { source, command }: Received): Promise<Id<'company'> | null> {
  if (source.kind === 'app') return source.companyId
  const corpId = source.kind === 'data' ? source.corpId : (command?.corpId ?? null)
  if (corpId === null) return null
  const [row] = await sql<{ id: Id<'company'> }>(
    tx.em,
    'select company_id as id from wecom_connection where corp_id = ? and suite_id = ?',
    [corpId, source.suiteId],
  )
  return row?.id ?? null
}

function commandOf(edge: Edge, source: CallbackSource, opened: WecomCallback): Command | null {
  if (source.kind !== 'command' || opened.kind === 'other') return null
  const fields = edge.ports.wecom.readEvent(opened.message)
  const seconds = Number(textOf(fields['TimeStamp']) ?? NaN)
  return {
    corpId: textOf(fields['AuthCorpId']),
    ticket: textOf(fields['SuiteTicket']),
    atMs: Number.isSafeInteger(seconds) ? seconds * 1000 : edge.clock.now(),
  }
}

const textOf = (value: WecomValue | undefined): string | null =>
  typeof value === 'string' && value !== '' ? value : null
