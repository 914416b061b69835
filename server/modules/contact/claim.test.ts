import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import { change, sql } from '../../kernel/sql.ts'
import type { TestCampaign } from '../../testing/campaigns.ts'
import { anUnreachedCampaign, aWay, deliveryOf, mobileOf, outsideWorkers } from '../../testing/claims.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { smsOf, startGateway, type TestGateway } from '../../testing/sms.ts'
import { aBrowser, startWeb, type Browser, type Web } from '../../testing/web.ts'
import { cardpackEndpoints } from '../cardpack/endpoints.ts'
import { isPersonActive } from '../staff/find-person.ts'
import { claimEndpoints } from './claim-endpoints.ts'
import { forgetSmsCodes } from './forget-sms-codes.ts'
import { makeClaimLink } from './make-claim-link.ts'
import { contactLimits } from './rules.ts'
import { sendCodes } from './send-codes.ts'

const MINUTE_MS = 60_000

onBothDatabases('claiming a card', (database) => {
  let gateway: TestGateway
  let web: Web
  let ports: Ports
  let nowMs: number
  let company: TestCompany
  let campaign: TestCampaign
  let way: { readonly id: Id<'contactWay'>; readonly token: string }
  let keys = 0
  beforeEach(async () => {
    nowMs = Date.now() + MINUTE_MS
    gateway = await startGateway()
    ports = { sms: smsOf(gateway, { now: () => nowMs }) } as Ports
    web = await startWeb(database, {
      endpoints: [...claimEndpoints, ...cardpackEndpoints],
      ports,
      personActive: isPersonActive,
      now: () => nowMs,
    })
    company = await aCompany(database, { name: '青禾科技' })
    campaign = await anUnreachedCampaign(database, company, outsideWorkers(3))
    way = await aWay(database, company, campaign.id)
  })
  afterEach(async () => {
    await web.close()
    await gateway.close()
  })

  const at = () => `/employee/claims/${way.token}`
  const asLink = (token: string) => `/employee/claim-links/${token}`
  const freshKey = () => `key-${(keys += 1)}`
  /** What the worker does with the codes that wait. */
  async function handOver(): Promise<void> {
    const rows = await database.tx((tx) => sql<{ args: string }>(tx.em, "select args from job where kind = 'sms.send'"))
    const ids = rows.flatMap(({ args }) => (JSON.parse(args) as { codeIds: string }).codeIds.split(','))
    await sendCodes(
      database.edge(ports, undefined, () => nowMs),
      ids as Id<'smsCode'>[],
    )
  }
  async function askCode(phone: Browser, mobile: string, door = at()): Promise<string | null> {
    const answer = await phone.send('POST', `${door}/code`, { mobile })
    expect([answer.status, await answer.json()]).toEqual([200, { waitMs: MINUTE_MS }])
    const before = gateway.seen.length
    await handOver()
    return gateway.seen.length > before ? gateway.codeFor(mobile) : null
  }
  const take = (phone: Browser, mobile: string, code: string, door = at(), key = freshKey(), more: object = {}) =>
    phone.send('POST', door, { mobile, code, ...more }, { 'idempotency-key': key })
  const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code]
  const refused = [403, 'claim_refused']
  const count = async (text: string, values: unknown[] = []) =>
    Number((await database.tx((tx) => sql<{ n: unknown }>(tx.em, text, values)))[0]?.n)
  const wrongOf = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

  test('a worker proves their mobile and has their own card open; the head counts as claimed', async () => {
    const phone = aBrowser(web.base)
    const door = await (await phone.get(at())).json()
    expect(door).toMatchObject({
      companyName: '青禾科技',
      title: '中秋节日问候',
      site: '一号门',
      campaignId: campaign.id,
    })
    const code = await askCode(phone, mobileOf(1))
    expect(code).toMatch(/^\d{6}$/)
    const answer = await take(phone, mobileOf(1), code!)
    expect(answer.status).toBe(200)
    const { cardId, campaignId } = (await answer.json()) as { cardId: string; campaignId: string }
    expect(campaignId).toBe(campaign.id)
    expect(await (await phone.get('/employee/session')).json()).toMatchObject({ name: '工友1' })
    const { cards } = (await (await phone.get('/employee/pack')).json()) as { cards: { id: string; opened: boolean }[] }
    expect(cards).toMatchObject([{ id: cardId, opened: true }])
    expect(await deliveryOf(database, campaign.id, campaign.personIds[1]!)).toMatchObject({ state: 'claimed' })
    expect(await count('select count(*) as n from claim where contact_way_id = ?', [way.id])).toBe(1)
    expect(await count('select count as n from shared_count where name = ?', [`contact-way.visits:${way.id}`])).toBe(1)
  })

  test('the same person again is let in again, and claims once', async () => {
    for (let round = 0; round < 2; round += 1) {
      const phone = aBrowser(web.base)
      const code = await askCode(phone, mobileOf(0))
      expect((await take(phone, mobileOf(0), code!)).status).toBe(200)
      nowMs += 3 * MINUTE_MS
    }
    expect(await count('select count(*) as n from claim')).toBe(1)
    expect(await deliveryOf(database, campaign.id, campaign.personIds[0]!)).toMatchObject({ state: 'claimed' })
  })

  test('a lost answer may be asked again with its key; the code opens nothing with another key, nor a second time', async () => {
    const phone = aBrowser(web.base)
    const code = (await askCode(phone, mobileOf(0)))!
    const key = freshKey()
    const first = await (await take(phone, mobileOf(0), code, at(), key)).json()
    expect(await (await take(aBrowser(web.base), mobileOf(0), code, at(), key)).json()).toEqual(first)
    expect(await codeOf(await take(phone, mobileOf(0), code))).toEqual(refused)
    nowMs += contactLimits.codeLifeMs
    expect(await codeOf(await take(phone, mobileOf(0), code, at(), key))).toEqual(refused)
    expect(await count('select count(*) as n from claim')).toBe(1)
  })

  test('whoever may not claim gets one answer, and no message leaves', async () => {
    const [other] = [await aCompany(database, {})]
    const theirs = await anUnreachedCampaign(database, other, outsideWorkers(1, 70), { issuerPrefix: '6231' })
    const later = await anUnreachedCampaign(database, company, outsideWorkers(1, 80), {
      issuerPrefix: '6232',
      sendAtMs: nowMs + MINUTE_MS,
    })
    const left = await anUnreachedCampaign(database, company, outsideWorkers(1, 60), {
      issuerPrefix: '6233',
      state: 'revoked',
      reason: 'person_left',
    })
    const leftWay = await aWay(database, company, left.id)
    await database.tx((tx) =>
      change(tx.em, "update card set state = 'frozen' where holder_id = ?", [left.personIds[0]]),
    )
    await database.tx((tx) => change(tx.em, "update person set state = 'left' where id = ?", [campaign.personIds[2]]))
    await database.tx((tx) =>
      change(tx.em, "update card set state = 'void' where holder_id = ?", [campaign.personIds[1]]),
    )
    const laterWay = await aWay(database, company, later.id)
    const phone = aBrowser(web.base)
    // Unknown, of another company, of other campaigns, gone, without a card.
    for (const mobile of [mobileOf(99), mobileOf(70), mobileOf(80), mobileOf(60), mobileOf(2), mobileOf(1)]) {
      expect(await askCode(phone, mobile)).toBeNull()
      expect(await codeOf(await take(phone, mobile, '123456'))).toEqual(refused)
    }
    expect(await askCode(phone, mobileOf(80), `/employee/claims/${laterWay.token}`)).toBeNull()
    // A card that was frozen because its holder had left, who is on the list again.
    expect(await askCode(phone, mobileOf(60), `/employee/claims/${leftWay.token}`)).toBeNull()
    expect(await askCode(phone, mobileOf(0), `/employee/claims/${'0'.repeat(26)}`)).toBeNull()
    expect(gateway.seen).toEqual([])
    expect(await count('select count(*) as n from sms_code')).toBe(0)
    expect(theirs.personIds).toHaveLength(1)
    nowMs += MINUTE_MS
    expect(await askCode(phone, mobileOf(80), `/employee/claims/${laterWay.token}`)).toMatch(/^\d{6}$/)
  })

  test('a message that was taken back takes no card: it is claimed by QR, by a link, and by nobody who left', async () => {
    const recalled = await anUnreachedCampaign(database, company, outsideWorkers(3, 50), {
      issuerPrefix: '6234',
      state: 'revoked',
      reason: 'recalled',
    })
    const recalledWay = await aWay(database, company, recalled.id)
    const at = `/employee/claims/${recalledWay.token}`
    await database.tx((tx) => change(tx.em, "update person set state = 'left' where id = ?", [recalled.personIds[1]]))
    const phone = aBrowser(web.base)
    expect(await askCode(phone, mobileOf(51), at)).toBeNull()
    expect((await take(phone, mobileOf(50), (await askCode(phone, mobileOf(50), at))!, at)).status).toBe(200)
    expect(await deliveryOf(database, recalled.id, recalled.personIds[0]!)).toMatchObject({ state: 'claimed' })
    const { id: deliveryId } = await deliveryOf(database, recalled.id, recalled.personIds[2]!)
    const hr = database.edge(ports, company.as('hr'), () => nowMs)
    const link = asLink((await hr.tx((tx) => makeClaimLink(tx, { deliveryId }))).token)
    expect((await take(phone, mobileOf(52), (await askCode(phone, mobileOf(52), link))!, link)).status).toBe(200)
    expect(await deliveryOf(database, recalled.id, recalled.personIds[2]!)).toMatchObject({ state: 'claimed' })
  })

  test('five wrong guesses end a code, the right one after them included; a fresh one comes after a wait', async () => {
    const phone = aBrowser(web.base)
    const code = (await askCode(phone, mobileOf(0)))!
    for (let tried = 0; tried < contactLimits.triesOfACode; tried += 1)
      expect(await codeOf(await take(phone, mobileOf(0), wrongOf(code)))).toEqual(refused)
    expect(await codeOf(await take(phone, mobileOf(0), code))).toEqual(refused)
    expect(await askCode(phone, mobileOf(0))).toBeNull()
    nowMs += MINUTE_MS
    const fresh = (await askCode(phone, mobileOf(0)))!
    expect((await take(phone, mobileOf(0), fresh)).status).toBe(200)
  })

  test('a code is good for its number, its company and five minutes; the newest alone counts', async () => {
    const phone = aBrowser(web.base)
    const old = (await askCode(phone, mobileOf(0)))!
    nowMs += MINUTE_MS
    const fresh = (await askCode(phone, mobileOf(0)))!
    expect(await codeOf(await take(phone, mobileOf(1), fresh))).toEqual(refused)
    if (old !== fresh) expect(await codeOf(await take(phone, mobileOf(0), old))).toEqual(refused)
    const other = await aCompany(database, {})
    const theirs = await anUnreachedCampaign(database, other, outsideWorkers(1), { issuerPrefix: '6231' })
    const theirWay = await aWay(database, other, theirs.id)
    expect(await codeOf(await take(phone, mobileOf(0), fresh, `/employee/claims/${theirWay.token}`))).toEqual(refused)
    nowMs += contactLimits.codeLifeMs
    expect(await codeOf(await take(phone, mobileOf(0), fresh))).toEqual(refused)
  })

  test('the wait for a code grows, and never beyond ten minutes', async () => {
    const phone = aBrowser(web.base)
    const gaps: number[] = []
    for (let sent = 0; sent < 8; sent += 1) {
      let waited = 0
      while ((await askCode(phone, mobileOf(0))) === null) {
        nowMs += MINUTE_MS
        waited += 1
      }
      gaps.push(waited)
    }
    expect(gaps).toEqual([0, 1, 1, 3, 3, 3, 10, 10])
  })

  test('of two devices with one code, one gets in', async () => {
    const code = (await askCode(aBrowser(web.base), mobileOf(0)))!
    const both = await Promise.all([1, 2].map(() => take(aBrowser(web.base), mobileOf(0), code)))
    expect(both.map(({ status }) => status === 200).filter(Boolean)).toHaveLength(1)
    expect(await count('select count(*) as n from claim')).toBe(1)
  })

  test('two requests at once send one code', async () => {
    await Promise.all([1, 2, 3].map(() => aBrowser(web.base).send('POST', `${at()}/code`, { mobile: mobileOf(0) })))
    await handOver()
    expect(gateway.seen).toHaveLength(1)
  })

  test('wrong guesses of one address are throttled, and the door goes on for others', async () => {
    const guesser = aBrowser(web.base, { 'x-forwarded-for': '203.0.113.9' })
    const code = (await askCode(guesser, mobileOf(0)))!
    await database.tx((tx) =>
      change(tx.em, 'delete from shared_count where name = ?', [`contact-way.visits:${way.id}`]),
    )
    let throttled = 0
    for (let group = 0; group < 6; group += 1) {
      const answers = await Promise.all(Array.from({ length: 90 }, () => take(guesser, mobileOf(9), '000000')))
      throttled += answers.filter(({ status }) => status === 429).length
    }
    expect(throttled).toBeGreaterThanOrEqual(6 * 90 - contactLimits.guessesOfAnAddress)
    expect(throttled).toBeLessThan(6 * 90)
    expect((await take(guesser, mobileOf(0), code)).status).toBe(429)
    const honest = aBrowser(web.base, { 'x-forwarded-for': '203.0.113.10' })
    expect((await take(honest, mobileOf(0), code)).status).toBe(200)
  })

  test('guesses at nothing count against their address and shut nobody out; those at a code count at the door', async () => {
    const stranger = aBrowser(web.base, { 'x-forwarded-for': '203.0.113.9' })
    const atDoor = () =>
      count('select coalesce(max(count), 0) as n from shared_count where name = ?', [`claim.door:${way.id}`])
    await take(stranger, mobileOf(9), '000000')
    await take(stranger, mobileOf(0), '000000')
    expect(await atDoor()).toBe(0)
    const code = (await askCode(aBrowser(web.base), mobileOf(0)))!
    await take(stranger, mobileOf(0), wrongOf(code))
    expect(await atDoor()).toBe(1)
    expect(await count("select max(count) as n from shared_count where name like 'claim.address:%'")).toBe(3)
  })

  test('who makes us send codes all day is stopped at five a head, and whoever had few still gets one', async () => {
    const DAY_MS = 86_400_000
    nowMs = Math.ceil(nowMs / DAY_MS) * DAY_MS
    const most = contactLimits.codesOfAHead * campaign.personIds.length
    for (let asked = 0; asked < most + 5; asked += 1) {
      await askCode(aBrowser(web.base), mobileOf(0))
      nowMs += 10 * MINUTE_MS
    }
    expect(gateway.seen).toHaveLength(most)
    for (let asked = 0; asked < contactLimits.codesAlways + 1; asked += 1) {
      const code = await askCode(aBrowser(web.base), mobileOf(1))
      if (asked < contactLimits.codesAlways) expect(code).toMatch(/^\d{6}$/)
      else expect(code).toBeNull()
      nowMs += 10 * MINUTE_MS
    }
    nowMs += DAY_MS
    expect(await askCode(aBrowser(web.base), mobileOf(0))).toMatch(/^\d{6}$/)
  })

  test('a personal link is for one person, counts once, ends with the next one and in time', async () => {
    const delivery = await deliveryOf(database, campaign.id, campaign.personIds[0]!)
    const hr = database.edge(ports, company.as('hr'), () => nowMs)
    const first = await hr.tx((tx) => makeClaimLink(tx, { deliveryId: delivery.id }))
    const second = await hr.tx((tx) => makeClaimLink(tx, { deliveryId: delivery.id }))
    const phone = aBrowser(web.base)
    expect(await codeOf(await phone.get(asLink(first.token)))).toEqual([404, 'claim_closed'])
    expect(await (await phone.get(asLink(second.token))).json()).toMatchObject({ site: null, title: '中秋节日问候' })
    expect(await askCode(phone, mobileOf(0), asLink(first.token))).toBeNull()
    // Somebody else of the list, with their own mobile, gets nothing by it.
    expect(await askCode(phone, mobileOf(1), asLink(second.token))).toBeNull()
    const code = (await askCode(phone, mobileOf(0), asLink(second.token)))!
    expect((await take(phone, mobileOf(0), code, asLink(second.token))).status).toBe(200)
    expect(await codeOf(await phone.get(asLink(second.token)))).toEqual([404, 'claim_closed'])
    nowMs += 3 * MINUTE_MS
    expect(await askCode(phone, mobileOf(0), asLink(second.token))).toBeNull()
    const other = await deliveryOf(database, campaign.id, campaign.personIds[1]!)
    const third = await hr.tx((tx) => makeClaimLink(tx, { deliveryId: other.id }))
    nowMs += contactLimits.linkLifeMs
    expect(await codeOf(await phone.get(asLink(third.token)))).toEqual([404, 'claim_closed'])
  })

  test('somebody without a mobile on the list gets one with their link; a number of somebody else is refused', async () => {
    const noPhone = [{ name: '老王', phone: null }]
    const more = await anUnreachedCampaign(database, company, noPhone, { issuerPrefix: '6235' })
    const { id: deliveryId } = await deliveryOf(database, more.id, more.personIds[0]!)
    const hr = database.edge(ports, company.as('hr'), () => nowMs)
    const make = (phone?: string) => hr.tx((tx) => makeClaimLink(tx, { deliveryId, phone }))
    await expect(make()).rejects.toMatchObject({ code: 'claim_phone_missing' })
    await expect(make(mobileOf(0))).rejects.toMatchObject({ code: 'person_taken' })
    const { token } = await make(mobileOf(500))
    const phone = aBrowser(web.base)
    const code = (await askCode(phone, mobileOf(500), asLink(token)))!
    expect((await take(phone, mobileOf(500), code, asLink(token))).status).toBe(200)
    expect(await (await phone.get('/employee/session')).json()).toMatchObject({ name: '老王' })
  })

  test('a number that two people of a campaign share lets nobody in at the wall, and each by their own link', async () => {
    const shared = mobileOf(600)
    const pair = await anUnreachedCampaign(
      database,
      company,
      ['甲', '乙'].map((name) => ({ name, phone: shared })),
      { issuerPrefix: '6236' },
    )
    const wall = await aWay(database, company, pair.id)
    expect(await askCode(aBrowser(web.base), shared, `/employee/claims/${wall.token}`)).toBeNull()
    const { id: deliveryId } = await deliveryOf(database, pair.id, pair.personIds[1]!)
    const hr = database.edge(ports, company.as('hr'), () => nowMs)
    const { token } = await hr.tx((tx) => makeClaimLink(tx, { deliveryId }))
    const phone = aBrowser(web.base)
    const code = (await askCode(phone, shared, asLink(token)))!
    expect((await take(phone, shared, code, asLink(token))).status).toBe(200)
    expect(await (await phone.get('/employee/session')).json()).toMatchObject({ name: '乙' })
  })

  test('another company makes no link for a head, and nobody makes one for a claimed card', async () => {
    const delivery = await deliveryOf(database, campaign.id, campaign.personIds[0]!)
    const other = await aCompany(database, {})
    const make = (actor: TestCompany) =>
      database.edge(ports, actor.as('hr'), () => nowMs).tx((tx) => makeClaimLink(tx, { deliveryId: delivery.id }))
    await expect(make(other)).rejects.toMatchObject({ code: 'not_found' })
    const code = (await askCode(aBrowser(web.base), mobileOf(0)))!
    await take(aBrowser(web.base), mobileOf(0), code)
    await expect(make(company)).rejects.toMatchObject({ code: 'state_conflict' })
  })

  test('200 at once behind one address: each has their own card', { timeout: 60_000 }, async () => {
    const crowd = await anUnreachedCampaign(database, company, outsideWorkers(200, 1000), { issuerPrefix: '6239' })
    way = await aWay(database, company, crowd.id)
    const phones = crowd.personIds.map((_, index) => ({ phone: aBrowser(web.base), mobile: mobileOf(1000 + index) }))
    await Promise.all(phones.map(({ phone, mobile }) => phone.send('POST', `${at()}/code`, { mobile })))
    await handOver()
    const answers = await Promise.all(
      phones.map(({ phone, mobile }) => take(phone, mobile, gateway.codeFor(mobile) ?? '')),
    )
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    const cards = await Promise.all(answers.map(async (one) => ((await one.json()) as { cardId: string }).cardId))
    const held = await database.tx((tx) =>
      sql<{ id: string; holder: string }>(
        tx.em,
        'select card.id as id, card.holder_id as holder from card join claim on claim.person_id = card.holder_id where claim.campaign_id = ?',
        [crowd.id],
      ),
    )
    const holderOf = new Map(held.map(({ id, holder }) => [id, holder]))
    expect(cards.map((id) => holderOf.get(id))).toEqual(crowd.personIds)
  })

  test('what was sent is forgotten after a day; a number that was handed over at once', async () => {
    await askCode(aBrowser(web.base), mobileOf(0))
    expect(await count('select count(*) as n from sms_code where phone_sealed is not null')).toBe(0)
    expect(await count("select count(*) as n from sms_code where state = 'sent'")).toBe(1)
    nowMs += contactLimits.codesKeptMs + 1
    const edge = database.edge(ports, undefined, () => nowMs)
    while ((await edge.tx(forgetSmsCodes)) > 0);
    expect(await count('select count(*) as n from sms_code')).toBe(0)
    expect(await count("select count(*) as n from shared_count where name like 'claim.%'")).toBe(0)
  })

  test('the gateway is asked again with the same reference after a cut; a refused number is given up', async () => {
    const phone = aBrowser(web.base)
    gateway.answer = 'cut'
    await phone.send('POST', `${at()}/code`, { mobile: mobileOf(0) })
    await expect(handOver()).rejects.toMatchObject({ outcome: 'unknown' })
    gateway.answer = { status: 200, body: '{"code":"OK"}' }
    await handOver()
    const [first, again] = gateway.seen.map(({ raw }) => raw)
    expect(again).toBe(first)
    gateway.answer = { status: 400, body: '{"code":"MOBILE_INVALID"}' }
    await phone.send('POST', `${at()}/code`, { mobile: mobileOf(1) })
    await handOver()
    expect(await count("select count(*) as n from sms_code where state = 'failed' and phone_sealed is null")).toBe(1)
  })
})
