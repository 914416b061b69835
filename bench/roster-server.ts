/**
 * The product in a process of its own for `bench -- roster`, set up by its environment. Answers each message of the
 * parent with what happened in this process since the one before.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { readConfig } from '../server/config.ts'
import { silentLog } from '../server/kernel/log.ts'
import { start } from '../server/main.ts'
import { peakRssMiB } from './phases.ts'

/** What the server did since the last look. */
export interface Look {
  /** Processor time of all its threads. */
  readonly cpuSeconds: number
  /** The longest time that its one thread of JavaScript did not get round to the next event. */
  readonly longestBlockMs: number
  /** The largest it ever was. */
  readonly peakRssMiB: number
}

const running = await start(readConfig(process.env), silentLog())
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
let cpu = process.cpuUsage()
process.on('message', () => {
  const used = process.cpuUsage(cpu)
  cpu = process.cpuUsage()
  const look: Look = {
    cpuSeconds: (used.user + used.system) / 1e6,
    longestBlockMs: delay.max / 1e6,
    peakRssMiB: peakRssMiB(),
  }
  delay.reset()
  process.send?.(look)
})
process.once('disconnect', () => void running.stop().then(() => process.exit(0)))
process.send?.({ startedAtMs: performance.timeOrigin })
