import { createHmac, randomBytes, randomUUID } from 'node:crypto'

/** A till's way in. */
export interface PosKey {
  readonly base: string
  readonly terminalId: string
  readonly secret: string
  readonly now: () => number
}
/** What a test does otherwise than a till would. */
export interface PosOdd {
  readonly nonce?: string
  readonly timestamp?: string
  readonly terminalId?: string
  /** Signed in place of what is sent. */
  readonly signedBody?: string
  readonly signedUrl?: string
  readonly headers?: Readonly<Record<string, string | undefined>>
}

/** Signs as docs/pos.md says, without a line of the server's. */
export function posHeader(
  key: Omit<PosKey, 'base'>,
  method: string,
  url: string,
  body: string,
  odd: PosOdd = {},
): string {
  const timestamp = odd.timestamp ?? String(Math.floor(key.now() / 1000))
  const nonce = odd.nonce ?? randomBytes(16).toString('hex')
  const text = [method, odd.signedUrl ?? url, timestamp, nonce, odd.signedBody ?? body].join('\n')
  const signature = createHmac('sha256', key.secret).update(text).digest('hex')
  const terminal = odd.terminalId ?? key.terminalId
  return `FULIKA-HMAC-SHA256 terminal=${terminal},timestamp=${timestamp},nonce=${nonce},signature=${signature}`
}

/** Asks as a terminal. A body that is no text is sent as JSON; writes carry a key of their own unless one is given. */
export async function askPos(
  key: PosKey,
  method: 'GET' | 'POST',
  url: string,
  body?: unknown,
  odd: PosOdd = {},
): Promise<Response> {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
  const headers = {
    authorization: posHeader(key, method, url, text, odd),
    ...(method === 'POST' ? { 'content-type': 'application/json', 'idempotency-key': randomUUID() } : {}),
    ...odd.headers,
  }
  const given = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  const sent = method === 'POST' ? { body: text } : {}
  return fetch(key.base + url, { method, headers: Object.fromEntries(given) as Record<string, string>, ...sent })
}

/** The status and the closed code of an answer; of a success the status alone. */
export async function codeOfAnswer(answer: Response): Promise<[number, string]> {
  const text = await answer.text()
  const code = answer.ok || !text.startsWith('{') ? '' : (JSON.parse(text) as { code: string }).code
  return [answer.status, code]
}
