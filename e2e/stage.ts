import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SandboxWorld } from '../sandbox/world.ts'
import { readConfig } from '../server/config.ts'
import { silentLog, type RootLog } from '../server/kernel/log.ts'
import { start, type Running } from '../server/main.ts'
import { freshMysqlUrl } from '../server/testing/databases.ts'
import type { Stage } from './steps.ts'

/** A whole product that runs: server, worker, sandbox and demo company, on a database of its own. */
export interface OpenStage extends Stage {
  readonly databaseUrl: string
  readonly dataDir: string
  readonly running: Running
  close(): Promise<void>
}

/** Ports that nobody listens on right now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** The stage as the sandbox's file and the ports tell it. */
export function stageOf(dataDir: string, ports: { web: number; wecom: number; pay: number; wechat: number }): Stage {
  const world = JSON.parse(readFileSync(join(dataDir, 'sandbox.json'), 'utf8')) as SandboxWorld
  const { callback: _ours, ...corp } = world.wecom
  return {
    serverUrl: `http://127.0.0.1:${ports.web}`,
    wecomUrl: `http://127.0.0.1:${ports.wecom}`,
    payUrl: `http://127.0.0.1:${ports.pay}`,
    wechatUrl: `http://127.0.0.1:${ports.wechat}`,
    corp,
    operatorKey: world.operatorKey,
  }
}

/** Opens a stage on SQLite, or on the MariaDB that the tests were given; `env` adds to its environment. */
export async function openStage(
  dialect: 'sqlite' | 'mysql',
  log: RootLog = silentLog(),
  env: Readonly<Record<string, string>> = {},
): Promise<OpenStage> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fulika-e2e-'))
  const [web = 0, wecom = 0, pay = 0, wechat = 0] = await freePorts(4)
  const server = process.env['TEST_MYSQL_URL'] ?? ''
  const mysql = dialect === 'mysql' ? await freshMysqlUrl(server) : null
  const config = readConfig({
    FULIKA_DATA_DIR: dataDir,
    PORT: String(web),
    FULIKA_SANDBOX_WECOM_PORT: String(wecom),
    FULIKA_SANDBOX_PAY_PORT: String(pay),
    FULIKA_SANDBOX_WECHAT_PORT: String(wechat),
    ...(mysql === null ? {} : { DATABASE_URL: mysql.url }),
    ...env,
  })
  const running = await start(config, log)
  return {
    ...stageOf(dataDir, { web, wecom, pay, wechat }),
    databaseUrl: config.databaseUrl,
    dataDir,
    running,
    close: async () => {
      await running.stop()
      await mysql?.drop()
      rmSync(dataDir, { recursive: true })
    },
  }
}

/** The databases that end-to-end tests run on: without a MariaDB the half is skipped aloud, in CI it is a failure. */
export function dialectsHere(): ('sqlite' | 'mysql')[] {
  if (process.env['TEST_MYSQL_URL']) return ['sqlite', 'mysql']
  if (process.env['CI'] === 'true') throw new Error('no MariaDB: in CI this is a failure')
  console.warn('no MariaDB found: the end-to-end tests run on SQLite only')
  return ['sqlite']
}
