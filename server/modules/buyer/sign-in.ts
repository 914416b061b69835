import { z } from 'zod'
import type { WechatIdentity } from '../../channels/wechat-port.ts'
import type { Edge } from '../../kernel/context.ts'
import type { Http } from '../../kernel/endpoint.ts'
import { AppError, refuse } from '../../kernel/errors.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { keepPending, readPending } from '../../kernel/pending-sign-in.ts'
import { useUp } from '../../kernel/once.ts'
import { openSession, secureOn, sessionCookies } from '../company/open-session.ts'
import { isOwnPath } from '../company/rules.ts'
import { knowBuyer } from './know-buyer.ts'

/** What the browser remembers while WeChat is asked. It names no person. */
const Pending = z.object({ returnPath: z.string(), again: z.int() })

export const STORE_HOME = '/shop/'
/** How often a code that was lost or used on its way is fetched anew, which a person hardly sees. */
const MORE_ROUNDS = 2
/** WeChat says that it is busy: asked again so often, so much later (ms). */
const BUSY_TRIES = 2
const BUSY_MS = 200
/** Codes that another one may heal: wrong, used, too old (protocols wechat-consumer 2.2). */
const spentCodes = new Set(['40029', '40163', '42003'])

/**
 * Sends the browser to WeChat to say, silently, whose phone it is (scope snsapi_base: an openid and nothing else). Refuses
 * with `wechat_not_connected`, and `malformed_request` for a return path that is not ours.
 */
export function beginStoreSignIn(edge: Edge, http: Http, returnPath: string = STORE_HOME, again = 0): void {
  if (!isOwnPath(returnPath)) refuse('malformed_request', { field: 'return' })
  if (edge.house.wechat === null) refuse('wechat_not_connected')
  const state = keepPending(edge, http, placeOf(edge), { returnPath, again })
  const redirectUri = `${edge.house.publicUrl}/store/sign-in-callback`
  http.redirect(edge.ports.wechat.authoriseUrl('snsapi_base', redirectUri, state))
}

/**
 * Takes the browser back from WeChat, signs its buyer in and sends it on to where it came from. WeChat often delivers a code
 * twice: a browser that is signed in by then goes on, any other asks for a new code, twice at most. Refuses with
 * `sign_in_expired`, `sign_in_refused` (the person turned back), `snapshot_page`, `provider_unavailable`.
 */
export async function completeStoreSignIn(
  edge: Edge,
  http: Http,
  back: { readonly code: string | undefined; readonly state: string },
): Promise<void> {
  const appid = edge.house.wechat?.appid ?? refuse('wechat_not_connected')
  const pending = readStanding(edge, http, back.state)
  if (pending === null) return edge.actor.kind === 'buyer' ? http.redirect(STORE_HOME) : refuse('sign_in_expired')
  const [first] = await edge.tx((tx) => useUp(tx, 'sign-in', [back.state]))
  if (first !== true) return goOnOrAgain(edge, http, pending)
  if (back.code === undefined || back.code === '') refuse('sign_in_refused')
  const identity = await exchange(edge, back.code)
  if (identity === 'lost') return goOnOrAgain(edge, http, pending)
  if (identity.snapshot) refuse('snapshot_page')
  const buyerId = await edge.tx((tx) => knowBuyer(tx, { appid, openid: identity.openid, unionid: identity.unionid }))
  openSession(edge, http, { kind: 'buyer', buyerId })
  http.redirect(pending.returnPath)
}

/** The page of the storefront that a refusal of this sign-in is told on: the one that the browser left, where it is one. */
export function pageToTell(edge: Edge, http: Http, state: string): string {
  const returnPath = readStanding(edge, http, state)?.returnPath ?? STORE_HOME
  return returnPath.startsWith(STORE_HOME) ? returnPath : STORE_HOME
}

/** Its cookie stays until it is over, so that the second delivery of a code finds its way as well. Null: none of this browser's. */
function readStanding(edge: Edge, http: Http, state: string): z.output<typeof Pending> | null {
  try {
    return readPending(edge, http, Pending, state)
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}

function goOnOrAgain(edge: Edge, http: Http, { returnPath, again }: z.output<typeof Pending>): void {
  if (edge.actor.kind === 'buyer') return http.redirect(returnPath)
  if (again >= MORE_ROUNDS) refuse('provider_unavailable')
  beginStoreSignIn(edge, http, returnPath, again + 1)
}

async function exchange(edge: Edge, code: string): Promise<WechatIdentity | 'lost'> {
  for (let tried = 0; ; tried += 1) {
    try {
      return await edge.ports.wechat.identityByCode(code)
    } catch (error) {
      if (!(error instanceof OutsideError)) throw error
      edge.log.warn({ code: error.code, outcome: error.outcome, tried }, 'sign-in: wechat did not tell who it is')
      if (error.outcome === 'unknown' || (error.outcome === 'refused' && spentCodes.has(error.code))) return 'lost'
      if (error.outcome === 'refused') refuse('sign_in_refused')
      if (error.outcome !== 'busy' || tried >= BUSY_TRIES) refuse('provider_unavailable', { cause: error })
      await new Promise((resolve) => setTimeout(resolve, BUSY_MS * 2 ** tried))
    }
  }
}

const placeOf = (edge: Edge) => ({ path: sessionCookies.buyer.path, ...secureOn(edge) })
