import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Inbox, NoticeGrants, NoticeKind } from '../../../contract/store/notice.ts'
import { handlers } from '../../../jobs/handlers.ts'
import { sealCallback } from '../../../sandbox/wecom/callback-seal.ts'
import { workOnce } from '../../../jobs/worker.ts'
import type { WechatPort } from '../../channels/wechat-port.ts'
import type { Edge } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change, sql } from '../../kernel/sql.ts'
import { buyerOf, type TestBuyer } from '../../testing/buyers.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { serveStore, storeStage } from '../../testing/store-stage.ts'
import { startWeb, type Web } from '../../testing/web.ts'
import { boxAccount, openWechatBox, type WechatBox } from '../../testing/wechat-box.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { knowBuyer } from '../buyer/know-buyer.ts'
import { countGrant, useGrant } from './count-grants.ts'
import { noticeEndpoints } from './endpoints.ts'
import { forgetNotices } from './forget-notices.ts'
import { noteMessages } from './note-message.ts'
import { isHeldOut } from './rules.ts'

const DAY_MS = 86_400_000
/** WeChat tells in the background. */
const SOON = { timeout: 15_000 }
const BEGIN_MS = Date.UTC(2026, 10, 23, 4)
const { appid, templates } = boxAccount
let pays: PayWorld
let nowMs = BEGIN_MS
beforeAll(async () => {
  pays = await startPayWorld(() => nowMs)
})
afterAll(() => pays.sandbox.close())

onBothDatabases('what buyers are told', (database) => {
  let box: WechatBox
  let web: Web
  let house: PayHouse
  const stage = storeStage(
    database,
    () => pays,
    () => house,
  )
  const edge = (): Edge => house.edge({ kind: 'system', name: 'test' })
  beforeEach(async () => {
    nowMs = BEGIN_MS
    box = await openWechatBox({ now: () => nowMs })
    const ports = { wecom: wecomOf({ baseUrl: 'http://127.0.0.1:1' }), wechat: box.port }
    web = await startWeb(database, { endpoints: noticeEndpoints, ports, now: () => nowMs })
    house = await serveStore(database, pays)
    database.house = { ...database.house, wechat: { ...database.house.wechat!, templates } }
    Object.assign(house.ports, { wechat: box.port })
  })
  afterEach(async () => {
    await Promise.all([house.close(), web.close(), box.close()])
  })

  let people = 0
  /** Somebody with WeChat on a phone, who visited the storefront; one whom messages are (not) kept from. */
  async function person(heldOut = false): Promise<TestBuyer & { readonly box: string }> {
    for (;;) {
      const name = `p${(people += 1)}`
      await box.ctl('persons', { id: name, name: '林小满' })
      const openid = (await box.person(name)).openids[appid]!
      const id = await database.tx((tx) => knowBuyer(tx, { appid, openid, unionid: null }))
      if (isHeldOut(edge(), id) !== heldOut) continue
      return { ...buyerOf(database, id, openid), box: name }
    }
  }
  /** Their phone, signed in, in front of these endpoints. */
  const phone = (one: TestBuyer) => one.phone(web.base, nowMs)
  /** They tap WeChat's button, which tells the page; WeChat tells us where it was told our address. */
  const allow = (one: { box: string }, kind: NoticeKind, act = 'accept') =>
    box.ctl('subscribe', { appid, personId: one.box, templateId: templates[kind]!.id, act })
  const listen = () => box.ctl('callback', { appid, url: `${web.base}/notify/wechat` })
  const grant = (buyerId: TestBuyer['id'], kind: NoticeKind, eventAtMs: number | null = null) =>
    edge().tx((tx) => countGrant(tx, { buyerId, kind, eventAtMs }))
  const left = async (buyerId: TestBuyer['id'], kind: NoticeKind): Promise<number> => {
    const rows = await database.tx((tx) =>
      sql(tx.em, "select id from notice_grant where buyer_id = ? and kind = ? and state = 'open'", [buyerId, kind]),
    )
    return rows.length
  }
  const messagesOf = (buyerId: TestBuyer['id']) =>
    database.tx((tx) =>
      sql<{ id: string; kind: string; state: string; reason: string | null }>(
        tx.em,
        'select id, kind, state, reason from notice_message where buyer_id = ? order by id',
        [buyerId],
      ),
    )
  const seen = async (one: { box: string }) => (await box.person(one.box)).notices
  const tell = (buyerId: TestBuyer['id'], cardId: string, subject: string, kind: NoticeKind = 'low_balance') =>
    edge().tx((tx) => noteMessages(tx, [{ buyerId, kind, subject, cardId, amountFen: 990 } as never]))
  const bought = async (buyer: TestBuyer, template: Parameters<typeof stage.listing>[1] = {}) =>
    (await stage.bought(buyer, await stage.listing({}, template))).cardId!

  test('a gift: giver and receiver are told, by WeChat where they allowed it, once however often the job runs', async () => {
    const [giver, friend] = [await person(), await person()]
    const cardId = await bought(giver)
    nowMs += 3 * 3_600_000
    await allow(giver, 'gift_claimed')
    await grant(giver.id, 'gift_claimed')
    const wish = { cover: 'plain', greeting: '生日快乐' }
    const offered = await house.call(giver.actor, 'POST', `/store/cards/${cardId}/gifts`, wish, 'gift-1')
    const token = String(offered.body['path']).split('/').at(-1)
    const claimed = await house.call(friend.actor, 'POST', `/store/gift-links/${token}/claim`, {}, 'claim-1')
    expect([offered.status, claimed.status]).toEqual([200, 200])
    await stage.work()
    const giftId = String(offered.body['id'])
    await handlers['notice.gift']!(edge(), { giftId })
    const [told] = await messagesOf(giver.id)
    await handlers['notice.send']!(edge(), { messageId: told!.id })
    expect(await messagesOf(giver.id)).toMatchObject([{ kind: 'gift_claimed', state: 'sent' }])
    expect(await messagesOf(friend.id)).toMatchObject([
      { kind: 'gift_received', state: 'kept', reason: 'no_permission' },
    ])
    const shown = (await seen(giver)).map(({ rows }) => rows.map(([, value]) => value))
    expect(shown).toEqual([['沐光咖啡福利卡', '¥100.00', '2026年11月23日 15:00', '对方已领取您送的卡']])
    expect(await left(giver.id, 'gift_claimed')).toBe(0)
    const inbox = async (one: TestBuyer) => (await phone(one).get('/store/inbox')).json() as Promise<Inbox>
    expect(await inbox(giver)).toMatchObject({
      messages: [{ kind: 'gift_claimed', giftId, cardId: null, brandName: '沐光咖啡', amountFen: 10_000, read: false }],
      unread: 1,
    })
    expect(await inbox(friend)).toMatchObject({ messages: [{ kind: 'gift_received', cardId, read: false }] })
    const upTo = (await inbox(giver)).messages[0]!.id
    const read = await phone(giver).send('POST', '/store/inbox/read', { upTo })
    expect(await read.json()).toMatchObject({ messages: [{ read: true }], unread: 0 })
    expect((await inbox(friend)).unread).toBe(1)
  })

  test('a gift that nobody claims comes back, and its giver is told', async () => {
    const giver = await person()
    const cardId = await bought(giver)
    nowMs += 3 * 3_600_000
    const wish = { cover: 'plain', greeting: '' }
    const offered = await house.call(giver.actor, 'POST', `/store/cards/${cardId}/gifts`, wish, 'gift-2')
    expect(offered.status).toBe(200)
    nowMs += 72 * 3_600_000
    await stage.work()
    expect(await messagesOf(giver.id)).toMatchObject([{ kind: 'gift_returned', state: 'kept' }])
  })

  test('one acceptance told by the page and by WeChat is one permission, in any order; two are two', async () => {
    const { id } = await person()
    await grant(id, 'card_expiring')
    await grant(id, 'card_expiring', nowMs + 1_000)
    expect(await left(id, 'card_expiring')).toBe(1)
    await grant(id, 'card_expiring', nowMs + 20_000)
    await grant(id, 'card_expiring')
    expect(await left(id, 'card_expiring')).toBe(2)
    // Two of the page, then WeChat of both.
    nowMs += 600_000
    await grant(id, 'card_expiring')
    await grant(id, 'card_expiring')
    await grant(id, 'card_expiring', nowMs)
    await grant(id, 'card_expiring', nowMs + 2_000)
    expect(await left(id, 'card_expiring')).toBe(4)
    // Told of much later, it is another one.
    nowMs += 600_000
    await grant(id, 'card_expiring', nowMs)
    expect(await left(id, 'card_expiring')).toBe(5)
    expect(await left(id, 'low_balance')).toBe(0)
    for (let times = 0; times < 20; times += 1) await grant(id, 'card_expiring')
    expect(await left(id, 'card_expiring')).toBe(10)
  })

  test('many workers at once use each permission once', async () => {
    const { id } = await person()
    for (let times = 0; times < 3; times += 1) await grant(id, 'low_balance')
    const used = await Promise.all(
      Array.from({ length: 8 }, () =>
        edge().tx((tx) => useGrant(tx, { buyerId: id, kind: 'low_balance', messageId: tx.newId('noticeMessage') })),
      ),
    )
    expect([used.filter(Boolean).length, await left(id, 'low_balance')]).toEqual([3, 0])
  })

  test('what WeChat tells counts once: acceptance, a change of mind, delivery', async () => {
    await listen()
    const one = await person()
    const own = phone(one)
    const cardId = await bought(one)
    await allow(one, 'low_balance')
    await expect.poll(() => left(one.id, 'low_balance'), SOON).toBe(1)
    const accepted = () => own.send('POST', '/store/notices', { kinds: ['low_balance'] }, { 'idempotency-key': 'a1' })
    expect(await (await accepted()).json()).toMatchObject({
      kinds: expect.arrayContaining([{ kind: 'low_balance', left: 1 }]) as unknown,
    })
    await accepted()
    expect(await left(one.id, 'low_balance')).toBe(1)
    await box.ctl('faults', { kind: 'push_repeat', copies: 3 })
    // WeChat says seconds: two taps of one person are not in the same one.
    nowMs += 2_000
    await allow(one, 'low_balance')
    await expect.poll(() => left(one.id, 'low_balance'), SOON).toBe(2)
    await tell(one.id, cardId, 's1')
    await stage.work()
    await expect.poll(async () => (await messagesOf(one.id)).map(({ state }) => state), SOON).toEqual(['delivered'])
    await allow(one, 'low_balance', 'drop')
    await expect.poll(() => left(one.id, 'low_balance'), SOON).toBe(0)
    const told = (await own.get('/store/notices')).json() as Promise<NoticeGrants>
    expect((await told).kinds.map(({ kind }) => kind)).toHaveLength(5)
  })

  test('WeChat’s word of a message that comes with the answer of its call is not lost', async () => {
    await listen()
    const one = await person()
    const cardId = await bought(one)
    for (let number = 0; number < 10; number += 1) {
      nowMs += 2_000
      await allow(one, 'low_balance')
      await grant(one.id, 'low_balance')
      await tell(one.id, cardId, `s${number}`)
    }
    await stage.work()
    const states = async () => new Set((await messagesOf(one.id)).map(({ state }) => state))
    await expect.poll(states, SOON).toEqual(new Set(['delivered']))
  })

  test('whoever withdraws what they told WeChat is forgotten, once, and nobody else is', async () => {
    const [one, other] = [await person(), await person()]
    await grant(one.id, 'low_balance')
    await grant(other.id, 'low_balance')
    const farewell = (openid: string, event = 'user_authorization_revoke') => {
      const plain = `<xml><ToUserName>gh_1</ToUserName><FromUserName>${openid}</FromUserName><CreateTime>1</CreateTime><MsgType>event</MsgType><Event>${event}</Event></xml>`
      const { query, encrypted } = sealCallback(boxAccount.callback!, plain, appid, nowMs)
      const body = `<xml><ToUserName>gh_1</ToUserName><Encrypt>${encrypted}</Encrypt></xml>`
      const address = `${web.base}/notify/wechat?${new URLSearchParams({ ...query }).toString()}`
      return fetch(address, { method: 'POST', body })
    }
    expect(await (await farewell(one.openid)).text()).toBe('success')
    expect((await farewell(one.openid)).status).toBe(200)
    expect((await farewell('oNobodyWhomWeKnow')).status).toBe(200)
    expect((await farewell(other.openid, 'subscribe')).status).toBe(200)
    const jobs = await database.tx((tx) =>
      sql<{ args: string }>(tx.em, "select args from job where kind = 'buyer.forget'"),
    )
    expect(jobs.map(({ args }) => JSON.parse(args) as unknown)).toEqual([{ buyerId: one.id }])
    await stage.work()
    expect([await left(one.id, 'low_balance'), await left(other.id, 'low_balance')]).toEqual([0, 1])
    expect((await phone(one).get('/store/inbox')).status).toBe(401)
    // Who comes again is somebody new.
    const again = await database.tx((tx) => knowBuyer(tx, { appid, openid: one.openid, unionid: null }))
    expect(again).not.toBe(one.id)
    expect((await farewell(one.openid, 'user_authorization_cancellation')).status).toBe(200)
    await stage.work()
    expect((await phone(buyerOf(database, again, one.openid)).get('/store/inbox')).status).toBe(401)
  })

  test('an address of ours is verified by its signature; what is not WeChat’s is refused and changes nothing', async () => {
    await listen()
    const one = await person()
    for (const kind of ['push_wrong_signature', 'push_stale', 'push_plain']) {
      await box.ctl('faults', { kind })
      await allow(one, 'low_balance', 'accept')
      await expect
        .poll(
          async () =>
            ((await box.ctl<{ pushes: { statuses: number[] }[] }>('pushes')).pushes[0]?.statuses ?? []).length,
        )
        .toBeGreaterThan(0)
    }
    expect(await left(one.id, 'low_balance')).toBe(0)
    expect((await fetch(`${web.base}/notify/wechat?echostr=x`)).status).toBe(401)
  })

  test('43101 ends what we counted, and is not tried again; a template that is gone costs no permission', async () => {
    const one = await person()
    const cardId = await bought(one)
    await grant(one.id, 'low_balance')
    await grant(one.id, 'low_balance')
    await tell(one.id, cardId, 's1')
    await stage.work()
    expect(await messagesOf(one.id)).toMatchObject([{ state: 'failed', reason: '43101' }])
    expect(await left(one.id, 'low_balance')).toBe(0)
    await grant(one.id, 'low_balance')
    await allow(one, 'low_balance')
    await box.ctl('faults', { kind: 'errcode', errcode: 40037, path: '/cgi-bin/message/subscribe/bizsend' })
    await tell(one.id, cardId, 's2')
    await stage.work()
    expect((await messagesOf(one.id))[1]).toMatchObject({ state: 'failed', reason: '40037' })
    expect(await left(one.id, 'low_balance')).toBe(1)
    await tell(one.id, cardId, 's3')
    await stage.work()
    expect((await messagesOf(one.id))[2]).toMatchObject({ state: 'sent' })
    expect(await seen(one)).toHaveLength(1)
  })

  test('a lost answer is never sent again; WeChat’s own word settles it', async () => {
    await listen()
    const one = await person()
    const cardId = await bought(one)
    await allow(one, 'low_balance')
    await expect.poll(() => left(one.id, 'low_balance'), SOON).toBe(1)
    await box.ctl('faults', { kind: 'push_delay', delayMs: 1 })
    await box.ctl('faults', { kind: 'cut_after', path: '/cgi-bin/message/subscribe/bizsend' })
    await tell(one.id, cardId, 's1')
    await stage.work()
    const [message] = await messagesOf(one.id)
    for (let times = 0; times < 3; times += 1) await handlers['notice.send']!(edge(), { messageId: message!.id })
    expect(await seen(one)).toHaveLength(1)
    expect(await left(one.id, 'low_balance')).toBe(0)
    expect(['unknown', 'delivered']).toContain((await messagesOf(one.id))[0]!.state)
    await box.ctl('clock', { advanceMs: 10 })
    await expect.poll(async () => (await messagesOf(one.id))[0]!.state, SOON).toBe('delivered')
  })

  test('a worker that dies in the middle leaves a message that is not sent twice; a busy WeChat is asked later', async () => {
    const one = await person()
    const cardId = await bought(one)
    const calls: string[] = []
    const wechat = (answer: () => Promise<{ messageId: string | null }>): WechatPort => ({
      ...box.port,
      sendSubscription: async ({ templateId }) => {
        calls.push(templateId)
        return answer()
      },
    })
    const send = async (port: WechatPort) => {
      const [message] = await messagesOf(one.id)
      const scope = edge()
      return handlers['notice.send']!({ ...scope, ports: { ...scope.ports, wechat: port } }, { messageId: message!.id })
    }
    await grant(one.id, 'low_balance')
    await tell(one.id, cardId, 's1')
    const busy = wechat(() => Promise.reject(new OutsideError('busy', '45009', 'later')))
    await expect(send(busy)).rejects.toThrow('later')
    expect([(await messagesOf(one.id))[0]!.state, await left(one.id, 'low_balance')]).toEqual(['planned', 1])
    const dying = wechat(() => Promise.reject(new TypeError('killed')))
    await expect(send(dying)).rejects.toThrow('killed')
    await send(wechat(() => Promise.resolve({ messageId: '1' })))
    expect(await messagesOf(one.id)).toMatchObject([{ state: 'unknown', reason: 'stopped' }])
    expect(calls).toHaveLength(2)
  })

  test('a tenth is kept from messages that it allowed, always the same ones, and has them in the inbox', async () => {
    const one = await person(true)
    const cardId = await bought(one)
    await grant(one.id, 'low_balance')
    await tell(one.id, cardId, 's1')
    await stage.work()
    expect(await messagesOf(one.id)).toMatchObject([{ state: 'kept', reason: 'held_out' }])
    expect([await left(one.id, 'low_balance'), (await seen(one)).length]).toEqual([1, 0])
    expect(await (await phone(one).get('/store/inbox')).json()).toMatchObject({ unread: 1 })
    const ids = Array.from({ length: 4_000 }, () => edge().newId('buyer'))
    const held = ids.filter((id) => isHeldOut(edge(), id))
    expect(held.length).toBeGreaterThan(300)
    expect(held.length).toBeLessThan(500)
    expect(held.every((id) => isHeldOut(edge(), id))).toBe(true)
  })

  test('cards that end are told of 30, 7 and 1 days before; nobody twice a day, nor more than three times a month', async () => {
    const [one, other] = [await person(), await person()]
    const cards = [await bought(one), await bought(one)]
    await bought(other, { validDays: 1500 })
    const endsAtMs = BEGIN_MS + 1095 * DAY_MS
    const plan = async (atMs: number) => {
      nowMs = atMs
      await handlers['notices.plan']!(edge(), {})
      await handlers['notices.plan']!(edge(), {})
      return (await messagesOf(one.id)).length
    }
    expect(await plan(endsAtMs - 30 * DAY_MS - 2 * 3_600_000)).toBe(0)
    expect(await plan(endsAtMs - 30 * DAY_MS + 3_600_000)).toBe(1)
    expect(await plan(endsAtMs - 29 * DAY_MS)).toBe(1)
    expect(await plan(endsAtMs - 7 * DAY_MS + 3_600_000)).toBe(2)
    expect(await plan(endsAtMs - 6 * DAY_MS)).toBe(2)
    expect(await plan(endsAtMs - 3_600_000)).toBe(3)
    expect(await plan(endsAtMs + 1)).toBe(3)
    expect(await messagesOf(other.id)).toEqual([])
    const rows = await database.tx((tx) =>
      sql<{ cardId: string }>(tx.em, 'select card_id as cardId from notice_message where buyer_id = ?', [one.id]),
    )
    expect(rows.every(({ cardId }) => cards.includes(cardId as never))).toBe(true)
  })

  test('a card that has little left after spending is told of once', async () => {
    const one = await person()
    const cardId = await bought(one)
    const plan = async () => {
      await handlers['notices.plan']!(edge(), {})
      return (await messagesOf(one.id)).map(({ kind }) => kind)
    }
    const day = Number(new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', ''))
    // The books do not care for these: they are put back before they are looked at.
    const set = (balance: number, spentDay: number) =>
      database.tx((tx) =>
        change(tx.em, 'update card set balance_fen = ?, spent_day = ? where id = ?', [balance, spentDay, cardId]),
      )
    await set(1_001, day)
    expect(await plan()).toEqual([])
    await set(1_000, day - 5)
    expect(await plan()).toEqual([])
    await set(1_000, day)
    expect(await plan()).toEqual(['low_balance'])
    nowMs += DAY_MS
    await set(500, day + 1)
    expect(await plan()).toEqual(['low_balance'])
    await set(10_000, 0)
  })

  test('what is a year old is erased, and all of a buyer who is forgotten', async () => {
    const [one, other] = [await person(), await person()]
    const cardId = await bought(one)
    await grant(one.id, 'low_balance')
    await grant(other.id, 'low_balance')
    await tell(one.id, cardId, 's1')
    await tell(other.id, cardId, 's1')
    await handlers['buyer.forget']!(edge(), { buyerId: one.id })
    await handlers['buyer.forget']!(edge(), { buyerId: one.id })
    expect([await messagesOf(one.id), await left(one.id, 'low_balance')]).toEqual([[], 0])
    expect([(await messagesOf(other.id)).length, await left(other.id, 'low_balance')]).toEqual([1, 1])
    expect((await phone(one).get('/store/inbox')).status).toBe(401)
    nowMs += 366 * DAY_MS
    while ((await edge().tx(forgetNotices)) > 0);
    expect(await messagesOf(other.id)).toEqual([])
    expect(await left(other.id, 'low_balance')).toBe(1)
    while (await workOnce(edge(), handlers, 'small')) continue
  })
})
