import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type Koa from 'koa'

/** Thousands may call at once, and a busy caller takes a while until it uses a connection again. */
const [KEEP_MS, BACKLOG] = [60_000, 4096]

interface Listening {
  readonly baseUrl: string
  /** Cuts every connection. */
  close(this: void): Promise<void>
}

/** Listens on a port, any free one unless said, of this machine alone unless said. Rejects where it cannot. */
export async function listen(
  handle: RequestListener,
  { port = 0, host = '127.0.0.1' }: { readonly port?: number | undefined; readonly host?: string | undefined },
): Promise<Listening> {
  const server = createServer({ keepAliveTimeout: KEEP_MS }, handle)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: BACKLOG }, resolve)
  })
  return {
    baseUrl: `http://${host}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The same for a Koa app. Callers that went away are no fault of the sandbox. */
export function listenWith(app: Koa, options: Parameters<typeof listen>[1]): Promise<Listening> {
  app.on('error', (error: Error) => {
    if (!('code' in error) || error.code !== 'ECONNRESET') console.error(error)
  })
  const handle = app.callback()
  return listen((request, response) => void handle(request, response), options)
}
