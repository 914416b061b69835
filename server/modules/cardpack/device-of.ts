import type { Scope } from '../../kernel/context.ts'
import { readCookies } from '../../kernel/cookies.ts'
import type { Http } from '../../kernel/endpoint.ts'
import { makeSecret } from '../card/make-secret.ts'
import { secureOn } from '../company/open-session.ts'

const COOKIE = 'fulika_device'
const YEAR_MS = 365 * 86_400_000
const CHARACTERS = 26

/**
 * The fingerprint of the device that asks: a random number that it keeps as a cookie, and that says nothing about anybody.
 * One that has none gets one. Whoever throws it away is still counted by who they are and where they come from.
 */
export function deviceOf(scope: Scope, http: Http): string {
  const kept = readCookies(http.headers['cookie']).get(COOKIE)
  const known = kept !== undefined && /^[0-9A-Z]{26}$/.test(kept)
  const device = known ? kept : makeSecret(scope, CHARACTERS)
  if (!known) http.setCookie(COOKIE, device, { maxAgeMs: YEAR_MS, path: '/', ...secureOn(scope) })
  return scope.house.seal.blindIndex('employee.device', device).slice(0, 32)
}
