import { createHmac, timingSafeEqual } from 'node:crypto'
import { isId, type Id } from '../../../contract/ids.ts'

const SCHEME = 'FULIKA-HMAC-SHA256'
/** How far a terminal's clock may be off, either way. */
export const CLOCK_MS = 300_000

/** What a terminal says of itself and of its request. */
export interface PosSignature {
  readonly terminalId: Id<'terminal'>
  /** Whole seconds, as they were written. */
  readonly timestamp: string
  readonly nonce: string
  readonly signature: Buffer
}

/** The request as it came: its path with the query, and its bytes. */
export interface PosRequest {
  readonly method: string
  readonly url: string
  readonly body: Buffer
}

/**
 * Reads `Authorization: FULIKA-HMAC-SHA256 terminal=…,timestamp=…,nonce=…,signature=…`, its parts in any order. Null
 * when it is not of this form.
 */
export function readPosSignature(header: string): PosSignature | null {
  const [scheme, ...rest] = header.trim().split(/\s+/)
  if (scheme !== SCHEME) return null
  const parts = rest.join('').split(',')
  const given = new Map(parts.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]))
  const [terminalId, timestamp = '', nonce = '', signature = ''] = ['terminal', 'timestamp', 'nonce', 'signature'].map(
    (name) => given.get(name),
  )
  if (parts.length !== 4 || given.size !== 4 || !isId('terminal', terminalId)) return null
  if (!/^\d{10}$/.test(timestamp) || !/^[A-Za-z0-9_-]{16,64}$/.test(nonce) || !/^[0-9a-f]{64}$/.test(signature))
    return null
  return { terminalId, timestamp, nonce, signature: Buffer.from(signature, 'hex') }
}

/** Method, path with query, timestamp and nonce, each with a line feed behind it, then the body's bytes. */
export function posSignedText(request: PosRequest, timestamp: string, nonce: string): Buffer {
  return Buffer.concat([
    Buffer.from(`${request.method}\n${request.url}\n${timestamp}\n${nonce}\n`, 'utf8'),
    request.body,
  ])
}

/** Whether the signature over this request was made with this key; as long for a wrong one as for the right one. */
export function isSignedWith(secret: string, request: PosRequest, said: PosSignature): boolean {
  const right = createHmac('sha256', secret)
    .update(posSignedText(request, said.timestamp, said.nonce))
    .digest()
  return timingSafeEqual(right, said.signature)
}
