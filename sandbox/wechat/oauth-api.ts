import { randomBytes } from 'node:crypto'
import { fakeId } from '../wecom/state.ts'
import { appBySecret, type Answer, type Call, type Route } from './gate.ts'
import { openidOf, snapshotIdsOf, unionidOf } from './ids.ts'
import type { Code, UserToken, WechatApp, WechatState } from './state.ts'

const LIFE_S = 7_200
const REFRESH_MS = 30 * 86_400_000

/** What a page's code gives (protocols wechat-consumer 2.2), and a mini program's (6.1). All are GET. */
export const oauthRoutes: readonly Route[] = [
  { method: 'GET', path: '/sns/oauth2/access_token', run: exchange },
  { method: 'GET', path: '/sns/oauth2/refresh_token', run: refresh },
  { method: 'GET', path: '/sns/userinfo', run: profile },
  { method: 'GET', path: '/sns/auth', run: alive },
  { method: 'GET', path: '/sns/jscode2session', run: session },
]

/** The code, spent by this very call; or the errcode. */
function spend(state: WechatState, app: WechatApp, kind: Code['kind'], value: string): Code | number {
  if (value === '') return 41008
  const code = state.codes.get(value)
  if (!code || code.appid !== app.appid || code.kind !== kind) return 40029
  if (code.used) return 40163
  if (code.untilMs <= state.now()) return 42003
  code.used = true
  return code
}

function exchange(call: Call): Answer {
  const { state, query } = call
  const app = appBySecret(call, query('appid'), query('secret'))
  if (typeof app === 'number') return { errcode: app }
  if (app.kind !== 'service') return { errcode: 48001 }
  if (query('grant_type') !== 'authorization_code') return { errcode: 40002 }
  const code = spend(state, app, 'page', query('code'))
  if (typeof code === 'number') return { errcode: code }
  const token: UserToken = { appid: app.appid, personId: code.personId, code, untilMs: state.now() + LIFE_S * 1_000 }
  const values = { access_token: fakeId('USERTOKEN', 24), refresh_token: fakeId('USERREFRESH', 24) }
  state.userTokens.set(values.access_token, token)
  state.refreshTokens.set(values.refresh_token, { ...token, untilMs: state.now() + REFRESH_MS })
  const { openid, unionid } = idsOf(state, app, code)
  return {
    ...values,
    expires_in: LIFE_S,
    openid,
    scope: code.scope,
    ...(code.scope === 'snsapi_userinfo' && unionid !== null ? { unionid } : {}),
    ...(code.snapshot === 'on' || code.snapshot === 'real_id' ? { is_snapshotuser: 1 } : {}),
  }
}

/** A snapshot shows ids that are nobody's; one dial leaves them as they are. */
function idsOf(state: WechatState, app: WechatApp, code: Code): { openid: string; unionid: string | null } {
  const person = state.persons.get(code.personId)!
  const fake = code.snapshot === 'on' || code.snapshot === 'flag_missing'
  return fake ? snapshotIdsOf(app, person) : { openid: openidOf(app, person), unionid: unionidOf(app, person) }
}

function refresh({ state, query }: Call): Answer {
  const app = state.apps.get(query('appid'))
  if (!app) return { errcode: 40013 }
  if (query('grant_type') !== 'refresh_token') return { errcode: 40002 }
  const token = state.refreshTokens.get(query('refresh_token'))
  if (!token || token.appid !== app.appid) return { errcode: 40030 }
  if (token.untilMs <= state.now()) return { errcode: 42002 }
  const value = fakeId('USERTOKEN', 24)
  state.userTokens.set(value, { ...token, untilMs: state.now() + LIFE_S * 1_000 })
  const { openid } = idsOf(state, app, token.code)
  const given = { access_token: value, refresh_token: query('refresh_token'), expires_in: String(LIFE_S) }
  return { ...given, openid, scope: token.code.scope }
}

/** The token in the query with its owner, or the errcode. */
function holder({ state, query }: Call): { readonly token: UserToken; readonly app: WechatApp } | number {
  const token = state.userTokens.get(query('access_token'))
  const app = token && state.apps.get(token.appid)
  if (!token || !app) return 40014
  if (token.untilMs <= state.now()) return 42001
  return idsOf(state, app, token.code).openid === query('openid') ? { token, app } : 40003
}

function profile(call: Call): Answer {
  const held = holder(call)
  if (typeof held === 'number') return { errcode: held }
  const { code } = held.token
  if (code.scope !== 'snsapi_userinfo' || code.snapshot !== 'off') return { errcode: 48001 }
  const { openid, unionid } = idsOf(call.state, held.app, code)
  return {
    openid,
    nickname: call.state.persons.get(code.personId)!.name,
    sex: 0,
    province: '',
    city: '',
    country: '',
    headimgurl: '',
    privilege: [],
    ...(unionid === null ? {} : { unionid }),
  }
}

function alive(call: Call): Answer {
  const held = holder(call)
  return { errcode: typeof held === 'number' ? held : 0 }
}

function session(call: Call): Answer {
  const { state, query } = call
  const app = appBySecret(call, query('appid'), query('secret'))
  if (typeof app === 'number') return { errcode: app }
  if (app.kind !== 'mini_program') return { errcode: 48001 }
  const code = spend(state, app, 'mini_program', query('js_code'))
  if (typeof code === 'number') return { errcode: code }
  const person = state.persons.get(code.personId)!
  if (person.blocked) return { errcode: 40226 }
  const unionid = unionidOf(app, person)
  const given = { openid: openidOf(app, person), session_key: `SANDBOX${randomBytes(16).toString('base64')}` }
  return { ...given, ...(unionid === null ? {} : { unionid }) }
}
