import { z } from 'zod'
import { OutsideError } from '../../kernel/outside.ts'
import { errorOfNetwork, unusable } from '../../kernel/outside-http.ts'
import type { WecomApp } from '../ports.ts'
import { errorOfCode, isKnownCode } from './errors.ts'

const TIMEOUT_MS = 5_000
/** A file may have 20 MB; shorter than the lease under which one process uploads for all. */
const UPLOAD_TIMEOUT_MS = 12_000

/** How the adapter reaches WeCom over HTTPS. */
export interface WecomBases {
  /** Origin of the API, for WeCom itself https://qyapi.weixin.qq.com (without /cgi-bin). */
  readonly apiBase: string
  /** Origin of sign-in inside the client, for WeCom itself https://open.weixin.qq.com. */
  readonly oauthBase: string
  /** Origin of sign-in on a desktop, for WeCom itself https://login.work.weixin.qq.com. */
  readonly loginBase: string
  /** Origin of the page on which an admin installs a suite, for WeCom itself https://open.work.weixin.qq.com. */
  readonly installBase: string
  readonly fetch?: typeof globalThis.fetch
  readonly timeoutMs?: number
  /** Told of a code that the protocol sheet does not know, for an alert. */
  readonly unknownCode?: (api: string, errcode: number) => void
}

/** A call below /cgi-bin. `effect`: it changes something there, so that silence leaves the outcome unknown. */
export interface Call {
  readonly api: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: string | FormData
  readonly effect: boolean
  /** Codes that the caller reads itself; every other one but 0 throws. */
  readonly expects?: ReadonlySet<number>
}

const anyAnswer = z.looseObject({ errcode: z.number().int().optional() })
export type Answer = z.infer<typeof anyAnswer>
export type Request = (call: Call) => Promise<Answer>

/** Calls in somebody's name: the token is found, renewed once when it died, and kept out of every error. */
export interface Api {
  /** As the company's app, inside the limits an API has. */
  readonly app: (app: WecomApp, call: Call) => Promise<Answer>
  /** As the company's contact sync, which lists all ids. A missing or wrong secret of it is `refused`, never `broken`. */
  readonly contactSync: (app: WecomApp, call: Call) => Promise<Answer>
  /** As one of our suites. */
  readonly suite: (suiteId: string, call: Call) => Promise<Answer>
  /** As the provider. */
  readonly provider: (call: Call) => Promise<Answer>
}

/**
 * One request and its answer, whatever its errcode. Throws OutsideError for silence, cut connections and anything that
 * is no answer; `busy` where the call has no effect, else `unknown`.
 */
export function caller(bases: WecomBases): Request {
  const send = bases.fetch ?? globalThis.fetch
  return async (call) => {
    const url = new URL(`/cgi-bin/${call.api}`, bases.apiBase)
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value)
    let status: number
    let text: string
    try {
      const response = await send(url, initOf(call, bases.timeoutMs ?? TIMEOUT_MS))
      status = response.status
      text = await response.text()
    } catch (error) {
      throw errorOfNetwork(named(call), error)
    }
    if (status >= 500) throw unusable(named(call), `http_${status}`)
    if (status >= 400) throw new OutsideError('refused', `http_${status}`, `wecom ${call.api} answered http ${status}`)
    const answer = anyAnswer.safeParse(readJson(text))
    if (!answer.success) throw unusable(named(call), 'malformed')
    const errcode = answer.data.errcode ?? 0
    if (errcode !== 0 && !isKnownCode(errcode)) bases.unknownCode?.(call.api, errcode)
    return answer.data
  }
}

function initOf(call: Call, timeoutMs: number): RequestInit {
  const init: RequestInit = { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) }
  if (call.body === undefined) return init
  if (typeof call.body !== 'string') {
    const signal = AbortSignal.timeout(Math.max(timeoutMs, UPLOAD_TIMEOUT_MS))
    return { ...init, method: 'POST', signal, body: call.body }
  }
  const headers = { 'content-type': 'application/json; charset=utf-8' }
  return { ...init, method: 'POST', headers, body: Buffer.from(call.body, 'utf8') }
}

/** The answer when it is a success, or one of the codes that the call expects. Throws OutsideError by section 9. */
export function accepted(call: Call, answer: Answer): Answer {
  const errcode = answer.errcode ?? 0
  if (errcode !== 0 && call.expects?.has(errcode) !== true) throw errorOfCode(call.api, errcode)
  return answer
}

/** Reads the fields of an answer. One that lacks them is no usable answer: `unknown` where the call has an effect. */
export function fieldsOf<T>(form: z.ZodType<T>, call: Pick<Call, 'api' | 'effect'>, answer: Answer): T {
  const fields = form.safeParse(answer)
  if (!fields.success) throw unusable(named(call), 'malformed')
  return fields.data
}

const named = ({ api, effect }: Pick<Call, 'api' | 'effect'>) => ({ provider: 'wecom', api, effect })

/** A JSON text, or undefined. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A list in an answer that is absent when it is empty. */
export const listOf = <T>(item: z.ZodType<T>) =>
  z
    .array(item)
    .nullish()
    .transform((list): readonly T[] => list ?? [])

/** The cursor of an answer: empty and absent both mean the end. */
export const cursorForm = z
  .string()
  .nullish()
  .transform((cursor) => (cursor === undefined || cursor === '' ? null : cursor))
