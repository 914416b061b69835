import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Secret } from './log.ts'

const SessionPayload = z.object({
  kind: z.enum(['member', 'employee', 'buyer', 'operator', 'clerk']),
  /** The ids this session speaks for, by name: memberId, companyId and so on. Ids only, no personal data. */
  ids: z.record(z.string(), z.string()),
  expiresAtMs: z.number().int(),
})
export type SessionPayload = z.infer<typeof SessionPayload>

export interface CookieOptions {
  readonly maxAgeMs?: number
  readonly path?: string
  readonly secure?: boolean
}

/** A signed session: payload and HMAC-SHA256, both base64url. It is signed, not sealed: it holds ids only. */
export function encodeSession(payload: SessionPayload, key: Secret<string>): string {
  return encodeSigned('session', payload, key)
}

/** The payload of a session that we signed and that is not over at `nowMs`; else null. */
export function decodeSession(text: string | undefined, key: Secret<string>, nowMs: number): SessionPayload | null {
  const payload = decodeSigned('session', SessionPayload, text, key)
  return payload !== null && payload.expiresAtMs > nowMs ? payload : null
}

/** Signs a value for one purpose: what was signed for another purpose does not decode. No personal data in it. */
export function encodeSigned(purpose: string, value: object, key: Secret<string>): string {
  const body = Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${body}.${sign(purpose, body, key).toString('base64url')}`
}

/** The value that we signed for this purpose and that fits the schema; else null. */
export function decodeSigned<T extends z.ZodType>(
  purpose: string,
  schema: T,
  text: string | undefined,
  key: Secret<string>,
): z.output<T> | null {
  if (text === undefined || text.length > 4096) return null
  const [body, mac, ...rest] = text.split('.')
  if (body === undefined || mac === undefined || rest.length > 0) return null
  const given = Buffer.from(mac, 'base64url')
  const expected = sign(purpose, body, key)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
  const parsed = schema.safeParse(parseJson(Buffer.from(body, 'base64url').toString('utf8')))
  return parsed.success ? parsed.data : null
}

/** One Set-Cookie line: httpOnly, SameSite=Lax. An empty value with `maxAgeMs: 0` removes the cookie. */
export function cookieLine(name: string, value: string, options: CookieOptions = {}): string {
  const age = options.maxAgeMs === undefined ? '' : `; Max-Age=${Math.floor(options.maxAgeMs / 1000)}`
  const secure = options.secure === true ? '; Secure' : ''
  return `${name}=${encodeURIComponent(value)}; Path=${options.path ?? '/'}${age}; HttpOnly; SameSite=Lax${secure}`
}

/** The cookies of a request; the first of a name wins. */
export function readCookies(header: string | undefined): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>()
  for (const part of (header ?? '').split(';')) {
    const at = part.indexOf('=')
    if (at < 1) continue
    const name = part.slice(0, at).trim()
    if (!cookies.has(name)) cookies.set(name, decode(part.slice(at + 1).trim()))
  }
  return cookies
}

function sign(purpose: string, body: string, key: Secret<string>): Buffer {
  return createHmac('sha256', key.reveal()).update(`${purpose}.${body}`).digest()
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
