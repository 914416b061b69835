import { z } from 'zod'
import { OutsideError } from '../../kernel/outside.ts'
import type { WecomApp, WecomCallbackKeys, WecomPort, WecomSent } from '../ports.ts'
import { kindOf, openCallback, verifyUrl, type CallbackConfig } from './callback.ts'
import {
  ALL_RECIPIENTS_INVALID,
  DEAD_SECRET,
  DEAD_TOKEN,
  errorOfCode,
  errorOfNetwork,
  USER_NOT_FOUND,
} from './errors.ts'
import { pace } from './pace.ts'
import { memoryTokenStore, tokenCache, type TokenStore } from './tokens.ts'

export interface WecomOptions {
  /** Origin of the API, for WeCom itself https://qyapi.weixin.qq.com (without /cgi-bin). */
  readonly apiBase: string
  /** Origin of sign-in inside the client, for WeCom itself https://open.weixin.qq.com. */
  readonly oauthBase: string
  /** Origin of sign-in on a desktop, for WeCom itself https://login.work.weixin.qq.com. */
  readonly loginBase: string
  readonly fetch?: typeof globalThis.fetch
  readonly now: () => number
  readonly timeoutMs?: number
  readonly tokens?: TokenStore
}

/** Under the 10,000 a minute that WeCom allows an API of a company. Each process counts by itself. */
const USERID_CALLS_PER_MINUTE = 9_500
const GETTOKEN_BLOCK_MS = 5 * 60_000
const answerForm = z.looseObject({
  errcode: z.number().int().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().positive().optional(),
  userid: z.string().optional(),
  msgid: z.string().optional(),
  invaliduser: z.string().optional(),
  unlicenseduser: z.string().optional(),
})
type Answer = z.infer<typeof answerForm>
/** A call below /cgi-bin. `effect`: it changes something there, so that silence leaves the outcome unknown. */
interface Call {
  readonly api: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: string
  readonly effect: boolean
}

/** WeCom over HTTPS, for self-built apps. Errors name the API and the code and never hold a token or a secret. */
export function wecomAdapter(options: WecomOptions): WecomPort {
  const request = caller(options)
  const lookups = pace(USERID_CALLS_PER_MINUTE, 60_000, options.now)
  const cache = tokenCache(
    options.tokens ?? memoryTokenStore(),
    options.now,
    (app) => fetchToken(request, app),
    (error) => DEAD_SECRET.has(Number(error.code)),
  )

  async function authorised(app: WecomApp, call: Call): Promise<Answer> {
    const token = await cache.token(app)
    const first = await request({ ...call, query: { access_token: token, ...call.query } })
    if (!DEAD_TOKEN.has(first.errcode ?? 0)) return first
    const fresh = await cache.token(app, token)
    return request({ ...call, query: { access_token: fresh, ...call.query } })
  }

  return {
    async send(app, body) {
      const answer = await authorised(app, { api: 'message/send', body, effect: true })
      if (answer.errcode === ALL_RECIPIENTS_INVALID)
        return { messageId: null, invalidUsers: recipients(body), unlicensedUsers: [] }
      return sent(succeeded('message/send', answer))
    },
    async userIdByMobile(app, mobile) {
      const wait = lookups.take(app.corpId)
      if (wait > 0) throw new OutsideError('busy', 'paced', 'wecom user/getuserid is paced', wait)
      const answer = await authorised(app, {
        api: 'user/getuserid',
        body: JSON.stringify({ mobile }),
        effect: false,
      })
      if (USER_NOT_FOUND.has(answer.errcode ?? 0)) return null
      return succeeded('user/getuserid', answer).userid ?? null
    },
    async memberByCode(app, code) {
      const answer = await authorised(app, { api: 'auth/getuserinfo', query: { code }, effect: true })
      const userid = succeeded('auth/getuserinfo', answer).userid
      return userid === undefined || userid === '' || userid.includes('/') ? null : userid
    },
    signInUrl: (app, where, redirectUri, state) => signInUrl(options, app, where, redirectUri, state),
    verifyCallback: (keys, query) => verifyUrl(configOf(keys), query, options.now()),
    openCallback(keys, query, raw) {
      const { message } = openCallback(configOf(keys), query, raw, options.now())
      return { kind: kindOf(message), message }
    },
  }
}

function configOf(keys: WecomCallbackKeys): CallbackConfig {
  return { token: keys.token, aesKey: keys.encodingAesKey, receiveIds: [keys.corpId] }
}

function caller(options: WecomOptions): (call: Call) => Promise<Answer> {
  const send = options.fetch ?? globalThis.fetch
  return async (call) => {
    const url = new URL(`/cgi-bin/${call.api}`, options.apiBase)
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value)
    const init: RequestInit = { redirect: 'error', signal: AbortSignal.timeout(options.timeoutMs ?? 5_000) }
    if (call.body !== undefined) {
      init.method = 'POST'
      init.headers = { 'content-type': 'application/json; charset=utf-8' }
      init.body = Buffer.from(call.body, 'utf8')
    }
    let status: number
    let text: string
    try {
      const response = await send(url, init)
      status = response.status
      text = await response.text()
    } catch (error) {
      throw errorOfNetwork(call.api, call.effect, error)
    }
    if (status >= 500) throw unusable(call, `http_${status}`)
    if (status >= 400) throw new OutsideError('refused', `http_${status}`, `wecom ${call.api} answered http ${status}`)
    const answer = answerForm.safeParse(readJson(text))
    if (!answer.success) throw unusable(call, 'malformed')
    return answer.data
  }
}

function unusable(call: Call, code: string): OutsideError {
  return new OutsideError(call.effect ? 'unknown' : 'busy', code, `wecom ${call.api} gave no usable answer (${code})`)
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function fetchToken(request: (call: Call) => Promise<Answer>, app: WecomApp) {
  const query = { corpid: app.corpId, corpsecret: app.secret }
  const answer = await request({ api: 'gettoken', query, effect: false })
  if (answer.errcode === 45009)
    throw new OutsideError('busy', '45009', 'wecom gettoken answered 45009', GETTOKEN_BLOCK_MS)
  const { access_token: value, expires_in: expiresInS } = succeeded('gettoken', answer)
  if (!value || !expiresInS) throw new OutsideError('busy', 'malformed', 'wecom gettoken gave no token')
  return { value, expiresInS }
}

function succeeded(api: string, answer: Answer): Answer {
  if ((answer.errcode ?? 0) !== 0) throw errorOfCode(api, answer.errcode!)
  return answer
}

function sent(answer: Answer): WecomSent {
  return {
    messageId: answer.msgid ?? null,
    invalidUsers: listOf(answer.invaliduser),
    unlicensedUsers: listOf(answer.unlicenseduser),
  }
}

function listOf(text: string | undefined): string[] {
  return (text ?? '').split('|').filter((userid) => userid !== '')
}

function recipients(body: string): string[] {
  const form = z.looseObject({ touser: z.string() }).safeParse(readJson(body))
  return form.success ? listOf(form.data.touser) : []
}

function signInUrl(
  options: WecomOptions,
  app: WecomApp,
  where: 'client' | 'desktop',
  redirectUri: string,
  state: string,
): string {
  if (!/^[A-Za-z0-9]{1,128}$/.test(state)) throw new RangeError('state takes letters and digits only')
  const common = { appid: app.corpId, agentid: String(app.agentId), redirect_uri: redirectUri, state }
  if (where === 'desktop') {
    const query = new URLSearchParams({ login_type: 'CorpApp', ...common })
    return new URL(`/wwlogin/sso/login?${query.toString()}`, options.loginBase).href
  }
  const query = new URLSearchParams({ ...common, response_type: 'code', scope: 'snsapi_base' })
  return new URL(`/connect/oauth2/authorize?${query.toString()}#wechat_redirect`, options.oauthBase).href
}
