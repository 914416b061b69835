import { appOf, corpOf, fakeId, type App, type Corp, type TokenOwner, type WecomState } from './state.ts'

const TOKEN_LIFE_S = 7_200
/** How long an older token lives on where overlap is switched on; WeCom promises nothing (11.5). */
const OVERLAP_MS = 300_000

/** A token as it is given out; the seconds are those that it has left. */
export interface GivenToken {
  readonly access_token: string
  readonly expires_in: number
}

/** The token of an owner: the same while it lives, a new one after. Suites and providers have theirs from here too. */
export function issueToken(state: WecomState, owner: TokenOwner): GivenToken {
  const now = state.now()
  const key = keyOf(owner)
  const value = state.currentTokens.get(key)
  const current = value === undefined ? undefined : state.tokens.get(value)
  if (value !== undefined && current && !current.voided && now < current.expiresAtMs)
    return { access_token: value, expires_in: Math.max(1, Math.floor((current.expiresAtMs - now) / 1_000)) }
  const fresh = fakeId('TOKEN', 32)
  state.tokens.set(fresh, { owner, expiresAtMs: now + TOKEN_LIFE_S * 1_000, voided: false })
  state.currentTokens.set(key, fresh)
  return { access_token: fresh, expires_in: TOKEN_LIFE_S }
}

/** The token with which a company's app calls, however its secret came to be proven. */
export function issueAppToken(state: WecomState, corp: Corp, app: App): GivenToken {
  return issueToken(state, { kind: 'app', corpId: corp.corpId, agentId: app.agentId })
}

/** Ends the token of an owner before its time; `code` is what it answers from then on. */
export function endToken(state: WecomState, owner: TokenOwner, code: 40014 | 42001): void {
  const key = keyOf(owner)
  const value = state.currentTokens.get(key)
  state.currentTokens.delete(key)
  const token = value === undefined ? undefined : state.tokens.get(value)
  if (value === undefined || !token) return
  state.tokens.set(value, { ...token, voided: code === 40014, expiresAtMs: code === 42001 ? 0 : token.expiresAtMs })
}

/** Whom a token speaks for; `dead` and `unknown` are for the caller to turn into codes. */
export function readToken(state: WecomState, value: string): TokenOwner | 'dead' | 'unknown' {
  const token = state.tokens.get(value)
  if (!token || token.voided) return 'unknown'
  const overlapMs = state.settings.overlapTokens && token.expiresAtMs > 0 ? OVERLAP_MS : 0
  return state.now() < token.expiresAtMs + overlapMs ? token.owner : 'dead'
}

/** The company and, unless it is the contact-sync secret, the app of a token; null when they are gone. */
export function holderOf(
  state: WecomState,
  owner: TokenOwner,
): { readonly corp: Corp; readonly app: App | null } | null {
  if (owner.kind === 'suite' || owner.kind === 'provider') return null
  const corp = corpOf(state, owner.corpId)
  if (!corp) return null
  if (owner.kind === 'contact') return { corp, app: null }
  const app = appOf(corp, owner.agentId)
  return app ? { corp, app } : null
}

function keyOf(owner: TokenOwner): string {
  switch (owner.kind) {
    case 'app':
      return `app ${owner.corpId.toLowerCase()} ${owner.agentId}`
    case 'contact':
    case 'provider':
      return `${owner.kind} ${owner.corpId.toLowerCase()}`
    case 'suite':
      return `suite ${owner.suiteId}`
  }
}
