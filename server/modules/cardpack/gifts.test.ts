import { afterEach, beforeEach, expect, test } from 'vitest'
import { handlers } from '../../../jobs/handlers.ts'
import { CardChoices, RevealedCard } from '../../../contract/employee/card-acts.ts'
import { GiftClaimed, GiftDoor, GivenGift, GivenGifts } from '../../../contract/employee/gift.ts'
import type { Pack } from '../../../contract/employee/pack.ts'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Ports } from '../../channels/ports.ts'
import { change, sql } from '../../kernel/sql.ts'
import { somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { openPackStage, phoneOf, pressed, type PackStage } from '../../testing/pack-stage.ts'
import { aBrowser, type Browser } from '../../testing/web.ts'
import { takeBack } from '../delivery/take-back-leavers.ts'
import { readCampaignThanks } from '../gift/read-thanks.ts'
import { readUnopened } from '../refund/read-takable.ts'
import { placeHold } from '../redemption/place-hold.ts'

onBothDatabases('gifts', (database) => {
  let stage: PackStage
  let people: readonly Id<'person'>[]
  let giver: Browser
  let cardId: Id<'card'>
  beforeEach(async () => {
    stage = await openPackStage(database, { card: { named: false, validDays: 1095 } })
    people = stage.campaign.personIds
    giver = stage.phone(people[0]!)
    cardId = await stage.cardOf(people[0]!)
    await stage.allowGifts(1)
  })
  afterEach(() => stage.web.close())

  const words = { cover: 'birthday', greeting: '生日快乐' }
  const give = (by = giver, id = cardId, key = pressed()) => by.send('POST', `/employee/cards/${id}/gifts`, words, key)
  async function given(by = giver, id = cardId): Promise<{ gift: GivenGift; token: string }> {
    const answer = await give(by, id)
    expect(answer.status).toBe(200)
    const gift = GivenGift.parse(await answer.json())
    return { gift, token: gift.path?.slice('/pack/gift/'.length) ?? '' }
  }
  const claim = (by: Browser, token: string) => by.send('POST', `/employee/gift-links/${token}/claim`)
  const look = (by: Browser, token: string) => by.get(`/employee/gift-links/${token}`)
  const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code]
  const giftOf = async (id: string, by = giver) => GivenGift.parse(await (await by.get(`/employee/gifts/${id}`)).json())
  const packOf = async (by: Browser) => ((await (await by.get('/employee/pack')).json()) as Pack).cards
  const secretOf = async (by: Browser, id = cardId) =>
    RevealedCard.parse(await (await by.send('POST', `/employee/cards/${id}/secret`)).json())
  const choicesOf = async (by: Browser, id = cardId) =>
    CardChoices.parse(await (await by.get(`/employee/cards/${id}/choices`)).json())
  const edge = () => database.edge({} as Ports, undefined, () => stage.clock.nowMs)
  /** Does the jobs of a kind that are due by now; again, should they have been done. */
  async function runJobs(kind: 'gift.end' | 'gifts.of-leaver'): Promise<void> {
    const due = await database.tx((tx) =>
      sql<{ args: string }>(tx.em, 'select args from job where kind = ? and ready_at_ms <= ?', [
        kind,
        stage.clock.nowMs,
      ]),
    )
    for (const { args } of due) await handlers[kind]!(edge(), JSON.parse(args) as Record<string, string>)
  }
  const heldFen = async () => {
    const [row] = await database.tx((tx) =>
      sql<{ held: unknown }>(tx.em, 'select held_fen as held from card where id = ?', [cardId]),
    )
    return Number(row?.held)
  }

  test('a card is passed on whole: shown, opened once, claimed once, with a secret that its giver never saw', async () => {
    const before = await secretOf(giver)
    const { gift, token } = await given()
    expect(gift).toMatchObject({ state: 'offered', amountFen: 50_000, openedAtMs: null, toName: null, thanks: null })
    expect(gift.endsAtMs).toBe(stage.clock.nowMs + limits.giftMs)
    expect(await choicesOf(giver)).toMatchObject({ give: false, openGiftId: gift.id })
    expect(await heldFen()).toBe(50_000)
    const outside = aBrowser(stage.web.base)
    const door = GiftDoor.parse(await (await look(outside, token)).json())
    expect(door).toMatchObject({ fromName: '张三', greeting: '生日快乐', cover: 'birthday', you: 'nobody' })
    expect(JSON.stringify(door)).not.toContain(before.number)
    expect(GiftDoor.parse(await (await look(giver, token)).json()).you).toBe('giver')
    await giver.send('POST', `/employee/gift-links/${token}/opened`)
    expect((await giftOf(gift.id)).openedAtMs).toBe(null)
    const openedAtMs = stage.clock.nowMs
    for (let time = 0; time < 2; time += 1) {
      await outside.send('POST', `/employee/gift-links/${token}/opened`)
      stage.clock.nowMs += 1000
    }
    expect((await giftOf(gift.id)).openedAtMs).toBe(openedAtMs)
    expect(await codeOf(await claim(outside, token))).toEqual([401, 'unauthenticated'])
    expect(await codeOf(await claim(giver, token))).toEqual([409, 'gift_closed'])
    const friend = stage.phone(people[1]!)
    expect(GiftDoor.parse(await (await look(friend, token)).json()).you).toBe('colleague')
    for (let time = 0; time < 2; time += 1)
      expect(GiftClaimed.parse(await (await claim(friend, token)).json())).toEqual({ giftId: gift.id, cardId })
    expect(await packOf(giver)).toEqual([])
    expect((await packOf(friend)).map(({ id }) => id)).toContain(cardId)
    const after = await secretOf(friend)
    expect(after.number).toBe(before.number)
    expect(after.secret).not.toBe(before.secret)
    expect((await giver.send('POST', `/employee/cards/${cardId}/secret`)).status).toBe(404)
    expect(await giftOf(gift.id)).toMatchObject({ state: 'claimed', path: null, toName: '李四', openedAtMs })
    expect(await codeOf(await look(stage.phone(people[2]!), token))).toEqual([409, 'gift_closed'])
    expect(GiftDoor.parse(await (await look(friend, token)).json())).toMatchObject({ you: 'receiver', cardId })
    expect(await heldFen()).toBe(0)
    // Its company allows one hand, and this was it.
    expect(await codeOf(await give(friend))).toEqual([409, 'card_not_giftable'])
  })

  test('what was passed on before its message was planned is not among what HR takes back unopened', async () => {
    const { token } = await given()
    expect((await claim(stage.phone(people[1]!), token)).status).toBe(200)
    const unopened = await database.tx((tx) => readUnopened(tx, stage.campaign.id, '', 10))
    expect(unopened.map((row) => row.cardId)).toHaveLength(3)
    expect(unopened.map((row) => row.cardId)).not.toContain(cardId)
  })

  test('of ten friends who claim at once exactly one gets it', async () => {
    const { token } = await given()
    const newcomers = await somePeople(
      database,
      stage.company.id,
      Array.from({ length: 10 }, (_, index) => ({ name: `友${index}` })),
    )
    const answers = await Promise.all(newcomers.map((person) => claim(stage.phone(person), token)))
    const codes = await Promise.all(
      answers.map(async (answer) => (answer.status === 200 ? 200 : (await codeOf(answer))[1])),
    )
    expect(codes.map(String).toSorted()).toEqual(['200', ...Array.from({ length: 9 }, () => 'gift_closed')])
  })

  test('at the very end of its time it cannot be claimed, and returns whole', async () => {
    const { gift, token } = await given()
    stage.clock.nowMs = gift.endsAtMs
    const friend = stage.phone(people[1]!)
    expect(await codeOf(await claim(friend, token))).toEqual([409, 'gift_closed'])
    expect(await codeOf(await look(friend, token))).toEqual([409, 'gift_closed'])
    expect(await heldFen()).toBe(50_000)
    await runJobs('gift.end')
    expect(await giftOf(gift.id)).toMatchObject({ state: 'returned', path: null, claimedAtMs: null })
    expect(await heldFen()).toBe(0)
    expect(await choicesOf(giver)).toMatchObject({ give: true, openGiftId: null })
    // A millisecond before the end of the next it is still in time.
    const again = await given()
    stage.clock.nowMs = again.gift.endsAtMs - 1
    expect((await claim(friend, again.token)).status).toBe(200)
  })

  test('its giver takes it back; a lost card takes it back too; nobody else does', async () => {
    const first = await given()
    const friend = stage.phone(people[1]!)
    const withdraw = (by: Browser, id: string) => by.send('POST', `/employee/gifts/${id}/withdraw`)
    expect(await codeOf(await withdraw(friend, first.gift.id))).toEqual([404, 'not_found'])
    expect(await codeOf(await friend.get(`/employee/gifts/${first.gift.id}`))).toEqual([404, 'not_found'])
    expect((await withdraw(giver, first.gift.id)).status).toBe(200)
    expect(await codeOf(await withdraw(giver, first.gift.id))).toEqual([409, 'gift_closed'])
    expect(await codeOf(await claim(friend, first.token))).toEqual([409, 'gift_closed'])
    const second = await given()
    await giver.send('POST', `/employee/cards/${cardId}/lost`, undefined, pressed())
    expect(await giftOf(second.gift.id)).toMatchObject({ state: 'withdrawn' })
    expect(await codeOf(await claim(friend, second.token))).toEqual([409, 'gift_closed'])
    const { gifts } = GivenGifts.parse(await (await giver.get('/employee/gifts')).json())
    expect(gifts.map(({ id }) => id)).toEqual([second.gift.id, first.gift.id])
    expect(await heldFen()).toBe(0)
  })

  test('the same press again is the same gift; another wish under its key is refused by name', async () => {
    const key = pressed()
    const ids = [await give(giver, cardId, key), await give(giver, cardId, key)]
    const [one, other] = (await Promise.all(ids.map((answer) => answer.json()))) as GivenGift[]
    expect(other).toEqual(one)
    const different = await giver.send('POST', `/employee/cards/${cardId}/gifts`, { ...words, greeting: '别的' }, key)
    expect(await different.json()).toMatchObject({ code: 'idempotency_conflict', field: 'greeting' })
    expect((await giver.send('POST', `/employee/cards/${cardId}/gifts`, words)).status).toBe(422)
    const kept = await database.tx((tx) => sql<{ input: string }>(tx.em, 'select input, answer from once_key'))
    expect(JSON.stringify(kept)).not.toContain('生日快乐')
    expect(JSON.stringify(kept)).not.toContain(one?.path?.slice(-26))
  })

  test('what may not be passed on: not allowed, locked, frozen, expired, empty, partly set aside, somebody else’s', async () => {
    await stage.allowGifts(0)
    expect(await codeOf(await give())).toEqual([409, 'card_not_giftable'])
    await stage.allowGifts(1)
    const set = (text: string, ...values: unknown[]) =>
      database.tx((tx) => change(tx.em, `update card set ${text} where id = ?`, [...values, cardId]))
    const cases = [
      ["state = 'frozen'", "state = 'active'", 'card_frozen'],
      ["state = 'exhausted'", "state = 'active'", 'card_ended'],
      [`locked_until_ms = ${stage.clock.nowMs + 1}`, `locked_until_ms = ${stage.clock.nowMs}`, 'card_locked'],
      [`expires_at_ms = ${stage.clock.nowMs}`, `expires_at_ms = ${stage.clock.nowMs + 1}`, 'card_expired'],
    ] as const
    for (const [spoilt, mended, code] of cases) {
      await set(spoilt)
      expect(await codeOf(await give())).toEqual([409, code])
      await set(mended)
    }
    const hold = { cardId, amount: fen(1), ref: 'x', endsAtMs: stage.clock.nowMs + 1000 }
    await edge().tx((tx) => placeHold(tx, hold))
    expect(await codeOf(await give())).toEqual([409, 'card_not_giftable'])
    expect(await codeOf(await give(stage.phone(people[1]!)))).toEqual([404, 'not_found'])
    expect(
      (await giver.send('POST', `/employee/cards/${cardId}/gifts`, { cover: 'x', greeting: '' }, pressed())).status,
    ).toBe(422)
    const long = { cover: 'plain', greeting: '长'.repeat(301) }
    expect((await giver.send('POST', `/employee/cards/${cardId}/gifts`, long, pressed())).status).toBe(422)
  })

  test('somebody of another company neither claims nor learns more than the words; unknown links are none', async () => {
    const { token } = await given()
    const other = await aCompany(database)
    const [person] = await somePeople(database, other.id, [{ name: '外人' }])
    const stranger = phoneOf(database, stage.web, other.id, person!)
    expect(GiftDoor.parse(await (await look(stranger, token)).json())).toMatchObject({ you: 'stranger', cardId: null })
    expect(await codeOf(await claim(stranger, token))).toEqual([404, 'not_found'])
    for (const wrong of ['A'.repeat(26), token.slice(0, 25) + (token.endsWith('0') ? '1' : '0')])
      expect(await codeOf(await look(stranger, wrong))).toEqual([404, 'not_found'])
    expect((await look(stranger, 'short')).status).toBe(422)
  })

  test('a frozen or expired card is not claimed, and its gift still ends', async () => {
    const { gift, token } = await given()
    const friend = stage.phone(people[1]!)
    for (const [spoilt, mended] of [
      ["state = 'frozen'", "state = 'active'"],
      [`expires_at_ms = ${stage.clock.nowMs}`, `expires_at_ms = ${stage.clock.nowMs + limits.giftMs * 2}`],
    ]) {
      await database.tx((tx) => change(tx.em, `update card set ${spoilt} where id = ?`, [cardId]))
      expect(await codeOf(await claim(friend, token))).toEqual([409, 'gift_closed'])
      await database.tx((tx) => change(tx.em, `update card set ${mended} where id = ?`, [cardId]))
    }
    expect((await claim(friend, token)).status).toBe(200)
    expect((await giftOf(gift.id)).state).toBe('claimed')
  })

  test('a card goes on as often as the company allows, and each receiver thanks their own giver, once', async () => {
    await stage.allowGifts(2)
    const hands = people.slice(0, 3).map((person) => stage.phone(person))
    const say = (by: Browser, text: string, press = pressed()) =>
      by.send('POST', `/employee/cards/${cardId}/thanks`, { text }, press)
    expect(await choicesOf(hands[0]!)).toMatchObject({ thanksTo: 'company', thankedAtMs: null })
    const press = pressed()
    for (let time = 0; time < 2; time += 1) {
      const said = await say(hands[0]!, '谢谢公司', press)
      expect([said.status, await said.json()]).toEqual([200, { atMs: stage.clock.nowMs }])
    }
    expect(await codeOf(await say(hands[0]!, '谢谢大家', press))).toEqual([409, 'idempotency_conflict'])
    const gifts: string[] = []
    for (const [from, to] of [
      [0, 1],
      [1, 2],
    ] as const) {
      const { gift, token } = await given(hands[from])
      gifts.push(gift.id)
      expect((await claim(hands[to]!, token)).status).toBe(200)
      expect(await choicesOf(hands[to]!)).toMatchObject({ thanksTo: 'colleague', thankedAtMs: null })
      expect((await say(hands[to]!, ` 谢谢${from} `)).status).toBe(200)
      expect(await codeOf(await say(hands[to]!, '再谢'))).toEqual([409, 'state_conflict'])
      expect((await choicesOf(hands[to]!)).thankedAtMs).toBe(stage.clock.nowMs)
      expect((await giftOf(gift.id, hands[from])).thanks).toBe(`谢谢${from}`)
    }
    expect(await codeOf(await give(hands[2]))).toEqual([409, 'card_not_giftable'])
    const thanks = await database.tx((tx) => readCampaignThanks(tx, stage.campaign.id, { limit: 10 }))
    expect(thanks).toMatchObject({
      thanks: [{ name: '张三', department: '研发部', text: '谢谢公司' }],
      nextCursor: null,
    })
    for (const text of ['', '   ', '谢'.repeat(201)]) expect((await say(hands[2]!, text)).status).toBe(422)
    const racing = stage.phone(people[3]!)
    const own = await stage.cardOf(people[3]!)
    const both = await Promise.all(
      [1, 2].map(() => racing.send('POST', `/employee/cards/${own}/thanks`, { text: '谢' }, pressed())),
    )
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409])
    const page = await database.tx((tx) => readCampaignThanks(tx, stage.campaign.id, { limit: 1 }))
    expect(page).toMatchObject({ thanks: [{ name: '赵六' }] })
    const cursor = page.nextCursor ?? ''
    const rest = await database.tx((tx) => readCampaignThanks(tx, stage.campaign.id, { limit: 1, cursor }))
    expect(rest).toMatchObject({ thanks: [{ name: '张三' }], nextCursor: null })
  })

  test('what a leaver had offered returns to them, and is theirs as what they had taken; what they gave stays given', async () => {
    const { gift } = await given()
    const leave = async (person: Id<'person'>) => {
      await database.tx((tx) => change(tx.em, "update person set state = 'left' where id = ?", [person]))
      await edge().tx((tx) => takeBack(tx, stage.company.id, person))
      await runJobs('gifts.of-leaver')
    }
    const second = stage.phone(people[1]!)
    const theirs = await stage.cardOf(people[1]!)
    const { token } = await given(second, theirs)
    await claim(stage.phone(people[2]!), token)
    await leave(people[0]!)
    const [row] = await database.tx((tx) =>
      sql(
        tx.em,
        'select gift.state as gift, card.state as card, held_fen as held from gift join card on card.id = card_id where gift.id = ?',
        [gift.id],
      ),
    )
    expect(row).toMatchObject({ gift: 'returned', card: 'frozen' })
    expect(await heldFen()).toBe(0)
    // The receiver leaves: what a colleague passed on to them was never the company's to take back.
    await leave(people[2]!)
    const [kept] = await database.tx((tx) => sql(tx.em, 'select state from card where id = ?', [theirs]))
    expect(kept).toEqual({ state: 'active' })
  })

  test('links of gifts that are over, and words a year old, are forgotten', async () => {
    const { gift, token } = await given()
    const friend = stage.phone(people[1]!)
    await claim(friend, token)
    await friend.send('POST', `/employee/cards/${cardId}/thanks`, { text: '谢谢' }, pressed())
    const forget = () => handlers['gifts.forget']!(edge(), {})
    await forget()
    expect(await giftOf(gift.id)).toMatchObject({ greeting: '生日快乐', thanks: '谢谢' })
    stage.clock.nowMs += limits.wordsKeptMs + 1
    await forget()
    expect(await giftOf(gift.id)).toMatchObject({ greeting: '', thanks: null, state: 'claimed', toName: '李四' })
  })
})
