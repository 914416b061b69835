import { createHmac } from 'node:crypto'
import { z } from 'zod'
import type { Secret } from '../../kernel/log.ts'
import { OutsideError } from '../../kernel/outside.ts'
import type { SmsPort } from '../ports.ts'

export interface SmsOptions {
  /** The gateway's address; null while none is configured: every call is then `broken`. */
  readonly gateway: {
    readonly url: string
    readonly key: Secret<string>
    /** The signature that operators put before every message: the name registered for the number. */
    readonly signature: string
  } | null
  readonly now: () => number
  readonly timeoutMs?: number
}

/** Codes with which a gateway says that our key, our address or our signature text is not accepted. */
const BROKEN: ReadonlySet<string> = new Set([
  'KEY_UNKNOWN',
  'SIGNATURE_WRONG',
  'STALE',
  'SIGN_NOT_REGISTERED',
  'NO_BALANCE',
])
const Answer = z.object({ code: z.string().max(40) })

/**
 * Codes by SMS over a gateway that takes HTTPS: POST with JSON {mobile, text, reference}; header `X-Sms-Timestamp` in
 * whole seconds, `X-Sms-Signature` = hex of HMAC-SHA256(key, timestamp + "." + raw body). It answers {code: "OK"}; the same
 * `reference` again is answered alike and sends nothing. 401 and 403 are `broken`, 429 `busy`, other 4xx `refused`, 5xx and
 * no answer `unknown`. Neither number nor text stands in an error.
 */
export function smsAdapter(options: SmsOptions): SmsPort {
  return {
    async sendCode({ mobile, code, company, reference }) {
      const { gateway } = options
      if (gateway === null) throw new OutsideError('broken', 'not_configured', 'no SMS gateway is configured')
      const body = JSON.stringify({ mobile, text: wordsOf(gateway.signature, code, company), reference })
      const seconds = String(Math.floor(options.now() / 1000))
      const signature = createHmac('sha256', gateway.key.reveal()).update(`${seconds}.${body}`).digest('hex')
      const response = await post(options, gateway.url, body, {
        'content-type': 'application/json; charset=utf-8',
        'x-sms-timestamp': seconds,
        'x-sms-signature': signature,
      })
      judge(response)
    },
  }
}

/** The message as people get it: the code first, for a phone offers the first number to type in. */
const wordsOf = (signature: string, code: string, company: string): string =>
  `【${signature}】${code} 是您领取${company}福利的验证码，5 分钟内有效。请勿告诉他人。`

interface Answered {
  readonly status: number
  readonly retryAfter: string | null
  readonly text: string
}

async function post(
  options: SmsOptions,
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<Answered> {
  try {
    const signal = AbortSignal.timeout(options.timeoutMs ?? 8000)
    const response = await fetch(url, { method: 'POST', redirect: 'manual', headers, body, signal })
    return { status: response.status, retryAfter: response.headers.get('retry-after'), text: await response.text() }
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError'
    throw new OutsideError('unknown', timedOut ? 'TIMEOUT' : 'NETWORK', 'the SMS gateway gave no whole answer')
  }
}

/** Passes when the gateway took the message; throws otherwise. */
function judge({ status, retryAfter, text }: Answered): void {
  const code = codeOf(text) ?? `HTTP_${status}`
  const message = `the SMS gateway answered ${status} ${code}`
  if (status === 429) throw new OutsideError('busy', code, message, waitOf(retryAfter))
  if (status === 401 || status === 403 || BROKEN.has(code)) throw new OutsideError('broken', code, message)
  if (status >= 400 && status < 500) throw new OutsideError('refused', code, message)
  if (status < 200 || status > 299) throw new OutsideError('unknown', code, message)
  if (code !== 'OK') throw new OutsideError(codeOf(text) === null ? 'unknown' : 'refused', code, message)
}

function codeOf(text: string): string | null {
  try {
    const parsed = Answer.safeParse(JSON.parse(text))
    return parsed.success && /^[A-Z0-9_]+$/i.test(parsed.data.code) ? parsed.data.code : null
  } catch {
    return null
  }
}

function waitOf(retryAfter: string | null): number {
  const seconds = Number(retryAfter)
  return retryAfter !== null && Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : 1000
}
