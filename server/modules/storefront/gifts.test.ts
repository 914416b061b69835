import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { GiftDoor, GivenGift } from '../../../contract/employee/gift.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { StoreOrderView } from '../../../contract/store/order.ts'
import type { Actor } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import type { TestBuyer } from '../../testing/buyers.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { serveStore, storeStage, type TestListing } from '../../testing/store-stage.ts'
import { cardActEndpoints } from '../cardpack/card-act-endpoints.ts'
import { cardpackEndpoints } from '../cardpack/endpoints.ts'
import { giftEndpoints } from '../cardpack/gift-endpoints.ts'

const HOUR_MS = 3_600_000
const anybody: Actor = { kind: 'anybody' }
let world: PayWorld
let nowMs = Date.UTC(2026, 10, 23, 4)
beforeAll(async () => {
  world = await startPayWorld(() => nowMs)
})
afterAll(() => world.sandbox.close())

onBothDatabases('a card is given to a friend', (database) => {
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
    house = await serveStore(database, world, [...cardpackEndpoints, ...cardActEndpoints, ...giftEndpoints])
    buyer = await stage.buyer()
    listing = await stage.listing()
  })
  afterEach(() => house.close())

  let keys = 0
  /** The paths at which somebody's session counts. */
  const at = (who: Actor) => (who.kind === 'employee' ? '/employee' : '/store')
  const send = async (who: Actor, method: string, path: string, body?: unknown) => {
    const answer = await house.call(who, method, `${at(who)}${path}`, body, `k${(keys += 1)}`)
    return { status: answer.status, body: answer.body, said: [answer.status, answer.body['code'] ?? null] }
  }
  const offer = (who: Actor, cardId: string) =>
    send(who, 'POST', `/cards/${cardId}/gifts`, { cover: 'birthday', greeting: '生日快乐' })
  async function given(who: Actor, cardId: string): Promise<{ gift: GivenGift; token: string }> {
    const { status, body } = await offer(who, cardId)
    expect(status).toBe(200)
    const gift = body as unknown as GivenGift
    return { gift, token: gift.path!.split('/').at(-1)! }
  }
  const claim = async (who: Actor, token: string) => (await send(who, 'POST', `/gift-links/${token}/claim`)).said
  const door = async (who: Actor, token: string) =>
    (await send(who, 'GET', `/gift-links/${token}`)).body as unknown as GiftDoor
  const giftOf = async (who: Actor, id: string) => (await send(who, 'GET', `/gifts/${id}`)).body as unknown as GivenGift
  const secretOf = (who: Actor, cardId: string) => send(who, 'POST', `/cards/${cardId}/secret`)
  const packOf = async (who: Actor) =>
    ((await send(who, 'GET', '/pack')).body['cards'] as { id: string }[]).map(({ id }) => id)
  /** A card that was bought and whose cooling-off is over. */
  async function ready(): Promise<StoreOrderView & { readonly cardId: Id<'card'> }> {
    const order = await stage.bought(buyer, listing, { forFriend: true })
    nowMs = order.lockedUntilMs!
    return { ...(await stage.order(buyer, order.id)), cardId: order.cardId! }
  }

  test('it stays sealed with its giver in cooling-off, until they choose to use it', async () => {
    const { id, cardId } = await stage.bought(buyer, listing)
    expect((await offer(buyer.actor, cardId!)).said).toEqual([409, 'card_locked'])
    const gifts = await database.tx((tx) => sql(tx.em, 'select id from gift'))
    expect(gifts).toEqual([])
    expect((await send(buyer.actor, 'POST', `/orders/${id}/use-now`)).status).toBe(200)
    const { token } = await given(buyer.actor, cardId!)
    expect(await claim((await stage.buyer()).actor, token)).toEqual([200, null])
  })

  test('seen by whoever has the link, opened once, claimed by one, with a secret that its giver never saw', async () => {
    const { id, cardId } = await ready()
    const before = (await secretOf(buyer.actor, cardId)).body
    const { gift, token } = await given(buyer.actor, cardId)
    expect(gift).toMatchObject({ state: 'offered', path: `/mine/gift/${token}`, openedAtMs: null, amountFen: 10_000 })
    expect((await stage.order(buyer, id)).may).toMatchObject({ give: false, refund: 'right' })
    expect((await offer(buyer.actor, cardId)).said).toEqual([409, 'card_not_giftable'])
    const seen = await door(anybody, token)
    expect(seen).toMatchObject({ you: 'nobody', fromName: '', companyName: null, greeting: '生日快乐', cardId: null })
    expect(JSON.stringify(seen)).not.toContain(String(before['number']))
    expect((await door(buyer.actor, token)).you).toBe('giver')
    const friends = await Promise.all(Array.from({ length: 8 }, () => stage.buyer()))
    expect((await door(friends[0]!.actor, token)).you).toBe('friend')
    // Looking is no claim, however the page is fetched; the giver's own look opens nothing.
    await send(buyer.actor, 'POST', `/gift-links/${token}/opened`)
    expect((await send(friends[0]!.actor, 'GET', `/gift-links/${token}/claim`)).status).toBe(405)
    expect(await giftOf(buyer.actor, gift.id)).toMatchObject({ state: 'offered', openedAtMs: null })
    const openedAtMs = nowMs
    await send(anybody, 'POST', `/gift-links/${token}/opened`)
    nowMs += 1_000
    await send(friends[0]!.actor, 'POST', `/gift-links/${token}/opened`)
    expect(await giftOf(buyer.actor, gift.id)).toMatchObject({ state: 'offered', openedAtMs, claimedAtMs: null })
    expect(await claim(anybody, token)).toEqual([401, 'unauthenticated'])
    expect(await claim(buyer.actor, token)).toEqual([409, 'gift_closed'])
    const claims = await Promise.all(friends.map(({ actor }) => claim(actor, token)))
    expect(claims.filter(([status]) => status === 200)).toHaveLength(1)
    expect(claims.filter(([, code]) => code === 'gift_closed')).toHaveLength(7)
    const friend = friends[claims.findIndex(([status]) => status === 200)]!
    expect(await claim(friend.actor, token)).toEqual([200, null])
    expect(await packOf(friend.actor)).toEqual([cardId])
    expect(await packOf(buyer.actor)).toEqual([])
    const after = (await secretOf(friend.actor, cardId)).body
    expect(after['number']).toBe(before['number'])
    expect(after['secret']).not.toBe(before['secret'])
    expect((await secretOf(buyer.actor, cardId)).said).toEqual([404, 'not_found'])
    expect(await giftOf(buyer.actor, gift.id)).toMatchObject({ state: 'claimed', claimedAtMs: nowMs, path: null })
    expect(await stage.order(buyer, id)).toMatchObject({
      state: 'ready',
      cardId: null,
      lockedUntilMs: null,
      rightUntilMs: null,
      gift: { id: gift.id, state: 'claimed' },
      may: { refund: null, useNow: false, give: false },
    })
  })

  test('what nobody claims returns whole after 72 hours, to the millisecond', async () => {
    const { id, cardId } = await ready()
    const { gift, token } = await given(buyer.actor, cardId)
    expect(gift.endsAtMs).toBe(nowMs + limits.giftMs)
    const friend = await stage.buyer()
    nowMs = gift.endsAtMs - 1
    await stage.work()
    expect((await door(friend.actor, token)).state).toBe('offered')
    nowMs += 1
    // Nobody gets it from this instant on, whenever the job comes.
    expect(await claim(friend.actor, token)).toEqual([409, 'gift_closed'])
    await stage.work()
    expect(await giftOf(buyer.actor, gift.id)).toMatchObject({ state: 'returned', path: null })
    expect((await stage.order(buyer, id)).may.give).toBe(true)
    const again = await given(buyer.actor, cardId)
    expect(again.gift.amountFen).toBe(10_000)
    expect(again.token).not.toBe(token)
    expect(await claim(friend.actor, token)).toEqual([409, 'gift_closed'])
    expect(await claim(friend.actor, again.token)).toEqual([200, null])
  })

  test('a present that is on its way comes back with the money', async () => {
    const { id, cardId } = await ready()
    const { gift, token } = await given(buyer.actor, cardId)
    expect((await send(buyer.actor, 'POST', `/orders/${id}/refund`)).status).toBe(200)
    await stage.work()
    expect(await giftOf(buyer.actor, gift.id)).toMatchObject({ state: 'withdrawn', path: null })
    expect(await claim((await stage.buyer()).actor, token)).toEqual([409, 'gift_closed'])
    expect(await stage.order(buyer, id)).toMatchObject({ refund: { amountFen: 9_500 } })
  })

  test('it is passed on twice at most, each time with another secret', async () => {
    const { cardId } = await ready()
    const chain = [buyer, await stage.buyer(), await stage.buyer()]
    const secrets = new Set<unknown>()
    for (const [index, giver] of chain.slice(0, -1).entries()) {
      secrets.add((await secretOf(giver.actor, cardId)).body['secret'])
      const { token } = await given(giver.actor, cardId)
      expect(await claim(chain[index + 1]!.actor, token)).toEqual([200, null])
    }
    const last = chain.at(-1)!.actor
    secrets.add((await secretOf(last, cardId)).body['secret'])
    expect(secrets.size).toBe(limits.boughtGiftDepth + 1)
    expect((await offer(last, cardId)).said).toEqual([409, 'card_not_giftable'])
    expect((await send(last, 'GET', `/cards/${cardId}/choices`)).body['give']).toBe(false)
    // Back to the one who bought it it does not come by a present either: the order stays without a card.
    expect(await packOf(last)).toEqual([cardId])
  })

  test('a friend who looks again, and says thanks', async () => {
    const { cardId } = await ready()
    const { gift, token } = await given(buyer.actor, cardId)
    const friend = await stage.buyer()
    await claim(friend.actor, token)
    expect(await door(friend.actor, token)).toMatchObject({ you: 'receiver', cardId })
    expect((await send((await stage.buyer()).actor, 'GET', `/gift-links/${token}`)).said).toEqual([409, 'gift_closed'])
    expect((await send(friend.actor, 'POST', `/cards/${cardId}/thanks`, { text: '谢谢你' })).status).toBe(200)
    expect((await giftOf(buyer.actor, gift.id)).thanks).toBe('谢谢你')
    const shown = (await send(friend.actor, 'GET', `/cards/${cardId}`)).body
    expect(shown).toMatchObject({ greeting: '生日快乐', cover: 'birthday', storeOrderId: null })
  })

  async function someStaff(named: boolean) {
    const company = await aCompany(database)
    const people = await somePeople(database, company.id, [{ name: '张三' }, { name: '李四' }])
    await anIssuedCampaign(database, company, people, { card: { named, validDays: named ? null : 1095 } })
    await database.tx((tx) => change(tx.em, 'update company set gift_depth = 1 where id = ?', [company.id]))
    const [giver, colleague] = people.map(
      (personId) => ({ kind: 'employee', companyId: company.id, personId }) as const,
    )
    return { giver: giver!, colleague: colleague!, cardId: (await packOf(giver!))[0]! }
  }

  test('a card without a name goes from an employee to a friend outside; they may not pass it on again', async () => {
    const { giver, colleague, cardId } = await someStaff(false)
    const { gift, token } = await given(giver, cardId)
    expect(gift.path).toBe(`/pack/gift/${token}`)
    expect((await door(buyer.actor, token)).you).toBe('friend')
    expect((await door(colleague, token)).you).toBe('colleague')
    const claims = await Promise.all([claim(buyer.actor, token), claim(colleague, token)])
    expect(claims.map(([status]) => Number(status)).toSorted((a, b) => a - b)).toEqual([200, 409])
    const [winner, loser] = claims[0]![0] === 200 ? [buyer.actor, colleague] : [colleague, buyer.actor]
    expect(await packOf(winner)).toContain(cardId)
    expect(await packOf(loser)).not.toContain(cardId)
    expect(await packOf(giver)).toEqual([])
    expect((await giftOf(giver, gift.id)).state).toBe('claimed')
    expect((await offer(winner, cardId)).said).toEqual([409, 'card_not_giftable'])
    expect((await send(winner, 'GET', `/cards/${cardId}`)).status).toBe(200)
  })

  test('a card with a name stays among colleagues', async () => {
    const { giver, colleague, cardId } = await someStaff(true)
    const { token } = await given(giver, cardId)
    expect((await door(buyer.actor, token)).you).toBe('stranger')
    expect(await claim(buyer.actor, token)).toEqual([409, 'gift_for_colleagues'])
    expect(await packOf(buyer.actor)).toEqual([])
    expect(await claim(colleague, token)).toEqual([200, null])
  })

  test("a buyer's present is for buyers: staff claim it as the people they are, not as a company's", async () => {
    const { cardId } = await ready()
    const { token } = await given(buyer.actor, cardId)
    const { colleague } = await someStaff(false)
    expect((await door(colleague, token)).you).toBe('stranger')
    expect(await claim(colleague, token)).toEqual([404, 'not_found'])
    expect(await claim((await stage.buyer()).actor, token)).toEqual([200, null])
  })

  test('what is sold as no present is given by no door', async () => {
    const own = await stage.listing({ giftable: false })
    const { id, cardId, lockedUntilMs } = await stage.bought(buyer, own)
    nowMs = lockedUntilMs! + HOUR_MS
    expect((await stage.order(buyer, id)).may.give).toBe(false)
    expect((await offer(buyer.actor, cardId!)).said).toEqual([409, 'card_not_giftable'])
  })
})
