import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import type { CampaignContent } from '../../../contract/hr/campaign.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import type { Actor, Edge } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { issueInFull, someContent } from '../../testing/campaigns.ts'
import { aTemplate } from '../../testing/cards.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { aUsedRoster, type ListedPerson } from '../../testing/used-roster.ts'
import { createBrand } from '../catalog/create-template.ts'
import { readOrder, readPrices } from '../order/read-order.ts'
import { secureFunds } from '../order/secure-funds.ts'
import { approveCampaign } from './approve-campaign.ts'
import { cancelCampaign } from './cancel-campaign.ts'
import { createCampaign } from './create-campaign.ts'
import { editCampaign } from './edit-campaign.ts'
import { planCampaign } from './plan-campaign.ts'
import { readCampaign, readCampaignByOrder } from './read-campaign.ts'
import { rejectCampaign } from './reject-campaign.ts'
import { finishCampaign, startCampaign } from './run-campaign.ts'
import { submitCampaign } from './submit-campaign.ts'

const noPorts = {} as Ports
type CampaignId = Id<'campaign'>

interface Stage {
  readonly company: TestCompany
  readonly content: CampaignContent
  readonly personIds: readonly Id<'person'>[]
  readonly as: (who: Actor) => Edge
}

async function aStage(database: TestDatabase, people: readonly ListedPerson[], more: Partial<CampaignContent> = {}) {
  const company = await aCompany(database)
  const roster = await aUsedRoster(database, company, people)
  const templateVersionId = await database.tx(async (tx) =>
    aTemplate(tx, await createBrand(tx, { name: '青禾', issuerPrefix: '6230' }), {
      minFaceFen: fen(101),
      priceBp: 9_500,
    }),
  )
  const content = someContent(templateVersionId, roster.id, more)
  const as = (who: Actor) => database.edge(noPorts, who)
  return { company, content, personIds: roster.personIds, as } satisfies Stage
}

const three: ListedPerson[] = ['张三', '李四', '王五'].map((name, index) => ({ name, userid: `u${index}` }))
const many = (count: number): ListedPerson[] =>
  Array.from({ length: count }, (_, i) => ({ name: `员工${i}`, userid: `u${i}` }))
const refused = (code: string) => ({ code })

const hashNow = (edge: Edge, id: CampaignId) =>
  edge.read(async (tx) => {
    const campaign = await readCampaign(tx, id)
    if (!campaign) throw new Error('no such campaign')
    return (await planCampaign(tx, campaign)).contentHash
  })

async function submitted({ company, content, as }: Stage) {
  const hr = as(company.as('hr'))
  const id = await hr.tx((tx) => createCampaign(tx, content))
  const contentHash = await hashNow(hr, id)
  await hr.tx((tx) => submitCampaign(tx, { id, contentHash }))
  return { id, contentHash }
}

const stateOf = async (database: TestDatabase, id: CampaignId) =>
  (await database.tx((tx) => readCampaign(tx, id)))?.state
const ordersOf = (database: TestDatabase) =>
  database.tx((tx) => sql<{ id: Id<'order'>; state: string }>(tx.em, 'select id, state from orders order by id'))

onBothDatabases('approving a campaign', (database) => {
  test('places one order for what was seen, at the price of the card, and the campaign runs to its end', async () => {
    const stage = await aStage(database, three, { faceFen: fen(101) })
    const seen = await submitted(stage)
    const orderId = await approveCampaign(stage.as(stage.company.as('approver')), seen)
    const campaign = await database.tx((tx) => readCampaignByOrder(tx, orderId))
    expect(campaign).toMatchObject({
      id: seen.id,
      state: 'approved',
      heads: 3,
      faceTotalFen: 303,
      priceTotalFen: 288,
      decidedBy: stage.company.members.approver,
      contentHash: seen.contentHash,
    })
    expect(await database.tx((tx) => readOrder(tx, orderId))).toMatchObject({
      state: 'awaiting_funds',
      totalFen: 288,
      itemCount: 3,
      companyId: stage.company.id,
    })
    const holders = await database.tx((tx) =>
      sql<{ holder: string }>(tx.em, 'select holder_id as holder from order_item order by seq'),
    )
    expect(holders.map((row) => row.holder)).toEqual(stage.personIds)
    await issueInFull(database, orderId, 288)
    const run = (step: typeof startCampaign) => database.tx((tx) => step(tx, seen.id))
    expect([await run(finishCampaign), await run(startCampaign), await run(startCampaign)]).toEqual([
      false,
      true,
      false,
    ])
    expect([await run(finishCampaign), await run(finishCampaign)]).toEqual([true, false])
  })

  test('whoever made, changed or submitted it cannot approve it, not even as admin', async () => {
    const stage = await aStage(database, three)
    const { company, as } = stage
    const everything: Actor = { ...company.as('hr'), kind: 'member', roles: ['hr', 'approver', 'admin'] } as Actor
    const seen = await submitted(stage)
    await expect(approveCampaign(as(everything), seen)).rejects.toMatchObject(refused('maker_is_checker'))
    const version = (await database.tx((tx) => readCampaign(tx, seen.id)))?.version ?? 0
    const admin = as(company.as('admin'))
    await admin.tx((tx) => editCampaign(tx, { id: seen.id, version, content: { ...stage.content, title: '改过' } }))
    const contentHash = await hashNow(admin, seen.id)
    await as(company.as('hr')).tx((tx) => submitCampaign(tx, { id: seen.id, contentHash }))
    const again = { id: seen.id, contentHash }
    await expect(approveCampaign(admin, again)).rejects.toMatchObject(refused('maker_is_checker'))
    expect(await ordersOf(database)).toEqual([])
    await approveCampaign(as(company.as('approver')), again)
    expect(await ordersOf(database)).toHaveLength(1)
  })

  test.each([3, 1001])(
    'two approvers at once, %i heads: exactly one order; the same approver’s repeat gets it again',
    async (heads) => {
      const stage = await aStage(database, many(heads))
      const { company, as } = stage
      const seen = await submitted(stage)
      const both = [as(company.as('approver')), as(company.as('admin'))] as const
      const results = await Promise.allSettled(both.map((edge) => approveCampaign(edge, seen)))
      const [winner] = results.flatMap((one, index) => (one.status === 'fulfilled' ? [{ index, id: one.value }] : []))
      expect(results.filter((one) => one.status === 'fulfilled')).toHaveLength(1)
      expect(results.find((one) => one.status === 'rejected')).toMatchObject({ reason: refused('state_conflict') })
      const open = (await ordersOf(database)).filter((order) => order.state !== 'cancelled')
      expect(open).toEqual([{ id: winner?.id, state: 'awaiting_funds' }])
      expect(await database.tx((tx) => readPrices(tx, winner!.id))).toMatchObject([
        { items: heads, priceFen: heads * 47_500 },
      ])
      expect(await approveCampaign(both[winner!.index]!, seen)).toBe(winner!.id)
      await expect(approveCampaign(both[1 - winner!.index]!, seen)).rejects.toMatchObject(refused('state_conflict'))
      expect((await ordersOf(database)).filter((order) => order.state !== 'cancelled')).toHaveLength(1)
    },
  )

  test('an edit after submitting makes it a draft again; the old hash opens nothing', async () => {
    const stage = await aStage(database, three)
    const { company, as, content } = stage
    const seen = await submitted(stage)
    const hr = as(company.as('hr'))
    const version = (await database.tx((tx) => readCampaign(tx, seen.id)))?.version ?? 0
    const edit = (greeting: string) =>
      hr.tx((tx) => editCampaign(tx, { id: seen.id, version, content: { ...content, greeting } }))
    const edits = await Promise.allSettled([edit('甲'), edit('乙')])
    expect(edits.filter((one) => one.status === 'fulfilled')).toHaveLength(1)
    expect(edits.find((one) => one.status === 'rejected')).toMatchObject({
      reason: { code: expect.stringMatching(/content_changed|state_conflict/) as string },
    })
    expect(await database.tx((tx) => readCampaign(tx, seen.id))).toMatchObject({
      state: 'draft',
      contentHash: null,
      heads: null,
      submittedBy: null,
    })
    const approver = as(company.as('approver'))
    await expect(approveCampaign(approver, seen)).rejects.toMatchObject(refused('state_conflict'))
    await expect(hr.tx((tx) => submitCampaign(tx, seen))).rejects.toMatchObject(refused('content_changed'))
    const contentHash = await hashNow(hr, seen.id)
    await hr.tx((tx) => submitCampaign(tx, { id: seen.id, contentHash }))
    await expect(approveCampaign(approver, seen)).rejects.toMatchObject(refused('content_changed'))
    await approveCampaign(approver, { id: seen.id, contentHash })
  })

  test('an edit and an approval at once: one of them wins, and what is approved is what was seen', async () => {
    const stage = await aStage(database, three)
    const { company, as, content } = stage
    const seen = await submitted(stage)
    const version = (await database.tx((tx) => readCampaign(tx, seen.id)))?.version ?? 0
    const [approval, edit] = await Promise.allSettled([
      approveCampaign(as(company.as('approver')), seen),
      as(company.as('hr')).tx((tx) =>
        editCampaign(tx, { id: seen.id, version, content: { ...content, faceFen: fen(60_000) } }),
      ),
    ])
    expect([approval.status, edit.status].sort()).toEqual(['fulfilled', 'rejected'])
    const orders = await ordersOf(database)
    expect(orders).toHaveLength(approval.status === 'fulfilled' ? 1 : 0)
    expect(await stateOf(database, seen.id)).toBe(approval.status === 'fulfilled' ? 'approved' : 'draft')
  })

  test('somebody who left after submitting changes the content: neither approval nor a new submit with the old hash', async () => {
    const stage = await aStage(database, three)
    const seen = await submitted(stage)
    const [first] = stage.personIds
    await database.tx((tx) => sql(tx.em, "update person set state = 'left' where id = ?", [first]))
    const approver = stage.as(stage.company.as('approver'))
    await expect(approveCampaign(approver, seen)).rejects.toMatchObject(refused('content_changed'))
    expect(await ordersOf(database)).toEqual([])
  })

  test('a time of sending that passed while it lay in review is refused by its code', async () => {
    const at = Date.now() + 60_000
    const stage = await aStage(database, three, { sendAtMs: at })
    const seen = await submitted(stage)
    const approver = (now: number) => database.edge(noPorts, stage.company.as('approver'), () => now)
    await expect(approveCampaign(approver(at + 1), seen)).rejects.toMatchObject({
      code: 'send_time_past',
      more: { field: 'sendAtMs' },
    })
    await approveCampaign(approver(at), seen)
  })
})

onBothDatabases('a large approval', (database) => {
  test('stopped at any of its transactions it leaves nothing that can be paid, and the next one finishes', async () => {
    const stage = await aStage(database, many(2100))
    const seen = await submitted(stage)
    const approver = stage.as(stage.company.as('approver'))
    for (let stopAt = 1; stopAt <= 5; stopAt += 1) {
      let count = 0
      const stopping: Edge = {
        ...approver,
        tx: (work) => {
          count += 1
          return count >= stopAt ? Promise.reject(new Error('stopped')) : approver.tx(work)
        },
      }
      await expect(approveCampaign(stopping, seen)).rejects.toThrow('stopped')
      expect(await stateOf(database, seen.id)).toBe('in_review')
    }
    for (const order of await ordersOf(database)) {
      expect(order.state).toBe('placing')
      expect(await database.tx((tx) => secureFunds(tx, order.id, fen(1)))).toBe(false)
    }
    const orderId = await approveCampaign(approver, seen)
    expect(await database.tx((tx) => readOrder(tx, orderId))).toMatchObject({
      state: 'awaiting_funds',
      itemCount: 2100,
    })
    expect(await stateOf(database, seen.id)).toBe('approved')
  })
})

onBothDatabases('other ways of a campaign', (database) => {
  test('sent back with a word, it is edited, submitted and approved; a draft cannot be sent back', async () => {
    const stage = await aStage(database, three)
    const { company, as, content } = stage
    const seen = await submitted(stage)
    const [hr, approver] = [as(company.as('hr')), as(company.as('approver'))]
    const back = await approver.tx((tx) => rejectCampaign(tx, { id: seen.id, word: '金额请再核对' }))
    expect(back).toMatchObject({ state: 'rejected', word: '金额请再核对', decidedBy: company.members.approver })
    await expect(approver.tx((tx) => rejectCampaign(tx, { id: seen.id, word: '再来' }))).rejects.toMatchObject(
      refused('state_conflict'),
    )
    await expect(hr.tx((tx) => submitCampaign(tx, seen))).rejects.toMatchObject(refused('state_conflict'))
    const draft = await hr.tx((tx) => editCampaign(tx, { id: seen.id, version: back.version, content }))
    expect(draft).toMatchObject({ state: 'draft', word: '金额请再核对' })
    const contentHash = await hashNow(hr, seen.id)
    expect(contentHash).toBe(seen.contentHash)
    const first = await hr.tx((tx) => submitCampaign(tx, seen))
    expect(first).toMatchObject({ state: 'in_review', word: null, decidedBy: null })
    expect(await hr.tx((tx) => submitCampaign(tx, seen))).toMatchObject({ version: first.version })
    await approveCampaign(approver, seen)
  })

  test('given up before money its order goes too; once money has come it stays', async () => {
    const stage = await aStage(database, three)
    const { company, as } = stage
    const hr = as(company.as('hr'))
    const one = await submitted(stage)
    const orderId = await approveCampaign(as(company.as('approver')), one)
    await hr.tx((tx) => cancelCampaign(tx, one.id))
    expect(await stateOf(database, one.id)).toBe('cancelled')
    expect(await database.tx((tx) => readOrder(tx, orderId))).toMatchObject({ state: 'cancelled' })
    await expect(hr.tx((tx) => cancelCampaign(tx, one.id))).rejects.toMatchObject(refused('state_conflict'))
    const two = await submitted(stage)
    const paid = await approveCampaign(as(company.as('approver')), two)
    await database.tx((tx) => sql(tx.em, 'update orders set secured_fen = 1 where id = ?', [paid]))
    await expect(hr.tx((tx) => cancelCampaign(tx, two.id))).rejects.toMatchObject(refused('state_conflict'))
    expect(await stateOf(database, two.id)).toBe('approved')
    expect(await database.tx((tx) => readOrder(tx, paid))).toMatchObject({ state: 'awaiting_funds' })
    await database.tx((tx) => sql(tx.em, 'update orders set secured_fen = 0 where id = ?', [paid]))
    const draft = await hr.tx((tx) => createCampaign(tx, stage.content))
    await hr.tx((tx) => cancelCampaign(tx, draft))
    expect(await stateOf(database, draft)).toBe('cancelled')
  })

  test('what keeps it back is refused by the code of the block when it is submitted', async () => {
    const stage = await aStage(database, three)
    const hr = stage.as(stage.company.as('hr'))
    const submit = async (more: Partial<CampaignContent>) => {
      const id = await hr.tx((tx) => createCampaign(tx, { ...stage.content, ...more }))
      const contentHash = await hashNow(hr, id)
      return hr.tx((tx) => submitCampaign(tx, { id, contentHash }))
    }
    await expect(submit({ faceFen: fen(500_001) })).rejects.toMatchObject(refused('face_over_limit'))
    await expect(submit({ faceFen: fen(100) })).rejects.toMatchObject(refused('face_out_of_range'))
    await expect(submit({ selection: { kind: 'departments', departments: ['没有'] } })).rejects.toMatchObject(
      refused('recipients_empty'),
    )
    await expect(submit({ rosterId: null })).rejects.toMatchObject(refused('recipients_empty'))
    await expect(submit({ amountFrom: 'column' })).rejects.toMatchObject(refused('recipients_empty'))
    await expect(submit({ sendAtMs: 1 })).rejects.toMatchObject(refused('send_time_past'))
    await expect(submit({ greeting: '{生日}' })).rejects.toMatchObject(refused('greeting_unknown_field'))
    const unread = await aUsedRoster(database, stage.company, three, { state: 'needs_mending' })
    await expect(submit({ rosterId: unread.id })).rejects.toMatchObject(refused('roster_not_ready'))
    expect((await submit({ faceFen: fen(500_000) })).state).toBe('in_review')
  })
})
