import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { GivenGift } from '../../../contract/employee/gift.ts'
import { fen } from '../../../contract/fen.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { Ordered } from '../../../contract/store/order.ts'
import type { Actor } from '../../kernel/context.ts'
import { encodeSession } from '../../kernel/cookies.ts'
import { change, sql } from '../../kernel/sql.ts'
import { buyerOf, type TestBuyer } from '../../testing/buyers.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { merchants, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { serveStore, storeStage, type TestListing } from '../../testing/store-stage.ts'
import { act, actOf, aTill } from '../../testing/tills.ts'
import { aBrowser, startWeb } from '../../testing/web.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { knowBuyer } from '../buyer/know-buyer.ts'
import { storePackEndpoints } from '../cardpack/store-endpoints.ts'
import { sessionCookies } from '../company/open-session.ts'
import { coverEndpoints } from '../cover/endpoints.ts'
import { storeInvoiceEndpoints } from '../invoice/store-endpoints.ts'
import { makePayCode } from '../redemption/pay-code.ts'
import { storeShelfEndpoints } from '../shelf/store-endpoints.ts'
import { storefrontEndpoints } from './endpoints.ts'

const HOUR_MS = 3_600_000
let world: PayWorld
let nowMs = Date.UTC(2026, 10, 23, 4)
beforeAll(async () => {
  world = await startPayWorld(() => nowMs)
})
afterAll(() => world.sandbox.close())

onBothDatabases('what a buyer may not', (database) => {
  let house: PayHouse
  let buyer: TestBuyer
  let listing: TestListing
  const stage = storeStage(
    database,
    () => world,
    () => house,
  )
  beforeEach(async () => {
    nowMs = Date.UTC(2026, 10, 23, 4)
    house = await serveStore(database, world, [...storeShelfEndpoints, ...coverEndpoints, ...storeInvoiceEndpoints])
    buyer = await stage.buyer()
    listing = await stage.listing({ stock: 5 })
  })
  afterEach(() => house.close())

  const told = ({ status, body }: { status: number; body: Record<string, unknown> }) => [
    status,
    body['code'] ?? null,
    body['field'] ?? null,
  ]
  const wish = async (more: object, on = listing) => told(await stage.buy(buyer, on, more))
  const post = (who: TestBuyer, path: string, body?: unknown, key?: string) =>
    house.call(who.actor, 'POST', path, body, key)
  const untouched = async () => {
    expect(await stage.left(listing)).toEqual({ taken: 0, sold: 0 })
    const rows = await database.tx((tx) => sql(tx.em, 'select id from orders'))
    expect(rows).toEqual([])
  }

  test('amounts off the step, below the least, above the most, and none at all', async () => {
    const price = (faceFen: number) => ({ faceFen, priceFen: Math.max(0, stage.price(faceFen)) })
    for (const faceFen of [12_345, 12_500, 10_001, 9_999, 5_000, 50_001, 55_000, 500_000, 1])
      expect([faceFen, ...(await wish(price(faceFen)))]).toEqual([faceFen, 422, 'face_refused', 'faceFen'])
    for (const faceFen of [0, -10_000, 10_000.5, 1e21, '10000', null, [10_000], Number.MAX_SAFE_INTEGER + 1]) {
      const [status, code, field] = await wish({ faceFen })
      expect([faceFen, status, field]).toEqual([faceFen, 422, 'faceFen'])
      expect(['malformed_request', 'face_refused']).toContain(code)
    }
    await untouched()
    for (const faceFen of [10_000, 15_000, 50_000]) expect(await wish(price(faceFen))).toEqual([200, null, null])
  })

  test('a price of their own, a version of another card, and one that is not sold any more', async () => {
    for (const priceFen of [9_499, 9_501, 1, 10_000])
      expect([priceFen, ...(await wish({ priceFen }))]).toEqual([priceFen, 409, 'price_changed', 'priceFen'])
    for (const priceFen of [-9_500, 9_500.5, '9500', null])
      expect((await wish({ priceFen })).slice(0, 1)).toEqual([422])
    const other = await stage.listing()
    expect(await wish({ versionId: other.versionId })).toEqual([409, 'version_changed', null])
    expect(await wish({ versionId: encodeId('templateVersion', 9n) })).toEqual([409, 'version_changed', null])
    const before = listing.versionId
    await database.tx((tx) =>
      change(tx.em, 'update listing set template_version_id = ? where id = ?', [other.versionId, listing.id]),
    )
    expect(await wish({ versionId: before })).toEqual([409, 'version_changed', null])
    await untouched()
  })

  test('a card off the shelf, and one for others, are answered like one that there never was', async () => {
    const gated = await stage.listing({ segment: 'vip' })
    const off = await stage.listing()
    await database.tx((tx) => change(tx.em, "update listing set state = 'off' where id = ?", [off.id]))
    const never = { ...listing, id: encodeId('listing', 99n) }
    const plain = ({ status, body }: { status: number; body: Record<string, unknown> }) => {
      const { requestId, instance, ...rest } = body
      expect([typeof requestId, typeof instance]).toContain('string')
      return { status, ...rest }
    }
    const bought = plain(await stage.buy(buyer, never))
    const seen = plain(await house.call(buyer.actor, 'GET', `/store/listings/${never.id}`))
    expect([bought, seen]).toMatchObject([
      { status: 404, code: 'listing_gone' },
      { status: 404, code: 'listing_gone' },
    ])
    for (const one of [gated, off]) {
      expect(plain(await stage.buy(buyer, one))).toEqual(bought)
      expect(plain(await house.call(buyer.actor, 'GET', `/store/listings/${one.id}`))).toEqual(seen)
    }
  })

  test('more than one buyer may have, however they press', async () => {
    const capped = await stage.listing({ perBuyerCap: 2, stock: 100 })
    const answers = await Promise.all(Array.from({ length: 12 }, () => stage.buy(buyer, capped)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2)
    expect(new Set(answers.filter(({ status }) => status !== 200).map(({ body }) => body['code']))).toEqual(
      new Set(['over_buyer_cap']),
    )
    expect(await stage.left(capped)).toEqual({ taken: 2, sold: 0 })
    // What is given up counts no more.
    const { order } = answers.find(({ status }) => status === 200)!.body as unknown as Ordered
    expect((await post(buyer, `/store/orders/${order.id}/cancel`)).status).toBe(200)
    expect(await wish({}, capped)).toEqual([200, null, null])
    expect(await wish({}, capped)).toEqual([409, 'over_buyer_cap', null])
  })

  test("another's order and card are not there", async () => {
    const { id, cardId } = await stage.bought(buyer, listing)
    const stranger = await stage.buyer()
    const invoice = { title: '陈', taxNumber: null, email: null }
    const at = `/store/orders/${id}`
    const doors: [method: string, path: string, body?: object][] = [
      ['GET', at],
      ['GET', `${at}/events`],
      ['POST', `${at}/pay`],
      ['POST', `${at}/cancel`],
      ['POST', `${at}/refund`],
      ['POST', `${at}/use-now`],
      ['GET', `${at}/invoice`],
      ['GET', `${at}/invoice.pdf`],
      ['POST', `${at}/invoice`, invoice],
      ['POST', `${at}/invoice/cancel`],
      ['GET', `/store/cards/${cardId}`],
      ['POST', `/store/cards/${cardId}/secret`],
      ['POST', `/store/cards/${cardId}/pay-code`],
      ['POST', `/store/cards/${cardId}/device-links`],
      ['POST', `/store/cards/${cardId}/gifts`, { cover: 'plain', greeting: '' }],
      ['POST', `/store/cards/${cardId}/lost`],
    ]
    for (const [method, path, body] of doors) {
      const answer = await house.call(stranger.actor, method, path, body, `k${path.length}${method}`)
      expect([method, path, ...told(answer).slice(0, 2)]).toEqual([method, path, 404, 'not_found'])
    }
    expect((await house.call(stranger.actor, 'GET', '/store/orders')).body).toEqual({ orders: [], nextCursor: null })
    expect((await house.call(stranger.actor, 'GET', '/store/pack')).body['cards']).toEqual([])
    expect((await stage.order(buyer, id)).state).toBe('ready')
  })

  test("another's present, a link that is over, and links that are none", async () => {
    const { cardId } = await stage.bought(buyer, listing)
    nowMs += 4 * HOUR_MS
    const present = { cover: 'plain', greeting: '' }
    const gift = (await post(buyer, `/store/cards/${cardId}/gifts`, present, 'g')).body as unknown as GivenGift
    const stranger = await stage.buyer()
    const token = gift.path!.split('/').at(-1)!
    expect(told(await house.call(stranger.actor, 'GET', `/store/gifts/${gift.id}`))).toEqual([404, 'not_found', null])
    expect(told(await post(stranger, `/store/gifts/${gift.id}/withdraw`))).toEqual([404, 'not_found', null])
    expect((await post(buyer, `/store/gifts/${gift.id}/withdraw`)).status).toBe(200)
    for (const [link, answer] of [
      [token, [409, 'gift_closed', null]],
      ['A'.repeat(26), [404, 'not_found', null]],
      [token.slice(1), [422, 'malformed_request', 'token']],
      [`${token}A`, [422, 'malformed_request', 'token']],
    ] as const) {
      expect(told(await post(stranger, `/store/gift-links/${link}/claim`))).toEqual(answer)
      expect(told(await house.call(stranger.actor, 'GET', `/store/gift-links/${link}`))).toEqual(answer)
    }
    expect((await house.call(stranger.actor, 'GET', '/store/pack')).body['cards']).toEqual([])
  })

  test('giving back what was spent, and what a friend has', async () => {
    const spent = await stage.bought(buyer, listing)
    expect((await post(buyer, `/store/orders/${spent.id}/use-now`)).status).toBe(200)
    const till = await aTill(database, listing.brandId)
    const { code } = makePayCode(house.edge(), { kind: 'card', cardId: spent.cardId! })
    const bill = { kind: 'authorise', on: { codes: [code] }, billFen: fen(1), capture: true } as const
    const [outcome] = await act(database, [actOf(till, { ...bill, partial: false, ref: null })], () => nowMs)
    expect(outcome).toMatchObject({ ok: true })
    expect((await stage.order(buyer, spent.id)).may.refund).toBe(null)
    expect(told(await post(buyer, `/store/orders/${spent.id}/refund`, undefined, 'r'))).toEqual([
      409,
      'card_spent',
      null,
    ])
    const given = await stage.bought(buyer, listing)
    nowMs += 4 * HOUR_MS
    const present = { cover: 'plain', greeting: '' }
    const offered = await post(buyer, `/store/cards/${given.cardId}/gifts`, present, 'g')
    const token = String(offered.body['path']).split('/').at(-1)
    const friend = await stage.buyer()
    expect((await post(friend, `/store/gift-links/${token}/claim`)).status).toBe(200)
    expect(told(await post(buyer, `/store/orders/${given.id}/refund`, undefined, 'r2'))).toEqual([
      409,
      'card_not_refundable',
      null,
    ])
    expect((await post(friend, `/store/orders/${given.id}/refund`, undefined, 'r3')).status).toBe(404)
    expect(await world.ctl('conserved', undefined, 'GET')).toMatchObject({ ok: true })
  })

  test('paying pressed many times is one payment, and what the phone was given last pays it', async () => {
    const { order } = (await stage.buy(buyer, listing, {}, 'press')).body as unknown as Ordered
    const presses = await Promise.all([
      ...Array.from({ length: 6 }, () => post(buyer, `/store/orders/${order.id}/pay`)),
      ...Array.from({ length: 3 }, () => stage.buy(buyer, listing, {}, 'press')),
    ])
    for (const { status, body } of presses) {
      expect([status, (body as unknown as Ordered).order.id]).toEqual([200, order.id])
      expect((body as unknown as Ordered).pay!.package).toMatch(/^prepay_id=wx/)
    }
    const payments = await database.tx((tx) => sql(tx.em, 'select id from payment'))
    expect(payments).toHaveLength(1)
    expect(await stage.left(listing)).toEqual({ taken: 1, sold: 0 })
    await stage.pay(order.id, buyer.openid)
    await stage.paid(buyer, order.id)
    await stage.work()
    // Pressed again on a page that has not heard yet: it is paid, and there is nothing to pay with.
    const late = (await post(buyer, `/store/orders/${order.id}/pay`)).body as unknown as Ordered
    expect([late.pay, late.order.state]).toEqual([null, 'ready'])
    expect(told(await post(buyer, `/store/orders/${order.id}/cancel`))).toEqual([409, 'state_conflict', null])
    expect((await house.call(buyer.actor, 'GET', '/store/pack')).body['cards']).toHaveLength(1)
  })

  test('words that may not stand on a card; markup is text', async () => {
    for (const greeting of ['加 微 信 有惊喜', 'https://evil.example', '来 赌-场 玩'])
      expect([greeting, ...(await wish({ greeting }))]).toEqual([greeting, 422, 'greeting_refused', 'greeting'])
    expect(await wish({ greeting: '好'.repeat(301) })).toEqual([422, 'malformed_request', 'greeting'])
    expect((await wish({ greeting: { text: '好' } })).slice(0, 1)).toEqual([422])
    await untouched()
    const markup = '<script>alert(1)</script><img src=x onerror=alert(1)>{{1+1}}\u202e'
    const { order } = (await stage.buy(buyer, listing, { greeting: markup })).body as unknown as Ordered
    const answer = await fetch(`${house.url}/store/orders/${order.id}`, {
      headers: { 'x-actor': JSON.stringify(buyer.actor), accept: 'text/html' },
    })
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(((await answer.json()) as { greeting: string }).greeting).toBe(markup)
    expect(await wish({ greeting: '好'.repeat(300) })).toEqual([200, null, null])
  })

  test("another buyer's picture, and one that was refused", async () => {
    const stranger = await stage.buyer()
    const red = { width: 700, height: 500, channels: 3, background: '#c00' } as const
    const bytes = await sharp({ create: red }).png().toBuffer()
    const uploaded = await house.call(stranger.actor, 'POST', '/store/covers', bytes, 'cover')
    expect(uploaded.status).toBe(200)
    const pictureId = String(uploaded.body['id'])
    expect(await wish({ pictureId })).toEqual([404, 'not_found', 'pictureId'])
    expect(await wish({ pictureId: encodeId('cover', 9n) })).toEqual([404, 'not_found', 'pictureId'])
    const mine = await house.call(buyer.actor, 'POST', '/store/covers', bytes, 'cover')
    const own = String(mine.body['id'])
    await database.tx((tx) => change(tx.em, "update cover set state = 'refused' where id = ?", [own]))
    expect(await wish({ pictureId: own })).toEqual([409, 'cover_refused', 'pictureId'])
    await untouched()
    expect((await house.call(stranger.actor, 'GET', `/store/covers/${own}`)).status).toBe(404)
    expect((await stage.buy(stranger, listing, { pictureId })).status).toBe(200)
  })

  test('a key that is used for something else, and none', async () => {
    expect((await stage.buy(buyer, listing, { greeting: '一' }, 'key')).status).toBe(200)
    for (const [field, value] of [
      ['greeting', '二'],
      ['faceFen', 15_000],
      ['forFriend', true],
      ['channel', 'h5'],
    ] as const)
      expect([field, ...told(await stage.buy(buyer, listing, { greeting: '一', [field]: value }, 'key'))]).toEqual([
        field,
        409,
        'idempotency_conflict',
        field,
      ])
    const other = await stage.buyer()
    expect((await stage.buy(other, listing, { greeting: '二' }, 'key')).status).toBe(200)
    expect(await stage.left(listing)).toEqual({ taken: 2, sold: 0 })
    const body = {
      listingId: listing.id,
      versionId: listing.versionId,
      faceFen: 10_000,
      priceFen: 9_500,
      cover: 'plain',
    }
    for (const key of [undefined, 'x'.repeat(129), 'a b'])
      expect(told(await post(buyer, '/store/orders', body, key))).toEqual([422, 'idempotency_key_missing', null])
    const [order] = (await house.call(buyer.actor, 'GET', '/store/orders')).body['orders'] as { id: string }[]
    expect(told(await post(buyer, `/store/orders/${order!.id}/refund`))).toEqual([422, 'idempotency_key_missing', null])
  })

  test('more than anybody writes', async () => {
    const huge = await stage.buy(buyer, listing, { greeting: 'x'.repeat(1_000_000) })
    expect(told(huge)).toEqual([413, 'payload_too_large', null])
    for (const search of ['x'.repeat(10_240), '咖啡'.repeat(500), '%'.repeat(3_000)]) {
      const path = `/store/shelf?search=${encodeURIComponent(search)}`
      expect(told(await house.call(buyer.actor, 'GET', path))).toEqual([422, 'search_too_long', 'search'])
    }
    // 10 KB of Chinese are 30 KB of an address: more than a server of HTTP takes in.
    const address = `${house.url}/store/shelf?search=${encodeURIComponent('咖'.repeat(3_413))}`
    expect((await fetch(address)).status).toBe(431)
    for (const text of ['{"listingId":', '[]', '"x"', '\u0000']) expect((await raw(buyer.actor, text)).status).toBe(422)
    await untouched()
  })

  const raw = (actor: Actor, body: string) =>
    fetch(`${house.url}/store/orders`, {
      method: 'POST',
      body,
      headers: { 'x-actor': JSON.stringify(actor), 'content-type': 'application/json', 'idempotency-key': 'raw' },
    })

  test('an order that WeChat Pay would not take: no merchant, a buyer of another app, no service account', async () => {
    await database.tx((tx) => change(tx.em, 'update brand set mchid = null where id = ?', [listing.brandId]))
    expect((await wish({})).slice(0, 2)).toEqual([409, 'payment_route_barred'])
    await database.tx((tx) =>
      change(tx.em, 'update brand set mchid = ? where id = ?', [merchants[0].mchid, listing.brandId]),
    )
    const elsewhere = await database.tx((tx) => knowBuyer(tx, { appid: 'wxother', openid: 'oELSE', unionid: null }))
    const stranger = buyerOf(database, elsewhere, 'oELSE')
    expect(told(await stage.buy(stranger, listing))).toEqual([401, 'unauthenticated', null])
    database.house = { ...database.house, wechat: null }
    expect((await wish({})).slice(1, 2)).toEqual(['wechat_not_connected'])
    await untouched()
  })
})

onBothDatabases('who is no buyer', (database) => {
  test.each(['member', 'employee', 'operator', 'clerk', 'nobody'] as const)(
    'the cookie of a %s opens nothing of a buyer',
    async (kind) => {
      const endpoints = [...storefrontEndpoints, ...storePackEndpoints, ...storeInvoiceEndpoints, ...coverEndpoints]
      const web = await startWeb(database, { endpoints, ports: { wecom: wecomOf({ baseUrl: 'http://127.0.0.1:1' }) } })
      const browser = aBrowser(web.base)
      const ids = {
        companyId: encodeId('company', 1n),
        memberId: encodeId('member', 1n),
        personId: encodeId('person', 1n),
        operatorId: encodeId('operator', 1n),
        clerkId: encodeId('clerk', 1n),
        buyerId: encodeId('buyer', 1n),
      }
      if (kind !== 'nobody') {
        const value = encodeSession({ kind, ids, expiresAtMs: Date.now() + HOUR_MS }, database.house.sessionKey)
        for (const name of [sessionCookies[kind].name, sessionCookies.buyer.name])
          browser.cookies.set(name, { value, path: '/', host: new URL(web.base).host })
      }
      const closed = endpoints.filter(({ path, may }) => path.startsWith('/store/') && may !== 'public')
      expect(closed.length).toBeGreaterThan(30)
      const answers = await Promise.all(
        closed.map(async ({ method, path }) => {
          const url = path.replace(':id', encodeId('order', 1n)).replace(/:\w+/g, 'x')
          return [`${method} ${path}`, (await browser.send(method, url)).status]
        }),
      )
      await web.close()
      expect(answers.filter(([, status]) => status !== 401)).toEqual([])
    },
  )

  test('a buyer who was never there is nobody', async () => {
    const web = await startWeb(database, {
      endpoints: storefrontEndpoints,
      ports: { wecom: wecomOf({ baseUrl: 'http://127.0.0.1:1' }) },
    })
    const browser = aBrowser(web.base)
    const session = (buyerId: Id<'buyer'> | string) => {
      const ids = { buyerId }
      const value = encodeSession({ kind: 'buyer', ids, expiresAtMs: Date.now() + HOUR_MS }, database.house.sessionKey)
      browser.cookies.set('fulika_store', { value, path: '/store', host: new URL(web.base).host })
    }
    for (const id of [encodeId('buyer', 7n), 'x', encodeId('person', 7n)]) {
      session(id)
      expect((await browser.get('/store/orders')).status).toBe(401)
    }
    await web.close()
  })
})
