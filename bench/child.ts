import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/**
 * A process of this folder that speaks by messages, with the young generation that `npm start` has; its log goes nowhere,
 * its complaints are seen. BENCH_PROFILE names a folder for processor profiles.
 */
export function startChild(program: string, args: readonly string[], env: Record<string, string>): ChildProcess {
  const profile = process.env['BENCH_PROFILE']
  const execArgv = [
    '--no-warnings',
    '--max-semi-space-size=64',
    ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]),
  ]
  const child = fork(join(import.meta.dirname, program), [...args], {
    execArgv,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) {
      console.error(`${program} ended with ${code}`)
      process.exit(1)
    }
  })
  return child
}

/** The next message of a child. */
export async function heard(child: ChildProcess): Promise<unknown> {
  return (await once(child, 'message'))[0]
}

/** Sends an order; its answer is the next message. */
export function ask(child: ChildProcess, order: object): Promise<unknown> {
  const answer = heard(child)
  child.send(order)
  return answer
}
