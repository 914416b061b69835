import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { idField } from '../../../contract/fields.ts'
import type { Id } from '../../../contract/ids.ts'
import type { ConnectionState } from '../../../contract/states.ts'
import type { WecomApp, WecomIdentity } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import type { Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { keepPending, takePending } from '../../kernel/pending-sign-in.ts'
import { mendConnection } from './mend-connection.ts'
import { secureOn, sessionCookies } from './open-session.ts'
import { readActiveCompany } from './read-company.ts'
import { readAnyWecomApp } from './read-wecom-app.ts'
import { homeOf, isOwnPath, isUsedCode } from './rules.ts'
import { writeSignIn } from './write-sign-in.ts'

export type Audience = 'member' | 'employee'

export interface SignIn {
  readonly companyCode: string
  readonly audience: Audience
  /** A path of ours to come back to; the audience's own page when it is not said. */
  readonly returnPath?: string | undefined
}

export interface SignedIn {
  readonly companyId: Id<'company'>
  /** As WeCom writes it; null for somebody of WeChat. Personal data: for finding the person, not for keeping or showing. */
  readonly userid: string | null
  /** As which outside contact WeCom knows somebody of WeChat; null where it does not. Just as personal. */
  readonly externalUserId: string | null
  readonly returnPath: string
}

type Told = Pick<SignedIn, 'userid' | 'externalUserId'>

/** What we remember in the browser between leaving for WeCom and coming back. It names no person. */
const Pending = z.object({
  companyId: idField('company'),
  audience: z.enum(['member', 'employee']),
  returnPath: z.string(),
  /** How often this sign-in was begun anew by us. */
  again: z.int(),
})
type Pending = z.infer<typeof Pending>

const TRIES = 3
/** How often a lost answer sends somebody through WeCom anew, which a person hardly sees: each needs a code of its own. */
const MORE_ROUNDS = 2
/** A person waits: what has not answered by then is asked once more beside it. */
const ANSWER_MS = 800
/** A longer pause than this is told, not slept. */
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
 * not the one we gave, over, or used before; `sign_in_refused` without a code; `provider_unavailable` when WeCom stays
 * out of reach. Whether somebody who is no member of the company may go on is the caller's to decide.
 */
export async function completeSignIn(
  edge: Edge,
  http: Http,
  back: { readonly code: string | undefined; readonly state: string; readonly audience: Audience },
): Promise<SignedIn | null> {
  const pending = takePending(edge, http, placeOf(edge, back.audience), Pending, back.state)
  if (pending.audience !== back.audience) refuse('sign_in_expired')
  const { companyId, returnPath } = pending
  const app = await edge.read(async (tx) => {
    await readActiveCompany(tx, { id: companyId })
    return connectedApp(tx, companyId)
  })
  // Before WeCom is asked: in whatever process and however often the browser repeats its cookie, a state counts once.
  if (!(await writeSignIn(edge, { kind: 'spend', state: back.state }))) refuse('sign_in_expired')
  if (back.code === undefined || back.code === '') refuse('sign_in_refused')
  const answer = await exchange(edge, app, back.code)
  if (answer !== 'lost') {
    if (app.state === 'broken') await edge.tx((tx) => mendConnection(tx, companyId))
    return { companyId, ...answer, returnPath }
  }
  if (pending.again >= MORE_ROUNDS) refuse('provider_unavailable')
  leave(edge, http, app, { companyId, audience: back.audience, returnPath, again: pending.again + 1 })
  return null
}

function leave(edge: Edge, http: Http, app: WecomApp, to: Pending): void {
  const path = sessionCookies[to.audience].path
  const state = keepPending(edge, http, placeOf(edge, to.audience), to)
  const inside = to.audience === 'employee' || /wxwork/i.test(http.headers['user-agent'] ?? '')
  const redirectUri = `${edge.house.publicUrl}${path}/sign-in-callback`
  http.redirect(edge.ports.wecom.signInUrl(app, inside ? 'client' : 'desktop', redirectUri, state))
}

const placeOf = (edge: Edge, audience: Audience) => ({ path: sessionCookies[audience].path, ...secureOn(edge) })

/** Also while the connection is broken: whoever shall mend it must be able to sign in, and WeCom itself decides. */
async function connectedApp(tx: Tx, companyId: Id<'company'>): Promise<WecomApp & { readonly state: ConnectionState }> {
  const app = await readAnyWecomApp(tx, companyId)
  return app === null || app.state === 'cancelled' || app.agentId < 1 ? refuse('wecom_not_connected') : app
}

/**
 * Asks whose a code is, again where that may help. A lost answer may have used the code up: `lost` says that only a new
 * code can tell. A question whose answer stays out is asked once more beside it, and whichever tells first counts: a
 * slow WeCom costs nobody a second round, and a stuck line does not keep a person waiting.
 */
async function exchange(edge: Edge, app: WecomApp, code: string): Promise<Told | 'lost'> {
  const late: Promise<WecomIdentity>[] = []
  for (let tried = 1; ; tried += 1) {
    const asked = edge.ports.wecom.identityByCode(app, code)
    try {
      const told = await Promise.race([asked, ...late, overdue(ANSWER_MS)])
      if (told !== 'overdue') return idsOf(told)
      edge.log.warn({ tried }, 'sign-in: wecom has not told yet who it is')
      late.push(asked.catch(never))
      if (tried === TRIES) return 'lost'
    } catch (error) {
      if (!(error instanceof OutsideError)) throw error
      edge.log.warn({ code: error.code, outcome: error.outcome, tried }, 'sign-in: wecom did not tell who it is')
      const next = afterFault(error, tried, late.length > 0)
      if (next === 'throw') throw error
      if (next === 'lost') return 'lost'
      if (next === 'over') refuse('sign_in_expired')
      if (error.outcome === 'unknown') late.push(never())
      const told = await Promise.race([overdue(next), ...late])
      if (told !== 'overdue') return idsOf(told)
    }
  }
}

/** What follows a fault: how long to wait before the next question, in ms, or how it ends. */
function afterFault(error: OutsideError, tried: number, wasLost: boolean): number | 'lost' | 'over' | 'throw' {
  if (error.outcome === 'refused' && isUsedCode(error.code)) return wasLost ? 'lost' : 'over'
  const passing = error.outcome === 'unknown' || error.outcome === 'busy'
  if (passing && tried < TRIES && error.retryAfterMs <= LONGEST_WAIT_MS)
    return Math.min(error.retryAfterMs, 200 * 2 ** tried)
  return passing && (wasLost || error.outcome === 'unknown') ? 'lost' : 'throw'
}

/** One of its own each time: what waits for a promise that never comes is kept as long as that promise. */
const never = (): Promise<never> => new Promise(() => undefined)
const overdue = (ms: number): Promise<'overdue'> => sleep(ms, 'overdue' as const, { ref: false })

const idsOf = (identity: WecomIdentity): Told =>
  identity.kind === 'member'
    ? { userid: identity.userid, externalUserId: null }
    : { userid: null, externalUserId: identity.externalUserId }
