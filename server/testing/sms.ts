import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SmsPort } from '../channels/ports.ts'
import { smsAdapter } from '../channels/sms/adapter.ts'
import { Secret } from '../kernel/log.ts'

/** What a gateway saw: raw bodies by the order in which they came, and what it answers next. */
export interface TestGateway {
  readonly url: string
  readonly seen: { readonly headers: Readonly<Record<string, unknown>>; readonly raw: string }[]
  /** The newest code that went to a number; null when none did. */
  readonly codeFor: (mobile: string) => string | null
  answer: { readonly status: number; readonly body: string; readonly headers?: Record<string, string> } | 'cut'
  readonly close: () => Promise<void>
}

export const gatewayKey = 'SANDBOX-sms-key-0123456789'

/** A gateway by itself, for what a test wants to see or to break. */
export async function startGateway(): Promise<TestGateway> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      gateway.seen.push({ headers: request.headers, raw: Buffer.concat(chunks).toString('utf8') })
      const { answer } = gateway
      if (answer === 'cut') return void request.socket.destroy()
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      response.end(answer.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const gateway: TestGateway = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/messages`,
    seen: [],
    answer: { status: 200, body: '{"code":"OK"}' },
    codeFor: (mobile) => {
      const texts = gateway.seen.map(({ raw }) => JSON.parse(raw) as { mobile: string; text: string })
      return /\d{6}/.exec(texts.findLast((one) => one.mobile === mobile)?.text ?? '')?.[0] ?? null
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return gateway
}

/** The real adapter, speaking with a gateway. */
export const smsOf = (
  { url }: Pick<TestGateway, 'url'>,
  more: { readonly now?: () => number; readonly timeoutMs?: number; readonly key?: string } = {},
): SmsPort => {
  const { key = gatewayKey, now = Date.now, ...rest } = more
  return smsAdapter({ gateway: { url, key: new Secret(key), signature: '福利卡' }, now, ...rest })
}
