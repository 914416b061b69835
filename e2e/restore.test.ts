import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConfig } from '../server/config.ts'
import { openHouse } from '../server/house.ts'
import { silentLog } from '../server/kernel/log.ts'
import { newKeyRing } from '../server/kernel/key-ring.ts'
import { sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { readMembers } from '../server/modules/company/read-members.ts'
import { findCompanyByCode } from '../server/modules/company/read-company.ts'
import { freshMysqlUrl } from '../server/testing/databases.ts'
import { dialectsHere, openStage, type OpenStage } from './stage.ts'
import * as step from './steps.ts'

const run = promisify(execFile)

/** Copies a running database the way docs/OPERATIONS.md says; the address of the copy and how to drop it. */
async function copyOf(stage: OpenStage, folder: string): Promise<{ url: string; drop: () => Promise<void> }> {
  if (!stage.databaseUrl.startsWith('mysql:')) {
    const path = join(folder, 'copy.sqlite')
    const from = new Database(stage.databaseUrl, { readonly: true })
    await from.backup(path)
    from.close()
    return { url: path, drop: () => Promise.resolve() }
  }
  const at = new URL(stage.databaseUrl)
  const login = ['-h', at.hostname, '-P', at.port || '3306', '-u', decodeURIComponent(at.username)]
  const password = { ...process.env, MYSQL_PWD: decodeURIComponent(at.password) }
  const dump = join(folder, 'dump.sql')
  await run(
    'mariadb-dump',
    [...login, '--single-transaction', '--hex-blob', `--result-file=${dump}`, at.pathname.slice(1)],
    { env: password },
  )
  const fresh = await freshMysqlUrl(process.env['TEST_MYSQL_URL'] ?? '')
  await run('mariadb', [...login, new URL(fresh.url).pathname.slice(1), '-e', `source ${dump}`], { env: password })
  return fresh
}

// The drill of docs/OPERATIONS.md: a dump and the key ring are everything that a restore needs, and neither is enough alone.
describe.each(dialectsHere())('a restore (%s)', (dialect) => {
  let stage: OpenStage
  beforeAll(async () => {
    stage = await openStage(dialect)
  })
  afterAll(() => stage.close())

  test('a dump and the key ring give back the house with its books; another ring is refused at the start', async () => {
    const hr = await step.memberOf(stage, 'linxiao')
    const finance = await step.memberOf(stage, 'chenli')
    const bytes = await readFile(new URL('../samples/rosters/utf8-bom.csv', import.meta.url))
    const rosterId = await step.uploadRoster(hr, 'utf8-bom.csv', bytes)
    await step.waitRoster(hr, rosterId, ['ready', 'needs_mending'])
    await step.applyRoster(hr, rosterId)
    const wish = { rosterId, title: '演练', amountFrom: 'same' as const, faceFen: 20_000 }
    const campaignId = await step.draftCampaign(hr, wish)
    const { orderId } = await step.submitAndApprove(hr, await step.memberOf(stage, 'zhoumin'), campaignId)
    const { totalFen } = await step.readOrder(finance, orderId)
    await step.payByScan(stage, await step.openPayment(finance, orderId, 'wechat_pay', totalFen))
    const { issued } = await step.waitDelivered(hr, campaignId)

    const folder = mkdtempSync(join(tmpdir(), 'fulika-restore-'))
    const copy = await copyOf(stage, folder)
    copyFileSync(join(stage.dataDir, 'key-ring.json'), join(folder, 'key-ring.json'))
    const env = { FULIKA_DATA_DIR: folder, DATABASE_URL: copy.url }
    const restored = await openHouse(readConfig(env), { log: silentLog(), outside: null })
    const edge = restored.edgeFor({ kind: 'system', name: 'restore' })
    expect(await edge.read(proveBooks)).toEqual([])
    const cards = await edge.read((tx) => sql<{ n: unknown }>(tx.em, 'select count(*) as n from card'))
    expect(Number(cards[0]?.n)).toBe(issued)
    const members = await edge.read(async (tx) => readMembers(tx, (await findCompanyByCode(tx, 'demo'))!.id))
    expect(members.map((member) => member.name)).toContain('林晓')
    await restored.close()

    writeFileSync(join(folder, 'other.json'), newKeyRing(), { mode: 0o600 })
    const other = readConfig({ ...env, FULIKA_KEY_RING_FILE: join(folder, 'other.json') })
    await expect(openHouse(other, { log: silentLog(), outside: null })).rejects.toThrow('seal:k1')
    await copy.drop()
  })
})
