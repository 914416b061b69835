/**
 * npm run sim -- [--seeds N] [--from S] [--steps M] [--log] [--ask SQL] [--json]
 * The money simulator: server, worker and sandbox in one process under a virtual clock, a story a seed. Companies order and
 * pay from several sources, refund, splits end late, twice or never, processes stop between any two phases. After every
 * step the books of the orders that it touched are looked at, all of them every 50 steps and at the end. A story that breaks
 * a promise prints one line that tells it again; `--log` prints what happened, `--ask` the rows of a query when a story is over. Seeds are told by as many processes as there
 * are processors. Exit code 1 when a promise was broken.
 */
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { tellStory, type Told } from './story.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    from: { type: 'string', default: '1' },
    steps: { type: 'string', default: '500' },
    log: { type: 'boolean', default: false },
    ask: { type: 'string' },
    json: { type: 'boolean', default: false },
    /** Set by ourselves: this process tells the seeds that it is sent. */
    teller: { type: 'boolean', default: false },
  },
})
const steps = count(values.steps)

if (values.teller) tellWhatIsSent()
else process.exitCode = await main()

async function main(): Promise<number> {
  const [first, seeds] = [count(values.from), count(values.seeds)]
  const totals = { seeds: 0, steps: 0, payments: 0, refunds: 0, splits: 0, stops: 0, violations: 0 }
  const began = performance.now()
  const take = (told: Told): void => {
    totals.seeds += 1
    for (const key of ['steps', 'payments', 'refunds', 'splits', 'stops'] as const) totals[key] += told[key]
    totals.violations += told.violations.length
    const again = `npm run sim -- --seeds 1 --from ${told.seed} --steps ${steps} --log`
    for (const violation of told.violations.slice(0, 3)) say(`BROKEN at step ${told.steps}: ${violation}   ${again}`)
    if (totals.seeds % 50 === 0) say(`${totals.seeds} stories in ${Math.round((performance.now() - began) / 1000)} s`)
  }
  const all = Array.from({ length: seeds }, (_, index) => first + index)
  if (values.log || seeds === 1)
    for (const seed of all)
      take(await tellStory({ seed, steps, log: values.log ? (line) => console.log(line) : null, ask: values.ask }))
  else await tellByProcesses(all, take)
  console.log(values.json ? JSON.stringify(totals) : JSON.stringify(totals, null, 2))
  return totals.violations === 0 ? 0 : 1
}

/** Hands the seeds one by one to as many processes as there are processors. */
async function tellByProcesses(seeds: readonly number[], take: (told: Told) => void): Promise<void> {
  const left = [...seeds]
  const tellers = Math.min(availableParallelism(), left.length)
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const teller = fork(import.meta.filename, ['--teller', '--steps', String(steps)], {
        execArgv: ['--max-semi-space-size=64'],
      })
      const next = (): void => {
        const seed = left.shift()
        if (seed === undefined) teller.disconnect()
        else teller.send(seed)
      }
      teller.on('message', (told: Told) => {
        take(told)
        next()
      })
      teller.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a teller ended with ${code}`))))
      next()
    })
  await Promise.all(Array.from({ length: tellers }, one))
}

function tellWhatIsSent(): void {
  process.on('message', (seed: number) => {
    tellStory({ seed, steps, log: null }).then(
      (told) => process.send?.(told),
      (error: unknown) => {
        console.error(`seed ${seed}:`, error)
        process.exit(1)
      },
    )
  })
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

function count(text: string): number {
  const found = Number(text)
  if (!Number.isSafeInteger(found) || found < 1) throw new Error(`not a count: ${text}`)
  return found
}
