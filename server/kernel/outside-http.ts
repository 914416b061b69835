import { OutsideError } from './outside.ts'

/** What a call over HTTP was: whom it asked, for what, and whether it changes something there. */
export interface OutsideCall {
  readonly provider: string
  readonly api: string
  readonly effect: boolean
}

const NEVER_CONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'])

/**
 * The error for a call without an answer. One that changes nothing, or never reached the other side, is merely busy. The
 * cause is left out on purpose: its text holds the address, and that holds tokens and codes.
 */
export function errorOfNetwork({ provider, api, effect }: OutsideCall, cause: unknown): OutsideError {
  const code = networkCode(cause)
  const outcome = effect && !NEVER_CONNECTED.has(code) ? 'unknown' : 'busy'
  return new OutsideError(outcome, code, `${provider} ${api} gave no answer (${code})`)
}

/** The error for an answer that says nothing: `unknown` where the call has an effect, else `busy`. */
export function unusable({ provider, api, effect }: OutsideCall, code: string): OutsideError {
  return new OutsideError(effect ? 'unknown' : 'busy', code, `${provider} ${api} gave no usable answer (${code})`)
}

function networkCode(cause: unknown): string {
  if (!(cause instanceof Error)) return 'network'
  if (cause.name === 'TimeoutError' || cause.name === 'AbortError') return 'timeout'
  const inner = cause.cause
  if (inner instanceof Error && 'code' in inner && typeof inner.code === 'string') return inner.code
  return 'network'
}
