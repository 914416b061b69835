import { createHmac, randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'

/** Where the network goes away during a call. */
export const cuts = ['request_lost', 'request_cut', 'answer_lost', 'answer_cut'] as const
export type Cut = (typeof cuts)[number]

/** How a till reaches the platform: an address, a terminal and its key, as the platform's operator handed them out. */
export interface Line {
  readonly serverUrl: string
  readonly terminalId: string
  readonly secret: string
}

export interface Call {
  readonly method: 'GET' | 'POST'
  /** Path and query. */
  readonly path: string
  readonly body?: object
  /** Idempotency-Key of a write. */
  readonly key?: string
}

export interface Answered {
  readonly status: number
  /** Content-Type without its parameters. */
  readonly type: string
  readonly text: string
}

/** The network went away: nobody here knows whether the request arrived. */
export class LineCut extends Error {}

const TIMEOUT_MS = 20_000
/** The file of a busy day. */
const ANSWER_LIMIT = 64 * 1024 * 1024

/** Makes a call, signed for this moment. Throws LineCut where no whole answer came, or where the network is cut on purpose. */
export async function call(line: Line, now: () => number, wish: Call, cut: Cut | null = null): Promise<Answered> {
  const url = new URL(wish.path, line.serverUrl)
  const body = wish.body === undefined ? '' : JSON.stringify(wish.body)
  const headers = {
    authorization: sign(line, now(), wish.method, `${url.pathname}${url.search}`, body),
    ...(wish.body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    ...(wish.key === undefined ? {} : { 'idempotency-key': wish.key }),
  }
  if (cut === 'request_lost') throw new LineCut('the request was lost')
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const how = { method: wish.method, headers, agent: false as const, signal: AbortSignal.timeout(TIMEOUT_MS) }
    const request = send(url, how, (answer) => {
      // A request without a body is whole as soon as its headers are: its answer may overtake the cut.
      if (cut === 'answer_lost' || cut === 'request_cut') {
        answer.destroy()
        reject(new LineCut('the answer was lost'))
      } else read(answer, cut).then(resolve, reject)
    })
    request.on('error', () => reject(new LineCut('the line was cut')))
    if (cut === 'request_cut') {
      // What was written so far has left when the line is cut.
      request.flushHeaders()
      request.write(body.slice(0, body.length / 2), () => setTimeout(() => request.destroy(), 5))
    } else request.end(body)
  })
}

/** `Authorization` over method, path with query, time stamp, nonce and the body's bytes. */
function sign(line: Line, nowMs: number, method: string, target: string, body: string): string {
  const timestamp = Math.floor(nowMs / 1000)
  const nonce = randomBytes(16).toString('hex')
  const signature = createHmac('sha256', line.secret)
    .update(`${method}\n${target}\n${timestamp}\n${nonce}\n${body}`)
    .digest('hex')
  return `FULIKA-HMAC-SHA256 terminal=${line.terminalId},timestamp=${timestamp},nonce=${nonce},signature=${signature}`
}

async function read(answer: IncomingMessage, cut: Cut | null): Promise<Answered> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of answer) {
      const bytes = chunk as Buffer
      size += bytes.length
      if (cut === 'answer_cut' || size > ANSWER_LIMIT) throw new LineCut('the answer was cut')
      chunks.push(bytes)
    }
  } catch {
    answer.destroy()
    throw new LineCut('the answer was cut')
  }
  const type = (answer.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
  return { status: answer.statusCode ?? 0, type, text: Buffer.concat(chunks).toString('utf8') }
}
