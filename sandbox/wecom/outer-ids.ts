import { cipherOf, plainOf } from './cipher.ts'
import type { App, Corp, WecomState } from './state.ts'

/** The id by which a provider's apps know a company. */
export function openCorpId(providerId: string, corpId: string): string {
  return cipherOf(providerId, corpId, 'wp')
}

/** The company behind an id that a provider was given; undefined for plain ids and for ciphers of other providers. */
export function corpBehind(state: WecomState, providerId: string, seen: string): Corp | undefined {
  const plain = plainOf(providerId, seen, 'wp')
  return plain === null ? undefined : state.corps.get(plain.toLowerCase())
}

/** The id by which an app knows a customer: another for every provider, and within one for every company (8.7). */
export function externalIdFor(app: App, corp: Corp, externalUserId: string): string {
  return app.providerId ? cipherOf(`${app.providerId} ${corp.corpId}`, externalUserId, 'wm') : externalUserId
}

/** The customer's own id behind one that an app gives; null when the app was never given it. */
export function externalBehind(app: App, corp: Corp, seen: string): string | null {
  return app.providerId ? plainOf(`${app.providerId} ${corp.corpId}`, seen, 'wm') : seen
}
