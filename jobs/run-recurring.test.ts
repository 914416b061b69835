import { expect, test } from 'vitest'
import { fen } from '../contract/fen.ts'
import type { RecurringContent } from '../contract/hr/recurring.ts'
import type { Id } from '../contract/ids.ts'
import type { Ports } from '../server/channels/ports.ts'
import type { Edge } from '../server/kernel/context.ts'
import { sql } from '../server/kernel/sql.ts'
import { approveCampaign } from '../server/modules/campaign/approve-campaign.ts'
import { approveRecurring, submitRecurring } from '../server/modules/campaign/approve-recurring.ts'
import { createRecurring } from '../server/modules/campaign/create-recurring.ts'
import { dryRunCampaign } from '../server/modules/campaign/dry-run.ts'
import { editRecurring } from '../server/modules/campaign/edit-recurring.ts'
import { pauseRecurring, resumeRecurring } from '../server/modules/campaign/move-recurring.ts'
import { planCampaign } from '../server/modules/campaign/plan-campaign.ts'
import { previewRecurring } from '../server/modules/campaign/preview-recurring.ts'
import { readCampaign } from '../server/modules/campaign/read-campaign.ts'
import { readRecurring } from '../server/modules/campaign/read-recurring.ts'
import { runRecurring } from '../server/modules/campaign/run-recurring.ts'
import { createBrand } from '../server/modules/catalog/create-template.ts'
import { planSending } from '../server/modules/delivery/plan-sending.ts'
import { readWallet } from '../server/modules/wallet/read-wallet.ts'
import { somePeople, type TestPerson } from '../server/testing/campaigns.ts'
import { aTemplate } from '../server/testing/cards.ts'
import { aCompany, type TestCompany } from '../server/testing/companies.ts'
import { onBothDatabases, type TestDatabase } from '../server/testing/databases.ts'
import { payRecurring, startRecurring } from './run-recurring.ts'

const noPorts = {} as Ports
const at = (text: string): number => Date.parse(`${text}+08:00`)
type RunId = Id<'recurring'>

async function aStage(database: TestDatabase, people: readonly TestPerson[], more: Partial<RecurringContent> = {}) {
  const company = await aCompany(database, { walletFen: 1_000_000 })
  await somePeople(database, company.id, people)
  const templateVersionId = await database.tx(async (tx) =>
    aTemplate(tx, await createBrand(tx, { name: '青禾', issuerPrefix: '6230' }), { maxFaceFen: fen(60_000) }),
  )
  const content: RecurringContent = {
    kind: 'birthday',
    title: '生日快乐',
    cover: 'birthday',
    templateVersionId,
    faceFen: fen(20_000),
    perYearFen: fen(0),
    greeting: '{姓名}，生日快乐',
    sendAtMinute: 9 * 60 + 30,
    monthlyLimitFen: fen(500_000),
    ...more,
  }
  const as = (role: 'hr' | 'approver' | 'admin', now: number) => database.edge(noPorts, company.as(role), () => now)
  return { company, content, as }
}
type Stage = Awaited<ReturnType<typeof aStage>>

async function active({ content, as }: Stage, now: number): Promise<RunId> {
  const id = await as('hr', now).tx((tx) => createRecurring(tx, content))
  const { contentHash } = await as('hr', now).read((tx) => previewRecurring(tx, id, 'zh'))
  await as('hr', now).tx((tx) => submitRecurring(tx, { id, contentHash }))
  await as('approver', now).tx((tx) => approveRecurring(tx, { id, contentHash }))
  return id
}

onBothDatabases('birthday and anniversary runs', (database) => {
  const house = (now: number): Edge => database.edge(noPorts, undefined, () => now)
  const daysOf = (id: RunId) =>
    database.tx((tx) =>
      sql<{ id: Id<'campaign'>; day: string; state: string; heads: number; price: number }>(
        tx.em,
        'select id, run_day as day, state, heads, price_total_fen as price from campaign where recurring_id = ? order by run_day',
        [id],
      ),
    )
  const days = async (id: RunId) => (await daysOf(id)).map(({ day, state, heads }) => [day, state, Number(heads)])
  const balance = async (company: TestCompany) => (await database.tx((tx) => readWallet(tx, company.id)))?.balanceFen
  const pay = async (id: RunId, now: number) => {
    for (const one of await daysOf(id)) await payRecurring(house(now), one.id)
  }

  test('a day becomes a campaign of its own, approved, ordered and paid once, whatever runs at once', async () => {
    const stage = await aStage(database, [
      { name: '甲', birthday: '11-22', userid: 'jia' },
      { name: '乙', birthday: '11-22' },
      { name: '丙', birthday: '11-23' },
    ])
    const { company } = stage
    const id = await active(stage, at('2026-11-22T08:00'))
    const now = at('2026-11-22T08:30')
    await Promise.all([1, 2, 3].map(() => runRecurring(house(now), id)))
    expect(await days(id)).toEqual([['2026-11-22', 'approved', 2]])
    const [day] = await daysOf(id)
    const campaign = await database.tx((tx) => readCampaign(tx, day!.id))
    expect(campaign).toMatchObject({
      companyId: company.id,
      occasion: 'birthday',
      sendAtMs: at('2026-11-22T09:30'),
      createdBy: company.members.hr,
      decidedBy: company.members.approver,
      heads: 2,
      faceTotalFen: 40_000,
    })
    await Promise.all([pay(id, now), pay(id, now)])
    const [order] = await database.tx((tx) => sql<{ state: string }>(tx.em, 'select state from orders'))
    expect(order?.state).toBe('funded')
    expect(await balance(company)).toBe(1_000_000 - day!.price)
    await runRecurring(house(at('2026-11-22T23:59')), id)
    await runRecurring(house(at('2026-11-23T00:01')), id)
    expect(await days(id)).toEqual([
      ['2026-11-22', 'approved', 2],
      ['2026-11-23', 'approved', 1],
    ])
    const jobs = await database.tx(async (tx) => {
      await startRecurring({ ...tx, clock: { now: () => at('2026-11-24T00:01') } })
      return sql<{ kind: string }>(tx.em, "select kind from job where kind = 'recurring.run'")
    })
    expect(jobs).toHaveLength(2)
  })

  test('years count: the amount grows by the year up to what the card holds, and 29 February comes on the 28th', async () => {
    const stage = await aStage(
      database,
      [
        { name: '甲', hireDate: '2024-02-29' },
        { name: '乙', hireDate: '2020-02-28' },
        { name: '丙', hireDate: '2026-02-28' },
        { name: '丁', hireDate: '1990-02-28' },
      ],
      { kind: 'anniversary', perYearFen: fen(5_000), greeting: '{姓名}，{年数}年了' },
    )
    const id = await active(stage, at('2026-02-27T08:00'))
    await runRecurring(house(at('2026-02-28T00:01')), id)
    const faces = await database.tx((tx) => sql<{ face: number }>(tx.em, 'select face_fen as face from order_item'))
    expect(faces.map(({ face }) => Number(face)).sort((a, b) => a - b)).toEqual([30_000, 50_000, 60_000])
    const [day] = await daysOf(id)
    const seen = await stage
      .as('approver', at('2026-02-28T08:00'))
      .read((tx) => dryRunCampaign(tx, day!.id, 'zh', planSending))
    expect(seen.preview?.greeting).toMatch(/^(甲，2|乙，6|丁，36)年了$/)
  })

  test('stopped at any of its transactions and begun again, a large day is made once', async () => {
    const people = Array.from({ length: 1_005 }, (_, i) => ({ name: `员工${i}`, birthday: '01-01' }))
    const stage = await aStage(database, people, { monthlyLimitFen: fen(50_000_000) })
    const id = await active(stage, at('2025-12-31T08:00'))
    const edge = house(at('2026-01-01T00:01'))
    for (let stopAt = 2; stopAt <= 5; stopAt += 1) {
      let count = 0
      const stopping: Edge = {
        ...edge,
        tx: (work) => ((count += 1) >= stopAt ? Promise.reject(new Error('stopped')) : edge.tx(work)),
      }
      await expect(runRecurring(stopping, id)).rejects.toThrow('stopped')
      expect(await daysOf(id)).toEqual([])
    }
    await runRecurring(edge, id)
    expect(await days(id)).toEqual([['2026-01-01', 'approved', 1_005]])
    const orders = await database.tx((tx) => sql<{ state: string }>(tx.em, 'select state from orders'))
    expect(orders.filter((order) => order.state === 'awaiting_funds')).toHaveLength(1)
    await payRecurring(edge, (await daysOf(id))[0]!.id)
    expect(await balance(stage.company)).toBe(1_000_000)
  })

  test('days missed are made up for within three days, with a line that says so; later not', async () => {
    const people = ['03-01', '03-02', '03-03', '03-04', '03-05', '03-06'].map((birthday) => ({
      name: '员工',
      birthday,
    }))
    const stage = await aStage(database, people)
    const id = await active(stage, at('2026-03-01T08:00'))
    await runRecurring(house(at('2026-03-06T15:00')), id)
    expect((await days(id)).map(([day]) => day)).toEqual(['2026-03-03', '2026-03-04', '2026-03-05', '2026-03-06'])
    const acts = await database.tx((tx) =>
      sql<{ act: string; note: string }>(
        tx.em,
        "select act, note from trail where act in ('campaign.made_up', 'recurring.days_missed') order by note, act",
      ),
    )
    expect(acts).toEqual([
      { act: 'recurring.days_missed', note: '2026-03-01 2026-03-03' },
      ...['2026-03-03', '2026-03-04', '2026-03-05'].map((note) => ({ act: 'campaign.made_up', note })),
    ])
  })

  test('beyond the limit of the month a day waits for a person, who may approve it late; the next month is free', async () => {
    const people = ['04-10', '04-11', '05-01'].map((birthday) => ({ name: '员工', birthday }))
    const stage = await aStage(database, people, { monthlyLimitFen: fen(20_000) })
    const id = await active(stage, at('2026-04-01T08:00'))
    for (const day of ['2026-04-10', '2026-04-11', '2026-05-01']) await runRecurring(house(at(`${day}T00:01`)), id)
    expect(await days(id)).toEqual([
      ['2026-04-10', 'approved', 1],
      ['2026-04-11', 'in_review', 1],
      ['2026-05-01', 'approved', 1],
    ])
    const waiting = (await daysOf(id))[1]!.id
    const later = at('2026-05-02T10:00')
    const { contentHash } = await stage.as('approver', later).read(async (tx) => {
      const campaign = await readCampaign(tx, waiting)
      return planCampaign(tx, campaign!)
    })
    await expect(approveCampaign(stage.as('hr', later), { id: waiting, contentHash })).rejects.toMatchObject({
      code: 'maker_is_checker',
    })
    await approveCampaign(stage.as('approver', later), { id: waiting, contentHash })
    expect((await days(id))[1]).toEqual(['2026-04-11', 'approved', 1])
  })

  test('maker and checker are two; any edit makes it a draft again; a pause leaves its days out', async () => {
    const stage = await aStage(
      database,
      ['06-01', '06-02', '06-04', '06-05'].map((birthday) => ({ name: '员', birthday })),
    )
    const { as, content } = stage
    const now = at('2026-05-31T08:00')
    const id = await as('hr', now).tx((tx) => createRecurring(tx, content))
    const { contentHash } = await as('hr', now).read((tx) => previewRecurring(tx, id, 'zh'))
    await as('admin', now).tx((tx) => submitRecurring(tx, { id, contentHash }))
    for (const role of ['hr', 'admin'] as const)
      await expect(as(role, now).tx((tx) => approveRecurring(tx, { id, contentHash }))).rejects.toMatchObject({
        code: 'maker_is_checker',
      })
    const wrong = as('approver', now).tx((tx) => approveRecurring(tx, { id, contentHash: '0'.repeat(64) }))
    await expect(wrong).rejects.toMatchObject({ code: 'content_changed' })
    await as('approver', now).tx((tx) => approveRecurring(tx, { id, contentHash }))
    await runRecurring(house(at('2026-06-01T01:00')), id)
    await as('hr', at('2026-06-01T10:00')).tx((tx) => pauseRecurring(tx, id))
    await runRecurring(house(at('2026-06-02T01:00')), id)
    await as('approver', at('2026-06-04T10:00')).tx((tx) => resumeRecurring(tx, id))
    await runRecurring(house(at('2026-06-04T11:00')), id)
    expect((await days(id)).map(([day]) => day)).toEqual(['2026-06-01', '2026-06-04'])
    const { version } = (await database.tx((tx) => readRecurring(tx, id)))!
    const edited = { id, version, content: { ...content, faceFen: fen(30_000) } }
    const again = await as('hr', at('2026-06-04T12:00')).tx((tx) => editRecurring(tx, edited))
    expect(again).toMatchObject({ state: 'draft', contentHash: null, decidedBy: null })
    await runRecurring(house(at('2026-06-05T01:00')), id)
    expect(await daysOf(id)).toHaveLength(2)
  })

  test('a corrected date gives nobody a second card in a year, and nobody of another company gets one', async () => {
    const stage = await aStage(database, [{ name: '甲', birthday: '07-01' }])
    const other = await aCompany(database)
    await somePeople(database, other.id, [{ name: '外', birthday: '07-01' }])
    const id = await active(stage, at('2026-06-30T08:00'))
    await runRecurring(house(at('2026-07-01T01:00')), id)
    const moved = await database.tx((tx) =>
      sql<{ birthday: string }>(tx.em, 'select birthday_index as birthday from person where company_id = ?', [
        other.id,
      ]),
    )
    expect(moved).toHaveLength(1)
    await somePeople(database, stage.company.id, [{ name: '乙', birthday: '07-03' }])
    await database.tx((tx) =>
      sql(
        tx.em,
        'update person set birthday_index = (select birthday from (select max(birthday_index) as birthday from person where company_id = ? and birthday_index <> ?) other) where company_id = ?',
        [stage.company.id, moved[0]!.birthday, stage.company.id],
      ),
    )
    await runRecurring(house(at('2026-07-03T01:00')), id)
    expect(await days(id)).toEqual([
      ['2026-07-01', 'approved', 1],
      ['2026-07-03', 'approved', 1],
    ])
    await expect(
      database.edge(noPorts, other.as('approver')).read((tx) => previewRecurring(tx, id, 'zh')),
    ).rejects.toMatchObject({ code: 'not_found' })
  })
})
