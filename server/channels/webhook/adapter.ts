import { createHmac } from 'node:crypto'
import { lookup as lookUp, type LookupAddress } from 'node:dns'
import { request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { OutsideError } from '../../kernel/outside.ts'
import type { WebhookPort } from '../ports.ts'
import { isPublicAddress } from './public-address.ts'

export interface WebhookOptions {
  /** True beside the sandbox alone: plain http, and this machine. */
  readonly anywhere: boolean
  readonly now: () => number
  readonly timeoutMs?: number
  /** In place of the system's resolver. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>
}

/** Nothing in an answer is used but its status; so much is read, so that a connection ends in peace. */
const ANSWER_LIMIT = 16 * 1024
const TIMEOUT_MS = 8000

/**
 * Events to merchants over HTTPS: POST with JSON; `Fulika-Event-Id`, `Fulika-Event`, `Fulika-Timestamp` in whole seconds,
 * `Fulika-Signature` = `v1=` and the hex of HMAC-SHA256(key, timestamp + "." + raw body) (docs/pos.md). Merchants name the
 * address, so it is called only where all that its name leads to is public, and the connection is made to what was
 * looked at; both together take eight seconds at most. Redirects are answers. Neither address nor body stands in an error.
 */
export function webhookAdapter(options: WebhookOptions): WebhookPort {
  return {
    async send({ url: text, secret, eventId, event, body }) {
      const url = new URL(text)
      if (!options.anywhere && url.protocol !== 'https:') throw refused('NOT_HTTPS')
      const signal = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)
      const addresses = await Promise.race([addressesOf(options, url), timedOut(signal)])
      const seconds = String(Math.floor(options.now() / 1000))
      const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
      const status = await post(url, body, {
        method: 'POST',
        lookup: pinnedTo(addresses),
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'Fulika-Webhook/1',
          'fulika-event-id': eventId,
          'fulika-event': event,
          'fulika-timestamp': seconds,
          'fulika-signature': `v1=${signature}`,
        },
        signal,
        agent: false,
      })
      return { status }
    },
  }
}

/** Rejects when the time is over: a name may be looked for longer than that. */
function timedOut(signal: AbortSignal): Promise<never> {
  return new Promise((_done, reject) => {
    signal.addEventListener('abort', () => reject(noAnswer('TIMEOUT')), { once: true })
  })
}

const noAnswer = (code: 'TIMEOUT' | 'NETWORK'): OutsideError =>
  new OutsideError('unknown', code, 'a merchant gave no whole answer')

const refused = (code: string): OutsideError =>
  new OutsideError('refused', code, 'the address of a merchant is not one that is called')

/** Where a host leads; throws unless all of it may be called. */
async function addressesOf(options: WebhookOptions, url: URL): Promise<readonly LookupAddress[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const family = isIP(host)
  const found = family === 0 ? await (options.resolve ?? resolve)(host) : [{ address: host, family }]
  if (found.length === 0) throw new OutsideError('unknown', 'NAME', 'the name of a merchant leads nowhere')
  if (!options.anywhere && !found.every(({ address }) => isPublicAddress(address))) throw refused('NOT_PUBLIC')
  return found
}

function resolve(host: string): Promise<LookupAddress[]> {
  return new Promise((done, reject) => {
    lookUp(host, { all: true }, (error, addresses) => {
      if (error === null) done(addresses)
      else reject(new OutsideError('unknown', 'NAME', 'the name of a merchant leads nowhere'))
    })
  })
}

/** Answers every look-up of this connection with what was looked at already: a name may lead elsewhere a moment later. */
const pinnedTo =
  (addresses: readonly LookupAddress[]): LookupFunction =>
  (_host, wish, callback) => {
    const [first] = addresses
    if (wish.all === true) callback(null, [...addresses])
    else callback(null, first!.address, first!.family)
  }

function post(url: URL, body: string, how: RequestOptions): Promise<number> {
  return new Promise((done, reject) => {
    const fail = (error: Error): void => {
      reject(noAnswer(error.name === 'AbortError' || error.name === 'TimeoutError' ? 'TIMEOUT' : 'NETWORK'))
    }
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, how, (response) => {
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > ANSWER_LIMIT) response.destroy()
      })
      response.on('error', () => undefined)
      response.on('close', () => done(response.statusCode ?? 0))
    })
    request.on('error', fail)
    request.end(body)
  })
}
