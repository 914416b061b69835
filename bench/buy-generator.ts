/**
 * The load of `bench -- buy`, a process of its own: buyers come at their own pace, whether those before are served or not. Each
 * orders, follows the order as the page does, confirms at WeChat Pay, and waits until the card is there.
 */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import type { Ordered } from '../contract/store/order.ts'
import type { StoreGround } from './buy-server.ts'

export interface BuyLoad {
  readonly kind: 'open'
  readonly port: number
  readonly payUrl: string
  readonly ground: StoreGround
  /** The number of the first one. */
  readonly from: number
  readonly orders: number
  readonly perSecond: number
}
/** What came of it; times in ms. */
export interface Bought {
  readonly sent: number
  readonly ready: number
  readonly seconds: number
  /** From when an order was due to the signed parameters. */
  readonly prepayMs: readonly number[]
  /** From the payer's confirmation at WeChat Pay (before it has told us) to the card on the page. */
  readonly visibleMs: readonly number[]
  readonly faults: Readonly<Record<string, number>>
  readonly cpuSeconds: number
}

const TICK_MS = 2
const FACE = 10_000
const PRICE = 9_500
const WAIT_MS = 30_000
const agent = new Agent({ headersTimeout: WAIT_MS, bodyTimeout: WAIT_MS })

/** Not by `fetch`, which would take several times the processor of what is measured. */
const ask = (url: string, method: 'GET' | 'POST', headers: Record<string, string>, body: string | null) =>
  request(url, { dispatcher: agent, method, headers, body })
type Answer = Awaited<ReturnType<typeof ask>>

/** Resolves when the stream of an order tells that its card is there; rejects when it ends or takes too long. */
function whenReady({ body: stream }: Answer): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => stream.destroy(new Error('not ready in time')), WAIT_MS)
    let text = ''
    stream.setEncoding('utf8')
    stream.on('data', (part: string) => {
      text += part
      if (!text.includes('"state":"ready"')) return
      clearTimeout(late)
      resolve()
    })
    stream.once('error', reject)
    stream.once('end', () => reject(new Error('the stream ended')))
  })
}

async function buyOne(load: BuyLoad, number: number, dueMs: number, told: Figures): Promise<void> {
  const { ground, port, payUrl } = load
  const buyer = ground.buyers[number % ground.buyers.length]!
  const base = `http://127.0.0.1:${port}`
  const headers = { cookie: buyer.cookie, origin: base, 'content-type': 'application/json' }
  const { listingId, versionId } = ground
  const wish = { listingId, versionId, faceFen: FACE, priceFen: PRICE, cover: 'plain' }
  const key = { 'idempotency-key': `bench-${number}` }
  const answer = await ask(`${base}/store/orders`, 'POST', { ...headers, ...key }, JSON.stringify(wish))
  const text = await answer.body.text()
  if (answer.statusCode !== 200) return told.fault(`order ${answer.statusCode}`)
  const { order, pay } = JSON.parse(text) as Ordered
  told.prepayMs.push(performance.now() - dueMs)
  if (pay === null) return told.fault('no parameters')
  const stream = await ask(`${base}/store/orders/${order.id}/events`, 'GET', headers, null)
  const ready = whenReady(stream)
  ready.catch(() => undefined)
  const confirmed = performance.now()
  // As WeChat's client does with what the page hands it: the sandbox checks the signature.
  const confirm = JSON.stringify({ ...pay, openid: buyer.openid, outcome: 'success' })
  const paid = await ask(`${payUrl}/jsapi/pay`, 'POST', {}, confirm)
  await paid.body.dump()
  if (paid.statusCode !== 200) return told.fault(`pay ${paid.statusCode}`)
  await ready
  told.visibleMs.push(performance.now() - confirmed)
}

class Figures {
  readonly prepayMs: number[] = []
  readonly visibleMs: number[] = []
  readonly faults: Record<string, number> = {}

  fault(what: string): void {
    this.faults[what] = (this.faults[what] ?? 0) + 1
  }
}

async function openLoop(load: BuyLoad): Promise<Bought> {
  const told = new Figures()
  const cpu = process.cpuUsage()
  const began = performance.now()
  const running: Promise<void>[] = []
  for (let sent = 0; sent < load.orders;) {
    const due = Math.min(load.orders, 1 + Math.floor(((performance.now() - began) / 1000) * load.perSecond))
    for (; sent < due; sent += 1) {
      const dueMs = began + (sent / load.perSecond) * 1000
      running.push(buyOne(load, load.from + sent, dueMs, told).catch((error: unknown) => told.fault(String(error))))
    }
    await sleep(TICK_MS)
  }
  await Promise.all(running)
  const used = process.cpuUsage(cpu)
  const { prepayMs, visibleMs, faults } = told
  const seconds = (performance.now() - began) / 1000
  const sums = { sent: load.orders, ready: visibleMs.length, seconds, cpuSeconds: (used.user + used.system) / 1e6 }
  return { ...sums, prepayMs, visibleMs, faults }
}

process.on('message', (load: BuyLoad) => {
  openLoop(load).then(
    (told) => process.send?.(told),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.once('disconnect', () => process.exit(0))
process.send?.({ ready: true })
