import { expect, test } from 'vitest'
import { PlatformFile } from '../../../contract/operator/platform-file.ts'
import { applyPlatform } from '../../apply-platform.ts'
import type { Ports } from '../../channels/ports.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { findBrandByPrefix } from '../catalog/change-brand.ts'
import { readMerchants } from './read-merchants.ts'
import { readOpenShops } from './read-shops.ts'

const place = { city: '深圳', address: '科苑路 15 号' }

onBothDatabases('merchants in an operator’s file', (database) => {
  const apply = (more: object, dryRun = false) => {
    const brand = { name: '青禾', issuerPrefix: '6230', ...more }
    return applyPlatform(database.edge({} as Ports), PlatformFile.parse({ brands: [brand] }), dryRun)
  }
  const actions = async (more: object, dryRun = false) => {
    const done = await apply(more, dryRun)
    return done.map(({ kind, key, action }) => `${action} ${kind} ${key}`)
  }

  test('are made with their shops, changed by name, and left alone the second time', async () => {
    const merchants = [{ name: '百货', shops: [{ name: '甲店', ...place }] }]
    const made = ['create merchant 6230 百货', 'create shop 6230 百货 甲店']
    expect(await actions({ merchants }, true)).toEqual(['create brand 6230', ...made])
    expect(await actions({ merchants })).toEqual(['create brand 6230', ...made])
    const same = ['same brand 6230', 'same merchant 6230 百货', 'same shop 6230 百货 甲店']
    expect(await actions({ merchants })).toEqual(same)
    const moved = [
      { name: '百货', shops: [{ name: '甲店', ...place, latitudeE6: 22_548_457, longitudeE6: 113_944_618 }] },
    ]
    expect(await actions({ merchants: moved })).toEqual([...same.slice(0, 2), 'change shop 6230 百货 甲店'])
    // What the file does not name stays as it is.
    expect(await actions({ merchants: [{ name: '百货', shops: [{ name: '乙店', ...place }] }] })).toContain(
      'create shop 6230 百货 乙店',
    )
    const brand = await database.tx((tx) => findBrandByPrefix(tx, '6230'))
    const shops = await database.tx((tx) => readOpenShops(tx, brand!.id))
    expect(shops.map(({ name, latitudeE6 }) => [name, latitudeE6])).toEqual([
      ['乙店', null],
      ['甲店', 22_548_457],
    ])
    expect((await database.tx((tx) => readMerchants(tx, { limit: 9 }))).merchants).toHaveLength(1)
  })

  test('limits of a brand’s cards are set, and stay where the file says nothing', async () => {
    const limits = async () => {
      const brand = await database.tx((tx) => findBrandByPrefix(tx, '6230'))
      return [brand?.cardDayFen, brand?.cardDayTimes, brand?.extendDays]
    }
    expect(await actions({})).toEqual(['create brand 6230'])
    expect(await limits()).toEqual([null, null, 365])
    const set = { cardDayFen: 100_000, cardDayTimes: 5, extendDays: 30 }
    expect(await actions(set)).toEqual(['change brand 6230'])
    expect(await actions(set)).toEqual(['same brand 6230'])
    expect(await actions({})).toEqual(['same brand 6230'])
    expect(await limits()).toEqual([100_000, 5, 30])
    expect(await actions({ cardDayFen: null, cardDayTimes: null })).toEqual(['change brand 6230'])
    expect(await limits()).toEqual([null, null, 30])
  })

  test.each([
    { merchants: [{ name: '', shops: [] }] },
    { merchants: [{ name: '甲', shops: [{ name: '店', city: '', address: '路' }] }] },
    { merchants: [{ name: '甲', shops: [{ name: '店', ...place, latitudeE6: 22_548_457 }] }] },
    { merchants: [{ name: '甲', shops: [{ name: '店', ...place, latitudeE6: 91_000_000, longitudeE6: 0 }] }] },
    { merchants: [{ name: '甲', shops: [{ name: '店', ...place, latitudeE6: 22.5, longitudeE6: 113.9 }] }] },
    { merchants: [{ name: '甲', clerks: [] }] },
    { cardDayFen: 0 },
    { cardDayFen: 1.5 },
    { cardDayTimes: 0 },
    { extendDays: -1 },
  ])('%j is refused before anything is written', (more) => {
    expect(PlatformFile.safeParse({ brands: [{ name: '青禾', issuerPrefix: '6230', ...more }] }).success).toBe(false)
  })
})
