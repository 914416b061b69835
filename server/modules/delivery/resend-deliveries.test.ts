import { expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { corpOf } from '../../testing/wecom.ts'
import { deliverAll, deliveryStage } from '../../testing/delivering.ts'
import { correctDelivery } from './correct-delivery.ts'
import { deliverAgain } from './deliver-cards.ts'
import { readFailures, readRecipients } from './read-deliveries.ts'
import { resendDeliveries } from './resend-deliveries.ts'

onBothDatabases('delivering again', (database) => {
  const stage = deliveryStage(database)
  const { edgeAs, counts, stats, rows, aCampaignOf, mendConnection } = stage

  test('whom WeCom did not know is looked up again by every kind of resend; the misses still count for the day', async () => {
    const phones = [0, 1, 2].map((i) => `1371111000${i}`)
    const people = phones.map((phone) => ({ name: '新', phone }))
    const { company, campaign } = await aCampaignOf(1, people)
    const missed = async () =>
      Number(
        (await rows<{ n: unknown }>("select sum(count) as n from shared_count where name like 'getuserid.missed:%'"))[0]
          ?.n,
      )
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ sent: 1, failed: 3 })
    expect([stats(company), await missed()]).toMatchObject([{ lookups: 3 }, 3])
    const hr = edgeAs(company.as('hr'))
    const added = async (i: number) => {
      const member = { userid: `New${i}`, name: '新', mobile: phones[i]! }
      stage.box.control.upsertCorp({
        ...corpOf(company.wecom),
        accountLimit: 1_000,
        trustedDomains: [],
        members: [member],
      })
      return (await database.tx((tx) => readRecipients(tx, { campaignId: campaign.id, limit: 10 })))[i + 1]!.deliveryId!
    }
    const ids = [await added(0)]
    await hr.tx((tx) => resendDeliveries(tx, { campaignId: campaign.id, deliveryIds: ids }))
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ sent: 2, failed: 2 })
    await added(1)
    await hr.tx((tx) => resendDeliveries(tx, { campaignId: campaign.id, reason: 'no_wecom_account' }))
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ sent: 3, failed: 1 })
    expect([stats(company), await missed()]).toMatchObject([{ lookups: 6 }, 4])
    await hr.tx((tx) => resendDeliveries(tx, { campaignId: campaign.id }))
    await deliverAll(edgeAs())
    await hr.tx((tx) => resendDeliveries(tx, { campaignId: campaign.id }))
    await deliverAll(edgeAs())
    // Five numbers unknown to WeCom in a day: the sixth look-up is not made.
    expect([stats(company), await missed()]).toMatchObject([{ lookups: 7 }, 5])
    expect(await database.tx((tx) => readFailures(tx, campaign.id))).toEqual([{ reason: 'lookup_rationed', count: 1 }])
    const corrected = await added(2)
    stage.nowMs += 86_400_001
    await hr.tx((tx) => correctDelivery(tx, { deliveryId: corrected, phone: phones[2] }))
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ sent: 4, failed: 0 })
  })

  test('a resend of what arrived is refused, whole; a correction sends again; other companies see nothing', async () => {
    const { company, campaign } = await aCampaignOf(2, [{ name: '错', userid: 'wrong-id' }])
    await deliverAll(edgeAs())
    const people = await database.tx((tx) => readRecipients(tx, { campaignId: campaign.id, limit: 10 }))
    const ids = people.map((person) => person.deliveryId!)
    const wrong = people.find((person) => person.state === 'failed')!
    const hr = edgeAs(company.as('hr'))
    const resend = (deliveryIds: Id<'delivery'>[]) =>
      hr.tx((tx) => resendDeliveries(tx, { campaignId: campaign.id, deliveryIds }))
    await expect(resend(ids)).rejects.toMatchObject({ code: 'delivery_not_retryable' })
    await expect(resend([ids[0]!])).rejects.toMatchObject({ code: 'delivery_not_retryable' })
    expect(await counts(campaign.id)).toMatchObject({ sent: 2, failed: 1, pending: 0 })
    const other = edgeAs((await aCompany(database)).as('admin'))
    const correction = { deliveryId: wrong.deliveryId!, wecomUserId: 'hr' }
    const strange = other.tx((tx) => resendDeliveries(tx, { campaignId: campaign.id }))
    await expect(strange).rejects.toMatchObject({ code: 'not_found' })
    await expect(other.tx((tx) => correctDelivery(tx, correction))).rejects.toMatchObject({ code: 'not_found' })
    const twice = await Promise.allSettled([1, 2].map(() => hr.tx((tx) => correctDelivery(tx, correction))))
    expect(twice.map((end) => end.status).sort()).toEqual(['fulfilled', 'rejected'])
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ sent: 3, failed: 0, repeats: 0 })
    expect(stage.box.control.inbox(company.wecom.corpId, 'hr')).toHaveLength(1)
    await expect(hr.tx((tx) => correctDelivery(tx, correction))).rejects.toMatchObject({
      code: 'delivery_not_retryable',
    })
  })

  test('thousands that failed are planned again in pieces, each once', async () => {
    const { company, campaign } = await aCampaignOf(2100)
    stage.box.control.addFault({ path: 'message/send', kind: 'errcode', errcode: 60020, times: 1 })
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ failed: 2100 })
    await mendConnection()
    const hr = edgeAs(company.as('hr'))
    expect(await hr.tx((tx) => resendDeliveries(tx, { campaignId: campaign.id }))).toBe(2100)
    // Workers who take the same people at once leave nobody behind.
    const send = () => deliverAgain(edgeAs(), campaign.id)
    await Promise.all([deliverAll(edgeAs()), deliverAll(edgeAs()), send(), send()])
    await deliverAll(edgeAs())
    expect(await counts(campaign.id)).toMatchObject({ sent: 2100, failed: 0 })
    expect(stats(company)).toMatchObject({ delivered: 2100, perMember: { 1: 2100 } })
  })
})
