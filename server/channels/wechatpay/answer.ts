import { z } from 'zod'
import { OutsideError } from '../../kernel/outside.ts'

/** What was asked: some codes mean another thing there. */
export type Area = 'general' | 'refund' | 'share' | 'return'

const errorBody = z.object({
  code: z.string().min(1).max(64),
  message: z.string().optional(),
  detail: z.object({ field: z.string().optional() }).nullable().optional().catch(undefined),
})

/** Codes that are spelled differently from page to page (protocols wechat-pay 2.6 and 9). */
const spellings: Readonly<Record<string, string>> = {
  NOAUTH: 'NO_AUTH',
  RULELIMIT: 'RULE_LIMIT',
  SYSTEMERROR: 'SYSTEM_ERROR',
}
const BROKEN = new Set(['SIGN_ERROR', 'NO_AUTH', 'APPID_MCHID_NOT_MATCH', 'MCH_NOT_EXISTS'])
/** Wrong input although the status says 500 (protocols wechat-pay 2.6). */
const REFUSED_500 = new Set(['OPENID_MISMATCH', 'INVALID_TRANSACTIONID'])

/**
 * The one place where a message decides: profit sharing says INVALID_REQUEST, and for a missing relation PARAM_ERROR too,
 * of things that need different answers (protocols wechat-pay 5.6). What no line knows stays what it was, for a person.
 */
const sharingMessages: readonly { readonly says: RegExp; readonly area: Area | null; readonly code: string }[] = [
  { says: /与(原|首次)请求(方)?不一致|参数不一致|已用于其他订单/, area: null, code: 'SHARING_DIFFERS' },
  { says: /(最大分账|分账最大|分账)比例/, area: null, code: 'SHARING_OVER_RATIO' },
  { says: /关系不存在|(没有|无|未).{0,8}关系/, area: null, code: 'SHARING_NO_RELATION' },
  { says: /处理中|未完成|稍后(再试|重试)/, area: 'return', code: 'RETURN_NOT_READY' },
  { says: /处理中|稍后(再试|重试)/, area: 'share', code: 'SHARING_TOO_EARLY' },
  { says: /完结|已(全部)?解冻|已全额退款|分账次数超过/, area: 'share', code: 'SHARING_ENDED' },
]

/** Judges an answer that is not 2xx (protocols wechat-pay 2.6, 4.4, 5.6 and 9): by status, then by code. */
export function refusal(status: number, raw: Buffer, retryAfter: string | null, area: Area = 'general'): OutsideError {
  const parsed = errorBody.safeParse(readJson(raw.toString('utf8')))
  if (!parsed.success) return withoutCode(status, retryAfter, area)
  const told = spellings[parsed.data.code] ?? parsed.data.code
  const [field, text] = [parsed.data.detail?.field ?? '', (parsed.data.message ?? '').slice(0, 200)]
  const message = ['WeChat Pay answered', status, told, field, text].filter((part) => part !== '').join(' ')
  if (status === 429) return tooMany(retryAfter, area, message)
  const code = codeOf(status, told, text, area)
  const outcome = outcomeOf(status, code, area)
  return new OutsideError(outcome, code, message, outcome === 'busy' ? waitOf(retryAfter) : undefined)
}

/** JSON of a text, or undefined when it is none. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** An answer that says something else than it must; what it was about is unknown. */
export function malformed(): OutsideError {
  return new OutsideError('unknown', 'MALFORMED', 'the answer of WeChat Pay cannot be read')
}

function codeOf(status: number, told: string, message: string, area: Area): string {
  if (area !== 'share' && area !== 'return') return told
  if (told === 'RULE_LIMIT') return 'SHARING_OVER_RATIO'
  if (status !== 400 || (told !== 'INVALID_REQUEST' && told !== 'PARAM_ERROR')) return told
  const line = sharingMessages.find(({ says, area: only }) => (only === null || only === area) && says.test(message))
  return line?.code ?? told
}

function outcomeOf(status: number, code: string, area: Area): OutsideError['outcome'] {
  // Who was given a share has not switched returns on: that is about one receiver, not about us (5.6).
  if (area === 'return' && code === 'NO_AUTH') return 'refused'
  if (status === 401 || BROKEN.has(code)) return 'broken'
  // Overload, says the sheet; of a 502 a machine in between may say it after the work was done.
  if (status === 503 && code === 'SERVICE_UNAVAILABLE') return 'busy'
  if (status < 400 || status === 408) return 'unknown'
  return status < 500 || REFUSED_500.has(code) ? 'refused' : 'unknown'
}

/** Mostly nothing was done; of a refund it may have been accepted, so that it is asked about first (4.4). */
function tooMany(retryAfter: string | null, area: Area, message: string): OutsideError {
  const outcome = area === 'refund' ? 'unknown' : 'busy'
  return new OutsideError(outcome, 'FREQUENCY_LIMITED', message, waitOf(retryAfter))
}

/** Without a code it was a machine in between that answered, or there is no such path: below 500 nothing happened. */
function withoutCode(status: number, retryAfter: string | null, area: Area): OutsideError {
  const message = `WeChat Pay answered ${status} without a code`
  if (status === 429) return tooMany(retryAfter, area, message)
  const nothing = status >= 400 && status < 500 && status !== 408
  return new OutsideError(nothing ? 'broken' : 'unknown', `HTTP_${status}`, message)
}

function waitOf(retryAfter: string | null): number {
  const seconds = Number(retryAfter)
  return retryAfter !== null && Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : 1000
}
