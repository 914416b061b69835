import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { WechatCallback, WechatPort } from '../channels/wechat-port.ts'
import { NoticeRefused } from '../kernel/outside.ts'

/** An address that WeChat pushes to, which opens what comes by the adapter. */
export interface Listener {
  readonly url: string
  readonly taken: WechatCallback[]
  readonly refused: string[]
  readonly close: () => Promise<void>
}

/** Listens; what does not hold is answered 403, and other paths 404. */
export async function startListener(port: WechatPort): Promise<Listener> {
  const taken: WechatCallback[] = []
  const refused: string[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const url = new URL(request.url ?? '/', 'http://listener')
      if (url.pathname !== '/') return response.writeHead(404).end()
      const query = Object.fromEntries(url.searchParams)
      try {
        if (request.method === 'GET') return response.end(port.verifyCallback(query))
        taken.push(port.openCallback(query, Buffer.concat(chunks)))
        return response.end('success')
      } catch (error) {
        if (!(error instanceof NoticeRefused)) throw error
        refused.push(error.code)
        return response.writeHead(403).end()
      }
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    taken,
    refused,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
