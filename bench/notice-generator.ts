/**
 * The load of `bench -- notice`, a process of its own that is told what to do by its parent's messages: it signs and
 * encrypts notices beforehand, then sends them over kept connections and notes how long each answer took.
 */
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Line } from './line.ts'
import { noticeRequest, type Expected, type NoticeKeys } from './notice-made.ts'

/** What the parent asks for. */
export type Order =
  | { readonly kind: 'sign'; readonly keysFile: string; readonly paymentsFile: string; readonly duplicates: number }
  | { readonly kind: 'closed'; readonly port: number; readonly connections: number; readonly count: number | 'again' }
  | { readonly kind: 'open'; readonly port: number; readonly perSecond: number }

/** What came of a run. */
export interface Told {
  readonly sent: number
  readonly accepted: number
  readonly seconds: number
  /** How long each answer took, in ms. */
  readonly took: readonly number[]
  /** Processor time of this process. */
  readonly cpuSeconds: number
  readonly statuses: Readonly<Record<string, number>>
}

const SIGNED_AT_ONCE = 8
/** Connections of the open loop: one more is opened when all wait for an answer. */
const MOST_CONNECTIONS = 2000
const TICK_MS = 2
let notices: Buffer[] = []
/** Those of the last closed loop, for the other server. */
let last: Buffer[] = []

async function signAll(order: Extract<Order, { kind: 'sign' }>): Promise<object> {
  const keys = JSON.parse(readFileSync(order.keysFile, 'utf8')) as NoticeKeys
  const payments = JSON.parse(readFileSync(order.paymentsFile, 'utf8')) as Expected[]
  const made: Buffer[] = []
  let next = 0
  const one = async (): Promise<void> => {
    for (let at = next++; at < payments.length; at = next++) made[at] = await noticeRequest(keys, payments[at]!, at + 1)
  }
  await Promise.all(Array.from({ length: SIGNED_AT_ONCE }, one))
  notices = withDuplicates(made, order.duplicates)
  return { signed: made.length, sending: notices.length }
}

/** Sends some notices again: half of them at once, half of them some hundred notices later. */
function withDuplicates(made: readonly Buffer[], share: number): Buffer[] {
  const every = share === 0 ? Infinity : Math.round(1 / share)
  const all: Buffer[] = []
  made.forEach((notice, index) => {
    all.push(notice)
    if (index % every !== every - 1) return
    const again = Math.floor(index / every) % 2 === 0 ? notice : made[Math.max(0, index - 500)]!
    all.push(again)
  })
  return all
}

class Figures {
  private readonly took: number[] = []
  private readonly statuses: Record<string, number> = {}
  private readonly began = performance.now()
  private readonly cpu = process.cpuUsage()

  add(status: number, ms: number): void {
    this.took.push(ms)
    this.statuses[status] = (this.statuses[status] ?? 0) + 1
  }

  tell(): Told {
    const seconds = (performance.now() - this.began) / 1000
    const used = process.cpuUsage(this.cpu)
    const accepted = (this.statuses['200'] ?? 0) + (this.statuses['204'] ?? 0)
    const cpuSeconds = (used.user + used.system) / 1e6
    return { sent: this.took.length, accepted, seconds, took: this.took, cpuSeconds, statuses: this.statuses }
  }
}

/** Every connection sends its next notice as soon as the one before is answered; those of the loop before where asked `again`. */
async function closedLoop(order: Extract<Order, { kind: 'closed' }>): Promise<Told> {
  if (order.count !== 'again') last = notices.splice(0, order.count)
  const mine = last
  const lines = Array.from({ length: order.connections }, () => new Line(order.port))
  await sleep(200)
  const figures = new Figures()
  let next = 0
  await Promise.all(
    lines.map(async (line) => {
      for (let at = next++; at < mine.length; at = next++) {
        const began = performance.now()
        figures.add(await line.send(mine[at]!), performance.now() - began)
      }
    }),
  )
  const told = figures.tell()
  for (const line of lines) line.end()
  return told
}

/** Notices come at their own pace, whether the ones before are answered or not; waiting counts from when one was due. */
async function openLoop(order: Extract<Order, { kind: 'open' }>): Promise<Told> {
  const mine = notices.splice(0)
  const idle = Array.from({ length: 64 }, () => new Line(order.port))
  await sleep(200)
  const figures = new Figures()
  const began = performance.now()
  let lines = idle.length
  let sent = 0
  const running: Promise<void>[] = []
  const missed: Buffer[] = []
  const send = async (request: Buffer, dueMs: number): Promise<void> => {
    let line = idle.pop()
    while (line?.closed === true) {
      lines -= 1
      line = idle.pop()
    }
    if (!line) {
      if (lines >= MOST_CONNECTIONS) {
        missed.push(request)
        return figures.add(-1, performance.now() - dueMs)
      }
      lines += 1
      line = new Line(order.port)
    }
    const status = await line.send(request)
    figures.add(status, performance.now() - dueMs)
    if (status !== 200 && status !== 204) missed.push(request)
    if (status !== 0) idle.push(line)
  }
  while (sent < mine.length) {
    const due = Math.min(mine.length, Math.floor(((performance.now() - began) / 1000) * order.perSecond))
    for (; sent < due; sent += 1) running.push(send(mine[sent]!, began + (sent / order.perSecond) * 1000))
    await sleep(TICK_MS)
  }
  await Promise.all(running)
  const told = figures.tell()
  for (const line of idle) line.end()
  await sendAgain(order.port, missed)
  return told
}

/** What was not taken comes again, off the clock: WeChat Pay repeats a notice until it is answered. */
async function sendAgain(port: number, missed: Buffer[]): Promise<void> {
  const lines = Array.from({ length: Math.min(64, missed.length) }, () => new Line(port))
  await Promise.all(
    lines.map(async (line) => {
      for (let request = missed.pop(); request !== undefined; request = missed.pop()) await line.send(request)
      line.end()
    }),
  )
}

function follow(order: Order): Promise<object> {
  switch (order.kind) {
    case 'sign':
      return signAll(order)
    case 'closed':
      return closedLoop(order)
    case 'open':
      return openLoop(order)
  }
}

process.on('message', (order: Order) => {
  follow(order).then(
    (told) => process.send?.(told),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.once('disconnect', () => process.exit(0))
process.send?.({ ready: true })
