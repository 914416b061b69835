import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { Listings, ListingView, Segments, UnlistedTemplates } from '../../../contract/operator/shelf.ts'
import type { ListingDetail, Shelf } from '../../../contract/store/shelf.ts'
import type { Ports } from '../../channels/ports.ts'
import { encodeSession } from '../../kernel/cookies.ts'
import { aBuyer } from '../../testing/buyers.ts'
import { aTemplate } from '../../testing/cards.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aListing, buyOne, mendListing } from '../../testing/shelf.ts'
import { aBrowser, startWeb, type Browser, type Web } from '../../testing/web.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { createBrand } from '../catalog/create-template.ts'
import { createOperator } from '../company/create-operator.ts'
import { shelfEndpoints } from './endpoints.ts'
import { storeShelfEndpoints } from './store-endpoints.ts'

interface Answer<T> {
  readonly status: number
  readonly body: T & { readonly code?: string; readonly field?: string }
}
const card = { named: false, validDays: 1095, maxFaceFen: 100_000 } as Parameters<typeof aTemplate>[2]

onBothDatabases('the shelf over HTTP', (database) => {
  let web: Web
  let cookie: string
  beforeEach(async () => {
    web = await startWeb(database, {
      endpoints: [...shelfEndpoints, ...storeShelfEndpoints],
      ports: { wecom: wecomOf({ baseUrl: 'http://127.0.0.1:1' }) },
    })
    const key = 'K'.repeat(43)
    const operatorId = await database.tx((tx) => createOperator(tx, { name: '运营', roles: ['ops'], key }))
    const payload = { kind: 'operator' as const, ids: { operatorId }, expiresAtMs: Date.now() + 3_600_000 }
    cookie = `fulika_ops=${encodeSession(payload, database.house.sessionKey)}`
  })
  afterEach(() => web.close())

  async function read<T>(path: string, browser: Browser = aBrowser(web.base)): Promise<Answer<T>> {
    const answer = await browser.get(path)
    return { status: answer.status, body: (await answer.json()) as Answer<T>['body'] }
  }
  async function write<T = object>(method: string, path: string, body: object, key = randomUUID()): Promise<Answer<T>> {
    const answer = await aBrowser(web.base, { cookie }).send(method, path, body, { 'idempotency-key': key })
    return { status: answer.status, body: (await answer.json()) as Answer<T>['body'] }
  }
  const seen = async <T>(path: string): Promise<T> => (await read<T>(path, aBrowser(web.base, { cookie }))).body

  test('an operator lists a template, puts it on the shelf, changes it and takes it off', async () => {
    const versionId = await database.tx(async (tx) => {
      const brandId = await createBrand(tx, { name: '青禾', issuerPrefix: '6230' })
      await aTemplate(tx, brandId, { name: '实名卡' })
      return aTemplate(tx, brandId, { ...card, name: '心意卡' })
    })
    const { templates } = await seen<UnlistedTemplates>('/operator/unlisted-templates')
    expect(templates.map(({ id, name }) => [id, name])).toEqual([[versionId, '心意卡']])
    const facts = { templateVersionId: versionId, category: 'dining', title: ' 心意卡 ', stock: 5 }
    const key = randomUUID()
    const made = await write<{ id: Id<'listing'> }>('POST', '/operator/listings', facts, key)
    expect(await write('POST', '/operator/listings', facts, key)).toEqual(made)
    expect((await write('POST', '/operator/listings', facts)).body).toMatchObject({ code: 'listing_exists' })
    const { id } = made.body
    expect(await read(`/store/listings/${id}`)).toMatchObject({ status: 404, body: { code: 'listing_gone' } })

    const path = `/operator/listings/${id}`
    const change = async (more: object): Promise<Answer<{ version: number }>> => {
      const { version, state } = await seen<ListingView>(path)
      return write('PUT', path, { ...facts, version, state, ...more })
    }
    expect((await change({ state: 'on' })).status).toBe(200)
    expect((await read<ListingDetail>(`/store/listings/${id}`)).body).toMatchObject({
      title: '心意卡',
      left: 5,
      versionId,
    })
    expect((await change({ state: 'draft' })).body).toMatchObject({ code: 'state_conflict' })
    expect((await change({ version: 1 })).body).toMatchObject({ code: 'content_changed' })
    const bad = { promo: { priceBp: 10_000, fromMs: 1, untilMs: 2 } }
    expect((await change(bad)).body).toMatchObject({ code: 'listing_refused', field: 'promo.priceBp' })

    for (const buyer of [1, 2, 3])
      await buyOne(database.edge({} as Ports), { id, versionId, brandId: encodeId('brand', 1n) }, { buyer })
    expect((await change({ stock: 2 })).body).toMatchObject({ code: 'stock_below_taken', field: 'stock' })
    expect((await change({ series: true })).body).toMatchObject({ code: 'listing_refused', field: 'series' })
    expect((await change({ stock: 3 })).status).toBe(200)
    expect((await read<Shelf>('/store/shelf')).body.listings).toMatchObject([{ left: 0 }])
    expect(await seen(path)).toMatchObject({ left: 0, takenCount: 3, soldCount: 0 })
    expect((await change({ stock: 3, state: 'off' })).status).toBe(200)
    expect((await read<Shelf>('/store/shelf')).body.total).toBe(0)
    const found = await seen<Listings>(`/operator/listings?state=off&search=${encodeURIComponent('xinyi 卡')}`)
    expect(found.listings).toMatchObject([{ id, state: 'off' }])
    expect((await seen<Listings>('/operator/listings?search=%25')).listings).toEqual([])
    expect(
      await write('PUT', `/operator/listings/${encodeId('listing', 1n)}`, { ...facts, version: 1, state: 'on' }),
    ).toMatchObject({ status: 404 })
  })

  test('two operators at once: one change stands, the other is told', async () => {
    const { id, versionId } = await database.tx((tx) => aListing(tx, { stock: 5 }))
    const facts = { templateVersionId: versionId, category: 'general', title: '卡', state: 'on', version: 2 }
    const both = await Promise.all([7, 8].map((stock) => write('PUT', `/operator/listings/${id}`, { ...facts, stock })))
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409])
  })

  test('an audience is filled with buyers; only they see and count what is for it', async () => {
    const listing = await database.tx((tx) => aListing(tx, { segment: 'vip' }))
    const [member, other] = [await aBuyer(database), await aBuyer(database)]
    const path = '/operator/segments/vip/buyers'
    expect((await write('POST', path, { add: [member.id, member.id] })).body).toEqual({ buyers: 1 })
    expect((await write('POST', path, { add: [encodeId('buyer', 1n)] })).body).toMatchObject({ code: 'not_found' })
    expect((await write('POST', '/operator/segments/V!/buyers', { add: [] })).status).toBe(422)
    expect((await seen<Segments>('/operator/segments')).segments).toEqual([{ segment: 'vip', buyers: 1, listings: 1 }])
    const looked = async (browser?: Browser) => [
      (await read<Shelf>('/store/shelf', browser)).body.total,
      (await read(`/store/listings/${listing.id}`, browser)).status,
    ]
    expect(await looked()).toEqual([0, 404])
    expect(await looked(other.phone(web.base))).toEqual([0, 404])
    expect(await looked(member.phone(web.base))).toEqual([1, 200])
    expect((await write('POST', path, { remove: [member.id] })).body).toEqual({ buyers: 0 })
    expect(await looked(member.phone(web.base))).toEqual([0, 404])
  })

  test('what a page tells before one buys: both clocks, price now and to come, what is left for this buyer', async () => {
    const soon = Date.now() + 3_600_000
    const promo = { priceBp: 8_000, fromMs: soon, untilMs: soon + 1_000, perBuyerCap: 1, stock: 9 }
    const clocks = { coolingOffMs: 10_800_000, rightMs: 604_800_000 }
    const listing = await database.tx((tx) => aListing(tx, { stock: 9, perBuyerCap: 2, promo }, clocks))
    const buyer = await aBuyer(database)
    expect((await read(`/store/listings/${listing.id}`, buyer.phone(web.base))).body).toMatchObject({
      ...clocks,
      scope: '全国门店',
      priceBp: 10_000,
      promo: null,
      promoTerms: promo,
      left: 9,
      buyerLeft: 2,
    })
    expect((await read(`/store/listings/${listing.id}`)).body).toMatchObject({ buyerLeft: null })
    await database.tx((tx) => mendListing(tx, listing.id, { promo: { ...promo, fromMs: 0 } }))
    expect((await read(`/store/listings/${listing.id}`)).body).toMatchObject({ priceBp: 8_000, promo: { left: 9 } })
  })

  test.each([
    ['search=' + 'x'.repeat(10_240), 'search_too_long', 'search'],
    ['search=' + encodeURIComponent('卡'.repeat(61)), 'search_too_long', 'search'],
    ['category=weapons', 'malformed_request', 'category.0'],
    ['brand=brd_1', 'malformed_request', 'brand.0'],
    ['amount=to_50,,', 'malformed_request', 'amount.1'],
    ['sort=cheap', 'malformed_request', 'sort'],
    ['limit=51', 'malformed_request', 'limit'],
    ['limit=0', 'malformed_request', 'limit'],
    ['cursor=' + 'x'.repeat(301), 'malformed_request', 'cursor'],
    ['cursor=nonsense', 'malformed_request', 'cursor'],
    [
      'cursor=' + Buffer.from('[9,0,"sales_down","newest",0,0,"lst_0000000000001"]').toString('base64url'),
      'cursor_expired',
      'cursor',
    ],
  ])('%.30s… is refused with %s', async (query, code, field) => {
    expect((await read(`/store/shelf?${query}`)).body).toMatchObject({ code, field })
  })

  test('words that mean something to a database or a pattern find themselves, and nothing else', async () => {
    await database.tx((tx) => aListing(tx, { title: "50% off_卡'; --" }))
    const found = async (search: string) =>
      (await read<Shelf>(`/store/shelf?search=${encodeURIComponent(search)}`)).body.total
    expect([
      await found('50%'),
      await found('f_卡'),
      await found("'; --"),
      await found('%'),
      await found('_'),
      await found('.*'),
    ]).toEqual([1, 1, 1, 1, 1, 0])
    expect(await found('\u0000')).toBe(0)
    expect((await read<Shelf>('/store/shelf?search=%ED%A0%80')).body.total).toBe(0)
  })
})
