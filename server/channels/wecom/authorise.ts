import { OutsideError } from '../../kernel/outside.ts'
import type { Limit, SharedState } from '../../kernel/shared-state.ts'
import type { WecomApp } from '../ports.ts'
import { accepted, type Answer, type Api, type Call, type Request } from './call.ts'
import { DEAD_SUITE_TOKEN, DEAD_TOKEN } from './errors.ts'
import type { Tokens } from './tokens.ts'

/** Calls that the base limits of an API do not count (protocols wecom 10); who sends keeps the limits of messages. */
const UNCOUNTED: ReadonlySet<string> = new Set(['message/send', 'auth/getuserinfo', 'service/auth/getuserinfo3rd'])
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const MOST_REPLAYS = 2

/** Calls in the name of an app, of contact sync, of a suite and of the provider, with tokens and limits shared by all. */
export function authorised(request: Request, tokens: Tokens, shared: SharedState): Api {
  /**
   * A dead token took no effect: the call is made again with a fresh one. A third time only where the second token was
   * another process's, which may have died unnoticed as well; the same token is never tried again.
   */
  async function run(
    call: Call,
    parameter: string,
    dead: ReadonlySet<number>,
    token: (not?: string) => Promise<string>,
  ): Promise<Answer> {
    const ask = (value: string) => request({ ...call, query: { [parameter]: value, ...call.query } })
    let value = await token()
    let answer = await ask(value)
    for (let replay = 0; replay < MOST_REPLAYS && dead.has(answer.errcode ?? 0); replay += 1) {
      const fresh = await token(value)
      if (fresh === value && replay > 0) break
      value = fresh
      answer = await ask(value)
    }
    return accepted(call, answer)
  }
  async function paced(call: Call, whose: string, provider: boolean): Promise<void> {
    if (UNCOUNTED.has(call.api)) return
    const wait = await shared.take(limitsOf(call.api, whose, provider))
    if (wait > 0) throw new OutsideError('busy', 'paced', `wecom ${call.api} is paced`, wait)
  }
  return {
    app: async (app, call) => {
      await paced(call, app.corpId, app.kind !== 'self_built')
      return run(call, 'access_token', DEAD_TOKEN, (not) => tokens.app(app, not))
    },
    contactSync: async (app, call) => {
      await paced(call, app.corpId, app.kind !== 'self_built')
      try {
        return await run(call, 'access_token', DEAD_TOKEN, (not) => tokens.contactSync(app, not))
      } catch (error) {
        throw ofContactSync(error)
      }
    },
    suite: async (suiteId, call) => {
      await paced(call, suiteId, true)
      return run(call, 'suite_access_token', DEAD_SUITE_TOKEN, (not) => tokens.suite(suiteId, not))
    },
    provider: async (call) => {
      await paced(call, 'provider', true)
      return run(call, 'provider_access_token', DEAD_TOKEN, (not) => tokens.provider(not))
    },
  }
}

/** The app works on without contact sync: what breaks that one alone is a refusal of the call, with WeCom's code. */
function ofContactSync(error: unknown): unknown {
  if (!(error instanceof OutsideError) || error.outcome !== 'broken') return error
  return new OutsideError('refused', error.code, `contact sync: ${error.message}`)
}

/** Under what WeCom allows: 10,000 a minute and 150,000 an hour an API and company, and twice or four times that for our address. */
function limitsOf(api: string, whose: string, provider: boolean): readonly Limit[] {
  const address = provider ? 'provider-address' : 'address'
  const times = provider ? 2 : 1
  const of = (who: string, minute: number, hour: number): readonly Limit[] => [
    { name: `wecom:calls:${api}:${who}:minute`, limit: minute, windowMs: MINUTE_MS },
    { name: `wecom:calls:${api}:${who}:hour`, limit: hour, windowMs: HOUR_MS },
  ]
  return [...of(whose, 9_500, 145_000), ...of(address, 19_000 * times, 570_000 * times)]
}

/** What a ticket of the JS-SDK may cost: 400 an hour a company and 100 an app, of both kinds together. */
export function ticketLimits(app: WecomApp): readonly Limit[] {
  const of = (who: string, limit: number): Limit => ({
    name: `wecom:tickets:${who}`,
    limit,
    windowMs: HOUR_MS,
    block: 1,
  })
  return [of(app.corpId, 380), of(`${app.corpId}:${app.agentId}`, 95)]
}
