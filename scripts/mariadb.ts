import { createConnection } from 'mysql2/promise'
import { installDebian, mustNotSkip } from './debian.ts'
import { findMariadb, startPrivateMariadb } from './private-mariadb.ts'

/**
 * A database server to test against. `url` names no database: each test worker makes and drops its own.
 * `kill` (as kill -9) and `restart` exist on a private instance only; the data outlives both.
 */
export interface ProvidedMariadb {
  readonly url: string
  readonly kind: 'given' | 'local' | 'private'
  stop(): Promise<void>
  kill?(): void
  restart?(): Promise<void>
}

/**
 * Finds or starts a MariaDB or MySQL: `TEST_MYSQL_URL`; else 127.0.0.1:3306 when it lets root in without a password;
 * else a private instance, for which Debian's mariadb-server is installed where that is allowed.
 * `private: true` always makes a private one, for tests that kill it. `scratch: true` prefers a private one in memory to
 * the local one: a commit there does not wait for a disk, and nobody's server is touched.
 * Answers null when nothing can be had; with `CI=true` that is thrown instead.
 */
export async function provideMariadb(
  options: { private?: boolean; scratch?: boolean } = {},
): Promise<ProvidedMariadb | null> {
  const given = options.private === true ? null : await givenServer()
  if (given !== null) return given
  const here = options.scratch === true ? findMariadb() : null
  if (here !== null) return startPrivateMariadb(here, 'scratch')
  const running = options.private === true ? null : await localServer()
  if (running !== null) return running
  const found = findMariadb() ?? ((await installMariadb()) ? findMariadb() : null)
  if (found !== null) return startPrivateMariadb(found, options.scratch === true ? 'scratch' : 'durable')
  const missing =
    'no MariaDB: set TEST_MYSQL_URL, or install mariadb-server, or let root in without a password at 127.0.0.1:3306'
  if (mustNotSkip()) throw new Error(missing)
  return null
}

async function givenServer(): Promise<ProvidedMariadb | null> {
  const url = process.env['TEST_MYSQL_URL']
  if (url === undefined || url === '') return null
  const problem = await whyNot(url)
  // Somebody named this server on purpose, so falling back to another one would test the wrong thing.
  if (problem !== null) throw new Error(`TEST_MYSQL_URL does not answer: ${problem}`)
  return { url, kind: 'given', stop: leaveRunning }
}

async function localServer(): Promise<ProvidedMariadb | null> {
  const url = 'mysql://root@127.0.0.1:3306'
  return (await whyNot(url)) === null ? { url, kind: 'local', stop: leaveRunning } : null
}

/** Null when the server answers a query, else the reason without the address, which may hold a password. */
async function whyNot(url: string): Promise<string | null> {
  try {
    const connection = await createConnection({ uri: url, connectTimeout: 3000 })
    try {
      await connection.query('select 1')
    } finally {
      await connection.end()
    }
    return null
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'the address is malformed'
  }
}

async function leaveRunning(): Promise<void> {
  // Not started by us, so not stopped by us.
}

function installMariadb(): Promise<boolean> {
  return installDebian(['mariadb-server'], 'no MariaDB on this machine')
}
