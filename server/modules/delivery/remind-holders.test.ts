import { afterEach, beforeEach, expect, test } from 'vitest'
import { handlers } from '../../../jobs/handlers.ts'
import { workOnce } from '../../../jobs/worker.ts'
import type { Id } from '../../../contract/ids.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import type { Ports } from '../../channels/ports.ts'
import { dayOf, instantOf } from '../../kernel/company-day.ts'
import { change, sql } from '../../kernel/sql.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { extendCard } from '../card/extend-card.ts'
import type { Holder } from '../card/read-card.ts'
import { claimGift } from '../gift/claim-gift.ts'
import { offerGift } from '../gift/offer-gift.ts'
import { readGivenGift } from '../gift/read-gifts.ts'
import { remindAll } from './remind-holders.ts'

const DAY_MS = 86_400_000
const zone = 'Asia/Shanghai'
let box: WecomSandbox
let nowMs: number
beforeEach(async () => {
  nowMs = instantOf(dayOf(Date.now() + 2 * DAY_MS, zone), 2 * 60, zone)
  box = await startWecomSandbox({ now: () => nowMs })
})
afterEach(() => box.close())

onBothDatabases('reminding holders', (database) => {
  const edge = () => database.edge({ wecom: wecomOf(box, { now: () => nowMs }) } as Ports, undefined, () => nowMs)
  const tamper = (text: string, values: unknown[] = []) => database.tx((tx) => change(tx.em, text, values))
  const work = async () => {
    while ((await workOnce(edge(), handlers, 'small')) || (await workOnce(edge(), handlers, 'bulk')));
  }
  /** The night and the morning of a day, and what was sent of the day before. */
  const aDay = async () => {
    await remindAll(edge())
    await work()
    nowMs += 8 * 3_600_000
    await work()
    nowMs += 16 * 3_600_000
  }

  async function aStage() {
    const staff = ['u0', 'u1', 'u2', 'u3', 'gone'].map((userid) => ({ userid, name: userid }))
    const company = await aCompany(database, { sandbox: box, staff, name: '青禾信息' })
    const personIds = await somePeople(database, company.id, [...staff, { name: '无号' }])
    const campaign = await anIssuedCampaign(database, company, personIds)
    await tamper("update job set state = 'done'")
    await tamper("update person set state = 'left' where id = ?", [personIds[4]])
    const ends = (person: number, days: number) =>
      tamper('update card set expires_at_ms = ? where holder_id = ?', [nowMs + days * DAY_MS, personIds[person]])
    const heard = (userid: string) => box.control.inbox(company.wecom.corpId, userid)!.length
    // The messages of the campaign itself are no part of this.
    await tamper('delete from job')
    for (const id of personIds)
      await tamper(
        `insert into delivery (id, company_id, campaign_id, person_id, state, version, attempts) values (?, ?, ?, ?, 'sent', 1, 1)`,
        [await database.tx(async (tx) => tx.newId('delivery')), company.id, campaign.id, id],
      )
    return { company, personIds: personIds as Id<'person'>[], ends, heard }
  }

  test('who holds a card now is told of its end, and told again when it was made valid again', async () => {
    const { company, personIds, ends, heard } = await aStage()
    await tamper('update company set gift_depth = 1 where id = ?', [company.id])
    await ends(0, 31)
    for (let day = 0; day < 4; day += 1) await aDay()
    expect([heard('u0'), heard('u3')]).toEqual([1, 0])
    const [giver, friend] = [0, 3].map((index) => ({ companyId: company.id, holderId: personIds[index]! })) as [
      Holder,
      Holder,
    ]
    const [card] = await database.tx((tx) =>
      sql<{ id: Id<'card'> }>(tx.em, 'select id from card where holder_id = ?', [giver.holderId]),
    )
    await edge().tx(async (tx) => {
      const gift = await offerGift(tx, giver, { cardId: card!.id, cover: 'plain', greeting: '' })
      const { path } = await readGivenGift(tx, giver, gift)
      await claimGift(tx, friend, path!.slice(-26))
    })
    for (let day = 4; day < 33; day += 1) await aDay()
    expect([heard('u0'), heard('u3')]).toEqual([1, 3])
    await edge().tx((tx) => extendCard(tx, friend, card!.id, async () => 31))
    for (let day = 0; day < 33; day += 1) await aDay()
    expect([heard('u0'), heard('u3')]).toEqual([1, 6])
  })

  test('30, 7 and 1 days before, once each, whatever is killed or run twice; nobody else hears anything', async () => {
    const { company, ends, heard } = await aStage()
    await ends(0, 31)
    await ends(1, 31)
    await ends(2, 90)
    await ends(4, 3)
    await ends(5, 3)
    for (let day = 0; day < 33; day += 1) {
      await aDay()
      if (day === 2) expect([heard('u0'), heard('u1')]).toEqual([1, 1])
      if (day === 25) expect(heard('u0')).toBe(2)
    }
    expect([heard('u0'), heard('u1'), heard('u2'), heard('u3'), heard('gone')]).toEqual([3, 3, 0, 0, 0])
    const [first] = box.control.inbox(company.wecom.corpId, 'u0')!
    expect(first!.message.body).toMatchObject({ title: '您的福利卡快到期了' })
    expect(String(first!.message.body['description'])).not.toMatch(/500|u0/)
    // Both were named in one call, with the same bytes.
    expect(box.control.stats(company.wecom.corpId)).toMatchObject({ sends: 3, delivered: 6 })
    const states = await database.tx((tx) => sql<{ state: string }>(tx.em, 'select distinct state from notification'))
    expect(states).toEqual([{ state: 'sent' }])
  })

  test('run again and again on one day, and with an answer lost, each hears it once', async () => {
    const { company, ends, heard } = await aStage()
    await ends(0, 5)
    await remindAll(edge())
    nowMs += 8 * 3_600_000
    box.control.addFault({ path: 'message/send', kind: 'cut_after' })
    await work()
    await Promise.all([1, 2].map(() => handlers['company.remind']!(edge(), { companyId: company.id })))
    nowMs += 3_600_000
    await handlers['company.remind']!(edge(), { companyId: company.id })
    await work()
    expect(heard('u0')).toBe(1)
  })

  test('nobody is reminded twice a day or four times in 30 days, and a spent card not at all', async () => {
    const { ends, heard, personIds } = await aStage()
    await ends(0, 2)
    await tamper('update card set balance_fen = 0 where holder_id = ?', [personIds[3]])
    await ends(3, 2)
    for (let day = 0; day < 10; day += 1) {
      await aDay()
      // The card seems to end on another day each morning.
      await ends(0, 2 + day / 100)
    }
    expect([heard('u0'), heard('u3')]).toEqual([3, 0])
    await tamper('update card set balance_fen = face_fen where holder_id = ?', [personIds[3]])
  })
})
