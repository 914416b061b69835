import { z } from 'zod'
import { OutsideError } from '../../kernel/outside.ts'
import { errorOfNetwork, unusable } from '../../kernel/outside-http.ts'
import { errorOfCode, isKnownCode } from './errors.ts'

const TIMEOUT_MS = 5_000

/** How the adapter reaches WeChat over HTTPS. */
export interface WechatBases {
  /** Origin of the API, for WeChat itself https://api.weixin.qq.com */
  readonly apiBase: string
  /** Origin of the authorise page, for WeChat itself https://open.weixin.qq.com */
  readonly oauthBase: string
  readonly timeoutMs?: number
  /** Told of a code that the protocol sheet does not know, for an alert. */
  readonly unknownCode?: (api: string, errcode: number) => void
}

/** A call. `effect`: it changes something there, so that silence leaves the outcome unknown. */
export interface Call {
  /** Its path, without the first slash. */
  readonly api: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: object
  readonly effect: boolean
}

const anyAnswer = z.looseObject({ errcode: z.number().int().optional() })
export type Answer = z.infer<typeof anyAnswer>
export type Request = (call: Call) => Promise<Answer>

/** Seconds as WeChat writes them: a number, or a text of one. */
export const seconds = z.coerce.number().positive()

/**
 * One request and its answer, whatever its errcode. Throws OutsideError for silence, cut connections and anything that
 * is no answer; `busy` where the call has no effect, else `unknown`.
 */
export function caller(bases: WechatBases): Request {
  return async (call) => {
    const url = new URL(`/${call.api}`, bases.apiBase)
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value)
    let status: number
    let text: string
    try {
      const response = await fetch(url, initOf(call, bases.timeoutMs ?? TIMEOUT_MS))
      status = response.status
      text = await response.text()
    } catch (error) {
      throw errorOfNetwork(named(call), error)
    }
    if (status >= 500) throw unusable(named(call), `http_${status}`)
    if (status >= 400) throw new OutsideError('refused', `http_${status}`, `wechat ${call.api} answered http ${status}`)
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
  const headers = { 'content-type': 'application/json; charset=utf-8' }
  return { ...init, method: 'POST', headers, body: JSON.stringify(call.body) }
}

/** The answer when it is a success: `errcode` absent or 0. Throws OutsideError by section 14. */
export function accepted(call: Call, answer: Answer): Answer {
  const errcode = answer.errcode ?? 0
  if (errcode !== 0) throw errorOfCode(call.api, errcode, call.effect)
  return answer
}

/** Reads the fields of an answer. One that lacks them is no usable answer: `unknown` where the call has an effect. */
export function fieldsOf<T>(form: z.ZodType<T>, call: Call, answer: Answer): T {
  const fields = form.safeParse(answer)
  if (!fields.success) throw unusable(named(call), 'malformed')
  return fields.data
}

const named = ({ api, effect }: Pick<Call, 'api' | 'effect'>) => ({ provider: 'wechat', api, effect })

/** A whole number beyond what JavaScript counts with stays the text that it was: ids of messages are such. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text, exactly as Reviver)
  } catch {
    return undefined
  }
}

type Reviver = (key: string, value: unknown) => unknown
/** The third argument is there in Node, and not yet in the types. */
const exactly = (_key: string, value: unknown, { source }: { readonly source?: string }): unknown =>
  typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? source : value
