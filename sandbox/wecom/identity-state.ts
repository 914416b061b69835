/** What stands in place of a userid for somebody who is not a member. No userid may begin with a tilde. */
export const STRANGER = '~outsider'
export const PERSON = '~person:'

/** In the client, or on a desktop by scanning. */
export type Where = 'client' | 'desktop'

/** What a code stands for until it is exchanged, once within five minutes (3.1). */
export interface Code {
  readonly corpId: string
  readonly agentId: number
  /** Set when the code is a third-party suite's: only that suite can exchange it. */
  readonly suiteId: string | null
  /** null: somebody outside the company. */
  readonly userid: string | null
  /** Who that is, where it is one of the people outside; null: a stranger. */
  readonly personId: string | null
  /** Whether a ticket comes with it: privateinfo, asked with the agentid, by a member whom the app sees. */
  readonly ticket: boolean
  /** Whether the member agreed to show their own details. */
  readonly consent: boolean
  readonly expiresAtMs: number
  used: boolean
}

/** With which a member's own details are read (3.3). */
export interface UserTicket {
  readonly corpId: string
  readonly agentId: number
  readonly suiteId: string | null
  readonly userid: string
  readonly consent: boolean
  readonly untilMs: number
}

export interface IdentityState {
  readonly tickets: Map<string, UserTicket>
  /** What a member said when an app asked for their details, by company, app and lower-cased userid. */
  readonly consents: Map<string, boolean>
}

/** Nobody has been asked yet. */
export function emptyIdentity(): IdentityState {
  return { tickets: new Map(), consents: new Map() }
}
