import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Thousands may call at once, and a busy caller takes a while until it uses a connection again. */
const [KEEP_MS, BACKLOG] = [60_000, 4096]

/** Listens on a port, any free one unless said, of this machine alone unless said. Rejects where it cannot. */
export async function listen(
  handle: RequestListener,
  { port = 0, host = '127.0.0.1' }: { readonly port?: number | undefined; readonly host?: string | undefined },
): Promise<{ readonly server: Server; readonly baseUrl: string }> {
  const server = createServer({ keepAliveTimeout: KEEP_MS }, handle)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: BACKLOG }, resolve)
  })
  return { server, baseUrl: `http://${host}:${(server.address() as AddressInfo).port}` }
}
