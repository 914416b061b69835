/**
 * A call to the outside world that did not succeed.
 * `unknown`: it may have taken effect (timeout, cut connection, 5xx): ask before you repeat.
 * `refused`: it took no effect and a repeat gives the same answer.
 * `busy`: it took no effect, come back after `retryAfterMs`.
 * `broken`: our credential or configuration is wrong: stop calling, tell a person.
 */
export type OutsideOutcome = 'unknown' | 'refused' | 'busy' | 'broken'

export class OutsideError extends Error {
  readonly outcome: OutsideOutcome
  /** The other side's own code, for logs and for mapping; never shown to people as it is. */
  readonly code: string
  readonly retryAfterMs: number
  constructor(outcome: OutsideOutcome, code: string, message: string, retryAfterMs = 1000) {
    super(message)
    this.name = 'OutsideError'
    this.outcome = outcome
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}

/** A callback or notice that is not what it claims to be. `code` is closed; the message holds no content of the notice. */
export class NoticeRefused extends Error {
  readonly code: 'signature_wrong' | 'signature_missing' | 'stale' | 'serial_unknown' | 'cipher_wrong' | 'malformed'
  constructor(code: NoticeRefused['code']) {
    super(`notice refused: ${code}`)
    this.name = 'NoticeRefused'
    this.code = code
  }
}
