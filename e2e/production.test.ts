import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Companies } from '../contract/operator/platform.ts'
import type { z } from 'zod'
import { freshMysqlUrl } from '../server/testing/databases.ts'
import { dialectsHere, freePorts } from './stage.ts'
import { Visitor } from './visitor.ts'

const root = join(import.meta.dirname, '..')
const example = join(root, 'docs/platform-example.json')

/** Runs one of our programs to its end, with nothing but this environment. */
function run(env: Record<string, string>, ...args: string[]): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    const options = { cwd: root, env: { PATH: process.env['PATH'] ?? '', ...env }, timeout: 60_000 }
    execFile(process.execPath, ['--no-warnings', ...args], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), text: out + err })
    })
  })
}

// docs/OPERATIONS.md, a production start, as an operator types it.
test.each(dialectsHere())('setup, operator apply and start in production (%s)', async (dialect) => {
  const dir = mkdtempSync(join(tmpdir(), 'fulika-production-'))
  const mysql = dialect === 'mysql' ? await freshMysqlUrl(process.env['TEST_MYSQL_URL'] ?? '') : null
  const [port = 0] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  const env = {
    NODE_ENV: 'production',
    PORT: String(port),
    PUBLIC_URL: url,
    DATABASE_URL: mysql?.url ?? join(dir, 'fulika.sqlite'),
    FULIKA_DATA_DIR: dir,
    FULIKA_CUSTODY_HOLDER: '某平台',
    FULIKA_CUSTODY_NUMBER: '6222 0000 0000 0001',
    FULIKA_CUSTODY_BANK: '某银行',
    FULIKA_LOG_LEVEL: 'error',
  }
  try {
    const first = await run(env, 'scripts/setup.ts', '--operator', '张三')
    expect(first).toMatchObject({ code: 0 })
    const key = /[A-Za-z0-9_-]{43}$/.exec(first.text.trim())?.[0] ?? ''
    expect(key).not.toBe('')
    expect(statSync(join(dir, 'key-ring.json')).mode & 0o777).toBe(0o600)
    const ring = readFileSync(join(dir, 'key-ring.json'), 'utf8')
    const second = await run(env, 'scripts/setup.ts', '--operator', '李四')
    expect(second.code).toBe(0)
    expect(second.text).not.toMatch(/[A-Za-z0-9_-]{43}/)
    expect(readFileSync(join(dir, 'key-ring.json'), 'utf8')).toBe(ring)

    const apply = async (file: string, ...more: string[]) => run(env, 'scripts/operator.ts', 'apply', file, ...more)
    const wouldDo = await apply(example, '--dry-run')
    expect(wouldDo.text.match(/would create/g)).toHaveLength(5)
    expect((await apply(example)).text.match(/^create/gm)).toHaveLength(5)
    expect((await apply(example)).text.match(/^same/gm)).toHaveLength(5)
    const file = JSON.parse(readFileSync(example, 'utf8')) as { brands: { templates: { maxFaceFen: number }[] }[] }
    file.brands[0]!.templates[0]!.maxFaceFen = 600_000
    const tooMuch = join(dir, 'too-much.json')
    writeFileSync(tooMuch, JSON.stringify(file))
    const refused = await apply(tooMuch)
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.text).toContain('face_over_limit')
    file.brands[0]!.templates[0]!.maxFaceFen = 400_000
    writeFileSync(tooMuch, JSON.stringify(file))
    expect((await apply(tooMuch)).text).toMatch(/^change template 6230/m)
    writeFileSync(tooMuch, JSON.stringify({ companies: [{ code: 'Not A Slug' }] }))
    const malformed = await apply(tooMuch)
    expect(malformed.code).toBe(1)
    expect(malformed.text).toContain('companies[0].code')

    const server = spawn(process.execPath, ['--no-warnings', 'server/main.ts'], {
      cwd: root,
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: 'inherit',
    })
    try {
      for (let tries = 0; !(await fetch(`${url}/readyz`).catch(() => null))?.ok; tries += 1) {
        if (tries > 300) throw new Error('the server does not start')
        await sleep(100)
      }
      const operator = new Visitor(url)
      await operator.call('/operator/session', { json: { key } })
      const { companies } = await operator.call<z.output<typeof Companies>>('/operator/companies')
      expect(companies).toMatchObject([{ code: 'qinghe', paymentRoute: 'strict', wecomConnected: true, people: 0 }])
      const signIn = await new Visitor(url).send('/hr/sign-in/qinghe')
      expect(new URL(signIn.headers.get('location') ?? '').origin).toBe('https://login.work.weixin.qq.com')
      expect(await operator.call('/operator/session')).toMatchObject({ sandbox: false })
    } finally {
      const over = new Promise<number | null>((resolve) => server.once('exit', resolve))
      server.kill('SIGTERM')
      expect(await over).toBe(0)
    }
    expect(await run(env, 'scripts/prove.ts')).toMatchObject({ code: 0 })
  } finally {
    await mysql?.drop()
    rmSync(dir, { recursive: true })
  }
})
