import { z } from 'zod'
import { idField } from '../../../contract/fields.ts'
import type { Id } from '../../../contract/ids.ts'
import type { WecomApp } from '../../channels/ports.ts'
import type { Edge } from '../../kernel/context.ts'
import { decodeSigned, encodeSigned, readCookies } from '../../kernel/cookies.ts'
import type { Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { secureOn, sessionCookies } from './open-session.ts'
import { readActiveCompany } from './read-company.ts'
import { readWecomApp } from './read-wecom-app.ts'
import { isUsedCode } from './rules.ts'

/** What we remember in the browser until the person comes back. It names nobody. */
const Pending = z.object({ state: z.string(), companyId: idField('company'), expiresAtMs: z.int() })

const PENDING_MS = 10 * 60_000
const cookie = 'fulika_consent'
const { path } = sessionCookies.employee

/** Who somebody is, and the mobile that they agreed to show us. Personal data: for matching once, not for keeping or logging. */
export interface Consented {
  readonly companyId: Id<'company'>
  readonly userid: string
  readonly mobile: string
}

/**
 * Sends an employee to WeCom to agree that we see their mobile (protocols wecom 3.1, `snsapi_privateinfo`). Refuses with
 * `not_found`, `company_suspended`, `wecom_not_connected`, and `mobile_not_shown` for a third-party app, which never gets one.
 */
export async function beginConsent(edge: Edge, http: Http, companyCode: string): Promise<void> {
  const { companyId, app } = await edge.read(async (tx) => {
    const company = await readActiveCompany(tx, { code: companyCode.trim().toLowerCase() })
    return { companyId: company.id, app: await readWecomApp(tx, company.id) }
  })
  if (app === null) refuse('wecom_not_connected')
  if (app.kind === 'third_party') refuse('mobile_not_shown')
  const state = edge.random(16).toString('hex')
  const pending = { state, companyId, expiresAtMs: edge.clock.now() + PENDING_MS }
  const text = encodeSigned('consent', pending, edge.house.sessionKey)
  http.setCookie(cookie, text, { maxAgeMs: PENDING_MS, path, ...secureOn(edge) })
  const redirectUri = `${edge.house.publicUrl}${path}/consent-callback`
  http.redirect(edge.ports.wecom.signInUrl(app, 'client', redirectUri, state, 'consent'))
}

/**
 * Takes the employee back. Refuses with `sign_in_expired` when the state is not the one we gave, is over or was used,
 * `sign_in_refused` without a code, `sign_in_not_allowed` for somebody who is no member, `mobile_not_shown` where they or
 * their administrator did not agree, and `provider_unavailable` while WeCom does not answer.
 */
export async function completeConsent(
  edge: Edge,
  http: Http,
  back: { readonly code: string | undefined; readonly state: string },
): Promise<Consented> {
  const text = readCookies(http.headers['cookie']).get(cookie)
  http.setCookie(cookie, '', { maxAgeMs: 0, path, ...secureOn(edge) })
  const pending = decodeSigned('consent', Pending, text, edge.house.sessionKey)
  if (pending === null || pending.state !== back.state || pending.expiresAtMs <= edge.clock.now())
    refuse('sign_in_expired')
  const { companyId } = pending
  const app = await edge.tx(async (tx) => {
    let first = false
    await once(tx, 'sign-in', pending.state, {}, async () => {
      first = true
      return null
    })
    if (!first) refuse('sign_in_expired')
    await readActiveCompany(tx, { id: companyId })
    return readWecomApp(tx, companyId)
  })
  if (app === null) refuse('wecom_not_connected')
  if (back.code === undefined || back.code === '') refuse('sign_in_refused')
  return { companyId, ...(await askWhoAndMobile(edge, app, back.code)) }
}

async function askWhoAndMobile(edge: Edge, app: WecomApp, code: string): Promise<Omit<Consented, 'companyId'>> {
  try {
    const identity = await edge.ports.wecom.identityByCode(app, code)
    if (identity.kind !== 'member') refuse('sign_in_not_allowed')
    const mobile = identity.ticket === null ? null : await edge.ports.wecom.mobileByTicket(app, identity.ticket)
    return { userid: identity.userid, mobile: mobile ?? refuse('mobile_not_shown') }
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    edge.log.warn({ code: error.code, outcome: error.outcome }, 'consent: wecom did not tell')
    if (error.outcome === 'refused' && isUsedCode(error.code)) refuse('sign_in_expired')
    return refuse('provider_unavailable', { cause: error, retryAfterMs: error.retryAfterMs })
  }
}
