import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** True when this run must not skip anything: `CI=true`. */
export function mustNotSkip(): boolean {
  return process.env['CI'] === 'true'
}

/** Writes a line that nobody overlooks to stderr, so that a command's JSON on stdout stays clean. */
export function sayLoudly(text: string): void {
  process.stderr.write(`\n>>> ${text}\n`)
}

/**
 * Installs Debian packages, and answers whether they are now there.
 * Only as root on Debian, never with `PROVIDE_INSTALL=never`: anyone else's machine is theirs to change.
 */
export async function installDebian(packages: readonly string[], reason: string): Promise<boolean> {
  if (!mayInstall()) return false
  sayLoudly(`${reason}: installing ${packages.join(', ')} from Debian (PROVIDE_INSTALL=never forbids this)`)
  const updated = await runQuietly('apt-get', ['update', '-q'])
  if (!updated) sayLoudly('apt-get update failed; trying with the package lists as they are')
  const installed = await runQuietly('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages])
  if (!installed) sayLoudly(`could not install ${packages.join(', ')}`)
  return installed
}

function mayInstall(): boolean {
  if (process.env['PROVIDE_INSTALL'] === 'never' || process.getuid?.() !== 0) return false
  try {
    return /^ID="?debian"?$/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}

/** Runs a command without stdin, its output on our stderr; true when it ended with 0. */
function runQuietly(command: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', process.stderr, process.stderr],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    child.on('error', () => resolve(false))
    child.on('exit', (code) => resolve(code === 0))
  })
}
