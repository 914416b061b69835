import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { WecomPort } from '../channels/ports.ts'
import { openStore, type Store } from '../db/orm.ts'
import { freshMysqlUrl } from '../testing/databases.ts'
import { testHouse } from '../testing/house.ts'
import { boxApp as app, cardBody, failureOf, openBox, type Box } from '../testing/wecom-box.ts'
import { databaseRows } from './shared-rows.ts'
import { sharedState } from './shared-state.ts'

/** Begins to fetch the token of the app and never ends: the address takes calls and answers none. */
const hangingFetcher = `
const [databaseUrl, apiBase, nowMs, app] = process.argv.slice(1)
const { openStore } = await import(process.env.ROOT + 'server/db/orm.ts')
const { databaseRows } = await import(process.env.ROOT + 'server/kernel/shared-rows.ts')
const { sharedState } = await import(process.env.ROOT + 'server/kernel/shared-state.ts')
const { wecomAdapter } = await import(process.env.ROOT + 'server/channels/wecom/adapter.ts')
const store = await openStore(databaseUrl, { poolSize: 1 })
const now = () => Number(nowMs)
const shared = sharedState(databaseRows({ write: store.write, read: store.read, seal: null }), now)
const bases = { apiBase, oauthBase: apiBase, loginBase: apiBase, installBase: apiBase }
await wecomAdapter({ ...bases, now, shared, timeoutMs: 600_000 }).send(JSON.parse(app), '{}')
`

function suite(name: string, make: () => Promise<{ url: string; drop: () => Promise<void> }>, oneStore: boolean): void {
  describe(name, () => {
    let it: Box
    let url: string
    let drop: () => Promise<void>
    let stores: Store[]
    let ports: WecomPort[]
    const seal = testHouse().seal
    const shareds = () =>
      [0, 1].map((i) => {
        const { write, read } = stores[i % stores.length]!
        return sharedState(databaseRows({ write, read, seal }), it.now)
      })
    beforeEach(async () => {
      it = await openBox()
      ;({ url, drop } = await make())
      // On SQLite one thread cannot wait for its own other connection; two states on one store stand for two processes.
      stores = [await openStore(url, { poolSize: 5 })]
      if (!oneStore) stores.push(await openStore(url, { poolSize: 5 }))
      ports = shareds().map((shared) => it.adapter({ shared }))
    })
    afterEach(async () => {
      for (const store of stores) await store.close()
      await drop()
      await it.close()
    })
    const stats = () => it.box.control.stats(app.corpId)
    const sendAll = (title: string) =>
      Promise.all(
        ports.flatMap((port, process) =>
          Array.from({ length: 100 }, (_, i) => port.send(app, cardBody(`m${i}`, `${title} ${process}`))),
        ),
      )

    test('100 messages of each fetch one token, and one more when it ends in the middle', async () => {
      await sendAll('一')
      expect(stats()).toMatchObject({ gettoken: 1, delivered: 200 })
      const running = sendAll('二')
      await expect.poll(() => stats()?.delivered ?? 0, { interval: 1 }).toBeGreaterThan(220)
      it.box.control.expireTokens()
      await running
      expect(stats()).toMatchObject({ gettoken: 2, delivered: 400 })
      it.box.control.voidTokens()
      await sendAll('三')
      expect(stats()).toMatchObject({ gettoken: 3, delivered: 600 })
    })

    test('a fetcher that is killed is followed when its lease is over, by one of the two', async () => {
      let asked = 0
      const hole = createServer(() => {
        asked += 1
      })
      await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve))
      const nowhere = `http://127.0.0.1:${(hole.address() as AddressInfo).port}`
      const ROOT = new URL('../../', import.meta.url).href
      const arguments_ = ['--input-type=module', '-e', hangingFetcher, '--', url, nowhere, `${it.now()}`]
      const child = spawn(process.execPath, [...arguments_, JSON.stringify(app)], {
        env: { ...process.env, ROOT },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      await expect.poll(() => asked, { timeout: 30_000 }).toBe(1)
      child.kill('SIGKILL')
      hole.closeAllConnections()
      hole.close()
      it.advance(14_000)
      const running = sendAll('一')
      await sleep(300)
      expect(stats()).toMatchObject({ gettoken: 0 })
      it.advance(1_001)
      await running
      expect(stats()).toMatchObject({ gettoken: 1, delivered: 200 })
    })

    test('a wrong secret among good ones is asked about once, and the good ones never wait for it', async () => {
      const good = Array.from({ length: 5 }, (_, i) => ({ ...app, corpId: `wwGood${i}`, secret: `good-${i}` }))
      for (const { corpId, agentId, secret } of good)
        it.box.control.upsertCorp({
          corpId,
          agentId,
          secret,
          accountLimit: 100,
          trustedDomains: [],
          members: [{ userid: 'a', name: '甲' }],
        })
      const wrong = { ...app, secret: 'wrong-secret' }
      await Promise.all(
        ports.flatMap((port, process) =>
          Array.from({ length: 10 }, async (_, i) => {
            for (const one of good) await port.send(one, cardBody('a', `${process} ${i}`, one))
            expect(await failureOf(port.send(wrong, cardBody('m1')))).toMatchObject({
              outcome: 'broken',
              code: '40001',
            })
          }),
        ),
      )
      expect(stats()?.gettoken).toBe(1)
      for (const { corpId } of good) expect(it.box.control.stats(corpId)).toMatchObject({ gettoken: 1, delivered: 20 })
    })

    test('both together keep under the limit of an API', async () => {
      const answer = { access_token: 't', expires_in: 7_200, userid: 'ZhangSan' }
      const counted = shareds().map((shared) =>
        it.adapter({ shared, fetch: () => Promise.resolve(Response.json(answer)) }),
      )
      const lookUp = (i: number) =>
        counted[i % 2]!.userIdByMobile(app, '13800000001').then(
          () => 1,
          () => 0,
        )
      let passed = 0
      for (let at = 0; at < 11_000; at += 500) {
        const round = await Promise.all(Array.from({ length: 500 }, (_, i) => lookUp(i)))
        passed += round.reduce((sum, one) => sum + one, 0)
        it.advance(1_000)
      }
      expect(passed).toBeLessThanOrEqual(9_500)
      expect(passed).toBeGreaterThan(9_000)
    })
  })
}

suite(
  'two processes of one house (sqlite)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fulika-'))
    const url = join(folder, `${randomBytes(4).toString('hex')}.sqlite`)
    return { url, drop: async () => rmSync(folder, { recursive: true }) }
  },
  true,
)
const server = process.env['TEST_MYSQL_URL']
if (server) suite('two processes of one house (mysql)', () => freshMysqlUrl(server), false)
else if (process.env['CI'] === 'true') throw new Error('no MariaDB: in CI this is a failure')
else describe.skip('two processes of one house (mysql: no MariaDB found)', () => undefined)
