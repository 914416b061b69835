import { createHash } from 'node:crypto'
import { z } from 'zod'
import { OutsideError } from '../../kernel/outside.ts'
import type { Fetched, Limit, SharedState, Source, Stop } from '../../kernel/shared-state.ts'
import type { WecomApp } from '../ports.ts'
import { accepted, fieldsOf, type Call, type Request } from './call.ts'
import { DEAD_CREDENTIAL, DEAD_SUITE_TOKEN, TOO_OFTEN } from './errors.ts'
import { suiteOf } from './identity.ts'

/** One of our suites or templates, with what only the adapter needs to know of it. */
export interface SuiteSecret {
  readonly suiteId: string
  readonly secret: string
  /** Not released yet: companies install it as a test. */
  readonly test?: boolean | undefined
}
/** Ourselves as a provider of suites. */
export interface ProviderSecret {
  readonly corpId: string
  readonly secret: string
}
export interface TokenParts {
  readonly shared: SharedState
  readonly request: Request
  readonly suites: readonly SuiteSecret[]
  readonly provider: ProviderSecret | null
  /** The newest suite_ticket that WeCom pushed for a suite; null while there is none. */
  readonly suiteTicket: (suiteId: string) => Promise<string | null>
}

/** Access tokens, each one shared by all processes. `not`: the token that WeCom has just called dead. */
export interface Tokens {
  app(app: WecomApp, not?: string): Promise<string>
  contactSync(app: WecomApp, not?: string): Promise<string>
  suite(suiteId: string, not?: string): Promise<string>
  provider(not?: string): Promise<string>
  /** Asks WeCom anew, once, whatever is known; a stopped credential is asked about at most once a minute. */
  check(app: WecomApp): Promise<void>
}

/** A suite token may have been another process's, and dead as well: one more try than a renewal needs. */
const MOST_TRIES = 3
/** Tokens are renewed at 90 % of their life. */
const REFRESH_SHARE = 0.9
const STOPPED_MS = 3_600_000
/** The address is not trusted: a change of the list takes a minute to hold. */
const NOT_TRUSTED = 60020
const NOT_TRUSTED_MS = 60_000
/** WeCom bars our address from gettoken for an hour after wrong secrets; it does not say how much of it is left. */
const BARRED_MS = 5 * 60_000
const BAR = 'wecom:gettoken-barred'
const HOUR_MS = 3_600_000
/** Wrong secrets an hour after which only credentials that have worked before are tried, well before we are barred. */
const wrongSecrets: Limit = { name: 'wecom:wrong-secrets', limit: 6, windowMs: HOUR_MS, block: 1 }
const wrongSecretsOf = (corpId: string): Limit => ({
  name: `wecom:wrong-secrets:${corpId}`,
  limit: 3,
  windowMs: HOUR_MS,
  block: 1,
})
/** Credentials that have never worked are tried this many at a time, so that wrong ones are counted before the next. */
const UNPROVEN_AT_ONCE = 2

const Token = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() })
const SuiteToken = z.object({ suite_access_token: z.string().min(1), expires_in: z.number().positive() })
const ProviderToken = z.object({ provider_access_token: z.string().min(1), expires_in: z.number().positive() })

/** The tokens of every kind of app, of contact sync, of suites and of the provider (protocols wecom 1.1 and 8.1). */
export function tokensOf(parts: TokenParts): Tokens {
  const { shared, request } = parts
  const ownToken = gettoken(shared, request)

  const sourceOf = (app: WecomApp): Source => ownToken(app.corpId, app.secret)
  const suite = (suiteId: string, not?: string) =>
    shared.obtain(suiteName(parts, suiteId), suiteSource(parts, suiteId), not === undefined ? {} : { not })

  /**
   * The suite's token is at hand before the company's is leased: no process holds the second while it waits for the
   * first. Should the first die in between, it is renewed with nothing held, and the second is tried again.
   */
  async function corp(app: WecomApp, how: { readonly not?: string; readonly anew?: boolean }): Promise<string> {
    const suiteId = suiteOf(app)
    const alive = how.anew === true ? null : await shared.peek(nameOf(app), how.not)
    if (alive !== null) return alive
    let suiteToken = await suite(suiteId)
    for (let tries = 1; ; tries += 1) {
      try {
        return await shared.obtain(nameOf(app), corpSource(request, app, suiteToken), how)
      } catch (error) {
        const dead = error instanceof OutsideError && DEAD_SUITE_TOKEN.has(Number(error.code))
        if (!dead || tries === MOST_TRIES) throw error
        suiteToken = await suite(suiteId, suiteToken)
      }
    }
  }

  return {
    app: async (app, not) => {
      const how = not === undefined ? {} : { not }
      return app.kind === 'third_party' ? corp(app, how) : shared.obtain(nameOf(app), sourceOf(app), how)
    },
    contactSync: async (app, not) => {
      if (app.contactSecret === null)
        throw new OutsideError('broken', 'contact_secret_missing', 'wecom contact sync has no secret here')
      const name = `wecom:contact:${app.corpId}:${print(app.contactSecret)}`
      return shared.obtain(name, ownToken(app.corpId, app.contactSecret), not === undefined ? {} : { not })
    },
    suite,
    provider: (not) => {
      const { corpId, secret } = providerOf(parts)
      const name = `wecom:provider:${corpId}:${print(secret)}`
      return shared.obtain(name, providerSource(request, corpId, secret), not === undefined ? {} : { not })
    },
    check: async (app) => {
      const how = { anew: true }
      if (app.kind === 'third_party') await corp(app, how)
      else await shared.obtain(nameOf(app), sourceOf(app), how)
    },
  }
}

/** Where the token of an app stands. Another secret is another credential; the name tells neither. */
const nameOf = (app: WecomApp): string => `wecom:token:${app.kind}:${app.corpId}:${app.agentId}:${print(app.secret)}`
const suiteName = (parts: TokenParts, suiteId: string): string =>
  `wecom:suite:${suiteId}:${print(secretOf(parts, suiteId))}`

function print(secret: string): string {
  return createHash('sha256').update(`wecom-secret:${secret}`).digest('hex').slice(0, 16)
}

/** Tokens of self-built and customised apps and of contact sync, asked for one by one under the eyes of all processes. */
function gettoken(shared: SharedState, request: Request): (corpId: string, secret: string) => Source {
  const unproven = gate(UNPROVEN_AT_ONCE)
  const ask = async (corpId: string, secret: string): Promise<Fetched> => {
    const barred = await shared.stopped(BAR)
    if (barred) throw new OutsideError('busy', barred.code, `wecom gettoken answered ${barred.code}`, barred.forMs)
    const call = { api: 'gettoken', query: { corpid: corpId, corpsecret: secret }, effect: false }
    const answer = await request(call)
    if (answer.errcode === TOO_OFTEN) {
      await shared.stop(BAR, { code: String(TOO_OFTEN), forMs: BARRED_MS })
      throw new OutsideError('busy', String(TOO_OFTEN), `wecom gettoken answered ${TOO_OFTEN}`, BARRED_MS)
    }
    if (answer.errcode !== undefined && DEAD_CREDENTIAL.has(answer.errcode))
      for (const limit of [wrongSecrets, wrongSecretsOf(corpId)]) await shared.take([limit])
    const { access_token: value, expires_in: seconds } = fieldsOf(Token, call, accepted(call, answer))
    return lasting(value, seconds)
  }
  return (corpId, secret) => ({
    stops,
    fetch: (proven) =>
      proven
        ? ask(corpId, secret)
        : unproven(async () => {
            const wait = await shared.full([wrongSecrets, wrongSecretsOf(corpId)])
            if (wait === 0) return ask(corpId, secret)
            throw new OutsideError('busy', 'too_many_wrong_secrets', 'wecom gettoken waits after wrong secrets', wait)
          }),
  })
}

function stops(error: OutsideError): Stop | null {
  const code = Number(error.code)
  if (DEAD_CREDENTIAL.has(code)) return { code: error.code, forMs: STOPPED_MS }
  return code === NOT_TRUSTED ? { code: error.code, forMs: NOT_TRUSTED_MS } : null
}

const lasting = (value: string, seconds: number): Fetched => ({
  value,
  refreshAfterMs: seconds * 1_000 * REFRESH_SHARE,
  expiresAfterMs: seconds * 1_000,
})

function corpSource(request: Request, app: WecomApp, suiteToken: string): Source {
  const body = JSON.stringify({ auth_corpid: app.corpId, permanent_code: app.secret })
  const query = { suite_access_token: suiteToken }
  return sourceBy(request, { api: 'service/get_corp_token', query, body, effect: false }, (call, answer) => {
    const { access_token: value, expires_in: seconds } = fieldsOf(Token, call, answer)
    return lasting(value, seconds)
  })
}

function suiteSource(parts: TokenParts, suiteId: string): Source {
  return {
    stops,
    fetch: async (proven) => {
      const ticket = await parts.suiteTicket(suiteId)
      if (ticket === null)
        throw new OutsideError('busy', 'suite_ticket_missing', 'wecom has not pushed a suite ticket yet', 60_000)
      const body = JSON.stringify({ suite_id: suiteId, suite_secret: secretOf(parts, suiteId), suite_ticket: ticket })
      const call = { api: 'service/get_suite_token', body, effect: false }
      return sourceBy(parts.request, call, (made, answer) => {
        const { suite_access_token: value, expires_in: seconds } = fieldsOf(SuiteToken, made, answer)
        return lasting(value, seconds)
      }).fetch(proven)
    },
  }
}

function providerSource(request: Request, corpId: string, secret: string): Source {
  const body = JSON.stringify({ corpid: corpId, provider_secret: secret })
  return sourceBy(request, { api: 'service/get_provider_token', body, effect: false }, (call, answer) => {
    const { provider_access_token: value, expires_in: seconds } = fieldsOf(ProviderToken, call, answer)
    return lasting(value, seconds)
  })
}

function sourceBy(request: Request, call: Call, read: (call: Call, answer: ReturnType<typeof accepted>) => Fetched) {
  return { stops, fetch: async (_proven: boolean) => read(call, accepted(call, await request(call))) }
}

function secretOf(parts: TokenParts, suiteId: string): string {
  const known = parts.suites.find((one) => one.suiteId === suiteId)
  if (known === undefined)
    throw new OutsideError('broken', 'suite_unknown', 'this installation does not know that suite of wecom')
  return known.secret
}

/** Ourselves as a provider. Throws `broken` where the configuration names none. */
export function providerOf(parts: Pick<TokenParts, 'provider'>): ProviderSecret {
  if (parts.provider === null)
    throw new OutsideError('broken', 'provider_unknown', 'this installation is no provider of wecom suites')
  return parts.provider
}

/** Lets a number of callers in at a time, in the order in which they came. */
function gate(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let inside = 0
  return async (work) => {
    if (inside < most) inside += 1
    else await new Promise<void>((go) => waiting.push(go))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else inside -= 1
    }
  }
}
