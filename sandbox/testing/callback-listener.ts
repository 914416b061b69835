import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { decrypt, getSignature } from '@wecom/crypto'

/** A callback that somebody received, opened with WeCom's own library. */
export interface Heard {
  readonly path: string
  readonly query: URLSearchParams
  readonly envelope: string
  /** Empty where it could not be opened. */
  readonly plain: string
  readonly receiveId: string
  readonly signed: boolean
}

/** A listener for callbacks in tests: verifies addresses rightly and answers events as it is told. */
export interface Listener {
  readonly url: string
  readonly heard: Heard[]
  /** What an event is answered with, and how long that takes. */
  reply: { status: number; text: string; afterMs: number }
  close(): Promise<void>
}

/** The fields of a plain event by name, the first of each. */
export function fieldsOf(plain: string): Record<string, string> {
  const found = plain.matchAll(/<(\w+)>(?:<!\[CDATA\[([\s\S]*?)\]\]>|([^<]*))<\/\1>/g)
  return Object.fromEntries([...found].map(([, name, cdata, bare]) => [name ?? '', cdata ?? bare ?? '']))
}

/**
 * Listens on a free port with the keys of an app or suite. `asked` hears in whose name an address is verified, and says
 * how long the answer takes.
 */
export async function startListener(
  keys: { token: string; encodingAesKey: string },
  asked: (receiveId: string) => number = () => 0,
): Promise<Listener> {
  const heard: Heard[] = []
  const listener: Listener = {
    url: '',
    heard,
    reply: { status: 200, text: 'success', afterMs: 0 },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  const open = (text: string) => {
    try {
      const { message, id } = decrypt(keys.encodingAesKey, text)
      return { plain: message, receiveId: id }
    } catch {
      return { plain: '', receiveId: '' }
    }
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const address = new URL(request.url ?? '', 'http://listener')
      const [query, text] = [address.searchParams, /<Encrypt><!\[CDATA\[([^\]]+)/.exec(body)?.[1] ?? '']
      const echo = query.get('echostr')
      if (echo !== null) return void sleep(asked(open(echo).receiveId)).then(() => response.end(open(echo).plain))
      const wanted = getSignature(keys.token, query.get('timestamp') ?? '', query.get('nonce') ?? '', text)
      const signed = wanted === query.get('msg_signature')
      heard.push({ path: address.pathname, query, envelope: body, ...open(text), signed })
      const { status, text: said, afterMs } = listener.reply
      return void sleep(afterMs).then(() => response.writeHead(status).end(said))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(listener, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

/** Waits until something holds, or throws after some seconds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 400; i += 1) {
    if (holds()) return
    await sleep(20)
  }
  throw new Error(`it did not come to pass: ${what}`)
}
