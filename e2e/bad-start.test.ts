import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readConfig, writeKeyRing } from '../server/config.ts'
import { openHouse } from '../server/house.ts'
import { newKeyRing } from '../server/kernel/key-ring.ts'
import { silentLog } from '../server/kernel/log.ts'
import { expectHarmless, startProgram } from './bad-stage.ts'

describe('a start with an environment that does not fit', () => {
  const folder = () => mkdtempSync(join(tmpdir(), 'fulika-start-'))
  const named = (text: string): string[] => text.split('\n').flatMap((line) => /^ {2}([A-Z_]+):/.exec(line)?.[1] ?? [])

  test.concurrent('unknown and malformed variables: all of them are named, no value is shown', async () => {
    const env = {
      FULIKA_SANBOX: 'v-1',
      FULIKA_ROLE: 'v-2',
      PORT: 'v-3',
      PUBLIC_URL: 'v-4',
      DATABASE_URL: 'redis://v-5',
    }
    const { code, text } = await startProgram({ ...env, FULIKA_DATA_DIR: folder(), FULIKA_KEY_RING_FILE: '' })
    expect(code).toBe(78)
    expect(named(text).sort()).toEqual(Object.keys(env).sort())
    expect(text).not.toMatch(/v-\d/)
    expectHarmless(text, null)
  })

  test.concurrent('real credentials beside the sandbox', async () => {
    const dir = folder()
    const file = join(dir, 'pay.json')
    writeFileSync(file, JSON.stringify({ merchants: [], platformKeys: {} }))
    const env = { FULIKA_DATA_DIR: dir, FULIKA_WECHAT_PAY_FILE: file, FULIKA_SANDBOX: 'inside' }
    const { code, text } = await startProgram(env)
    expect([code, named(text)]).toEqual([78, ['FULIKA_SANDBOX']])
    expect(text).not.toContain(file)
  })

  test.concurrent('production on the sandbox, without keys, without its own facts', async () => {
    const { code, text } = await startProgram({
      NODE_ENV: 'production',
      FULIKA_DATA_DIR: folder(),
      FULIKA_SANDBOX: 'inside',
    })
    expect(code).toBe(78)
    for (const name of [
      'FULIKA_SANDBOX',
      'PUBLIC_URL',
      'DATABASE_URL',
      'FULIKA_KEY_RING_FILE',
      'FULIKA_CUSTODY_HOLDER',
    ])
      expect(text).toContain(name)
    expectHarmless(text, null)
  })

  test.concurrent('keys that are cut short, and credentials that are not whole, show none of themselves', async () => {
    const dir = folder()
    const ring = join(dir, 'ring.json')
    writeKeyRing(ring)
    const whole = readFileSync(ring, 'utf8')
    writeFileSync(ring, whole.slice(0, whole.length / 2))
    const pay = join(dir, 'pay.json')
    writeFileSync(pay, JSON.stringify({ merchants: [{ mchid: '1900000109', apiV3Key: 'k-e-y' }], platformKeys: {} }))
    const env = { FULIKA_DATA_DIR: dir, FULIKA_KEY_RING_FILE: ring, FULIKA_WECHAT_PAY_FILE: pay }
    const { code, text } = await startProgram(env)
    expect([code, named(text).sort()]).toEqual([78, ['FULIKA_KEY_RING_FILE', 'FULIKA_WECHAT_PAY_FILE']])
    for (const secret of ['k-e-y', ...(whole.match(/[A-Za-z0-9+/]{40,}=/g) ?? [])]) expect(text).not.toContain(secret)
  })

  test.concurrent('keys that are not those of the database: the missing one is named, not shown', async () => {
    const dir = folder()
    const env = { FULIKA_DATA_DIR: dir, FULIKA_SANDBOX: 'off', PORT: '0' }
    const first = await openHouse(readConfig(env), { log: silentLog(), outside: null })
    await first.close()
    const other = newKeyRing()
    writeFileSync(join(dir, 'key-ring.json'), other)
    const { code, text } = await startProgram(env)
    expect(code).toBe(78)
    expect(text).toContain('seal:k1')
    expectHarmless(text, null)
    for (const secret of other.match(/[A-Za-z0-9+/]{40,}=/g) ?? []) expect(text).not.toContain(secret)
  })
})
