import { z } from 'zod'
import type { Edge } from './context.ts'
import { decodeSigned, encodeSigned, readCookies } from './cookies.ts'
import type { Http } from './endpoint.ts'
import { refuse } from './errors.ts'

const PENDING_MS = 10 * 60_000
const STATE_BYTES = 16

/** Where the cookie of a sign-in under way is sent: below the paths of its audience, and never in the clear over https. */
export interface SignInPlace {
  readonly path: string
  readonly secure?: true
}

/**
 * Remembers in the browser what a sign-in is for while its person is away at a provider, for ten minutes, and gives the
 * state that the provider hands back: 128 bits in hex. Nothing in it names a person.
 */
export function keepPending(edge: Edge, http: Http, place: SignInPlace, value: object): string {
  const state = edge.random(STATE_BYTES).toString('hex')
  const pending = { ...value, state, expiresAtMs: edge.clock.now() + PENDING_MS }
  const text = encodeSigned('sign-in', pending, edge.house.sessionKey)
  http.setCookie(cookieOf(state), text, { maxAgeMs: PENDING_MS, ...place })
  return state
}

/**
 * What this very browser was to come back with, read once: its cookie is gone afterwards. Refuses as `readPending` does.
 */
export function takePending<T extends z.ZodType>(
  edge: Edge,
  http: Http,
  place: SignInPlace,
  schema: T,
  state: string,
): z.output<T> {
  if (isState(state)) http.setCookie(cookieOf(state), '', { maxAgeMs: 0, ...place })
  return readPending(edge, http, schema, state)
}

/**
 * What this very browser was to come back with. Refuses with `sign_in_expired` when the state is no state of ours, not this
 * browser's, or over. Whether it was used before is the caller's to settle.
 */
export function readPending<T extends z.ZodType>(edge: Edge, http: Http, schema: T, state: string): z.output<T> {
  if (!isState(state)) refuse('sign_in_expired')
  const text = readCookies(http.headers['cookie']).get(cookieOf(state))
  const pending = decodeSigned('sign-in', Kept, text, edge.house.sessionKey)
  if (pending === null || pending.state !== state || pending.expiresAtMs <= edge.clock.now()) refuse('sign_in_expired')
  const known = schema.safeParse(pending)
  return known.success ? known.data : refuse('sign_in_expired')
}

const isState = (text: string): boolean => /^[0-9a-f]{32}$/.test(text)

const Kept = z.looseObject({ state: z.string(), expiresAtMs: z.int() })

/** One cookie for each sign-in under way, so that two tabs do not end each other's. */
const cookieOf = (state: string): string => `fulika_sign_in_${state.slice(0, 8)}`
