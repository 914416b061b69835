import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { provideMariadb } from '../scripts/mariadb.ts'
import { openStore } from '../server/db/orm.ts'
import { freshMysqlUrl } from '../server/testing/databases.ts'
import { runPhase } from './phases.ts'

/** Connections that write cards at once: as many as an issuing job has slices in work. */
const CONNECTIONS = 2

/** Two empty databases of one shape on one server, and what makes a commit durable there. */
interface Ground {
  readonly service: string
  readonly raw: string
  readonly durability: string
  readonly remove: () => Promise<void>
}

interface Issued {
  readonly seconds: number
  readonly p99SliceMs: number
  readonly rssMiB: readonly number[]
  readonly peakRssMiB: number
}
interface Checked {
  readonly cards: number
  readonly items: number
  readonly numbers: number
  readonly secrets: number
  readonly findings: readonly unknown[]
}

/** Issues `cards` cards through the service and writes the same rows by the driver alone; returns the figures of both. */
export async function benchIssue(cards: number, db: 'mysql' | 'sqlite', say: (line: string) => void): Promise<object> {
  const ground = db === 'mysql' ? await mysqlGround() : await sqliteGround()
  try {
    say(`${ground.durability}\nplacing and paying orders for ${cards} cards`)
    await runPhase('issue-phase.ts', ['place', ground.service, String(cards)])
    say('issuing')
    const issued = await runPhase<Issued>('issue-phase.ts', ['issue', ground.service])
    say(`${Math.round(cards / issued.seconds)} cards/s; memory by the second, MiB: ${issued.rssMiB.join(' ')}`)
    say('counting and proving')
    const checked = await runPhase<Checked>('issue-phase.ts', ['check', ground.service])
    if (checked.cards !== cards || checked.items !== cards)
      throw new Error(`${checked.cards} cards instead of ${cards}`)
    say('the driver alone')
    const raw = await runPhase<{ cards: number; seconds: number }>('raw-phase.ts', [
      ground.service,
      ground.raw,
      String(CONNECTIONS),
    ])
    if (raw.cards !== cards) throw new Error(`the driver wrote ${raw.cards} cards instead of ${cards}`)
    const [served, bare] = [cards / issued.seconds, cards / raw.seconds]
    return {
      cards,
      seconds: round(issued.seconds),
      cardsPerSecond: Math.round(served),
      rawRowsPerSecond: Math.round(bare),
      ratio: round(served / bare),
      p99SliceMs: round(issued.p99SliceMs),
      uniqueNumbers: checked.numbers,
      uniqueSecrets: checked.secrets,
      booksBalanced: checked.findings.length === 0,
      peakRssMiB: issued.peakRssMiB,
      durability: ground.durability,
    }
  } finally {
    await ground.remove()
  }
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
  await connection.end()
  const [service, raw] = [await freshMysqlUrl(server.url), await freshMysqlUrl(server.url)]
  await (await openStore(raw.url)).close()
  return { service: service.url, raw: raw.url, durability: inWords(rows[0] ?? {}), remove: () => server.stop() }
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
    remove: () => Promise.resolve(rmSync(folder, { recursive: true })),
  }
}

const inWords = (settings: object): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')

const round = (value: number): number => Math.round(value * 100) / 100
