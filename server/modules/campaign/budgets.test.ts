import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import type { Tx } from '../../kernel/context.ts'
import { AppError } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { someContent } from '../../testing/campaigns.ts'
import { aTemplate } from '../../testing/cards.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { aUsedRoster } from '../../testing/used-roster.ts'
import { createBrand } from '../catalog/create-template.ts'
import { changeBudget } from '../wallet/change-budget.ts'
import { openPayment, payFromWalletInFull } from '../funding/open-payment.ts'
import { issueOrder } from '../issuance/issue-order.ts'
import { requestRefund } from '../refund/request-refund.ts'
import { createBudget } from '../wallet/create-budget.ts'
import { readLiveHolds } from '../wallet/read-budgets.ts'
import { readRoom } from '../wallet/read-room.ts'
import { releaseBudget } from '../wallet/release-budget.ts'
import { topUpWallet } from '../wallet/top-up-wallet.ts'
import { removeBudget } from '../wallet/remove-budget.ts'
import { approveCampaign } from './approve-campaign.ts'
import { cancelCampaign } from './cancel-campaign.ts'
import { createCampaign } from './create-campaign.ts'
import { editCampaign } from './edit-campaign.ts'
import { planCampaign } from './plan-campaign.ts'
import { readCampaign } from './read-campaign.ts'
import { rejectCampaign } from './reject-campaign.ts'
import { releaseForCards } from './release-for-cards.ts'
import { submitCampaign } from './submit-campaign.ts'

const noPorts = {} as Ports
const DAY = 86_400_000
const people = [
  { name: '张三', userid: 'a', department: '市场部' },
  { name: '李四', userid: 'b', department: '市场部' },
  { name: '王五', userid: 'c', department: '研发部' },
  { name: '赵六', userid: 'd' },
]

/** Two people of 市场部, one of 研发部, one of no department; a card of 500 yuan costs each 450. */
async function aStage(database: TestDatabase) {
  const company = await aCompany(database)
  const roster = await aUsedRoster(database, company, people)
  const templateVersionId = await database.tx(async (tx) =>
    aTemplate(tx, await createBrand(tx, { name: '青禾', issuerPrefix: '6230' }), { priceBp: 9_000 }),
  )
  const content = someContent(templateVersionId, roster.id)
  const [hr, approver, finance] = [company.as('hr'), company.as('approver'), company.as('finance')].map((who) =>
    database.edge(noPorts, who),
  )
  const grant = (department: string, yuan: number, fromMs = Date.now() - DAY, toMs = Date.now() + DAY) =>
    finance!.tx((tx) =>
      createBudget(tx, { companyId: company.id, department, fromMs, toMs, grantedFen: fen(yuan * 100) }),
    )
  const draft = (): Promise<Id<'campaign'>> => hr!.tx((tx) => createCampaign(tx, content))
  const seen = (id: Id<'campaign'>) =>
    hr!.read(async (tx) => ({ id, contentHash: (await planCampaign(tx, (await readCampaign(tx, id))!)).contentHash }))
  const submit = async (id: Id<'campaign'>) => {
    const what = await seen(id)
    await hr!.tx((tx) => submitCampaign(tx, what))
    return id
  }
  const approve = async (id: Id<'campaign'>) => approveCampaign(approver!, await seen(id))
  const state = async (id: Id<'campaign'>) => (await database.tx((tx) => readCampaign(tx, id)))?.state
  const who = { hr: hr!, approver: approver!, finance: finance! }
  return { company, roster, content, ...who, grant, draft, submit, approve, state }
}

/** Held and used of each budget in yuan, as `name held/used`. */
const figures = (database: TestDatabase) =>
  database.tx(async (tx) => {
    const rows = await sql<{ department: string; held: unknown; used: unknown }>(
      tx.em,
      'select department, held_fen as held, used_fen as used from budget order by id',
    )
    return rows.map((row) => `${row.department} ${Number(row.held) / 100}/${Number(row.used) / 100}`)
  })

const refusal = (run: Promise<unknown>): Promise<AppError> =>
  run.then(
    () => expect.unreachable('nothing was refused'),
    (error: unknown) => {
      if (!(error instanceof AppError)) throw error
      return error
    },
  )

onBothDatabases('budgets of departments', (database) => {
  test('held on submission, used from approval, free where there is none; given back when it is given up', async () => {
    const { grant, draft, submit, approve, hr } = await aStage(database)
    await grant('市场部', 2_000)
    await grant('', 450)
    const id = await submit(await draft())
    expect(await figures(database)).toEqual(['市场部 900/0', ' 450/0'])
    await approve(id)
    expect(await figures(database)).toEqual(['市场部 0/900', ' 0/450'])
    // The same approver's repeat, and the same submission's.
    await approve(id)
    expect(await figures(database)).toEqual(['市场部 0/900', ' 0/450'])
    await hr.tx((tx) => cancelCampaign(tx, id))
    expect(await figures(database)).toEqual(['市场部 0/0', ' 0/0'])
  })

  test('a department that is short is named with what is left, and of no other anything is held', async () => {
    const { grant, draft, submit, state, company } = await aStage(database)
    await grant('研发部', 1_000)
    await grant('市场部', 899.99)
    const id = await draft()
    const error = await refusal(submit(id))
    expect(error.code).toBe('budget_exceeded')
    expect(error.more.detail).toEqual({
      zh: '市场部预算剩 ¥899.99，本次需要 ¥900.00，还差 ¥0.01。',
      en: '市场部: ¥899.99 left, ¥900.00 needed, ¥0.01 short.',
    })
    expect(await figures(database)).toEqual(['研发部 0/0', '市场部 0/0'])
    expect(await state(id)).toBe('draft')
    const room = await database.tx((tx) => readRoom(tx, { id, companyId: company.id }))
    expect([...room]).toEqual(
      expect.arrayContaining([
        ['市场部', 89_999],
        ['研发部', 100_000],
      ]),
    )
    // Another company's budget of that name, and one that is over or to come, are none of it.
    const other = await aCompany(database)
    await database.tx((tx) =>
      createBudget(tx, { companyId: other.id, department: '', fromMs: 0, toMs: Date.now() + DAY, grantedFen: fen(0) }),
    )
    await grant('', 0, Date.now() - 9 * DAY, Date.now() - DAY)
    await grant('', 0, Date.now() + DAY, Date.now() + 2 * DAY)
    expect((await refusal(submit(id))).more.detail).toMatchObject({ zh: expect.not.stringContaining('无部门') })
  })

  test('sent back, edited, withdrawn and submitted again: each time the hold is there once', async () => {
    const { grant, draft, submit, approver, hr, content } = await aStage(database)
    await grant('市场部', 900)
    const id = await submit(await draft())
    await submit(id)
    expect(await figures(database)).toEqual(['市场部 900/0'])
    expect((await refusal(submit(await draft()))).code).toBe('budget_exceeded')
    await approver.tx((tx) => rejectCampaign(tx, { id, word: '再想想' }))
    expect(await figures(database)).toEqual(['市场部 0/0'])
    const edit = async () => {
      const version = (await database.tx((tx) => readCampaign(tx, id)))!.version
      await hr.tx((tx) => editCampaign(tx, { id, version, content }))
    }
    await edit()
    await submit(id)
    await edit()
    expect(await figures(database)).toEqual(['市场部 0/0'])
    await submit(id)
    await hr.tx((tx) => cancelCampaign(tx, id))
    expect(await figures(database)).toEqual(['市场部 0/0'])
    const states = await database.tx((tx) => sql<{ state: string }>(tx.em, 'select state from budget_hold'))
    expect(states.map((row) => row.state)).toEqual(['released', 'released', 'released'])
  })

  test('a budget that was granted after the submission must be there at the approval', async () => {
    const { grant, draft, submit, approve, state, finance } = await aStage(database)
    const id = await submit(await draft())
    const budget = await grant('市场部', 899)
    expect((await refusal(approve(id))).code).toBe('budget_exceeded')
    expect(await state(id)).toBe('in_review')
    expect(await database.tx((tx) => sql(tx.em, 'select id from orders'))).toEqual([])
    const terms = { id: budget, fromMs: 0, toMs: Date.now() + DAY }
    await finance.tx((tx) => changeBudget(tx, { ...terms, version: 1, grantedFen: fen(90_000) }))
    await approve(id)
    expect(await figures(database)).toEqual(['市场部 0/900'])
  })

  test('20 submissions at once hold no more than there is', async () => {
    const { grant, draft, submit } = await aStage(database)
    await grant('市场部', 7 * 900 + 899)
    await grant('研发部', 100 * 450)
    const drafts: Id<'campaign'>[] = []
    for (let i = 0; i < 20; i += 1) drafts.push(await draft())
    const results = await Promise.allSettled(drafts.map(submit))
    const refusals = results.flatMap((one) => (one.status === 'rejected' ? [(one.reason as AppError).code] : []))
    expect(refusals).toEqual(Array<string>(13).fill('budget_exceeded'))
    expect(await figures(database)).toEqual(['市场部 6300/0', '研发部 3150/0'])
  })

  test('approved, sent back, withdrawn and the budget cut at once: every campaign ends in one way, and so does its hold', async () => {
    const { grant, draft, submit, approve, approver, hr, finance } = await aStage(database)
    const budget = await grant('市场部', 100_000)
    const set = (yuan: number) =>
      finance.tx(async (tx) => {
        const [row] = await sql<{ version: unknown }>(tx.em, 'select version from budget')
        const terms = { id: budget, version: Number(row?.version), fromMs: 0, toMs: Date.now() + DAY }
        await changeBudget(tx, { ...terms, grantedFen: fen(yuan * 100) })
      })
    for (let round = 0; round < 8; round += 1) {
      await set(100_000)
      const id = await submit(await draft())
      await Promise.allSettled([
        approve(id),
        set(0),
        approver.tx((tx) => rejectCampaign(tx, { id, word: '不' })),
        hr.tx((tx) => cancelCampaign(tx, id)),
        set(50_000),
      ])
      const now = await database.tx((tx) => readCampaign(tx, id))
      const live = await database.tx((tx) => readLiveHolds(tx, id))
      expect(live.map((hold) => hold.state)).toEqual(now?.state === 'approved' ? ['used'] : [])
    }
  })

  test('cards that were taken back give their department its money back, and no more than it gave', async () => {
    const { grant, draft, submit, approve, company } = await aStage(database)
    await grant('市场部', 900)
    await grant('研发部', 450)
    await database.tx((tx) =>
      topUpWallet(tx, { companyId: company.id, amount: fen(180_000), ref: tx.newId('statementLine') }),
    )
    const id = await submit(await draft())
    const orderId = await approve(id)
    await database.tx((tx) => payFromWalletInFull(tx, orderId))
    await issueOrder(database.edge(noPorts), orderId)
    const cards = await database.tx((tx) =>
      sql<{ id: Id<'card'>; item: Id<'orderItem'> }>(
        tx.em,
        'select card.id, order_item.id as item from card join order_item on order_item.id = card.order_item_id order by order_item.seq',
      ),
    )
    const take = (...which: number[]) => {
      const cardIds = which.map((index) => cards[index]!.id)
      return database
        .edge(noPorts, company.as('finance'))
        .tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds }))
    }
    await take(0, 3)
    expect(await figures(database)).toEqual(['市场部 0/450', '研发部 0/450'])
    await Promise.all([take(1), take(2)])
    expect(await figures(database)).toEqual(['市场部 0/0', '研发部 0/0'])
    // Were it told of a card once more, the department would get no more than it gave.
    await database.tx((tx) => releaseForCards(tx, orderId, [cards[0]!.item]))
    await database.tx((tx) => releaseBudget(tx, id))
    expect(await figures(database)).toEqual(['市场部 0/0', '研发部 0/0'])
  })

  test('an order that is given up with part of its money gives its budgets everything back', async () => {
    const { grant, draft, submit, approve, company, state } = await aStage(database)
    await grant('市场部', 900)
    await database.tx((tx) =>
      topUpWallet(tx, { companyId: company.id, amount: fen(1_000), ref: tx.newId('statementLine') }),
    )
    const id = await submit(await draft())
    const orderId = await approve(id)
    const finance = database.edge(noPorts, company.as('finance'))
    await openPayment(finance, { orderId, source: 'wallet', amountFen: fen(1_000) }, 'part')
    await finance.tx((tx) => requestRefund(tx, { kind: 'order_funds', orderId }))
    expect([await state(id), await figures(database)]).toEqual(['cancelled', ['市场部 0/0']])
  })

  test('a department has one budget at a time; it is changed from what was seen and removed while untouched', async () => {
    const { grant, draft, submit, finance } = await aStage(database)
    const [now, later] = [Date.now(), Date.now() + 30 * DAY]
    const id = await grant('市场部', 100, now - DAY, later)
    for (const [from, to] of [
      [now, now + DAY],
      [0, now],
      [now - DAY, later],
    ])
      expect((await refusal(grant('市场部', 1, from, to))).code).toBe('budget_overlaps')
    const next = await grant('市场部', 100, later, later + DAY)
    const rush = await Promise.allSettled([1, 2, 3, 4].map(() => grant('销售部', 1)))
    expect(rush.filter((one) => one.status === 'fulfilled')).toHaveLength(1)
    const change = (more: object, as = finance) =>
      as.tx((tx) =>
        changeBudget(tx, { id, version: 1, fromMs: now - DAY, toMs: later, grantedFen: fen(90_000), ...more }),
      )
    expect((await refusal(change({ toMs: later + 1 }))).code).toBe('budget_overlaps')
    expect((await refusal(change({ toMs: now - DAY }))).code).toBe('malformed_request')
    await change({})
    expect((await refusal(change({}))).code).toBe('content_changed')
    await submit(await draft())
    expect((await refusal(change({ version: 2, grantedFen: fen(89_999) }))).code).toBe('budget_in_use')
    const remove = (which: Id<'budget'>, tx: Tx) => removeBudget(tx, which)
    expect((await refusal(finance.tx((tx) => remove(id, tx)))).code).toBe('budget_in_use')
    await finance.tx((tx) => remove(next, tx))
    const stranger = database.edge(noPorts, (await aCompany(database)).as('finance'))
    expect((await refusal(change({ version: 2 }, stranger))).code).toBe('not_found')
    expect((await refusal(stranger.tx((tx) => remove(id, tx)))).code).toBe('not_found')
  })
})
