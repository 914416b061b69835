import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadWorld, startSandbox, type RunningSandbox, type SandboxWorld } from '../sandbox/world.ts'
import type { Ports } from './channels/ports.ts'
import { prepareDemo } from './demo-company.ts'
import { findBrandByPrefix } from './modules/catalog/change-brand.ts'
import { readTermsAt } from './modules/catalog/read-terms.ts'
import { setTerms } from './modules/catalog/set-terms.ts'
import { onBothDatabases } from './testing/databases.ts'

const dir = mkdtempSync(join(tmpdir(), 'fulika-demo-'))
let [world, running]: [SandboxWorld, RunningSandbox] = [] as never
beforeAll(async () => {
  world = loadWorld(join(dir, 'sandbox.json'))
  running = await startSandbox(world, { wecomPort: 0, payPort: 0, wechatPort: 0 })
})
afterAll(async () => {
  await running.close()
  rmSync(dir, { recursive: true })
})

onBothDatabases('the demo', (database) => {
  const prepare = () => prepareDemo(database.edge({} as Ports), { world, ...running })
  const termsOf = (prefix: string) =>
    database.tx(async (tx) => {
      const brand = await findBrandByPrefix(tx, prefix)
      return (await readTermsAt(tx, [brand!.id], tx.clock.now())).get(brand!.id)!
    })

  test('brands share with the platform and a channel of the sandbox, within what may be shared', async () => {
    await prepare()
    const channels = world.merchants.filter((one) => one.role === 'channel').map((one) => one.mchid)
    for (const [index, prefix] of ['6230', '6231'].entries()) {
      const terms = await termsOf(prefix)
      expect(terms).toMatchObject({ number: 1, collector: 'brand', channels: [{ mchid: channels[index] }] })
      expect(terms.platformBp).toBeGreaterThan(0)
    }
  })

  test('a second start leaves terms that somebody changed meanwhile as they are', async () => {
    await prepare()
    const { number: _number, ...terms } = await termsOf('6230')
    await database.tx((tx) => setTerms(tx, { ...terms, platformBp: 100, channels: [] }))
    await prepare()
    expect(await termsOf('6230')).toMatchObject({ number: 2, platformBp: 100, channels: [] })
    expect((await termsOf('6231')).number).toBe(1)
  })
})
