import { createHash } from 'node:crypto'
import { appRoute, queryOf, type Answer, type ApiRoute, type AppCall } from './gate.ts'
import { fakeId, type App, type Corp, type WecomState, type TicketCount } from './state.ts'

const TICKET_LIFE_S = 7_200

/** The two kinds of tickets for JS signatures (protocol sheet 3.5). */
export const ticketRoutes: readonly ApiRoute[] = [
  appRoute('GET', '/get_jsapi_ticket', (call) => giveTicket(call, 'config')),
  appRoute('GET', '/ticket/get', (call) => giveTicket(call, 'agent')),
]

/** `config` for wx.config with the company's ticket, `agent` for wx.agentConfig with the app's. */
export type TicketKind = 'config' | 'agent'

function giveTicket({ state, ctx, corp, app }: AppCall, kind: TicketKind): Answer {
  const type = queryOf(ctx, 'type')
  if (type !== (kind === 'agent' ? 'agent_config' : '')) return { errcode: 91040 }
  const { corpTicketsPerHour, appTicketsPerHour } = state.settings
  const now = state.now()
  const over = [count(corp.tickets, now) > corpTicketsPerHour, count(app.tickets, now) > appTicketsPerHour]
  if (over.includes(true)) return { errcode: 45009 }
  const holder = kind === 'agent' ? app.tickets : corp.tickets
  if (!holder.jsTicket || now >= holder.jsTicket.untilMs)
    holder.jsTicket = { value: fakeId('TICKET', 32), untilMs: now + TICKET_LIFE_S * 1_000 }
  const left = Math.max(1, Math.floor((holder.jsTicket.untilMs - now) / 1_000))
  return { errcode: 0, ticket: holder.jsTicket.value, expires_in: left }
}

function count(tickets: TicketCount, nowMs: number): number {
  const hour = Math.floor(nowMs / 3_600_000)
  if (tickets.hour !== hour) Object.assign(tickets, { hour, count: 0 })
  return (tickets.count += 1)
}

/** A signature as a page hands it to WeCom. */
export interface SignedPage {
  readonly url: string
  readonly nonceStr: string
  readonly timestamp: string
  readonly signature: string
}

/** What WeCom's client says of a signature: 0, or 80001, 42012, 40093 (protocol sheet 3.5). */
export function judgeSignature(state: WecomState, corp: Corp, app: App, kind: TicketKind, page: SignedPage): number {
  if (!URL.canParse(page.url) || !app.trustedDomains.includes(new URL(page.url).host)) return 80001
  const right = kind === 'agent' ? app.tickets : corp.tickets
  if (fits(state, right, page)) return 0
  const others = [corp.tickets, ...[...corp.apps.values()].map((one) => one.tickets)]
  const misused = others.some((one) => one !== right && fits(state, one, page))
  const none = !right.jsTicket || state.now() >= right.jsTicket.untilMs
  return misused || none ? 42012 : 40093
}

function fits(state: WecomState, { jsTicket }: TicketCount, page: SignedPage): boolean {
  if (!jsTicket || state.now() >= jsTicket.untilMs || page.url.includes('#')) return false
  const text = `jsapi_ticket=${jsTicket.value}&noncestr=${page.nonceStr}&timestamp=${page.timestamp}&url=${page.url}`
  return createHash('sha1').update(text).digest('hex') === page.signature
}
