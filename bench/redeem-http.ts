import { createHmac, randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { ask, heard, startChild } from './child.ts'
import { Line } from './line.ts'
import { figuresOf, type Run, type RunFigures } from './redeem-figures.ts'
import type { BenchTerminal } from './redeem-server.ts'

const CONNECTIONS = 128
/** Codes live for a minute: so many are shown and paid at a time. */
const BATCH = 20_000
const PATH = '/pos/v1/authorisations'

interface Shown {
  readonly code: string
  readonly hot: boolean
}

/**
 * Purchases over the POS API, signed as a terminal signs, by kept connections that ask again when they were answered.
 * This process is the tills. Throws when one is not taken.
 */
export async function spendOverHttp(url: string, acts: number): Promise<RunFigures> {
  const server = startChild('redeem-server.ts', [url], {})
  const { port, terminals } = (await heard(server)) as { port: number; terminals: BenchTerminal[] }
  const run: Run = { seconds: 0, done: 0, ms: [] }
  await play(server, port, terminals, Math.ceil(acts / 10), { seconds: 0, done: 0, ms: [] })
  for (let left = acts; left > 0; left -= BATCH) await play(server, port, terminals, Math.min(BATCH, left), run)
  server.send({ kind: 'stop' })
  await once(server, 'exit')
  return figuresOf(run)
}

async function play(
  server: ReturnType<typeof startChild>,
  port: number,
  terminals: readonly BenchTerminal[],
  count: number,
  run: Run,
): Promise<void> {
  const { codes } = (await ask(server, { kind: 'codes', count })) as { codes: Shown[] }
  const requests = codes.map((shown, index) => requestOf(shown, terminals[index % terminals.length]!))
  const lines = Array.from({ length: CONNECTIONS }, () => new Line(port))
  const began = performance.now()
  await Promise.all(
    lines.map(async (line) => {
      for (let request = requests.pop(); request !== undefined; request = requests.pop()) {
        const asked = performance.now()
        const status = await line.send(request)
        if (status !== 200) throw new Error(`a purchase was answered with ${status}`)
        run.ms.push(performance.now() - asked)
        run.done += 1
      }
      line.end()
    }),
  )
  run.seconds += (performance.now() - began) / 1000
}

function requestOf({ code, hot }: Shown, terminal: BenchTerminal): Buffer {
  const body = JSON.stringify({ codes: [code], billFen: hot ? 1 : randomInt(1, 4), capture: true })
  const [timestamp, nonce] = [String(Math.floor(Date.now() / 1000)), randomBytes(16).toString('hex')]
  const signature = createHmac('sha256', terminal.secret)
    .update(`POST\n${PATH}\n${timestamp}\n${nonce}\n${body}`)
    .digest('hex')
  const head = [
    `POST ${PATH} HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `idempotency-key: ${nonce}`,
    `authorization: FULIKA-HMAC-SHA256 terminal=${terminal.id},timestamp=${timestamp},nonce=${nonce},signature=${signature}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}
