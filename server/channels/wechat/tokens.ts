import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { OutsideError } from '../../kernel/outside.ts'
import type { SharedState, Source, Stop } from '../../kernel/shared-state.ts'
import type { WechatPort } from '../wechat-port.ts'
import type { WechatAccount } from './account.ts'
import { accepted, fieldsOf, seconds, type Answer, type Call, type Request } from './call.ts'
import { DEAD_CREDENTIAL, DEAD_TOKEN } from './errors.ts'

/** A call in the service account's name, with a token that all processes share. */
export type Authorised = (call: Call) => Promise<Answer>

/** Tokens and tickets are renewed at 90 % of their life. */
const REFRESH_SHARE = 0.9
/** An operator mends a secret or a list of addresses in minutes. */
const STOPPED_MS = 5 * 60_000

const Token = z.object({ access_token: z.string().min(1), expires_in: seconds })
const Ticket = z.object({ ticket: z.string().min(1), expires_in: seconds })

/**
 * Calls with the account's token, by stable_token: asking again never kills what another process holds (4). A dead token
 * took no effect, so the call is made once more with a fresh one, and no third time.
 */
export function authorised(request: Request, shared: SharedState, account: WechatAccount): Authorised {
  const source: Source = {
    stops,
    fetch: async () => {
      const call: Call = {
        api: 'cgi-bin/stable_token',
        body: {
          grant_type: 'client_credential',
          appid: account.appid,
          secret: account.secret,
          force_refresh: false,
        },
        effect: false,
      }
      const { access_token: value, expires_in: life } = fieldsOf(Token, call, accepted(call, await request(call)))
      return lasting(value, life)
    },
  }
  const name = `wechat:token:${account.appid}:${print(account.secret)}`
  return async (call) => {
    const ask = (token: string) => request({ ...call, query: { access_token: token, ...call.query } })
    const token = await shared.obtain(name, source)
    const answer = await ask(token)
    if (!DEAD_TOKEN.has(answer.errcode ?? 0)) return accepted(call, answer)
    return accepted(call, await ask(await shared.obtain(name, source, { not: token })))
  }
}

/** The ticket that pages are signed with, one for all processes (4). */
export function ticketCalls(
  api: Authorised,
  shared: SharedState,
  account: WechatAccount,
): Pick<WechatPort, 'jsTicket'> {
  const call: Call = { api: 'cgi-bin/ticket/getticket', query: { type: 'jsapi' }, effect: false }
  return {
    jsTicket: () =>
      shared.obtain(`wechat:ticket:${account.appid}`, {
        stops: () => null,
        fetch: async () => {
          const { ticket, expires_in: life } = fieldsOf(Ticket, call, await api(call))
          return lasting(ticket, life)
        },
      }),
  }
}

const lasting = (value: string, life: number) => ({
  value,
  refreshAfterMs: life * 1_000 * REFRESH_SHARE,
  expiresAfterMs: life * 1_000,
})

function stops(error: OutsideError): Stop | null {
  return DEAD_CREDENTIAL.has(Number(error.code)) ? { code: error.code, forMs: STOPPED_MS } : null
}

/** Another secret is another credential; the name tells neither. */
function print(secret: string): string {
  return createHash('sha256').update(`wechat-secret:${secret}`).digest('hex').slice(0, 16)
}
