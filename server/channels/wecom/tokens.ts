import { createHash } from 'node:crypto'
import { OutsideError } from '../../kernel/outside.ts'
import type { WecomApp } from '../ports.ts'

/** An access token and the moment after which it is fetched anew. */
export interface StoredToken {
  readonly value: string
  readonly refreshAtMs: number
}

/** Where tokens are kept between calls; several processes may share one. Keys hold no secret. */
export interface TokenStore {
  get(key: string): Promise<StoredToken | null>
  put(key: string, token: StoredToken): Promise<void>
}

/** The default store: one process, gone with it. */
export function memoryTokenStore(): TokenStore {
  const tokens = new Map<string, StoredToken>()
  return {
    get: async (key) => tokens.get(key) ?? null,
    put: async (key, token) => void tokens.set(key, token),
  }
}

export interface TokenCache {
  /** A token that is believed to live; `not` names one that WeCom has just called dead. */
  token(app: WecomApp, not?: string): Promise<string>
}

/** Fetches a token from WeCom: its text and its life in seconds. `dead` errors stop the credential for good. */
export type FetchToken = (app: WecomApp) => Promise<{ readonly value: string; readonly expiresInS: number }>

/**
 * One token per app, fetched by one caller at a time, renewed at 90 % of its life. After the first error for which
 * `isDead` holds the credential is not tried again by this process; another secret is another credential.
 */
export function tokenCache(
  store: TokenStore,
  now: () => number,
  fetchToken: FetchToken,
  isDead: (error: OutsideError) => boolean,
): TokenCache {
  const flights = new Map<string, Promise<string>>()
  const dead = new Map<string, string>()

  async function obtain(key: string, app: WecomApp, not: string | undefined): Promise<string> {
    const known = await store.get(key)
    if (known && known.value !== not && now() < known.refreshAtMs) return known.value
    const code = dead.get(key)
    if (code !== undefined) throw new OutsideError('broken', code, `wecom credential stopped after ${code}`)
    try {
      const fresh = await fetchToken(app)
      await store.put(key, { value: fresh.value, refreshAtMs: now() + fresh.expiresInS * 900 })
      return fresh.value
    } catch (error) {
      if (error instanceof OutsideError && isDead(error)) dead.set(key, error.code)
      throw error
    }
  }

  return {
    async token(app, not) {
      const key = credentialKey(app)
      const running = flights.get(key)
      if (running) {
        const value = await running
        if (value !== not) return value
      }
      const again = flights.get(key)
      if (again) return again
      const flight = obtain(key, app, not).finally(() => flights.delete(key))
      flights.set(key, flight)
      return flight
    },
  }
}

function credentialKey(app: WecomApp): string {
  const print = createHash('sha256').update(`wecom-secret:${app.secret}`).digest('hex').slice(0, 16)
  return `${app.corpId}:${app.agentId}:${print}`
}
