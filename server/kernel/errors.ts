import { ZodError } from 'zod'
import { errorCodes, type ErrorCode, type Lang } from '../../contract/error-codes.ts'
import { OnceConflict } from './once.ts'
import { NoticeRefused, OutsideError } from './outside.ts'

export interface ErrorMore {
  /**
   * Plain words for the person who asked: in both languages, or a text that needs none (an id, words already chosen).
   * Never personal data, never another system's message.
   */
  readonly detail?: string | Readonly<Record<Lang, string>>
  readonly field?: string
  readonly row?: number
  /** Where too little is to be had: what could be had instead. */
  readonly availableFen?: number
  /** For the log only. */
  readonly cause?: unknown
  readonly retryAfterMs?: number
}

/** A refusal with a closed code. It may leave the server as it is. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly more: ErrorMore
  constructor(code: ErrorCode, more: ErrorMore = {}) {
    super(more.detail === undefined ? code : `${code}: ${inLanguage(more.detail, 'en')}`, { cause: more.cause })
    this.name = 'AppError'
    this.code = code
    this.more = more
  }
}

/** Throw a refusal, so that the transaction around it rolls back. */
export function refuse(code: ErrorCode, more: ErrorMore = {}): never {
  throw new AppError(code, more)
}

/** How much may be sent, for a `payload_too_large`. */
export function sayLimit(bytes: number): Readonly<Record<Lang, string>> {
  const size = bytes < 1024 * 1024 ? `${Math.floor(bytes / 1024)} KB` : `${Math.floor(bytes / 1024 / 1024)} MB`
  return { zh: `上限为 ${size}。`, en: `The limit is ${size}.` }
}

/** An RFC 9457 body. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly detail?: string
  readonly field?: string
  readonly row?: number
  readonly availableFen?: number
  readonly requestId: string
}

/** What may be told of an error. Anything unknown becomes `internal` and shows neither message nor stack. */
export function toProblem(error: unknown, lang: Lang, requestId: string): Problem {
  const { code, more } = toAppError(error)
  const { status, [lang]: title } = errorCodes[code]
  return {
    type: `urn:fulika:error:${code}`,
    title,
    status,
    code,
    ...(more.detail === undefined ? {} : { detail: inLanguage(more.detail, lang) }),
    ...(more.field === undefined ? {} : { field: more.field }),
    ...(more.row === undefined ? {} : { row: more.row }),
    ...(more.availableFen === undefined ? {} : { availableFen: more.availableFen }),
    requestId,
  }
}

function inLanguage(detail: NonNullable<ErrorMore['detail']>, lang: Lang): string {
  return typeof detail === 'string' ? detail : detail[lang]
}

/** The closed code behind any thrown value. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (error instanceof ZodError) return fromZod(error)
  if (error instanceof OnceConflict)
    return new AppError('idempotency_conflict', { cause: error, ...(error.field === '' ? {} : { field: error.field }) })
  if (error instanceof NoticeRefused) return new AppError('notice_refused', { cause: error })
  if (error instanceof OutsideError)
    return new AppError('provider_unavailable', { cause: error, retryAfterMs: error.retryAfterMs })
  return new AppError('internal', { cause: error })
}

/** The field is told; the library's own words are English and for the log only. */
function fromZod(error: ZodError): AppError {
  const issue = error.issues[0]
  if (issue === undefined) return new AppError('malformed_request', { cause: error })
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const field = [...issue.path, ...unknownKey].map(String).join('.')
  return new AppError('malformed_request', {
    cause: error,
    ...(field === '' ? {} : { field }),
  })
}
