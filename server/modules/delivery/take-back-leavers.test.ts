import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DirectoryChangeView } from '../../../contract/hr/directory.ts'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import type { Ports } from '../../channels/ports.ts'
import { change, sql } from '../../kernel/sql.ts'
import { drain } from '../../../jobs/drain.ts'
import { handlers } from '../../../jobs/handlers.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anUpload, noPorts } from '../../testing/uploads.ts'
import { noSms, wecomOf } from '../../testing/wecom.ts'
import { approveCampaign } from '../campaign/approve-campaign.ts'
import { dryRunCampaign } from '../campaign/dry-run.ts'
import { readCampaign } from '../campaign/read-campaign.ts'
import { submitCampaign } from '../campaign/submit-campaign.ts'
import { topUpCampaign } from '../campaign/top-up-campaign.ts'
import { freezeUnused } from '../card/freeze-cards.ts'
import { startApplying } from '../staff/apply-roster.ts'
import { keepMember } from '../staff/keep-member.ts'
import { readDirectoryChanges } from '../staff/read-directory.ts'
import { DirectorySync } from '../staff/tables.ts'
import { decideChanges, previewTakeBack } from './decide-changes.ts'
import { giveBackReturners } from './give-back-returners.ts'
import { markOpened } from './mark-opened.ts'
import { planSending } from './plan-sending.ts'
import { resendDeliveries } from './resend-deliveries.ts'
import { takeBackLate } from './take-back-leavers.ts'

/** No message leaves in minute 0 or 30. */
const awayFromRush = (): number => Date.now() + (new Date().getMinutes() % 30 === 0 ? 61_000 : 0)

onBothDatabases('acting on the directory', (database) => {
  let box: WecomSandbox
  let ports: Ports
  beforeEach(async () => {
    box = await startWecomSandbox({ now: Date.now })
    ports = { ...noPorts, wecom: wecomOf(box), sms: noSms }
  })
  afterEach(() => box.close())

  const work = ['cards.deliver', 'batch.send', 'deliveries.send']
  const users = ['jia', 'yi', 'bing', 'ding']
  /** A company whose directory was read, and a campaign of 500 yuan for four people whose cards are made. */
  async function aWorld(delivered: boolean) {
    const staff = users.map((userid) => ({ userid, name: userid }))
    const company = await aCompany(database, { sandbox: box, staff })
    const people = await somePeople(database, company.id, staff)
    await database.tx((tx) =>
      tx.em.insert(DirectorySync, {
        id: tx.newId('directorySync'),
        companyId: company.id,
        state: 'done',
        cursor: null,
        members: 0,
        joined: 0,
        gone: 0,
        moved: 0,
        startedAtMs: tx.clock.now(),
      }),
    )
    for (const userid of users) await tell(company, userid, [2])
    const campaign = await anIssuedCampaign(database, company, people)
    if (delivered) await drain(database.edge(ports, undefined, awayFromRush), handlers, work)
    const open = await changesOf(company)
    await hr(company).tx((tx) =>
      change(tx.em, "update directory_change set state = 'done' where state = 'open' and company_id = ?", [company.id]),
    )
    expect(open).toHaveLength(4)
    return { company, people, campaign }
  }
  const hr = (company: TestCompany) => database.edge(ports, company.as('hr'))
  const tell = (company: TestCompany, userid: string, departments: number[] | null, name: string | null = null) =>
    database.tx((tx) => keepMember(tx, company.id, userid, departments && { userid, name, departments }))
  const changesOf = async (company: TestCompany): Promise<readonly DirectoryChangeView[]> =>
    (await hr(company).read((tx) => readDirectoryChanges(tx, { limit: 100 }))).changes
  const done = async (company: TestCompany, ids?: readonly Id<'directoryChange'>[]) =>
    decideChanges(hr(company), {
      decision: 'done',
      ids: ids ?? (await changesOf(company)).map((one) => one.id),
    })
  const standing = (personId: Id<'person'>) =>
    database.tx(async (tx) => ({
      delivery: await sql(tx.em, 'select state, reason from delivery where person_id = ?', [personId]),
      card: await sql(tx.em, 'select state, balance_fen as fen from card where holder_id = ?', [personId]),
      person: (await sql<{ state: string }>(tx.em, 'select state from person where id = ?', [personId]))[0]?.state,
    }))

  test('who left loses what nobody looked at: the message is withdrawn and the card frozen, once', async () => {
    const { company, people, campaign } = await aWorld(true)
    const [jia, yi, bing] = people as [Id<'person'>, Id<'person'>, Id<'person'>]
    await database.tx((tx) => markOpened(tx, { campaignId: campaign.id, personId: yi }))
    for (const userid of ['jia', 'yi', 'stranger']) await tell(company, userid, null)
    await tell(company, 'outside', [2])
    await tell(company, 'outside', null)
    const changes = await changesOf(company)
    expect(changes.map((one) => [one.kind, one.wecomUserId])).toEqual([
      ['left', 'yi'],
      ['left', 'jia'],
    ])
    const ids = changes.map((one) => one.id)
    const preview = await hr(company).read((tx) => previewTakeBack(tx, ids))
    expect(preview).toEqual({ people: 2, deliveries: 1, cards: 1, faceFen: 50_000, keptCards: 1 })
    const other = await aCompany(database)
    await expect(done(other, ids)).rejects.toMatchObject({ code: 'not_found' })
    const results = (await Promise.all([done(company, ids), done(company, ids)])).flat()
    expect(results.filter((one) => one.outcome === 'done')).toHaveLength(2)
    expect(results.filter((one) => one.outcome === 'not_open')).toHaveLength(2)
    expect(results.reduce((sum, one) => sum + one.frozenFen, 0)).toBe(50_000)
    expect(await standing(jia)).toEqual({
      delivery: [{ state: 'revoked', reason: 'person_left' }],
      card: [{ state: 'frozen', fen: 50_000 }],
      person: 'left',
    })
    expect(await standing(yi)).toMatchObject({
      delivery: [{ state: 'opened' }],
      card: [{ state: 'active' }],
      person: 'left',
    })
    expect(await standing(bing)).toMatchObject({ card: [{ state: 'active' }], person: 'active' })
  })

  test('a used card is never frozen; who leaves before the message goes out gets none', async () => {
    const { company, people } = await aWorld(false)
    const [jia, yi, bing] = people as [Id<'person'>, Id<'person'>, Id<'person'>]
    await database.tx((tx) => change(tx.em, 'update card set held_fen = 1 where holder_id = ?', [yi]))
    for (const userid of ['jia', 'yi']) await tell(company, userid, null)
    await done(company)
    expect(await standing(jia)).toMatchObject({ card: [{ state: 'frozen' }], delivery: [] })
    expect(await standing(yi)).toMatchObject({ card: [{ state: 'active' }] })
    await database.tx((tx) => change(tx.em, 'update card set held_fen = 0 where holder_id = ?', [yi]))
    await drain(database.edge(ports, undefined, awayFromRush), handlers, work)
    expect(await standing(jia)).toMatchObject({ delivery: [{ state: 'failed', reason: 'person_left' }] })
    expect(await standing(bing)).toMatchObject({ delivery: [{ state: 'sent' }] })
    expect(await database.tx(takeBackLate)).toBe(2)
    expect(await database.tx(takeBackLate)).toBe(0)
    expect(await standing(jia)).toMatchObject({ delivery: [{ state: 'revoked' }], card: [{ state: 'frozen' }] })
    expect(await standing(yi)).toMatchObject({ delivery: [{ state: 'revoked' }], card: [{ state: 'frozen' }] })
  })

  test('who comes back is the same person: cards work again, messages may be sent again, whatever runs at once', async () => {
    const { company, people, campaign } = await aWorld(true)
    const [jia, yi] = people as [Id<'person'>, Id<'person'>]
    for (const userid of ['jia', 'yi']) await tell(company, userid, null)
    await done(company)
    // Frozen once more, for something else: coming back does not end that.
    const [card] = await database.tx((tx) =>
      sql<{ id: Id<'card'> }>(tx.em, 'select id from card where holder_id = ?', [yi]),
    )
    await database.tx(async (tx) => {
      await change(tx.em, "update card set state = 'active' where id = ?", [card!.id])
      expect(await freezeUnused(tx, [card!.id], 'by_order')).toMatchObject({ cards: 1 })
    })
    for (const userid of ['jia', 'yi']) await tell(company, userid, [2])
    const ids = (await changesOf(company)).map((one) => one.id)
    const giving = () => giveBackReturners(database.edge(ports), company.id)
    const [results] = await Promise.all([done(company, ids), giving(), database.tx(takeBackLate), done(company, ids)])
    await giving()
    expect(results.every((one) => one.outcome === 'done' || one.outcome === 'not_open')).toBe(true)
    expect(await database.tx(takeBackLate)).toBe(0)
    const back = [{ state: 'revoked', reason: 'person_returned' }]
    expect(await standing(jia)).toEqual({ delivery: back, card: [{ state: 'active', fen: 50_000 }], person: 'active' })
    expect(await standing(yi)).toEqual({ delivery: back, card: [{ state: 'frozen', fen: 50_000 }], person: 'active' })
    const all = await database.tx((tx) => sql(tx.em, 'select id from person where company_id = ?', [company.id]))
    expect(all).toHaveLength(4)
    const again = { campaignId: campaign.id, state: 'revoked', reason: 'person_returned' } as const
    expect(await hr(company).tx((tx) => resendDeliveries(tx, again))).toBe(2)
    await drain(database.edge(ports, undefined, awayFromRush), handlers, work)
    expect((await standing(jia)).delivery).toEqual([{ state: 'sent', reason: null }])
    // And gone again.
    await tell(company, 'jia', null)
    await done(company)
    expect(await standing(jia)).toMatchObject({ delivery: [{ reason: 'person_left' }], card: [{ state: 'frozen' }] })
  })

  test('a list that names somebody again gives back too; an account that was given to somebody new does not', async () => {
    const { company, people } = await aWorld(true)
    const [jia, yi] = people as [Id<'person'>, Id<'person'>]
    for (const userid of ['jia', 'yi']) await tell(company, userid, null)
    await done(company)
    const id = await anUpload(database, company, '姓名,企业微信账号\njia,jia')
    await hr(company).tx((tx) => startApplying(tx, { id, leaveOutFaulty: false, markLeavers: false }))
    await drain(database.edge(ports), handlers, ['roster.apply', 'returners.give-back'])
    expect(await standing(jia)).toMatchObject({ card: [{ state: 'active' }], person: 'active' })
    await tell(company, 'yi', [2], '另一人')
    const results = await done(company)
    expect(results).toMatchObject([{ outcome: 'done', returnedCards: 0 }])
    expect(await standing(yi)).toMatchObject({ card: [{ state: 'frozen' }], person: 'left' })
  })

  test('a move changes the department, another account is taken over, what is dismissed stays as it was', async () => {
    const { company, people } = await aWorld(true)
    await database.tx((tx) =>
      sql(
        tx.em,
        "insert into directory_department (company_id, department_id, parent_id, name, state, changed_at_ms) values (?, 3, 1, '财务', 'present', 1)",
        [company.id],
      ),
    )
    await tell(company, 'jia', [2, 3])
    await tell(company, 'yi', [9])
    await tell(company, 'bing', [3])
    const [bing, yi, jia] = await changesOf(company)
    expect([bing!.kind, jia!.to.map((one) => one.name)]).toEqual(['moved', [null, '财务']])
    const dismissed = await decideChanges(hr(company), { decision: 'dismiss', ids: [bing!.id] })
    expect(dismissed.map((one) => one.outcome)).toEqual(['dismissed'])
    expect((await done(company, [yi!.id, jia!.id])).map((one) => one.outcome)).toEqual(['no_department', 'done'])
    const rows = await database.tx((tx) =>
      sql(tx.em, 'select id, department from person where company_id = ? order by id', [company.id]),
    )
    expect(rows.map((row) => (row as { department: string | null }).department)).toEqual(['财务', null, null, null])
    expect(people).toHaveLength(4)
  })

  test('late joiners get the same by a run of its own: drafted, checked, approved by another person, ordered', async () => {
    const { company, campaign } = await aWorld(true)
    await tell(company, 'wu', [2], '戊五')
    await tell(company, 'nameless', [2])
    await tell(company, 'jia', null)
    const changes = await changesOf(company)
    const joiners = changes.filter((one) => one.kind === 'joined').map((one) => one.id)
    const topUp = (who: TestCompany, changeIds: readonly Id<'directoryChange'>[]) =>
      hr(who).tx((tx) => topUpCampaign(tx, { id: campaign.id, changeIds }))
    await expect(topUp(await aCompany(database), joiners)).rejects.toMatchObject({ code: 'not_found' })
    const leaver = changes.find((one) => one.kind === 'left')!.id
    await expect(topUp(company, [...joiners, leaver])).rejects.toMatchObject({ code: 'state_conflict' })
    expect(await changesOf(company)).toHaveLength(3)
    const { id, heads } = await topUp(company, joiners)
    expect(heads).toBe(2)
    await expect(topUp(company, joiners)).rejects.toMatchObject({ code: 'state_conflict' })
    const drafted = await database.tx((tx) => readCampaign(tx, id))
    expect(drafted).toMatchObject({ state: 'draft', topsUp: campaign.id, rosterId: null, faceFen: 50_000 })
    const run = await hr(company).read((tx) => dryRunCampaign(tx, id, 'zh', planSending))
    expect(run).toMatchObject({ heads: 2, faceTotalFen: 100_000, canSubmit: true })
    expect(run.wecom).toMatchObject({ withUserId: 2, toLookUp: 0 })
    const seen = { id, contentHash: run.contentHash }
    await hr(company).tx((tx) => submitCampaign(tx, seen))
    const orderId = await approveCampaign(database.edge(ports, company.as('approver')), seen)
    const items = await database.tx((tx) =>
      sql<{ face: unknown }>(tx.em, 'select face_fen as face from order_item where order_id = ?', [orderId]),
    )
    expect(items.map((item) => fen(Number(item.face)))).toEqual([50_000, 50_000])
  })
})
