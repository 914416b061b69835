import { expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import type { Edge } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { aCompany } from '../../testing/companies.ts'
import { anIssuedCampaign, somePeople, type TestPerson } from '../../testing/campaigns.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { corpOf } from '../../testing/wecom.ts'
import { deliverAll, deliveryStage, listed, staffOf } from '../../testing/delivering.ts'
import { proveBooks } from '../analytics/prove-books.ts'
import { deliverCards } from './deliver-cards.ts'
import { markOpened } from './mark-opened.ts'
import { readFailures } from './read-deliveries.ts'
import { resendDeliveries } from './resend-deliveries.ts'
import { sendBatch } from './send-batch.ts'

onBothDatabases('delivering cards', (database) => {
  const stage = deliveryStage(database)
  const { edgeAs, counts, stats, rows, oneBatch, aCampaignOf, mendConnection, stateOf } = stage

  test('2,500 people in three calls; who cannot be reached has the reason; the totals add up at every moment', async () => {
    const company = await aCompany(database, { sandbox: stage.box, staff: staffOf(2450) })
    stage.box.control.upsertCorp({
      ...corpOf(company.wecom),
      accountLimit: 100_000,
      trustedDomains: ['127.0.0.1:8080'],
      members: [
        ...Array.from({ length: 10 }, (_, i) => ({ userid: `Hidden${i}`, name: '隐', visible: false })),
        ...Array.from({ length: 10 }, (_, i) => ({ userid: `Bare${i}`, name: '未', licensed: false })),
      ],
    })
    const many = (count: number, prefix: string) =>
      Array.from({ length: count }, (_, i) => ({ name: prefix, userid: `${prefix}${i}` }))
    const people: TestPerson[] = [
      ...listed(2445),
      // Found by mobile only; the list does not name their accounts.
      ...staffOf(2450)
        .slice(2445)
        .map(({ name, mobile }) => ({ name, phone: mobile })),
      ...many(10, 'Hidden'),
      ...many(10, 'Bare'),
      ...many(10, 'Nobody'),
      ...Array.from({ length: 10 }, (_, i) => ({ name: '无号', phone: `1870000000${i}` })),
      ...Array.from({ length: 10 }, () => ({ name: '无联系' })),
    ]
    const personIds = await somePeople(database, company.id, people)
    const campaign = await anIssuedCampaign(database, company, personIds)
    expect(await counts(campaign.id)).toMatchObject({ heads: 2500, pending: 2500, sent: 0, failed: 0 })
    let looks = 0
    await deliverAll(edgeAs(), async () => {
      looks += 1
      const now = await counts(campaign.id)
      expect(now.pending + now.sent + now.failed).toBe(2500)
      expect(now.pending).toBeGreaterThanOrEqual(0)
      expect(await database.tx(proveBooks)).toEqual([])
    })
    // One for issuing, three slices, three calls.
    expect(looks).toBe(7)
    expect(await counts(campaign.id)).toMatchObject({ pending: 0, sent: 2450, failed: 50, repeats: 0 })
    expect(await database.tx((tx) => readFailures(tx, campaign.id))).toEqual([
      { reason: 'no_wecom_account', count: 20 },
      { reason: 'not_visible', count: 20 },
      { reason: 'unlicensed', count: 10 },
    ])
    expect(stats(company)).toMatchObject({ sends: 3, accepted: 3, delivered: 2450, dropped: 0, lookups: 15 })
    expect(stage.box.control.inbox(company.wecom.corpId, 'staff2449')).toHaveLength(1)
    expect(await stateOf(campaign.id)).toBe('finished')
    const trails = await rows('select id from trail where act = ?', ['delivery.sent'])
    expect(trails).toHaveLength(3)
    const stored = await rows<{ body_sealed: Buffer; people_sealed: Buffer }>('select * from delivery_batch')
    for (const batch of stored)
      expect(`${batch.body_sealed.toString()} ${batch.people_sealed.toString()}`).not.toMatch(/staff|touser/i)
  })

  test('two workers on the same slices write each message once', async () => {
    const { company, campaign } = await aCampaignOf(1500)
    const slices = await rows<{ id: Id<'orderSlice'> }>('select id from order_slice')
    await Promise.all([...slices, ...slices].map(({ id }) => deliverCards(edgeAs(), id)))
    await Promise.all([deliverAll(edgeAs()), deliverAll(edgeAs())])
    expect(await counts(campaign.id)).toMatchObject({ pending: 0, sent: 1500 })
    expect(stats(company)).toMatchObject({ delivered: 1500, perMember: { 1: 1500 } })
  })

  test('an answer that got lost is asked again with the same bytes, and nobody gets a second message', async () => {
    const { company, campaign } = await aCampaignOf(20)
    for (const kind of ['cut_after', 'status500_after', 'cut_after'] as const)
      stage.box.control.addFault({ path: 'message/send', kind })
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ pending: 20 })
    for (let i = 0; i < 3; i += 1) {
      stage.nowMs += 60 * 60_000
      await deliverAll(edgeAs())
    }
    expect(await counts(campaign.id)).toMatchObject({ pending: 0, sent: 20, repeats: 0 })
    expect(stats(company)).toMatchObject({ delivered: 20, suppressedDuplicates: 3, perMember: { 1: 20 } })
  })

  test('after the window nothing is repeated: the outcome is unknown, and a person decides', async () => {
    const { company, campaign } = await aCampaignOf(3)
    stage.box.control.addFault({ path: 'message/send', kind: 'cut_after' })
    await deliverAll(edgeAs())
    stage.nowMs += 14_400_000 - 600_000
    await deliverAll(edgeAs())
    expect(stats(company)).toMatchObject({ sends: 1, delivered: 3 })
    expect(await database.tx((tx) => readFailures(tx, campaign.id))).toEqual([{ reason: 'outcome_unknown', count: 3 }])
    const hr = edgeAs(company.as('hr'))
    expect(await hr.tx((tx) => resendDeliveries(tx, { campaignId: campaign.id }))).toBe(3)
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ sent: 3, failed: 0, repeats: 3 })
  })

  test('a kill between the call and its record repeats the same bytes; one before the call sends once', async () => {
    const { company, campaign } = await aCampaignOf(5)
    const slices = await rows<{ id: Id<'orderSlice'> }>('select id from order_slice')
    const killed = (at: number): Edge => {
      let writes = 0
      const edge = edgeAs()
      return {
        ...edge,
        tx: (run) => {
          writes += 1
          if (writes >= at) throw new Error('killed')
          return edge.tx(run)
        },
      }
    }
    await expect(deliverCards(killed(2), slices[0]!.id)).rejects.toThrow('killed')
    expect(await counts(campaign.id)).toMatchObject({ pending: 5 })
    expect(await rows('select id from delivery_batch')).toHaveLength(0)
    await deliverCards(edgeAs(), slices[0]!.id)
    const batchId = await oneBatch()
    await expect(sendBatch(killed(1), batchId)).rejects.toThrow('killed')
    expect(stats(company)).toMatchObject({ sends: 0 })
    for (let i = 0; i < 2; i += 1) await expect(sendBatch(killed(2), batchId)).rejects.toThrow('killed')
    expect(stats(company)).toMatchObject({ sends: 2, delivered: 5 })
    // Killed after the record, before the campaign is finished.
    await expect(sendBatch(killed(3), batchId)).rejects.toThrow('killed')
    expect(await stateOf(campaign.id)).toBe('running')
    await sendBatch(edgeAs(), batchId)
    expect(await stateOf(campaign.id)).toBe('finished')
    expect(stats(company)).toMatchObject({ sends: 3, delivered: 5, perMember: { 1: 5 } })
    expect(await counts(campaign.id)).toMatchObject({ sent: 5, pending: 0, repeats: 0 })
  })

  test('two workers on one batch: one begins the call, the other comes back later', async () => {
    const { company, campaign } = await aCampaignOf(4)
    const [slice] = await rows<{ id: Id<'orderSlice'> }>('select id from order_slice')
    await deliverCards(edgeAs(), slice!.id)
    const batchId = await oneBatch()
    const ends = await Promise.allSettled([sendBatch(edgeAs(), batchId), sendBatch(edgeAs(), batchId)])
    expect(ends.some((end) => end.status === 'fulfilled')).toBe(true)
    expect(stats(company)).toMatchObject({ delivered: 4 })
    expect(await counts(campaign.id)).toMatchObject({ sent: 4 })
  })

  test('when WeCom takes none of them, each has the reason', async () => {
    const company = await aCompany(database, { sandbox: stage.box })
    const personIds = await somePeople(database, company.id, [
      { name: '甲', userid: 'ghost1' },
      { name: '乙', userid: 'ghost2' },
    ])
    const campaign = await anIssuedCampaign(database, company, personIds)
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ sent: 0, failed: 2, pending: 0 })
    expect(await database.tx((tx) => readFailures(tx, campaign.id))).toEqual([{ reason: 'not_visible', count: 2 }])
    expect(await stateOf(campaign.id)).toBe('finished')
  })

  test.each([
    { errcode: 60020, reason: 'address_not_trusted', state: 'broken' },
    { errcode: 40001, reason: 'app_not_connected', state: 'broken' },
    { errcode: 40058, reason: 'refused_by_wecom', state: 'active' },
  ] as const)('errcode $errcode ends as $reason and a resend goes through', async ({ errcode, reason, state }) => {
    const { company, campaign } = await aCampaignOf(2)
    stage.box.control.addFault({ path: 'message/send', kind: 'errcode', errcode, times: 1 })
    await deliverAll(edgeAs())
    expect(await rows('select state from wecom_connection')).toEqual([{ state }])
    await mendConnection()
    expect(await database.tx((tx) => readFailures(tx, campaign.id))).toEqual([{ reason, count: 2 }])
    const hr = edgeAs(company.as('hr'))
    expect(await hr.tx((tx) => resendDeliveries(tx, { campaignId: campaign.id, reason }))).toBe(2)
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ sent: 2, failed: 0, repeats: 0 })
  })

  test('a busy WeCom is asked again for as long as it takes, and its window does not begin', async () => {
    const { company, campaign } = await aCampaignOf(2)
    stage.box.control.addFault({ path: 'message/send', kind: 'errcode', errcode: -1, times: 30 })
    for (let i = 0; i < 31; i += 1) {
      await deliverAll(edgeAs())
      stage.nowMs += 600_000
    }
    expect(await counts(campaign.id)).toMatchObject({ sent: 2, pending: 0 })
    expect(stats(company)).toMatchObject({ delivered: 2 })
    expect(await rows("select id from job where state = 'dead'")).toHaveLength(0)
  })

  test('look-ups that WeCom does not answer wait, and go on where they stopped', async () => {
    const company = await aCompany(database, { sandbox: stage.box, staff: staffOf(4) })
    const people = staffOf(4).map(({ name, mobile }) => ({ name, phone: mobile }))
    const campaign = await anIssuedCampaign(database, company, await somePeople(database, company.id, people))
    stage.box.control.addFault({ path: 'user/getuserid', kind: 'errcode', errcode: -1, times: 45 })
    for (let i = 0; i < 20; i += 1) {
      await deliverAll(edgeAs())
      stage.nowMs += 5_000
    }
    expect(await counts(campaign.id)).toMatchObject({ sent: 4, pending: 0 })
    expect(stats(company)).toMatchObject({ lookups: 4, delivered: 4 })
    expect(await rows("select id from job where state <> 'done' and kind <> 'settlement.plan'")).toHaveLength(0)
  })

  test('two people with one account get one message, whose link names the campaign and nobody', async () => {
    const company = await aCompany(database, { sandbox: stage.box, staff: staffOf(1), code: 'one-account' })
    const people = [
      { name: '甲', userid: 'Staff0' },
      { name: '乙', userid: 'STAFF0' },
    ]
    const campaign = await anIssuedCampaign(database, company, await somePeople(database, company.id, people))
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ sent: 2, pending: 0 })
    const inbox = stage.box.control.inbox(company.wecom.corpId, 'staff0')!
    const link = `http://127.0.0.1:8080/pack/?campaign=${campaign.id}&company=one-account`
    expect(inbox.map(({ message }) => message.url)).toEqual([link])
    // What people can read: ids are random and may hold any digits.
    const words = JSON.stringify(inbox.map(({ message }) => message.body)).replaceAll(campaign.id, '')
    expect(words).not.toMatch(/甲|乙|staff0|500/i)
  })

  test('a company without an app gets the reason; connected later, a resend goes through', async () => {
    const { company, campaign } = await aCampaignOf(2)
    await database.tx((tx) => change(tx.em, "update wecom_connection set corp_id = 'x', company_id = 'y'"))
    await deliverAll(edgeAs())
    expect(await database.tx((tx) => readFailures(tx, campaign.id))).toEqual([
      { reason: 'app_not_connected', count: 2 },
    ])
    await database.tx((tx) =>
      change(tx.em, 'update wecom_connection set corp_id = ?, company_id = ?', [company.wecom.corpId, company.id]),
    )
    await edgeAs(company.as('hr')).tx((tx) => resendDeliveries(tx, { campaignId: campaign.id }))
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ sent: 2, failed: 0 })
  })

  test('at its time and not before, beside the rush', async () => {
    database.house = { ...database.house, quietMinutes: true }
    const company = await aCompany(database, { sandbox: stage.box, staff: staffOf(2) })
    const personIds = await somePeople(database, company.id, listed(2))
    const sendAtMs = Math.ceil(stage.nowMs / 1_800_000) * 1_800_000 + 3_600_000
    const campaign = await anIssuedCampaign(database, company, personIds, { sendAtMs })
    await deliverAll(edgeAs())
    stage.nowMs = sendAtMs + 59_999
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ pending: 2 })
    expect(stats(company)).toMatchObject({ sends: 0 })
    stage.nowMs += 1
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ sent: 2 })
  })

  test('opened once, also where the record was slower or the message had failed', async () => {
    const { campaign } = await aCampaignOf(2, [{ name: '错', userid: 'wrong-id' }])
    const [first, second, failed] = campaign.personIds
    const open = (personId: Id<'person'>) => database.tx((tx) => markOpened(tx, { campaignId: campaign.id, personId }))
    expect(await open(first!)).toBe(false)
    const [slice] = await rows<{ id: Id<'orderSlice'> }>('select id from order_slice')
    await deliverCards(edgeAs(), slice!.id)
    expect(await open(first!)).toBe(true)
    expect(await counts(campaign.id)).toMatchObject({ pending: 2, sent: 1, opened: 1 })
    await sendBatch(edgeAs(), await oneBatch())
    expect(await counts(campaign.id)).toMatchObject({ pending: 0, sent: 2, opened: 1, failed: 1 })
    expect(await Promise.all([open(second!), open(second!), open(failed!)])).toSatisfy(
      (ends: boolean[]) => ends.filter(Boolean).length === 2,
    )
    expect(await open(first!)).toBe(false)
    expect(await counts(campaign.id)).toMatchObject({ pending: 0, sent: 3, opened: 3, failed: 0, repeats: 0 })
  })

  test('the proof names a delivery too many, a card without one, and one that is under way in no batch', async () => {
    const { campaign } = await aCampaignOf(3)
    await deliverAll(edgeAs())
    const id = campaign.id
    const tamper = (text: string, values: unknown[]) => database.tx((tx) => change(tx.em, text, values))
    await tamper('update campaign set heads = 2 where id = ?', [id])
    await tamper("update delivery set state = 'sending' where person_id = ?", [campaign.personIds[0]])
    const found = (await database.tx(proveBooks)).map(({ rule, subject }) => ({ rule, subject }))
    expect(found).toEqual([
      { rule: 'deliveries_are_within_the_heads', subject: id },
      { rule: 'messages_under_way_are_in_an_open_batch', subject: id },
      { rule: 'a_campaign_is_its_order', subject: id },
    ])
    await tamper('update campaign set heads = 3 where id = ?', [id])
    await tamper("update delivery set state = 'sent', person_id = 'nobody' where person_id = ?", [
      campaign.personIds[0],
    ])
    const missing = (await database.tx(proveBooks)).map(({ rule }) => rule)
    expect(missing).toEqual(['cards_of_a_campaign_are_planned_to_be_sent', 'planned_messages_are_being_sent'])
    await tamper("update delivery set person_id = ? where person_id = 'nobody'", [campaign.personIds[0]])
  })
})
