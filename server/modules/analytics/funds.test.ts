import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CompanyRole } from '../../../contract/abilities.ts'
import { fen } from '../../../contract/fen.ts'
import { BudgetCampaigns, BudgetList, WalletView } from '../../../contract/hr/wallet.ts'
import { Home } from '../../../contract/hr/delivery.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Ports, WecomPort } from '../../channels/ports.ts'
import { encodeSession } from '../../kernel/cookies.ts'
import { sql } from '../../kernel/sql.ts'
import { anApprovedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aTemplate } from '../../testing/cards.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aBrowser, startWeb, type Web } from '../../testing/web.ts'
import { approveCampaign } from '../campaign/approve-campaign.ts'
import { approveRecurring, submitRecurring } from '../campaign/approve-recurring.ts'
import { createRecurring } from '../campaign/create-recurring.ts'
import { previewRecurring } from '../campaign/preview-recurring.ts'
import { runRecurring } from '../campaign/run-recurring.ts'
import { createBrand } from '../catalog/create-template.ts'
import { openPayment, payFromWalletInFull } from '../funding/open-payment.ts'
import { createBudget } from '../wallet/create-budget.ts'
import { holdBudgets } from '../wallet/hold-budgets.ts'
import { topUpWallet } from '../wallet/top-up-wallet.ts'
import { useBudgets } from '../wallet/use-budgets.ts'
import { walletEndpoints } from '../wallet/endpoints.ts'
import { analyticsEndpoints } from './endpoints.ts'
import { fundsEndpoints } from './funds-endpoints.ts'

const DAY = 86_400_000
const start = Date.parse('2026-09-01T10:00:00+08:00')

onBothDatabases('funds over HTTP', (database) => {
  let web: Web
  let nowMs = start
  let company: TestCompany
  let keys = 0
  beforeEach(async () => {
    nowMs = start
    const endpoints = [...walletEndpoints, ...fundsEndpoints, ...analyticsEndpoints]
    web = await startWeb(database, { endpoints, ports: { wecom: {} as WecomPort }, now: () => nowMs })
    company = await aCompany(database)
  })
  afterEach(() => web.close())

  const as = (role: CompanyRole, of: TestCompany = company) => {
    const ids = { companyId: of.id, memberId: of.members[role] }
    const session = encodeSession({ kind: 'member', ids, expiresAtMs: nowMs + DAY }, database.house.sessionKey)
    return aBrowser(web.base, { cookie: `fulika_hr=${session}` })
  }
  const ask = async (role: CompanyRole, method: string, path: string, body?: object, of?: TestCompany) => {
    const headers = { 'idempotency-key': `k${(keys += 1)}` }
    const answer =
      method === 'GET' ? await as(role, of).get(path) : await as(role, of).send(method, path, body, headers)
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  const wallet = async () => WalletView.parse((await ask('finance', 'GET', '/hr/wallet')).body)
  const home = async (role: CompanyRole) => Home.parse((await ask(role, 'GET', '/hr/home')).body)
  const edge = () => database.edge({} as Ports, company.as('hr'), () => nowMs)
  const topUp = (amount: number) =>
    edge().tx((tx) => topUpWallet(tx, { companyId: company.id, amount: fen(amount), ref: tx.newId('statementLine') }))

  test('an alert a fall: raised once below the threshold, ended above it, raised again at the next fall', async () => {
    await topUp(100_000)
    expect((await wallet()).low).toEqual({ thresholdFen: null, alert: null })
    const personIds = await somePeople(database, company.id, [{ name: '甲' }])
    const { orderId } = await anApprovedCampaign(database, company, personIds, { faceFen: 500_000 })
    const spend = (amount: number) => {
      const wish = { orderId, source: 'wallet', amountFen: fen(amount) } as const
      return openPayment(edge(), wish, `spend-${(keys += 1)}`)
    }
    const alerts = async () =>
      (
        await database.tx((tx) =>
          sql<{ ended: unknown }>(tx.em, 'select ended_at_ms as ended from wallet_alert order by id'),
        )
      ).map((row) => row.ended !== null)
    const set = (thresholdFen: number | null, role: CompanyRole = 'finance') =>
      ask(role, 'PUT', '/hr/wallet/low-balance', { thresholdFen })
    expect((await set(50_000, 'hr')).status).toBe(403)
    expect((await set(0)).status).toBe(422)
    expect(await set(50_000)).toMatchObject({ status: 200, body: { thresholdFen: 50_000, alert: null } })
    await spend(50_000)
    expect(await alerts()).toEqual([])
    await Promise.all([spend(1), spend(1), spend(1)])
    expect(await alerts()).toEqual([false])
    expect((await wallet()).low.alert).toMatchObject({ raisedAtMs: nowMs, balanceFen: 49_999 })
    expect((await home('finance')).todo[0]).toMatchObject({ kind: 'wallet_low', id: company.id, fen: 49_997 })
    expect((await home('approver')).todo.map((one) => one.kind)).not.toContain('wallet_low')
    await topUp(3)
    expect(await alerts()).toEqual([true])
    await spend(1)
    expect(await alerts()).toEqual([true, false])
    expect((await set(40_000)).body).toMatchObject({ alert: null })
    expect((await set(60_000)).body).toMatchObject({ alert: { balanceFen: 49_999 } })
    expect((await set(null)).body).toEqual({ thresholdFen: null, alert: null })
    expect(await alerts()).toEqual([true, true, true])
  })

  test('the forecast: waiting orders first, then runs by day, then the mean of 90 days', async () => {
    expect((await wallet()).forecast).toEqual({
      perDayFen: 0,
      historyDays: 7,
      dueOrders: 0,
      dueFen: 0,
      runsFen: 0,
      shortFen: 0,
      lastsUntilDay: null,
      outlook: 'quiet',
    })
    await topUp(900_000)
    const personIds = await somePeople(database, company.id, [
      { name: '甲', birthday: '10-05' },
      { name: '乙', birthday: '10-05' },
    ])
    const first = await anApprovedCampaign(database, company, personIds, { issuerPrefix: '6230', faceFen: 90_000 })
    await edge().tx((tx) => payFromWalletInFull(tx, first.orderId))
    nowMs = start + 30 * DAY
    // 180,000 over 30 days; 720,000 left: 120 days of 6,000, today included.
    expect((await wallet()).forecast).toMatchObject({
      perDayFen: 6_000,
      historyDays: 30,
      lastsUntilDay: '2027-01-28',
      outlook: 'until',
    })
    await anApprovedCampaign(database, company, personIds, { issuerPrefix: '6231', faceFen: 300_000 })
    expect((await wallet()).forecast).toMatchObject({ dueOrders: 1, dueFen: 600_000, lastsUntilDay: '2026-10-20' })
    const runId = await aRun()
    // Two birthdays on the fifth day take 100,000 where 96,000 are left.
    expect((await wallet()).forecast).toMatchObject({ runsFen: 100_000, lastsUntilDay: '2026-10-04' })
    nowMs = Date.parse('2026-10-05T10:00:00+08:00')
    await runRecurring(edge(), runId)
    // The day is made: it waits for its money as an order does, and is not foreseen once more.
    expect((await wallet()).forecast).toMatchObject({ runsFen: 0, dueOrders: 2, dueFen: 700_000 })
    await anApprovedCampaign(database, company, personIds, { issuerPrefix: '6232', faceFen: 400_000 })
    expect((await wallet()).forecast).toMatchObject({ shortFen: 780_000, lastsUntilDay: null, outlook: 'short' })
  })

  /** An active run of 500 yuan a birthday. */
  async function aRun(): Promise<Id<'recurring'>> {
    const templateVersionId = await database.tx(async (tx) =>
      aTemplate(tx, await createBrand(tx, { name: '青禾', issuerPrefix: '6239' })),
    )
    const content = {
      ...({ kind: 'birthday', title: '生日', cover: 'birthday', greeting: '{姓名}', sendAtMinute: 570 } as const),
      templateVersionId,
      faceFen: fen(50_000),
      perYearFen: fen(0),
      monthlyLimitFen: fen(1_000_000),
    }
    const id = await edge().tx((tx) => createRecurring(tx, content))
    const { contentHash } = await edge().read((tx) => previewRecurring(tx, id, 'zh'))
    await edge().tx((tx) => submitRecurring(tx, { id, contentHash }))
    const approver = database.edge({} as Ports, company.as('approver'), () => nowMs)
    await approver.tx((tx) => approveRecurring(tx, { id, contentHash }))
    return id
  }

  test('a day of a run that a budget does not cover waits for a person, who approves it once there is money', async () => {
    await somePeople(database, company.id, [{ name: '甲', birthday: '09-01', department: '市场部' }])
    const budget = await ask('finance', 'POST', '/hr/budgets', {
      department: '市场部',
      fromDay: '2026-09-01',
      toDay: '2026-09-30',
      grantedFen: 49_999,
    })
    await runRecurring(edge(), await aRun())
    const [made] = await database.tx((tx) => sql<{ state: string }>(tx.em, 'select state from campaign'))
    expect(made).toEqual({ state: 'in_review' })
    const [why] = await database.tx((tx) =>
      sql<{ note: string }>(tx.em, "select note from trail where act = 'campaign.waits'"),
    )
    expect(why).toEqual({ note: 'budget_exceeded' })
    const approver = database.edge({} as Ports, company.as('admin'), () => nowMs)
    const seen = await database.tx(async (tx) => {
      const [campaign] = await sql<{ id: Id<'campaign'>; hash: string }>(
        tx.em,
        'select id, content_hash as hash from campaign',
      )
      return { id: campaign!.id, contentHash: campaign!.hash }
    })
    await expect(approveCampaign(approver, seen)).rejects.toThrow('budget_exceeded')
    const terms = { fromDay: '2026-09-01', toDay: '2026-09-30', grantedFen: 50_000, version: 1 }
    expect((await ask('finance', 'PUT', `/hr/budgets/${String(budget.body['id'])}`, terms)).status).toBe(200)
    await approveCampaign(approver, seen)
    expect(BudgetList.parse((await ask('hr', 'GET', '/hr/budgets')).body).budgets).toMatchObject([
      { usedFen: 50_000, leftFen: 0 },
    ])
  })

  test('budgets are granted by the company’s days, listed by period, and each figure has its campaigns', async () => {
    const terms = { department: '市场部', fromDay: '2026-09-01', toDay: '2026-09-30', grantedFen: 100_000 }
    expect((await ask('hr', 'POST', '/hr/budgets', terms)).status).toBe(403)
    for (const wrong of [{ toDay: '2026-08-31' }, { fromDay: '2026-02-30' }, { grantedFen: -1 }, { toDay: '明天' }])
      expect((await ask('finance', 'POST', '/hr/budgets', { ...terms, ...wrong })).status).toBe(422)
    const made = await ask('finance', 'POST', '/hr/budgets', terms)
    expect(made.status).toBe(200)
    const id = made.body['id'] as Id<'budget'>
    expect((await ask('admin', 'POST', '/hr/budgets', terms)).body).toMatchObject({ code: 'budget_overlaps' })
    await ask('admin', 'POST', '/hr/budgets', { ...terms, fromDay: '2026-10-01', toDay: '2026-12-31' })
    const [bounds] = await database.tx((tx) =>
      sql<{ a: unknown; b: unknown }>(tx.em, 'select from_ms as a, to_ms as b from budget where id = ?', [id]),
    )
    expect([Number(bounds?.a), Number(bounds?.b)]).toEqual([
      Date.parse('2026-09-01T00:00:00+08:00'),
      Date.parse('2026-10-01T00:00:00+08:00'),
    ])
    const personIds = await somePeople(database, company.id, [
      { name: '甲', department: '市场部' },
      { name: '乙', department: '研发部' },
    ])
    const campaign = await anApprovedCampaign(database, company, personIds, { title: '中秋礼遇', faceFen: 30_000 })
    await edge().tx(async (tx) => {
      await holdBudgets(tx, {
        companyId: company.id,
        campaignId: campaign.id,
        needs: new Map([['市场部', fen(30_000)]]),
      })
      await useBudgets(tx, campaign.id)
    })
    const list = async (period: string) =>
      BudgetList.parse((await ask('approver', 'GET', `/hr/budgets?period=${period}`)).body)
    expect(await list('current')).toMatchObject({
      budgets: [
        {
          id,
          fromDay: '2026-09-01',
          toDay: '2026-09-30',
          grantedFen: 100_000,
          heldFen: 0,
          usedFen: 30_000,
          leftFen: 70_000,
        },
      ],
      departments: expect.arrayContaining(['市场部', '研发部']),
      today: '2026-09-01',
    })
    expect((await list('coming')).budgets.map((one) => one.toDay)).toEqual(['2026-12-31'])
    expect((await list('past')).budgets).toEqual([])
    const behind = BudgetCampaigns.parse((await ask('hr', 'GET', `/hr/budgets/${id}/campaigns`)).body)
    expect(behind.campaigns).toMatchObject([
      { campaignId: campaign.id, title: '中秋礼遇', state: 'used', fen: 30_000, releasedFen: 0 },
    ])
    const change = { fromDay: '2026-09-01', toDay: '2026-09-15', grantedFen: 30_000, version: 1 }
    expect((await ask('finance', 'PUT', `/hr/budgets/${id}`, { ...change, grantedFen: 29_999 })).body).toMatchObject({
      code: 'budget_in_use',
    })
    expect((await ask('finance', 'PUT', `/hr/budgets/${id}`, change)).status).toBe(200)
    expect((await ask('finance', 'PUT', `/hr/budgets/${id}`, change)).body).toMatchObject({ code: 'content_changed' })
    expect((await ask('finance', 'DELETE', `/hr/budgets/${id}`)).body).toMatchObject({ code: 'budget_in_use' })
    nowMs = Date.parse('2026-09-16T00:00:00+08:00')
    expect((await list('past')).budgets.map((one) => one.id)).toEqual([id])
    const [coming] = (await list('coming')).budgets
    expect((await ask('finance', 'DELETE', `/hr/budgets/${coming?.id}`)).status).toBe(200)
    const other = await aCompany(database)
    for (const [method, path] of [
      ['GET', `/hr/budgets/${id}/campaigns`],
      ['PUT', `/hr/budgets/${id}`],
      ['DELETE', `/hr/budgets/${id}`],
    ] as const)
      expect((await ask('admin', method, path, change, other)).status).toBe(404)
    await database.tx((tx) =>
      createBudget(tx, { companyId: other.id, department: '市场部', fromMs: 0, toMs: 1, grantedFen: fen(1) }),
    )
    expect((await list('past')).budgets).toHaveLength(1)
  })
})
