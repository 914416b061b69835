/**
 * The ceiling beside `bench -- notice`: a bare HTTP server that verifies and opens the same notices and writes, by the
 * driver alone, the rows that the service wrote for them (payment and order changed; entry, postings, trail and job
 * inserted), in transactions of as many notices, as many side by side, before it answers. It reads nothing and decides nothing.
 * Before each loop it is told to `load` what the service wrote meanwhile.
 *   node bench/notice-raw.ts RAW-URL SERVICE-URL KEYS-FILE NOTICES-A-TRANSACTION TRANSACTIONS-AT-ONCE
 */
import { createDecipheriv, createPublicKey, createSecretKey, verify, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { NoticeKeys } from './notice-made.ts'
import { openRawStore } from './notice-rows.ts'

const [rawUrl = '', serviceUrl = '', keysFile = '', most = '', atOnce = ''] = process.argv.slice(2)
const keys = JSON.parse(readFileSync(keysFile, 'utf8')) as NoticeKeys
const platformKey = createPublicKey(keys.platformPublicPem)
const apiV3Key = createSecretKey(Buffer.from(keys.apiV3Key))
const store = await openRawStore(rawUrl, serviceUrl, Number(atOnce))
const queue: { readonly number: string; readonly answer: (status: number) => void }[] = []
let running = 0

/** Writes what waits, a transaction after the other; an answer goes out after its commit. */
async function work(): Promise<void> {
  while (queue.length > 0) {
    const batch = queue.splice(0, Number(most))
    await store.write(batch.map((one) => one.number))
    for (const one of batch) one.answer(204)
  }
  running -= 1
}

function take(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const number = open(request, Buffer.concat(chunks), platformKey)
    const answer = (status: number) => void response.writeHead(status).end()
    if (number === null) return answer(401)
    queue.push({ number, answer })
    if (running < Number(atOnce)) {
      running += 1
      setImmediate(() => void work())
    }
  })
}

/** The payment's number of a notice that is signed, fresh and sealed for us. */
function open(request: IncomingMessage, raw: Buffer, key: KeyObject): string | null {
  const header = (name: string) => String(request.headers[`wechatpay-${name}`])
  const text = Buffer.concat([Buffer.from(`${header('timestamp')}\n${header('nonce')}\n`), raw, Buffer.from('\n')])
  if (Math.abs(Date.now() / 1000 - Number(header('timestamp'))) >= 300) return null
  if (header('serial') !== keys.platformKeyId) return null
  if (!verify('RSA-SHA256', text, key, Buffer.from(header('signature'), 'base64'))) return null
  const { resource } = JSON.parse(raw.toString()) as {
    resource: { nonce: string; ciphertext: string; associated_data: string }
  }
  const sealed = Buffer.from(resource.ciphertext, 'base64')
  const cipher = createDecipheriv('aes-256-gcm', apiV3Key, Buffer.from(resource.nonce))
  cipher.setAAD(Buffer.from(resource.associated_data))
  cipher.setAuthTag(sealed.subarray(-16))
  const plain = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]).toString()
  return (JSON.parse(plain) as { out_trade_no: string }).out_trade_no
}

const server = createServer(take)
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  process.send?.({ port: (server.address() as AddressInfo).port }),
)
let cpu = process.cpuUsage()
process.on('message', (order: { kind: string }) => {
  if (order.kind === 'load') return void store.load().then(() => process.send?.({}))
  const used = process.cpuUsage(cpu)
  cpu = process.cpuUsage()
  process.send?.({ cpuSeconds: (used.user + used.system) / 1e6 })
})
process.once('disconnect', () => process.exit(0))
