import { fakeId, dayNumber } from '../wecom/state.ts'
import { appBySecret, appRoute, refusalOf, type Answer, type Call, type Route } from './gate.ts'
import type { TokenFamily, WechatApp, WechatState } from './state.ts'

const LIFE_S = 7_200
/** How long an old token lives on beside the new one, and before its end a stable one is exchanged. */
const OVERLAP_MS = 5 * 60_000
const DAY_MS = 86_400_000
const [FORCED_A_DAY, FORCED_APART_MS] = [20, 30_000]
const TOKENS_A_DAY = 2_000

/** Tokens of both families and tickets (protocols wechat-consumer 4). */
export const tokenRoutes: readonly Route[] = [
  { method: 'GET', path: '/cgi-bin/token', run: plainToken },
  { method: 'POST', path: '/cgi-bin/stable_token', run: stableToken },
  appRoute('GET', '/cgi-bin/ticket/getticket', ({ state, app, query }) => giveTicket(state, app, query('type'))),
]

function plainToken(call: Call): Answer {
  if (call.query('grant_type') !== 'client_credential') return { errcode: 40002 }
  const app = appBySecret(call, call.query('appid'), call.query('secret'))
  if (typeof app === 'number') return { errcode: app }
  const refused = refusalOf(call, app)
  if (refused) return refused
  const number = dayNumber(call.state.now())
  if (app.day.number !== number) app.day = { number, tokens: 0 }
  app.day.tokens += 1
  if (app.day.tokens > TOKENS_A_DAY) return { errcode: 45009 }
  return issue(call.state, app, 'plain')
}

function stableToken(call: Call): Answer {
  const text = (name: string) => (typeof call.body[name] === 'string' ? call.body[name] : '')
  if (text('grant_type') !== 'client_credential') return { errcode: 40002 }
  const app = appBySecret(call, text('appid'), text('secret'))
  if (typeof app === 'number') return { errcode: app }
  const refused = refusalOf(call, app)
  if (refused) return refused
  const { state } = call
  const now = state.now()
  const family = app.families.stable
  const forced = family.forcedAtMs.filter((atMs) => now - atMs < DAY_MS)
  const allowed = forced.length < FORCED_A_DAY && now - (forced.at(-1) ?? 0) >= FORCED_APART_MS
  if (call.body['force_refresh'] === true && allowed) {
    family.forcedAtMs = [...forced, now]
    const old = state.tokens.get(family.value ?? '')
    if (old) old.killed = true
    return issue(state, app, 'stable')
  }
  const current = state.tokens.get(family.value ?? '')
  if (family.value !== null && current && !current.killed && current.untilMs - now > OVERLAP_MS)
    return { access_token: family.value, expires_in: Math.floor((current.untilMs - now) / 1_000) }
  return issue(state, app, 'stable')
}

/** A new token; the one before it lives for five minutes at most. The families know nothing of each other. */
function issue(state: WechatState, app: WechatApp, name: TokenFamily): Answer {
  const family = app.families[name]
  const old = state.tokens.get(family.value ?? '')
  if (old) old.untilMs = Math.min(old.untilMs, state.now() + OVERLAP_MS)
  family.value = fakeId('TOKEN', 40)
  state.tokens.set(family.value, { appid: app.appid, untilMs: state.now() + LIFE_S * 1_000, killed: false })
  return { access_token: family.value, expires_in: LIFE_S }
}

function giveTicket(state: WechatState, app: WechatApp, type: string): Answer {
  if (type === 'wx_card') return { errcode: 0, ticket: fakeId('CARDTICKET', 32), expires_in: LIFE_S }
  if (type !== 'jsapi') return { errcode: 40097 }
  const now = state.now()
  if (!app.ticket || app.ticket.untilMs <= now)
    app.ticket = { value: fakeId('TICKET', 32), untilMs: now + LIFE_S * 1_000 }
  return {
    errcode: 0,
    ticket: app.ticket.value,
    expires_in: Math.max(1, Math.floor((app.ticket.untilMs - now) / 1_000)),
  }
}
