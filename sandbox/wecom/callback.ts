import { randomBytes } from 'node:crypto'
import { sealCallback, type SealKeys } from './callback-seal.ts'
import type { Delivery, Endpoint, SavedCallback } from './callback-state.ts'
import { corpIdFor, userIdFor } from './ids.ts'
import { ask, sendEvent, withQuery, type EventText } from './send-event.ts'
import { fakeId, type App, type Corp, type WecomState } from './state.ts'
import type { Suite } from './suite-state.ts'

/** WeCom waits a second for the echo of a verification (protocol sheet 2.4). */
const ECHO_MS = 1_000

/** The events that can be sent by hand. */
export const eventNames = [
  'enter_agent',
  'click',
  'view',
  'template_card_event',
  'subscribe',
  'unsubscribe',
  'sandbox_unknown',
] as const
export type EventName = (typeof eventNames)[number]

/** Why a callback address was not saved. */
export type CallbackRefusal = 'no_answer' | 'wrong_status' | 'wrong_echo'

/** Asks an address whether it is ours: it must answer the plain text within a second, exactly. */
async function verify(
  state: WecomState,
  form: SealKeys & { readonly url: string },
  receiveId: string,
): Promise<CallbackRefusal | null> {
  const echo = String(randomBytes(6).readUIntBE(0, 6))
  const { query, encrypted } = sealCallback(form, echo, receiveId, state.clock.wall())
  try {
    const answer = await ask(withQuery(form.url, { ...query, echostr: encrypted }), null, ECHO_MS)
    if (answer.status !== 200) return 'wrong_status'
    return answer.text === echo ? null : 'wrong_echo'
  } catch {
    return 'no_answer'
  }
}

/** Verifies the address of an app and saves it only when it answered the plain text; else says what was wrong. */
export async function saveCallback(
  state: WecomState,
  corp: Corp,
  app: App,
  form: SealKeys & { readonly url: string },
): Promise<CallbackRefusal | null> {
  const refusal = await verify(state, form, corpIdFor(app, corp.corpId))
  if (refusal !== null) return refusal
  app.callback = { ...form, verifiedAtMs: state.now() }
  state.outer.callbacks.failures.delete(form.url)
  return null
}

/**
 * Verifies one of a suite's two addresses and saves it. The test is meant for the provider's own company (2.3), and
 * a $CORPID$ in the data address stays as it is until an event has a company to put there.
 */
export async function saveSuiteCallback(
  state: WecomState,
  suite: Suite,
  which: 'command' | 'data',
  url: string,
): Promise<CallbackRefusal | null> {
  const filled = url.replaceAll('$CORPID$', suite.providerCorpId)
  const refusal = await verify(state, { ...suite.keys, url: filled }, suite.providerCorpId)
  if (refusal !== null) return refusal
  const saved: SavedCallback = { ...suite.keys, url, verifiedAtMs: state.now() }
  suite[which] = saved
  state.outer.callbacks.failures.delete(url)
  return null
}

/** Where an app's own events go; null while no address is saved. A third-party app's go to its suite's data address. */
function appEndpoint(state: WecomState, corp: Corp, app: App): Endpoint | null {
  const id = corpIdFor(app, corp.corpId)
  const common = { toUserName: id, receiveId: id, agentId: app.agentId, log: corp.deliveries }
  if (app.kind !== 'third_party') return app.callback ? { ...common, shape: 'app', callback: app.callback } : null
  const data = state.outer.suites.suites.get(app.suiteId ?? '')?.data
  if (!data) return null
  const callback = { ...data, url: data.url.replaceAll('$CORPID$', encodeURIComponent(id)) }
  return { ...common, shape: 'data', callback }
}

/** Where a suite's commands go; null while no address is saved. */
export function commandEndpoint(suite: Suite): Endpoint | null {
  if (!suite.command) return null
  return {
    shape: 'command',
    callback: suite.command,
    toUserName: suite.suiteId,
    receiveId: suite.suiteId,
    agentId: null,
    log: suite.deliveries,
  }
}

/** Tells an app of something that happened in it, in the background; null while there is no address for it. */
export function tellApp(state: WecomState, corp: Corp, app: App, event: EventText): Delivery | null {
  const to = appEndpoint(state, corp, app)
  return to && app.on ? sendEvent(state, to, event) : null
}

/**
 * Tells every app of the company of something that happened in it: change_contact and change_external_contact.
 * Third-party apps hear it at their command address in suite shape, the others at their own in app shape. `eventFor`
 * writes the event with the ids that the app knows; null: this app must not hear of it.
 */
export function tellApps(state: WecomState, corp: Corp, eventFor: (app: App) => EventText | null): Delivery[] {
  const told: Delivery[] = []
  for (const app of corp.apps.values()) {
    if (!app.on) continue
    const suite = app.kind === 'third_party' ? state.outer.suites.suites.get(app.suiteId ?? '') : undefined
    const to = suite ? commandEndpoint(suite) : appEndpoint(state, corp, app)
    const event = to && eventFor(app)
    if (!to || !event) continue
    told.push(sendEvent(state, to, suite ? { ...event, authCorpId: corpIdFor(app, corp.corpId) } : event))
  }
  return told
}

/** Sends one of the events of 2.10 by hand, with elements that look like real ones. */
export function sendByHand(state: WecomState, corp: Corp, app: App, event: EventName, userid: string): Delivery | null {
  const elements: Record<EventName, EventText['elements']> = {
    enter_agent: { EventKey: '' },
    click: { EventKey: 'my_cards' },
    view: { EventKey: 'https://example.com/pack/' },
    template_card_event: {
      EventKey: 'received',
      TaskId: 'task1',
      CardType: 'button_interaction',
      ResponseCode: fakeId('RESPONSE', 12),
    },
    subscribe: {},
    unsubscribe: {},
    sandbox_unknown: { Surprise: '1' },
  }
  return tellApp(state, corp, app, {
    name: event,
    from: userIdFor(app, userid),
    elements: elements[event] ?? {},
    ofApp: true,
  })
}
