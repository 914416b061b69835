import { expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { sql } from '../../kernel/sql.ts'
import type { Ports } from '../../channels/ports.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { breakConnection } from './break-connection.ts'
import { cancelConnection } from './cancel-connection.ts'
import { connectWecom } from './connect-wecom.ts'
import { forgetConnection } from './forget-connection.ts'
import { moveConnection } from './move-connection.ts'
import { readAnyWecomApp, readConnection, readWecomApp } from './read-wecom-app.ts'

const suiteId = 'wwsuite1'

onBothDatabases('connection', (database) => {
  const read = (id: Id<'company'>) => database.tx((tx) => readConnection(tx, id))
  const jobs = () =>
    database.tx((tx) => sql<{ args: string }>(tx.em, "select args from job where kind = 'company.forget'"))

  test('a broken credential stops the sending until another one stands here', async () => {
    const { id, wecom } = await aCompany(database)
    expect(await database.tx((tx) => breakConnection(tx, id, '60011'))).toBe(false)
    const broke = await Promise.all([1, 2, 3].map(() => database.tx((tx) => breakConnection(tx, id, '40001'))))
    expect(broke.filter(Boolean)).toHaveLength(1)
    expect(await database.tx((tx) => readWecomApp(tx, id))).toBeNull()
    expect(await read(id)).toMatchObject({ state: 'broken', brokenCode: '40001' })
    const { corpId, agentId, secret } = wecom
    const connect = (more: object) => database.tx((tx) => connectWecom(tx, { companyId: id, corpId, agentId, ...more }))
    await connect({ secret })
    expect(await read(id)).toMatchObject({ state: 'broken' })
    await connect({ secret: 'SANDBOXnew' })
    expect(await read(id)).toMatchObject({ state: 'active', brokenCode: null })
    expect(await database.tx((tx) => readWecomApp(tx, id))).toMatchObject({ secret: 'SANDBOXnew' })
    expect(await jobs()).toEqual([])
  })

  test('what is not said stays as it is; another corp needs its own secret, and the old ids are forgotten', async () => {
    const { id, wecom } = await aCompany(database)
    const { corpId, agentId } = wecom
    await database.tx((tx) =>
      connectWecom(tx, { companyId: id, corpId, agentId, contactSecret: 'SANDBOXcontact', accountLimit: 500 }),
    )
    expect(await read(id)).toMatchObject({ contactSecretSet: true, accountLimit: 500 })
    await database.tx((tx) => connectWecom(tx, { companyId: id, corpId, agentId: 9 }))
    expect(await database.tx((tx) => readWecomApp(tx, id))).toMatchObject({
      agentId: 9,
      secret: wecom.secret,
      contactSecret: 'SANDBOXcontact',
    })
    const moved = { companyId: id, corpId: 'wwMoved', agentId }
    await expect(database.tx((tx) => connectWecom(tx, moved))).rejects.toMatchObject({ code: 'wecom_secret_missing' })
    await database.tx((tx) => connectWecom(tx, { ...moved, secret: 'SANDBOXmoved', contactSecret: null }))
    expect(await read(id)).toMatchObject({ corpId: 'wwMoved', contactSecretSet: false })
    expect((await jobs()).map((row) => JSON.parse(row.args))).toEqual([{ companyId: id, reason: 'changed' }])
    const wrong = { companyId: id, corpId, secret: 's' }
    for (const more of [{ agentId: 0 }, { agentId: 1, suiteId }, { agentId: 0, kind: 'customised' as const }])
      await expect(database.tx((tx) => connectWecom(tx, { ...wrong, ...more }))).rejects.toThrow(RangeError)
  })

  test('a withdrawal ends the connection once; an older one is of an earlier install; forgetting leaves the corp id', async () => {
    const { id } = await aCompany(database)
    const [corpId, at] = ['wpCipherA', 1_790_000_000_500]
    const installed = { companyId: id, kind: 'third_party' as const, suiteId, corpId, agentId: 0, secret: 'permanent' }
    const install = (authorisedAtMs: number, secret = 'permanent') =>
      database.tx((tx) =>
        connectWecom(tx, { ...installed, secret, authorisedAtMs, trialEndsAtMs: authorisedAtMs + 90 }),
      )
    await install(at)
    expect(await database.tx((tx) => readWecomApp(tx, id))).toBeNull()
    expect(await database.tx((tx) => readAnyWecomApp(tx, id))).toMatchObject({ state: 'active', agentId: 0 })
    const cancel = (atMs: number | null, corp = corpId) =>
      database.tx((tx) => cancelConnection(tx, { suiteId, corpId: corp, atMs }))
    expect(await cancel(at - 1500)).toBe(false)
    expect(await cancel(at, 'wpciphera')).toBe(false)
    expect((await Promise.all([cancel(at - 500), cancel(at - 500), cancel(null)])).filter(Boolean)).toHaveLength(1)
    expect(await read(id)).toMatchObject({ state: 'cancelled' })
    expect(await database.tx((tx) => breakConnection(tx, id, '40084'))).toBe(false)
    await database.tx((tx) => forgetConnection(tx, id))
    expect(await database.tx((tx) => readAnyWecomApp(tx, id))).toMatchObject({ secret: '', state: 'cancelled', corpId })
    await install(at + 9000, 'permanent2')
    expect(await read(id)).toMatchObject({ state: 'active', trialEndsAtMs: at + 90, authorisedAtMs: at + 9000 })
    await database.tx((tx) => forgetConnection(tx, id))
    expect(await database.tx((tx) => readAnyWecomApp(tx, id))).toMatchObject({ secret: 'permanent2' })
    await expect(
      database.tx((tx) => moveConnection(tx, { companyId: id, from: 'cancelled', to: 'broken' })),
    ).rejects.toThrow('no move')
  })

  test('a withdrawal in the very moment of a change has an erasure of its own', async () => {
    const { id } = await aCompany(database)
    const { tx } = database.edge({} as Ports, { kind: 'system', name: 'test' }, () => 1_790_000_000_500)
    const installed = { kind: 'third_party', suiteId, corpId: 'wpCipherA', agentId: 0, secret: 'permanent' } as const
    await tx((scope) => connectWecom(scope, { companyId: id, ...installed }))
    expect(await tx((scope) => cancelConnection(scope, { suiteId, corpId: 'wpCipherA', atMs: null }))).toBe(true)
    expect((await jobs()).map((row) => JSON.parse(row.args))).toEqual([
      { companyId: id, reason: 'changed' },
      { companyId: id },
    ])
  })
})
