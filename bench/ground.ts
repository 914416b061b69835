import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { provideMariadb } from '../scripts/mariadb.ts'
import { openStore } from '../server/db/orm.ts'
import { freshMysqlUrl } from '../server/testing/databases.ts'

/** Two empty databases of one shape on one server, and what makes a commit durable there. */
export interface Ground {
  readonly service: string
  readonly raw: string
  readonly durability: string
  /** Processor time of the database server so far; 0 where it lives in the process that uses it. */
  readonly databaseCpuSeconds: () => number
  /** Statements that the database server was asked so far, of all sessions; 0 likewise. */
  readonly statements: () => Promise<number>
  readonly remove: () => Promise<void>
}

/** Opens the two databases, durable as the house runs them; the caller removes them. */
export async function openGround(db: 'mysql' | 'sqlite'): Promise<Ground> {
  return db === 'mysql' ? mysqlGround() : sqliteGround()
}

/** A MariaDB of its own, with a cache and a log that hold the run; what is flushed at a commit stays as it is. */
async function mysqlGround(): Promise<Ground> {
  const server = await provideMariadb({ private: true })
  if (server === null) throw new Error('no MariaDB to be had')
  const connection = await createConnection(server.url)
  await connection.query(`set global innodb_buffer_pool_size = ${4 * 1024 ** 3}`)
  await connection.query(`set global innodb_log_file_size = ${2 * 1024 ** 3}`)
  const [rows] = await connection.query<RowDataPacket[]>(
    'select version() as version, @@innodb_flush_log_at_trx_commit as innodb_flush_log_at_trx_commit, @@sync_binlog as sync_binlog, @@log_bin as log_bin, @@innodb_doublewrite as innodb_doublewrite, @@innodb_buffer_pool_size as innodb_buffer_pool_size, @@innodb_log_file_size as innodb_log_file_size',
  )
  const [pids] = await connection.query<RowDataPacket[]>('select @@pid_file as file')
  const pid = Number(readFileSync(String(pids[0]?.['file']), 'utf8'))
  await connection.end()
  const [service, raw] = [await freshMysqlUrl(server.url), await freshMysqlUrl(server.url)]
  await (await openStore(raw.url)).close()
  return {
    service: service.url,
    raw: raw.url,
    durability: inWords(rows[0] ?? {}),
    databaseCpuSeconds: () => cpuSecondsOf(pid),
    statements: () => statementsOf(server.url),
    remove: () => server.stop(),
  }
}

async function sqliteGround(): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'fulika-bench-'))
  const [service, raw] = [join(folder, 'service.sqlite'), join(folder, 'raw.sqlite')]
  await (await openStore(raw)).close()
  const file = new Database(raw)
  const version = file.prepare('select sqlite_version()').pluck().get()
  file.close()
  return {
    service,
    raw,
    durability: `version=${String(version)} journal_mode=wal synchronous=FULL`,
    databaseCpuSeconds: () => 0,
    statements: () => Promise.resolve(0),
    remove: () => Promise.resolve(rmSync(folder, { recursive: true })),
  }
}

const inWords = (settings: object): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')

async function statementsOf(url: string): Promise<number> {
  const connection = await createConnection(url)
  const [rows] = await connection.query<RowDataPacket[]>("show global status like 'Questions'")
  await connection.end()
  return Number(rows[0]?.['Value'])
}

/** What Linux counted for a process, in hundredths of a second: fields 14 and 15 after the name in parentheses. */
function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}
