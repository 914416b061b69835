import { expect, test } from 'vitest'
import { encodeId } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import { sql } from '../../kernel/sql.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aShop, shopFacts } from '../../testing/merchants.ts'
import { createBrand } from '../catalog/create-template.ts'
import { addClerk } from './add-clerk.ts'
import { changeClerk } from './change-clerk.ts'
import { changeMerchant } from './change-merchant.ts'
import { changeShop } from './change-shop.ts'
import { createMerchant } from './create-merchant.ts'
import { createShop } from './create-shop.ts'
import { makeClerkLink } from './make-clerk-link.ts'
import { readClerkActor } from './read-clerk-actor.ts'
import { readClerkNames, readClerks } from './read-clerks.ts'
import { readMerchants } from './read-merchants.ts'
import { readOpenShops, readShops } from './read-shops.ts'
import { readTill } from './read-till.ts'
import { removeClerk } from './remove-clerk.ts'
import { LINK_LIFE_MS } from './rules.ts'
import { takeClerkLink } from './take-clerk-link.ts'

const refused = (code: string) => expect.objectContaining({ code })

onBothDatabases('merchants', (database) => {
  const aBrand = (issuerPrefix = '6230') => database.tx((tx) => createBrand(tx, { name: '青禾', issuerPrefix }))

  test('a merchant has shops and people; names are theirs alone, and a page lists them newest first', async () => {
    const [brandId, other] = [await aBrand(), await aBrand('6231')]
    const first = await aShop(database, brandId)
    await expect(database.tx((tx) => createMerchant(tx, { brandId, name: '青禾百货' }))).rejects.toEqual(
      refused('merchant_name_taken'),
    )
    await expect(
      database.tx((tx) => createMerchant(tx, { brandId: encodeId('brand', 9n), name: '无' })),
    ).rejects.toEqual(refused('not_found'))
    const second = await aShop(database, other)
    await expect(database.tx((tx) => createShop(tx, first.merchantId, shopFacts()))).rejects.toEqual(
      refused('shop_name_taken'),
    )
    await database.tx((tx) =>
      createShop(tx, first.merchantId, shopFacts({ name: '东门店', latitudeE6: null, longitudeE6: null })),
    )
    const page = await database.tx((tx) => readMerchants(tx, { limit: 1 }))
    expect(page.merchants).toMatchObject([{ id: second.merchantId, shops: 1, clerks: 2, brandName: '青禾' }])
    const rest = await database.tx((tx) => readMerchants(tx, { limit: 1, cursor: page.nextCursor ?? '' }))
    expect(rest).toMatchObject({ merchants: [{ id: first.merchantId, shops: 2, clerks: 2 }], nextCursor: null })
    const own = await database.tx((tx) => readMerchants(tx, { limit: 50, brandId: other }))
    expect(own.merchants.map((one) => one.id)).toEqual([second.merchantId])
  })

  test('the name of a clerk is sealed, and read only by whoever shows it', async () => {
    const shop = await aShop(database, await aBrand())
    const rows = await database.tx((tx) =>
      sql<{ nameSealed: Uint8Array }>(tx.em, 'select name_sealed as nameSealed from clerk'),
    )
    for (const { nameSealed } of rows) expect(Buffer.from(nameSealed).includes('周小店')).toBe(false)
    expect((await database.tx((tx) => readClerks(tx, shop.merchantId))).map((one) => one.name)).toEqual([
      '周小店',
      '吴店长',
    ])
    expect(await database.tx((tx) => readClerkNames(tx, [shop.clerkId, shop.clerkId]))).toEqual(
      new Map([[shop.clerkId, '周小店']]),
    )
  })

  test('a suspended merchant, a closed shop and a removed clerk count at once', async () => {
    const shop = await aShop(database, await aBrand())
    const actor = () => database.tx((tx) => readClerkActor(tx, shop.clerkId))
    expect(await actor()).toEqual(shop.as('clerk'))
    const name = '青禾百货'
    const suspend = (state: 'active' | 'suspended', version: number) =>
      database.tx((tx) => changeMerchant(tx, { id: shop.merchantId, version, name, state }))
    const suspended = await suspend('suspended', 1)
    expect(await actor()).toBeNull()
    expect(await database.tx((tx) => readOpenShops(tx, shop.brandId))).toEqual([])
    await suspend('active', suspended)
    expect(await actor()).not.toBeNull()
    await database.tx((tx) => changeShop(tx, { ...shopFacts(), id: shop.shopId, version: 1, state: 'closed' }))
    expect(await actor()).toBeNull()
    await database.tx((tx) => changeShop(tx, { ...shopFacts(), id: shop.shopId, version: 2, state: 'open' }))
    await database.tx((tx) => removeClerk(tx, shop.clerkId))
    expect(await actor()).toBeNull()
    expect(await database.tx((tx) => readClerkActor(tx, shop.managerId))).toEqual(shop.as('manager'))
    await database.tx((tx) => removeClerk(tx, shop.clerkId))
    await expect(database.tx((tx) => makeClerkLink(tx, shop.clerkId))).rejects.toEqual(refused('state_conflict'))
    await expect(database.tx((tx) => removeClerk(tx, encodeId('clerk', 9n)))).rejects.toEqual(refused('not_found'))
  })

  test('whoever changes something that changed meanwhile is told, and what they wrote is not there', async () => {
    const shop = await aShop(database, await aBrand())
    const base = { ...shopFacts(), id: shop.shopId, state: 'open' as const }
    expect(await database.tx((tx) => changeShop(tx, { ...base, version: 1, hours: '09:00-21:00' }))).toBe(2)
    await expect(database.tx((tx) => changeShop(tx, { ...base, version: 1, hours: '24 小时' }))).rejects.toEqual(
      refused('content_changed'),
    )
    expect((await database.tx((tx) => readShops(tx, shop.merchantId)))[0]).toMatchObject({ hours: '09:00-21:00' })
    // The same again changes nothing, and no version is spent on it.
    expect(await database.tx((tx) => changeShop(tx, { ...base, version: 2, hours: '09:00-21:00' }))).toBe(2)
    const both = await Promise.allSettled(
      ['甲店', '乙店'].map((name) => database.tx((tx) => changeShop(tx, { ...base, version: 2, name }))),
    )
    expect(both.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected'])
    const clerk = { id: shop.clerkId, version: 1, name: '周大店', role: 'manager' as const, shopId: shop.shopId }
    expect(await database.tx((tx) => changeClerk(tx, clerk))).toBe(2)
    await expect(database.tx((tx) => changeClerk(tx, clerk))).rejects.toEqual(refused('content_changed'))
    const foreign = await aShop(database, await aBrand('6231'))
    await expect(
      database.tx((tx) => changeClerk(tx, { ...clerk, version: 2, shopId: foreign.shopId })),
    ).rejects.toEqual(refused('not_found'))
  })

  test('a link lets its clerk in once, of any number at once; the token is stored nowhere', async () => {
    const shop = await aShop(database, await aBrand())
    const link = await database.tx((tx) => makeClerkLink(tx, shop.clerkId))
    const token = link.url.split('/').at(-1) ?? ''
    expect(link.url).toBe(`${database.house.publicUrl}/till/enter/${token}`)
    const [row] = await database.tx((tx) =>
      sql<{ tokenIndex: string }>(tx.em, 'select token_index as tokenIndex from clerk_link'),
    )
    expect(row?.tokenIndex).not.toContain(token)
    const tries = await Promise.allSettled(
      Array.from({ length: 5 }, () => database.tx((tx) => takeClerkLink(tx, token))),
    )
    expect(tries.filter((one) => one.status === 'fulfilled').map((one) => one.value)).toEqual([shop.clerkId])
    for (const one of tries) if (one.status === 'rejected') expect(one.reason).toEqual(refused('clerk_link_refused'))
    await expect(database.tx((tx) => takeClerkLink(tx, 'x'.repeat(32)))).rejects.toEqual(refused('clerk_link_refused'))
  })

  test('a link is over after a quarter of an hour, with the next link, and with its clerk', async () => {
    const shop = await aShop(database, await aBrand())
    const at = (nowMs: number) => database.edge({} as Ports, undefined, () => nowMs)
    const [start, made] = [Date.now(), (nowMs: number) => at(nowMs).tx((tx) => makeClerkLink(tx, shop.clerkId))]
    const take = (url: string, nowMs: number) => at(nowMs).tx((tx) => takeClerkLink(tx, url.split('/').at(-1) ?? ''))
    const over = await made(start)
    expect(over.expiresAtMs).toBe(start + LINK_LIFE_MS)
    await expect(take(over.url, start + LINK_LIFE_MS)).rejects.toEqual(refused('clerk_link_refused'))
    const [before, after] = [await made(start), await made(start + 1)]
    await expect(take(before.url, start + 2)).rejects.toEqual(refused('clerk_link_refused'))
    expect(await take(after.url, start + LINK_LIFE_MS)).toBe(shop.clerkId)
    const last = await made(start + 3)
    await database.tx((tx) => removeClerk(tx, shop.clerkId))
    await expect(take(last.url, start + 4)).rejects.toEqual(refused('clerk_link_refused'))
  })

  test('a till knows whose cards it takes', async () => {
    const shop = await aShop(database, await aBrand())
    const { merchantId, shopId, brandId } = shop
    expect(await database.tx((tx) => readTill(tx, shop.as('clerk')))).toEqual({ merchantId, shopId, brandId })
    const stranger = { ...shop.as('clerk'), merchantId: encodeId('merchant', 9n) } as Parameters<typeof readTill>[1]
    for (const actor of [stranger, { kind: 'anybody' } as const])
      await expect(database.tx((tx) => readTill(tx, actor))).rejects.toEqual(refused('forbidden'))
    await expect(
      database.tx((tx) => addClerk(tx, { shopId: encodeId('shop', 9n), name: '甲', role: 'clerk' })),
    ).rejects.toEqual(refused('not_found'))
  })
})
