import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, openSync, closeSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createConnection } from 'mysql2/promise'

/** Where the two programs of a MariaDB lie. */
export interface MariadbPrograms {
  readonly server: string
  readonly install: string
}

/** A MariaDB that belongs to one test run alone. */
export interface PrivateMariadb {
  readonly url: string
  readonly kind: 'private'
  stop(): Promise<void>
  kill(): void
  restart(): Promise<void>
}

/**
 * `durable`: a commit that was acknowledged survives kill -9. `scratch`: for tests that pull no plug, in memory where
 * there is enough, and flushing nothing.
 */
export type Keeping = 'durable' | 'scratch'

const startTimeoutMs = 60_000
/** What the databases of a run of the tests need at the most. */
const SCRATCH_BYTES = 4 * 1024 ** 3

/** Finds the MariaDB programs on this machine, or answers null. */
export function findMariadb(): MariadbPrograms | null {
  const server = findProgram('mariadbd')
  const install = findProgram('mariadb-install-db')
  return server === null || install === null ? null : { server, install }
}

/**
 * Starts a MariaDB with its own data directory, socket and free port. Stops with the process that started it, at the
 * latest.
 */
export async function startPrivateMariadb(programs: MariadbPrograms, keeping: Keeping): Promise<PrivateMariadb> {
  const home = await mkdtemp(join(keeping === 'scratch' ? scratchFolder() : tmpdir(), 'fulika-mariadb-'))
  try {
    makeDataDirectory(programs, home)
    const port = await freePort()
    const url = `mysql://root@127.0.0.1:${port}`
    const start = () => startServer(programs, serverOptions(home, port, keeping), { home, port })
    let child = await start()
    const atExit = (): void => {
      child.kill('SIGKILL')
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    }
    process.once('exit', atExit)
    return {
      url,
      kind: 'private',
      kill: () => void child.kill('SIGKILL'),
      restart: async () => {
        await ended(child, 'SIGTERM')
        child = await start()
      },
      stop: async () => {
        process.off('exit', atExit)
        await ended(child, 'SIGTERM')
        await rm(home, { recursive: true, force: true, maxRetries: 5 })
      },
    }
  } catch (error) {
    await rm(home, { recursive: true, force: true, maxRetries: 5 })
    throw error
  }
}

function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/usr/libexec']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null
}

function makeDataDirectory(programs: MariadbPrograms, home: string): void {
  const made = spawnSync(
    programs.install,
    [
      '--no-defaults',
      `--datadir=${join(home, 'data')}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      ...asRoot(),
    ],
    // In a folder that two share, the one clears away what the other is at work with.
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: home } },
  )
  if (made.status !== 0) throw new Error(`mariadb-install-db failed: ${made.stderr || made.stdout}`)
}

/** MariaDB refuses to run as root unless told so; the data directory is root's own then. */
function asRoot(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : []
}

async function startServer(
  programs: MariadbPrograms,
  options: readonly string[],
  { home, port }: { readonly home: string; readonly port: number },
): Promise<ChildProcess> {
  const logFile = join(home, 'log')
  const log = openSync(logFile, 'a')
  const child = spawn(programs.server, [...options, ...asRoot()], { stdio: ['ignore', log, log] })
  closeSync(log)
  // Without a listener a program that cannot be started would end this process; `hasEnded` reports it instead.
  child.on('error', () => undefined)
  const deadline = Date.now() + startTimeoutMs
  while (!(await answers(port))) {
    if (child.pid === undefined || hasEnded(child) || Date.now() > deadline) {
      await ended(child, 'SIGKILL')
      throw new Error(`MariaDB did not start:\n${readFileSync(logFile, 'utf8').slice(-2000)}`)
    }
    await sleep(50)
  }
  // A neighbour may have taken the port in between: then it answered, and our server has ended.
  if (hasEnded(child)) throw new Error(`MariaDB lost its port ${port} to another process`)
  return child
}

function serverOptions(home: string, port: number, keeping: Keeping): string[] {
  return [
    '--no-defaults',
    `--datadir=${join(home, 'data')}`,
    `--tmpdir=${home}`,
    `--socket=${join(home, 'socket')}`,
    `--pid-file=${join(home, 'pid')}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_bin',
    '--max-connections=300',
    ...(keeping === 'scratch'
      ? ['--innodb-flush-log-at-trx-commit=0', '--skip-innodb-doublewrite', '--innodb-flush-method=nosync']
      : [
          `--log-bin=${join(home, 'data', 'binlog')}`,
          '--server-id=1',
          '--innodb-flush-log-at-trx-commit=1',
          '--sync-binlog=1',
        ]),
  ]
}

/** Memory, where it holds enough; a container often has very little of it. */
function scratchFolder(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    if (bavail * bsize >= SCRATCH_BYTES) return '/dev/shm'
  } catch {
    // There is none on this system.
  }
  return tmpdir()
}

async function answers(port: number): Promise<boolean> {
  try {
    const connection = await createConnection({ host: '127.0.0.1', port, user: 'root', connectTimeout: 1000 })
    await connection.end()
    return true
  } catch {
    return false
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** Asks the server to end and waits until it has; after 20 seconds it is killed. */
async function ended(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return
  const over = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill(signal)
  const impatience = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await over
  clearTimeout(impatience)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no free port'))
        else resolve(address.port)
      })
    })
  })
}
