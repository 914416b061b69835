import { z } from 'zod'
import { contact } from './contacts.ts'
import { appRoute, ownerRoute, queryOf, readJson, type Answer, type ApiRoute, type AppCall, type Call } from './gate.ts'
import type { Code, UserTicket } from './identity-state.ts'
import { corpIdFor, userIdFor } from './ids.ts'
import { sees } from './members.ts'
import { externalIdFor, openCorpId } from './outer-ids.ts'
import { corpOf, digest, fakeId, type App, type Corp, type Member, type WecomState } from './state.ts'
import { ofSuite } from './suite-api.ts'
import type { Suite } from './suite-state.ts'
import { cipherOf } from './cipher.ts'

const TICKET_LIFE_S = 1_800
const MOST_TICKETS = 10_000
const ticketForm = z.looseObject({ user_ticket: z.string().min(1) })

/** Who stands behind a code, and what they agreed to show (protocol sheet 3.2, 3.3). */
export const identityRoutes: readonly ApiRoute[] = [
  appRoute('GET', '/auth/getuserinfo', userInfo),
  appRoute('POST', '/auth/getuserdetail', userDetail),
  ownerRoute('suite', 'GET', '/service/auth/getuserinfo3rd', ofSuite(suiteUserInfo)),
  ownerRoute('suite', 'POST', '/service/auth/getuserdetail3rd', ofSuite(suiteUserDetail)),
]

/** Uses a code up for whoever it was made for, or says why not. */
function useCode(state: WecomState, value: string, mine: (code: Code) => boolean): Code | number {
  const code = state.codes.get(value)
  if (!code || !mine(code)) return 40029
  if (code.used) return 42022
  if (state.now() >= code.expiresAtMs) return 42003
  code.used = true
  return code
}

function userInfo({ state, ctx, corp, app }: AppCall): Answer {
  const mine = (one: Code) => one.corpId === corp.corpId && one.agentId === app.agentId && one.suiteId === null
  const code = useCode(state, queryOf(ctx, 'code'), mine)
  if (typeof code === 'number') return { errcode: code }
  corp.stats.codesExchanged += 1
  const member = code.userid === null ? undefined : corp.members.get(code.userid.toLowerCase())
  if (!member) return { errcode: 0, ...outsider(state, corp, app, code) }
  return { errcode: 0, userid: userIdFor(app, member.userid), ...ticketOf(state, code, member) }
}

/** One openid a company for everybody outside; the external id only when the app sees somebody who serves them. */
function outsider(state: WecomState, corp: Corp, app: App, code: Code): Answer {
  const openid = `o${digest(`${corp.corpId}:${code.personId ?? 'outsider'}`).slice(0, 27)}`
  const customer = code.personId === null ? undefined : contact(state, corp).byPerson.get(code.personId)
  const seen = [...(customer?.followers ?? [])].some(([key, follow]) => {
    const member = corp.members.get(key)
    return !follow.half && member !== undefined && sees(corp, app, member)
  })
  return seen && customer ? { openid, external_userid: externalIdFor(app, corp, customer.externalUserId) } : { openid }
}

function ticketOf(state: WecomState, code: Code, member: Member): Answer {
  if (!code.ticket) return {}
  const { tickets } = state.outer.identity
  if (tickets.size >= MOST_TICKETS)
    for (const [value, one] of tickets) if (one.untilMs < state.now()) tickets.delete(value)
  const value = fakeId('USERTICKET', 24)
  const { corpId, agentId, suiteId, consent } = code
  const untilMs = state.now() + TICKET_LIFE_S * 1_000
  tickets.set(value, { corpId, agentId, suiteId, userid: member.userid, consent, untilMs })
  return { user_ticket: value, expires_in: TICKET_LIFE_S }
}

/** The ticket of a body, if it is this caller's and lives: 84015 and 84014 otherwise. */
function readTicket({ state, raw }: Call, mine: (one: UserTicket) => boolean): UserTicket | number {
  const form = ticketForm.safeParse(readJson(raw))
  const ticket = form.success ? state.outer.identity.tickets.get(form.data.user_ticket) : undefined
  if (!ticket || !mine(ticket)) return 84015
  return state.now() < ticket.untilMs ? ticket : 84014
}

/** Each detail only where the administrator granted it to the app and the member agreed. */
function userDetail(call: AppCall): Answer {
  const { corp, app } = call
  const mine = (one: UserTicket) => one.corpId === corp.corpId && one.agentId === app.agentId && one.suiteId === null
  const ticket = readTicket(call, mine)
  if (typeof ticket === 'number') return { errcode: ticket }
  const member = corp.members.get(ticket.userid.toLowerCase())
  if (!member) return { errcode: 84015 }
  const all: Record<string, string> = {
    gender: '0',
    avatar: `https://wework.qpic.example/${digest(member.userid).slice(0, 16)}`,
    mobile: member.mobile ?? '',
    email: member.email ?? '',
  }
  const shown = Object.entries(all).filter(([name, value]) => ticket.consent && app.grants.has(name) && value !== '')
  return { errcode: 0, userid: userIdFor(app, member.userid), ...Object.fromEntries(shown) }
}

function suiteUserInfo({ state, ctx, suite }: Call & { readonly suite: Suite }): Answer {
  const code = useCode(state, queryOf(ctx, 'code'), (one) => one.suiteId === suite.suiteId)
  if (typeof code === 'number') return { errcode: code }
  const corp = corpOf(state, code.corpId)
  const member = code.userid === null ? undefined : corp?.members.get(code.userid.toLowerCase())
  const provider = suite.providerCorpId
  if (!corp || !member)
    return { errcode: 0, openid: `o${digest(`${provider}:${code.personId ?? 'outsider'}`).slice(0, 27)}` }
  corp.stats.codesExchanged += 1
  const userid = cipherOf(provider, member.userid)
  return {
    errcode: 0,
    corpid: openCorpId(provider, corp.corpId),
    userid,
    open_userid: userid,
    ...ticketOf(state, code, member),
  }
}

/** Never a mobile or an e-mail; the name is the id. */
function suiteUserDetail(call: Call & { readonly suite: Suite }): Answer {
  const ticket = readTicket(call, (one) => one.suiteId === call.suite.suiteId)
  if (typeof ticket === 'number') return { errcode: ticket }
  const corp = corpOf(call.state, ticket.corpId)
  const app = corp?.apps.get(ticket.agentId)
  if (!corp || !app) return { errcode: 84015 }
  const userid = userIdFor(app, ticket.userid)
  const gender = ticket.consent ? { gender: '0' } : {}
  return { errcode: 0, corpid: corpIdFor(app, corp.corpId), userid, name: userid, ...gender }
}
