/**
 * The product in a process of its own for `bench -- notice`, set up by its environment: web, worker and schedule, with
 * the real WeChat Pay adapter. Answers each message of the parent with what happened in this process since the last one.
 */
import { createLog } from '../server/kernel/log.ts'
import { readConfig } from '../server/config.ts'
import { sql } from '../server/kernel/sql.ts'
import { start } from '../server/main.ts'
import { peakRssMiB } from './phases.ts'

/** What the server did since the last look, and how far its cards are. */
export interface Look {
  /** Processor time of all its threads. */
  readonly cpuSeconds: number
  readonly issued: number
  readonly peakRssMiB: number
}

const config = readConfig(process.env)
const running = await start(config, createLog({ level: config.logLevel }))
let cpu = process.cpuUsage()

async function look(): Promise<Look> {
  const used = process.cpuUsage(cpu)
  cpu = process.cpuUsage()
  const [row] = await running.open.store.read((em) => sql<{ n: unknown }>(em, 'select count(*) as n from card'))
  return { cpuSeconds: (used.user + used.system) / 1e6, issued: Number(row?.n), peakRssMiB: peakRssMiB() }
}

process.on('message', (order: { kind: string }) => {
  const done = (told: object) => process.send?.(told)
  if (order.kind === 'look') void look().then(done)
  else void running.stop().then(() => process.exit(0))
})
process.once('disconnect', () => void running.stop().then(() => process.exit(0)))
process.send?.({ port: Number(new URL(running.url).port) })
