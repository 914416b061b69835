import { createHash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { sealCallback } from './callback-seal.ts'
import type { CallbackState, Delivery, Endpoint } from './callback-state.ts'
import { bareChangeType, writeXml, type XmlElements } from './event-xml.ts'
import { fakeId, takeFault, type Fault, type WecomState } from './state.ts'

/** WeCom waits five seconds for the answer to an event, one for those of 2.5. */
const ANSWER_MS = 5_000
const QUICK_MS = 1_000
const QUICK: readonly string[] = ['create_auth', 'change_auth', 'cancel_auth', 'reset_permanent_code']
/** Three tries after the first; how far apart they are is not published. */
const RETRY_MS = [5_000, 5_000, 5_000]
const HOLD_MS = 10_000
const STALE_MS = 3_600_000
const MOST_DELIVERIES = 20_000
/** So many posts are out at once; WeCom's own number is not published. */
const MOST_POSTING = 64
const crookedKinds = [
  'callback_wrong_signature',
  'callback_stale',
  'callback_wrong_receiver',
  'callback_truncate',
] as const

/** An event before it is written. `from` is the member it is about, `sys` in app shape for those of the system. */
export interface EventText {
  /** Event in app shape, InfoType in suite shape. */
  readonly name: string
  readonly changeType?: string
  readonly from?: string
  readonly elements?: XmlElements
  /** Whether the event itself names the app, as those of 2.10 do that come from using it. */
  readonly ofApp?: boolean
  /** In suite shape: the company it is about. Ticket and codes name none. */
  readonly authCorpId?: string
}

/**
 * Puts an event on its way: written in the endpoint's shape (2.10, 8.4), signed and encrypted, posted in the background
 * and never inside the call that caused it, repeated with the same text when nobody took it.
 */
export function sendEvent(state: WecomState, to: Endpoint, event: EventText): Delivery {
  const written = to.shape === 'command' ? suiteText(state.clock, to, event) : appText(state.clock, to, event)
  const topic = event.changeType ?? event.name
  const bare = takeEventFault(state, ['callback_bare_change_type'], topic) !== null
  const delivery: Delivery = {
    id: fakeId('EVENT', 8),
    event: event.name,
    changeType: event.changeType ?? null,
    userid: event.from ?? '',
    url: to.callback.url,
    shape: to.shape,
    receiveId: to.receiveId,
    plain: bare ? bareChangeType(written) : written,
    atMs: state.now(),
    tries: [],
    error: null,
    state: 'waiting',
  }
  to.log.unshift(delivery)
  if (to.log.length > MOST_DELIVERIES) to.log.length = MOST_DELIVERIES
  if (takeEventFault(state, ['callback_unknown'], topic))
    sendEvent(state, to, { ...event, name: 'sandbox_unknown', elements: { Surprise: '1' } })
  const wait = takeEventFault(state, ['callback_delay'], topic)?.delayMs ?? 0
  state.clock.later(wait, () => begin(state, to, delivery))
  return delivery
}

/** Uses up a fault of an event: one that is meant for every event, or for those of this name or ChangeType. */
function takeEventFault(state: WecomState, kinds: readonly Fault['kind'][], topic: string): Fault | null {
  return takeFault(state, kinds, null) ?? takeFault(state, kinds, topic)
}

function appText(clock: Clock, to: Endpoint, event: EventText): string {
  return writeXml({
    ToUserName: to.toUserName,
    FromUserName: event.from ?? 'sys',
    CreateTime: Math.floor(clock.wall() / 1000),
    MsgType: 'event',
    Event: event.name,
    ...(event.changeType === undefined ? {} : { ChangeType: event.changeType }),
    ...event.elements,
    ...(event.ofApp && to.agentId !== null ? { AgentID: to.agentId } : {}),
  })
}

function suiteText(clock: Clock, to: Endpoint, event: EventText): string {
  return writeXml({
    SuiteId: to.toUserName,
    ...(event.authCorpId === undefined ? {} : { AuthCorpId: event.authCorpId }),
    InfoType: event.name,
    TimeStamp: Math.floor(clock.wall() / 1000),
    ...(event.changeType === undefined ? {} : { ChangeType: event.changeType }),
    ...event.elements,
  })
}

const topicOf = (delivery: Delivery) => delivery.changeType ?? delivery.event

async function begin(state: WecomState, to: Endpoint, delivery: Delivery): Promise<void> {
  const { callbacks } = state.outer
  const held = takeEventFault(state, ['callback_reorder'], topicOf(delivery))
  if (!held) return attempt(state, to, delivery, 0)
  callbacks.held.push(() => attempt(state, to, delivery, 0))
  if (held.left <= 0) return release(callbacks)
  state.clock.later(HOLD_MS, () => release(callbacks))
}

/** Sends what was held back, the newest first. */
async function release(callbacks: CallbackState): Promise<void> {
  const held = callbacks.held.splice(0).reverse()
  for (const send of held) await send()
}

/** One try, and the next one later when it failed. The text stays the same, the signature is new each time. */
async function attempt(state: WecomState, to: Endpoint, delivery: Delivery, tries: number): Promise<void> {
  const { callbacks } = state.outer
  const topic = topicOf(delivery)
  const failures = callbacks.failures.get(to.callback.url) ?? 0
  const barred = callbacks.dropAfter !== null && failures >= callbacks.dropAfter
  if (barred || takeEventFault(state, ['callback_lose'], topic)) {
    delivery.state = 'lost'
    return
  }
  const crooked = takeEventFault(state, crookedKinds, topic)
  const copies = takeEventFault(state, ['callback_repeat'], topic)?.copies ?? 1
  const sent = Array.from({ length: copies }, () => post(state, to, delivery, crooked?.kind ?? null))
  const answers = await Promise.all(sent)
  delivery.tries.push(...answers.map(({ text: _text, ...one }) => one))
  const taken = answers.find((one) => one.status === 200)
  if (taken) return settle(callbacks, to, delivery, taken.text)
  const again = callbacks.retryWrongStatus || answers.some((one) => one.status === 0)
  const waitMs = again ? RETRY_MS[tries] : undefined
  if (waitMs !== undefined) return state.clock.later(waitMs, () => attempt(state, to, delivery, tries + 1))
  delivery.state = 'given up'
  callbacks.failures.set(to.callback.url, failures + 1)
}

/** Somebody answered 200. A command callback must say `success`, the two others may say what they like (2.5). */
function settle(callbacks: CallbackState, to: Endpoint, delivery: Delivery, text: string): void {
  callbacks.failures.delete(to.callback.url)
  const right = to.shape !== 'command' || text === 'success'
  delivery.state = right ? 'taken' : 'refused'
  if (!right) delivery.error = `not "success": ${JSON.stringify(text.slice(0, 100))}`
}

async function post(
  state: WecomState,
  to: Endpoint,
  delivery: Delivery,
  crooked: Fault['kind'] | null,
): Promise<Delivery['tries'][number] & { readonly text: string }> {
  const receiveId = crooked === 'callback_wrong_receiver' ? 'wwsomebodyelse' : to.receiveId
  const wallMs = state.clock.wall() - (crooked === 'callback_stale' ? STALE_MS : 0)
  const { query, encrypted } = sealCallback(to.callback, delivery.plain, receiveId, wallMs)
  if (crooked === 'callback_wrong_signature') query.msg_signature = createHash('sha1').update(encrypted).digest('hex')
  const whole = writeXml({ ToUserName: to.toUserName, AgentID: String(to.agentId ?? ''), Encrypt: encrypted })
  const body = crooked === 'callback_truncate' ? whole.slice(0, Math.floor(whole.length / 2)) : whole
  const quick = to.shape === 'command' && QUICK.includes(delivery.event)
  const leave = await enter(state.outer.callbacks)
  const began = performance.now()
  const { status, text } = await ask(withQuery(to.callback.url, { ...query }), body, quick ? QUICK_MS : ANSWER_MS)
    .catch(() => ({ status: 0, text: '' }))
    .finally(leave)
  return { status, text, tookMs: Math.round(performance.now() - began), crooked }
}

/** Waits until fewer than the most are out; what it answers lets the next one go. */
async function enter(callbacks: CallbackState): Promise<() => void> {
  if (callbacks.posting >= MOST_POSTING) await new Promise<void>((resolve) => callbacks.queue.push(resolve))
  else callbacks.posting += 1
  return () => {
    const next = callbacks.queue.shift()
    if (next) next()
    else callbacks.posting -= 1
  }
}

/** An address with values added to its query. */
export function withQuery(url: string, query: Record<string, string>): string {
  const address = new URL(url)
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value)
  return address.href
}

/** Asks an address and waits no longer than `timeoutMs`; throws when nothing came. */
export async function ask(
  url: string,
  body: string | null,
  timeoutMs: number,
): Promise<{ status: number; text: string }> {
  const answer = await fetch(url, {
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === null ? {} : { method: 'POST', body, headers: { 'content-type': 'text/xml' } }),
  })
  return { status: answer.status, text: (await answer.text()).slice(0, 10_000) }
}
