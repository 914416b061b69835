import { expect, test } from 'vitest'
import { PlatformFile } from '../../../contract/operator/platform-file.ts'
import { ShelfInput } from '../../../contract/store/shelf.ts'
import { applyPlatform } from '../../apply-platform.ts'
import type { Ports } from '../../channels/ports.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { readListings } from './read-listings.ts'
import { readShelf } from './read-shelf.ts'

const card = { name: '心意卡', named: false, minFaceFen: 10_000, maxFaceFen: 50_000, stepFen: 100, validDays: 1095 }
const listing = { category: 'dining', stock: 10 }

onBothDatabases('listings in an operator’s file', (database) => {
  const edge = () => database.edge({} as Ports)
  const apply = async (template: object, brand: object = {}) => {
    const brands = [
      { name: '青禾', issuerPrefix: '6230', ...brand, templates: [{ ...card, scope: '门店', ...template }] },
    ]
    const done = await applyPlatform(edge(), PlatformFile.parse({ brands }), false)
    return done.filter(({ kind }) => kind !== 'brand').map(({ kind, action }) => `${action} ${kind}`)
  }
  const shelf = async (search?: string) =>
    (await edge().read((tx) => readShelf(tx, ShelfInput.parse({ search }), null))).listings

  test('are put on the shelf under the template’s name, changed with it, left alone the second time, and taken off', async () => {
    expect(await apply({ listing })).toEqual(['create template', 'create listing'])
    expect(await apply({ listing })).toEqual(['same template', 'same listing'])
    expect(await shelf()).toMatchObject([{ title: '心意卡', category: 'dining', left: 10, regularPriceBp: 10_000 }])
    const promo = { priceBp: 8_000, fromMs: 0, untilMs: 9e15 }
    expect(await apply({ listing: { ...listing, title: '饭卡', stock: 20, promo } })).toEqual([
      'same template',
      'change listing',
    ])
    expect(await shelf('fk')).toMatchObject([{ title: '饭卡', left: 20, priceBp: 8_000 }])
    // Another version is what is sold from then on.
    expect(await apply({ listing, priceBp: 9_000, rightMs: 7 })).toEqual(['change template', 'change listing'])
    expect(await shelf()).toMatchObject([{ title: '心意卡', priceBp: 9_000 }])
    const { listings } = await edge().read((tx) => readListings(tx, { limit: 9 }))
    expect(listings).toMatchObject([{ sold: { number: 2, rightMs: 7 }, newest: null }])
    expect(await apply({ priceBp: 9_000, rightMs: 7 })).toEqual(['same template'])
    expect(await shelf()).toHaveLength(1)
    expect(await apply({ listing: { ...listing, onShelf: false }, priceBp: 9_000, rightMs: 7 })).toEqual([
      'same template',
      'change listing',
    ])
    expect(await shelf()).toEqual([])
  })

  test('a brand that is renamed is found by its new name', async () => {
    await apply({ listing })
    await shelf()
    await apply({ listing }, { name: '远山' })
    expect(await shelf('yuanshan')).toHaveLength(1)
    expect(await shelf('qinghe')).toHaveLength(0)
  })

  test('a card with its holder’s name does not go on the shelf', async () => {
    const named = { named: true, validDays: null, listing }
    const refusal = { code: 'listing_refused', more: { field: 'templateVersionId' } }
    await expect(apply(named)).rejects.toMatchObject(refusal)
  })

  test.each([
    ['a series without an end', { series: true, stock: null }, 'stock'],
    ['a time-boxed price that is none', { promo: { priceBp: 10_000, fromMs: 0, untilMs: 1 } }, 'promo.priceBp'],
    ['a channel twice', { channels: ['h5', 'h5'] }, 'channels'],
  ])('%s is refused with its field, and nothing of the file is done', async (_name, more, field) => {
    await expect(apply({ listing: { ...listing, ...more } })).rejects.toMatchObject({
      code: 'listing_refused',
      more: { field },
    })
    expect((await edge().read((tx) => readListings(tx, { limit: 9 }))).listings).toEqual([])
  })

  test.each([
    { category: 'weapons' },
    { stock: 0 },
    { stock: 1.5 },
    { segment: 'VIP!' },
    { promo: { priceBp: 1, fromMs: 5, untilMs: 5 } },
    { channels: [] },
    { colour: 'red' },
  ])('what is no listing is refused before anything is done: %j', async (more) => {
    await expect(apply({ listing: { ...listing, ...more } })).rejects.toThrow()
  })
})
