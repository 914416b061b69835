import { spawn } from 'node:child_process'
import { join } from 'node:path'

/**
 * Runs a program of this folder as a process of its own, so that each phase begins with an empty heap and its peak is
 * its own, and reads the JSON object that it prints as its last line.
 */
export async function runPhase<T>(program: string, args: readonly string[]): Promise<T> {
  const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, program), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  const last = printed.trim().split('\n').at(-1)
  if (code !== 0 || last === undefined || last === '') throw new Error(`${program} ${args[0] ?? ''} ended with ${code}`)
  return JSON.parse(last) as T
}

/** What a phase gives back to the one that started it. */
export function answer(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

/** The largest this process ever was, in MiB, as the kernel counted it. */
export const peakRssMiB = (): number => Math.round(process.resourceUsage().maxRSS / 1024)
