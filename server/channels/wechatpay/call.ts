import type { z } from 'zod'
import { OutsideError } from '../../kernel/outside.ts'
import type { WechatPayMerchant } from '../wechatpay-port.ts'
import { malformed, readJson, refusal, type Area } from './answer.ts'
import { isSigned, type PlatformKeys } from './certificates.ts'
import { exchange, type Incoming, type Outgoing } from './exchange.ts'
import type { Means, WechatPayOptions } from './options.ts'

/** What every call needs. */
export interface Caller {
  readonly options: WechatPayOptions
  readonly meansOf: (mchid: string) => Means
  readonly platform: PlatformKeys
}

/** A call of one merchant. Without a body it is a GET. */
export interface Call {
  readonly merchant: WechatPayMerchant
  readonly path: string
  readonly body?: string
  readonly area?: Area
}

/** Codes with which a query says that it knows no such number. */
const NOT_THERE = new Set(['ORDER_NOT_EXIST', 'RESOURCE_NOT_EXISTS'])

/** Calls and reads the verified answer. Throws OutsideError; MALFORMED when it is not what it must be. */
export async function ask<T>(caller: Caller, call: Call, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(readJson(await send(caller, call)))
  if (!parsed.success) throw malformed()
  return parsed.data
}

/** The same for a query: null where WeChat Pay has no such number. */
export async function look<T>(caller: Caller, call: Call, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return await ask(caller, call, schema)
  } catch (error) {
    if (error instanceof OutsideError && error.outcome === 'refused' && NOT_THERE.has(error.code)) return null
    throw error
  }
}

/** Calls and gives the verified text of a 2xx. Throws OutsideError. */
export async function send(caller: Caller, call: Call): Promise<string> {
  const merchant = caller.meansOf(call.merchant.mchid)
  const request: Outgoing = {
    method: call.body === undefined ? 'GET' : 'POST',
    path: call.path,
    body: call.body ?? '',
  }
  const first = await sendOnce(caller, call, merchant, request)
  if (first !== null) return first
  // WeChat Pay signs an answer wrongly now and then to see what we do: a query is simply made again (1.3).
  const again = request.method === 'GET' ? await sendOnce(caller, call, merchant, request) : null
  if (again !== null) return again
  throw new OutsideError('unknown', 'RESPONSE_SIGNATURE', 'the answer of WeChat Pay is not signed as it must be')
}

/** Null when the answer is not signed as it must be. */
async function sendOnce(caller: Caller, call: Call, merchant: Means, request: Outgoing): Promise<string | null> {
  const { options, platform } = caller
  const answer = await exchange(options, merchant, request, platform.publicKeyId(merchant))
  if (answer.status < 200 || answer.status > 299) throw judged(answer, request, call.area)
  await platform.find(answer.headers.get('wechatpay-serial') ?? '', [merchant.mchid])
  return isSigned(answer.headers, answer.raw, platform.known, options.now()) ? answer.raw.toString('utf8') : null
}

/** What the first host may have done, no refusal of the second one undoes. */
function judged({ status, raw, headers, doubtful }: Incoming, request: Outgoing, area?: Area): OutsideError {
  const error = refusal(status, raw, headers.get('retry-after'), area)
  if (!doubtful || request.method === 'GET' || error.outcome === 'unknown') return error
  return new OutsideError('unknown', error.code, error.message, error.retryAfterMs)
}

/** RFC 3339 in China's time, whole seconds. */
export function chinaTime(ms: number): string {
  return `${new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`
}

/** One segment of a path, or one value of a query. */
export const part = (text: string): string => encodeURIComponent(text)
