import { z } from 'zod'
import { OutsideError } from '../../kernel/outside.ts'
import { readJson } from './trade.ts'

const errorBody = z.object({ code: z.string().max(64), message: z.string().optional() })

const BROKEN = new Set(['SIGN_ERROR', 'NO_AUTH', 'NOAUTH', 'APPID_MCHID_NOT_MATCH', 'MCH_NOT_EXISTS'])
/** Wrong input although the status says 500 (protocols wechat-pay 2.6). */
const REFUSED_500 = new Set(['OPENID_MISMATCH', 'INVALID_TRANSACTIONID'])

/** Judges an answer that is not 2xx (protocols wechat-pay 2.6 and 9): by status, then by code, never by message. */
export function refusal(status: number, raw: Buffer, retryAfter: string | null): OutsideError {
  const parsed = errorBody.safeParse(readJson(raw.toString('utf8')))
  const code = parsed.success ? parsed.data.code : `HTTP_${status}`
  const message = `WeChat Pay answered ${status} ${code}`
  if (status === 429) return new OutsideError('busy', code, message, waitOf(retryAfter))
  if (status === 401 || BROKEN.has(code)) return new OutsideError('broken', code, message)
  if (status >= 500 && !REFUSED_500.has(code)) return new OutsideError('unknown', code, message)
  if (status >= 400) return new OutsideError('refused', code, message)
  return new OutsideError('unknown', code, message)
}

function waitOf(retryAfter: string | null): number {
  const seconds = Number(retryAfter)
  return retryAfter !== null && Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : 1000
}
