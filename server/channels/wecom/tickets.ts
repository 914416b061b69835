import { z } from 'zod'
import { OutsideError } from '../../kernel/outside.ts'
import type { SharedState } from '../../kernel/shared-state.ts'
import type { WecomPort } from '../ports.ts'
import { ticketLimits } from './authorise.ts'
import { fieldsOf, type Api } from './call.ts'

const Ticket = z.object({ ticket: z.string().min(1), expires_in: z.number().positive() })
const REFRESH_SHARE = 0.9

/** Tickets of the JS-SDK, one for all processes (protocols wecom 3.5). Those of the corp and of the app never mix. */
export function ticketCalls(api: Api, shared: SharedState): Pick<WecomPort, 'jsTicket'> {
  return {
    jsTicket: (app, kind) => {
      // The corp's ticket takes no type (91040).
      const call =
        kind === 'corp'
          ? { api: 'get_jsapi_ticket', effect: false }
          : { api: 'ticket/get', query: { type: 'agent_config' }, effect: false }
      return shared.obtain(`wecom:ticket:${kind}:${app.kind}:${app.corpId}:${app.agentId}`, {
        stops: () => null,
        fetch: async () => {
          const wait = await shared.take(ticketLimits(app))
          if (wait > 0) throw new OutsideError('busy', 'paced', `wecom ${call.api} is paced`, wait)
          const { ticket, expires_in: seconds } = fieldsOf(Ticket, call, await api.app(app, call))
          return { value: ticket, refreshAfterMs: seconds * 1_000 * REFRESH_SHARE, expiresAfterMs: seconds * 1_000 }
        },
      })
    },
  }
}
