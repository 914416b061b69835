import { commandEndpoint } from './callback.ts'
import { corpIdFor } from './ids.ts'
import { sendEvent, type EventText } from './send-event.ts'
import { fakeId, newApp, type App, type Corp, type VisibleRange, type WecomState } from './state.ts'
import type { AuthCode, Install, Provider, Suite } from './suite-state.ts'
import { endToken } from './tokens.ts'

const TICKET_EVERY_MS = 10 * 60_000
const TICKET_LIFE_MS = 30 * 60_000
/** So many are told from invented ones; each has a life of its own. */
const MOST_TICKETS = 20
const PRE_AUTH_LIFE_MS = 20 * 60_000
export const AUTH_CODE_LIFE_S = 600
const TRIAL_MS = 90 * 86_400_000
/** What apps that are installed are numbered from, out of the way of self-built ones. */
const FIRST_AGENT_ID = 1_000_101

/** The suite of an id; ids of suites are case-sensitive. */
export function suiteOf(state: WecomState, suiteId: string): Suite | undefined {
  return state.outer.suites.suites.get(suiteId)
}

/** The provider of a suite; every suite has one. */
export function providerOf(state: WecomState, suite: Suite): Provider {
  const provider = state.outer.suites.providers.get(suite.providerCorpId)
  if (!provider) throw new Error(`suite ${suite.suiteId} has no provider`)
  return provider
}

/** Tells the command address of a suite; nobody hears it while none is saved. */
function tellSuite(state: WecomState, suite: Suite, event: EventText): void {
  const to = commandEndpoint(suite)
  if (to) sendEvent(state, to, event)
}

/** Pushes a new suite_ticket, as every ten minutes and by hand in the provider's console. */
export function pushTicket(state: WecomState, suite: Suite): void {
  const now = state.now()
  const value = fakeId('TICKET', 32)
  suite.tickets = [...suite.tickets.slice(-MOST_TICKETS), { value, untilMs: now + TICKET_LIFE_MS }]
  tellSuite(state, suite, { name: 'suite_ticket', elements: { SuiteTicket: value } })
}

/** Begins the rounds of tickets, once; the first goes out at once. */
export function startTickets(state: WecomState, suite: Suite): void {
  if (suite.ticking) return
  suite.ticking = true
  const round = (): Promise<void> => {
    pushTicket(state, suite)
    state.clock.later(TICKET_EVERY_MS, round)
    return Promise.resolve()
  }
  void round()
}

/** A code with which the install page opens; 20 minutes. Until set_session_info says otherwise it is a formal one. */
export function makePreAuthCode(state: WecomState, suite: Suite): string {
  const code = fakeId('PREAUTH', 24)
  suite.preAuthCodes.set(code, { untilMs: state.now() + PRE_AUTH_LIFE_MS, formal: true })
  return code
}

/** A company's administrator as the console knows them, and what they allow. */
export interface Consent {
  readonly adminUserId: string
  readonly visible: VisibleRange
  readonly state: string
}

/**
 * Authorises a suite for a company and answers the auth_code. From the provider's site nobody else is told; `market`
 * also sends create_auth. A company that has the suite keeps its app, with the new range.
 */
export function install(
  state: WecomState,
  suite: Suite,
  corp: Corp,
  from: 'site' | 'market',
  consent: Consent,
): string {
  const key = corp.corpId.toLowerCase()
  const app = installedApp(suite, corp) ?? addApp(state, suite, corp)
  app.visible = consent.visible
  const known = suite.installs.get(key)
  suite.installs.set(key, {
    corpId: corp.corpId,
    agentId: app.agentId,
    adminUserId: consent.adminUserId,
    atMs: known?.atMs ?? state.now(),
    exchanged: known?.exchanged ?? false,
  })
  const code = addAuthCode(state, suite, { corpId: corp.corpId, state: consent.state, resets: false })
  if (from === 'market')
    tellSuite(state, suite, { name: 'create_auth', elements: { AuthCode: code, State: consent.state, ExtraInfo: '' } })
  return code
}

function addApp(state: WecomState, suite: Suite, corp: Corp): App {
  const provider = providerOf(state, suite)
  const key = corp.corpId.toLowerCase()
  const firstMs = provider.firstInstalls.get(key) ?? state.now()
  provider.firstInstalls.set(key, firstMs)
  const agentId = Math.max(FIRST_AGENT_ID - 1, ...corp.apps.keys()) + 1
  const app = newApp({
    agentId,
    name: suite.name,
    kind: suite.kind,
    secret: fakeId('UNEXCHANGED', 24),
    createdAtMs: state.now(),
    suiteId: suite.suiteId,
    providerId: suite.providerCorpId,
    trustedDomains: suite.trustedDomains,
    licencesFromMs: firstMs + TRIAL_MS,
  })
  corp.apps.set(agentId, app)
  return app
}

function addAuthCode(state: WecomState, suite: Suite, form: Pick<AuthCode, 'corpId' | 'state' | 'resets'>): string {
  const code = fakeId('AUTHCODE', 24)
  suite.authCodes.set(code, { ...form, untilMs: state.now() + AUTH_CODE_LIFE_S * 1_000, used: false })
  return code
}

/** The app of a suite in a company, while it is authorised. */
export function installedApp(suite: Suite, corp: Corp): App | undefined {
  const known = suite.installs.get(corp.corpId.toLowerCase())
  return known && corp.apps.get(known.agentId)
}

/** What an auth_code gives. */
export interface Exchanged {
  readonly corp: Corp
  readonly app: App
  readonly install: Install
  readonly state: string
}

/** Exchanges an auth_code, once and within ten minutes; null for used, foreign, old and invented ones (40078). */
export function exchange(state: WecomState, suite: Suite, value: string): Exchanged | null {
  const code = suite.authCodes.get(value)
  if (!code || code.used || state.now() >= code.untilMs) return null
  const key = code.corpId.toLowerCase()
  const [corp, known] = [state.corps.get(key), suite.installs.get(key)]
  const app = corp && installedApp(suite, corp)
  if (!corp || !known || !app) return null
  code.used = true
  if (code.resets || !known.exchanged) renewSecret(state, corp, app)
  known.exchanged = true
  return { corp, app, install: known, state: code.state }
}

function renewSecret(state: WecomState, corp: Corp, app: App): void {
  state.outer.suites.deadCodes.add(app.secret)
  endToken(state, { kind: 'app', corpId: corp.corpId, agentId: app.agentId }, 40014)
  app.secret = fakeId('PERMANENT', 32)
}

/** A company takes its authorisation back: permanent code and tokens die at once, then cancel_auth is told. */
export function cancelAuth(state: WecomState, suite: Suite, corp: Corp): boolean {
  const app = installedApp(suite, corp)
  if (!app) return false
  renewSecret(state, corp, app)
  suite.installs.delete(corp.corpId.toLowerCase())
  for (const code of suite.authCodes.values()) if (code.corpId === corp.corpId) code.used = true
  corp.apps.delete(app.agentId)
  const authCorpId = corpIdFor(app, corp.corpId)
  tellSuite(state, suite, { name: 'cancel_auth', authCorpId })
  return true
}

/** Tells a suite that something about a company's authorisation changed, without saying what (8.4). */
export function tellChangedAuth(state: WecomState, suite: Suite, corp: Corp): void {
  const app = installedApp(suite, corp)
  if (!app) return
  const authCorpId = corpIdFor(app, corp.corpId)
  tellSuite(state, suite, { name: 'change_auth', authCorpId, elements: { State: '', ExtraInfo: '' } })
}

/** Sends a code for a new permanent code of a customised app, without the name of the company (8.4). */
export function resetPermanentCode(state: WecomState, suite: Suite, corp: Corp): boolean {
  if (suite.kind !== 'customised' || !installedApp(suite, corp)) return false
  const code = addAuthCode(state, suite, { corpId: corp.corpId, state: '', resets: true })
  tellSuite(state, suite, { name: 'reset_permanent_code', elements: { AuthCode: code } })
  return true
}
