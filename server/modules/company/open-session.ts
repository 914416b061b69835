import type { Id } from '../../../contract/ids.ts'
import type { Scope } from '../../kernel/context.ts'
import { encodeSession } from '../../kernel/cookies.ts'
import type { Http } from '../../kernel/endpoint.ts'

/** Whom a session speaks for. */
export type SessionOf =
  | { readonly kind: 'member'; readonly companyId: Id<'company'>; readonly memberId: Id<'member'> }
  | { readonly kind: 'employee'; readonly companyId: Id<'company'>; readonly personId: Id<'person'> }
  | { readonly kind: 'buyer'; readonly buyerId: Id<'buyer'> }
  | { readonly kind: 'operator'; readonly operatorId: Id<'operator'> }
  | { readonly kind: 'clerk'; readonly clerkId: Id<'clerk'> }

const HOUR_MS = 3_600_000

/** Each audience has a cookie of its own, sent only below its own paths, so one browser may hold them all. */
export const sessionCookies = {
  member: { name: 'fulika_hr', path: '/hr', lifeMs: 12 * HOUR_MS },
  employee: { name: 'fulika_pack', path: '/employee', lifeMs: 30 * 24 * HOUR_MS },
  buyer: { name: 'fulika_store', path: '/store', lifeMs: 30 * 24 * HOUR_MS },
  operator: { name: 'fulika_ops', path: '/operator', lifeMs: 12 * HOUR_MS },
  clerk: { name: 'fulika_till', path: '/merchant', lifeMs: 30 * 24 * HOUR_MS },
} as const

/**
 * Signs somebody in on this browser: 12 hours for a console, 30 days for an employee's card pack, for the storefront, and for the phone of a
 * shop, whose clerk is let in anew by a link.
 */
export function openSession(scope: Scope, http: Http, session: SessionOf): void {
  const { kind, ...ids } = session
  const { name, path, lifeMs } = sessionCookies[kind]
  const text = encodeSession({ kind, ids, expiresAtMs: scope.clock.now() + lifeMs }, scope.house.sessionKey)
  http.setCookie(name, text, { maxAgeMs: lifeMs, path, ...secureOn(scope) })
}

/** Signs this browser out of one audience. */
export function closeSession(scope: Scope, http: Http, kind: SessionOf['kind']): void {
  const { name, path } = sessionCookies[kind]
  http.setCookie(name, '', { maxAgeMs: 0, path, ...secureOn(scope) })
}

/** A house that is reached by https never sends a cookie of ours in the clear, whatever stands in between. */
export function secureOn(scope: Scope): { readonly secure?: true } {
  return scope.house.publicUrl.startsWith('https:') ? { secure: true } : {}
}
