import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { idField } from '../../../contract/fields.ts'
import type { Id } from '../../../contract/ids.ts'
import type { WecomApp } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { decodeSigned, encodeSigned, readCookies } from '../../kernel/cookies.ts'
import type { Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { secureOn, sessionCookies } from './open-session.ts'
import { readActiveCompany } from './read-company.ts'
import { readWecomApp } from './read-wecom-app.ts'
import { homeOf, isOwnPath, isUsedCode } from './rules.ts'

export type Audience = 'member' | 'employee'

export interface SignIn {
  readonly companyCode: string
  readonly audience: Audience
  /** A path of ours to come back to; the audience's own page when it is not said. */
  readonly returnPath?: string | undefined
}

export interface SignedIn {
  readonly companyId: Id<'company'>
  /** As WeCom writes it. Personal data: for finding the person, not for keeping, logging or showing. */
  readonly userid: string
  readonly returnPath: string
}

/** What we remember in the browser between leaving for WeCom and coming back. It names no person. */
const Pending = z.object({
  state: z.string(),
  companyId: idField('company'),
  audience: z.enum(['member', 'employee']),
  returnPath: z.string(),
  /** How often this sign-in was begun anew by us. */
  again: z.int(),
  expiresAtMs: z.int(),
})
type Pending = z.infer<typeof Pending>

const PENDING_MS = 10 * 60_000
const STATE_BYTES = 16
const TRIES = 3
/** A person waits: a longer pause than this is told, not slept. */
const LONGEST_WAIT_MS = 2_000

/**
 * Sends the browser to WeCom to say who it is (protocols wecom, 3.1 and 3.4). Refuses with `not_found`,
 * `company_suspended`, `wecom_not_connected`, and `malformed_request` for a return path that is not ours.
 */
export async function beginSignIn(edge: Edge, http: Http, signIn: SignIn): Promise<void> {
  const { audience, returnPath = homeOf(audience) } = signIn
  if (!isOwnPath(returnPath))
    refuse('malformed_request', {
      field: 'return',
      detail: { zh: '应为本站的路径。', en: 'A path of this site is expected.' },
    })
  const code = signIn.companyCode.trim().toLowerCase()
  const { companyId, app } = await edge.read(async (tx) => {
    const company = await readActiveCompany(tx, { code })
    return { companyId: company.id, app: await connectedApp(tx, company.id) }
  })
  leave(edge, http, app, { companyId, audience, returnPath, again: 0 })
}

/**
 * Takes the browser back from WeCom and tells whose it is. Null: WeCom's answer was lost and the browser has been sent
 * through the sign-in once more; there is nothing left to do. Refuses with `sign_in_expired` when the state is missing,
 * not the one we gave, over, or used before; `sign_in_refused` without a code; `sign_in_not_allowed` for somebody who is
 * no member of the company; `provider_unavailable` when WeCom stays out of reach.
 */
export async function completeSignIn(
  edge: Edge,
  http: Http,
  back: { readonly code: string | undefined; readonly state: string; readonly audience: Audience },
): Promise<SignedIn | null> {
  const pending = takePending(edge, http, back.state, back.audience)
  const { companyId, returnPath } = pending
  const app = await edge.tx(async (tx) => {
    await spendState(tx, pending.state)
    await readActiveCompany(tx, { id: companyId })
    return connectedApp(tx, companyId)
  })
  if (back.code === undefined || back.code === '') refuse('sign_in_refused')
  const answer = await exchange(edge, app, back.code)
  if (answer !== 'lost') return { companyId, userid: answer.userid ?? refuse('sign_in_not_allowed'), returnPath }
  if (pending.again > 0) refuse('provider_unavailable')
  leave(edge, http, app, { companyId, audience: back.audience, returnPath, again: 1 })
  return null
}

function leave(edge: Edge, http: Http, app: WecomApp, to: Omit<Pending, 'state' | 'expiresAtMs'>): void {
  const state = edge.random(STATE_BYTES).toString('hex')
  const pending: Pending = { ...to, state, expiresAtMs: edge.clock.now() + PENDING_MS }
  const path = sessionCookies[to.audience].path
  const text = encodeSigned('sign-in', pending, edge.house.sessionKey)
  http.setCookie(cookieOf(state), text, { maxAgeMs: PENDING_MS, path, ...secureOn(edge) })
  const inside = to.audience === 'employee' || /wxwork/i.test(http.headers['user-agent'] ?? '')
  const redirectUri = `${edge.house.publicUrl}${path}/sign-in-callback`
  http.redirect(edge.ports.wecom.signInUrl(app, inside ? 'client' : 'desktop', redirectUri, state))
}

function takePending(edge: Edge, http: Http, state: string, audience: Audience): Pending {
  if (!/^[0-9a-f]{32}$/.test(state)) refuse('sign_in_expired')
  const name = cookieOf(state)
  const text = readCookies(http.headers['cookie']).get(name)
  http.setCookie(name, '', { maxAgeMs: 0, path: sessionCookies[audience].path, ...secureOn(edge) })
  const pending = decodeSigned('sign-in', Pending, text, edge.house.sessionKey)
  if (pending === null || pending.state !== state || pending.audience !== audience) refuse('sign_in_expired')
  return pending.expiresAtMs > edge.clock.now() ? pending : refuse('sign_in_expired')
}

/** One cookie for each sign-in under way, so that two tabs do not end each other's. */
const cookieOf = (state: string): string => `fulika_sign_in_${state.slice(0, 8)}`

/** A state counts once, in whatever process and however often the browser repeats its cookie. */
async function spendState(tx: Tx, state: string): Promise<void> {
  let first = false
  await once(tx, 'sign-in', state, {}, async () => {
    first = true
    return null
  })
  if (!first) refuse('sign_in_expired')
}

async function connectedApp(tx: Tx, companyId: Id<'company'>): Promise<WecomApp> {
  return (await readWecomApp(tx, companyId)) ?? refuse('wecom_not_connected')
}

/** Asks whose a code is. A lost answer may have used the code up: `lost` says that only a new code can tell. */
async function exchange(edge: Edge, app: WecomApp, code: string): Promise<{ readonly userid: string | null } | 'lost'> {
  let lost = false
  for (let tried = 1; ; tried += 1) {
    try {
      return { userid: await edge.ports.wecom.memberByCode(app, code) }
    } catch (error) {
      if (!(error instanceof OutsideError)) throw error
      edge.log.warn({ code: error.code, outcome: error.outcome, tried }, 'sign-in: wecom did not tell who it is')
      if (error.outcome === 'refused' && isUsedCode(error.code)) return lost ? 'lost' : refuse('sign_in_expired')
      if (error.outcome === 'unknown') lost = true
      const passing = error.outcome === 'unknown' || error.outcome === 'busy'
      const wait = Math.min(error.retryAfterMs, 200 * 2 ** tried)
      if (passing && tried < TRIES && error.retryAfterMs <= LONGEST_WAIT_MS) await sleep(wait)
      else if (lost && passing) return 'lost'
      else throw error
    }
  }
}
