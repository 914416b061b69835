import { OutsideError } from '../../kernel/outside.ts'
import { readLimited } from '../../kernel/read-limited.ts'
import { authorization } from './crypto.ts'
import type { Means, WechatPayOptions } from './options.ts'
import { sendHttp, type HttpAnswer } from './plain-http.ts'

/** One request; `path` with its query, exactly as it is signed and sent. */
export interface Outgoing {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body: string
}

/** What came back, before anything of it is believed. */
export interface Incoming {
  readonly status: number
  readonly headers: HttpAnswer['headers']
  readonly raw: Buffer
  /** The first host may have done it too: only a success tells the truth. */
  readonly doubtful: boolean
}

/** An answer of the API is small; bills say their own limit. */
const ANSWER_LIMIT = 1024 * 1024
/** A large file takes longer than an answer may. */
const FILE_TIMEOUT_MS = 60_000
/** No byte of the request left the house when it failed like this. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/**
 * Signs and sends, without judging the answer. Where the first host gives none, the same bytes go to the second one, once,
 * signed afresh. Throws OutsideError `unknown` NETWORK, TIMEOUT or TOO_LARGE.
 */
export async function exchange(
  options: WechatPayOptions,
  merchant: Means,
  request: Outgoing,
  serial: string | null,
): Promise<Incoming> {
  try {
    return { ...(await sendTo(options.baseUrl, options, merchant, request, serial)), doubtful: false }
  } catch (error) {
    const second = options.secondUrl ?? null
    if (second === null || !(error instanceof NoAnswer)) throw error
    return { ...(await sendTo(second, options, merchant, request, serial)), doubtful: error.mayHaveArrived }
  }
}

/** Gets a file from an address of ours to judge, signed like a call. The answer is not signed by WeChat Pay. */
export async function fetchSigned(
  options: WechatPayOptions,
  merchant: Means,
  address: { readonly origin: string; readonly path: string },
  limit: number,
): Promise<Incoming> {
  const request: Outgoing = { method: 'GET', path: address.path, body: '' }
  const patient = { ...options, timeoutMs: options.timeoutMs ?? FILE_TIMEOUT_MS }
  return { ...(await sendTo(address.origin, patient, merchant, request, null, limit)), doubtful: false }
}

/** No answer, or not a whole one. */
class NoAnswer extends OutsideError {
  readonly mayHaveArrived: boolean
  constructor(cause: unknown) {
    const timedOut = cause instanceof Error && cause.name === 'TimeoutError'
    super('unknown', timedOut ? 'TIMEOUT' : 'NETWORK', 'WeChat Pay gave no whole answer')
    const inner: unknown = cause instanceof Error ? cause.cause : undefined
    const code: unknown = inner instanceof Error && 'code' in inner ? inner.code : undefined
    this.mayHaveArrived = typeof code !== 'string' || !NEVER_SENT.has(code)
  }
}

async function sendTo(
  origin: string,
  options: WechatPayOptions,
  merchant: Means,
  request: Outgoing,
  serial: string | null,
  limit = ANSWER_LIMIT,
): Promise<Omit<Incoming, 'doubtful'>> {
  const seconds = Math.floor(options.now() / 1000)
  const nonce = options.random(16).toString('hex').toUpperCase()
  const headers = {
    accept: 'application/json',
    // The sharing family is judged by what it says, and it says it in the language that was asked for.
    'accept-language': 'zh-CN',
    'user-agent': 'fulika/0.1',
    authorization: await authorization(merchant, { ...request, seconds, nonce }),
    ...(serial === null ? {} : { 'wechatpay-serial': serial }),
    ...(request.method === 'POST' ? { 'content-type': 'application/json' } : {}),
  }
  try {
    const response = await (options.fetch ?? sendHttp)(origin + request.path, {
      method: request.method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(options.timeoutMs ?? 8000),
      ...(request.method === 'POST' ? { body: request.body } : {}),
    })
    return { status: response.status, headers: response.headers, raw: await readLimited(response, limit, 'WeChat Pay') }
  } catch (error) {
    throw error instanceof OutsideError ? error : new NoAnswer(error)
  }
}
