import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import type { OrderView } from '../../../contract/hr/funding.ts'
import { WalletView } from '../../../contract/hr/wallet.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import { PlatformFile } from '../../../contract/operator/platform-file.ts'
import { readBankStatement } from '../../../importers/bank-statement.ts'
import { applyPlatform } from '../../apply-platform.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anOrder, servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { fundsEndpoints } from '../analytics/funds-endpoints.ts'
import { fundingEndpoints } from '../funding/endpoints.ts'
import { issueOrder } from '../issuance/issue-order.ts'
import { account, type Account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'
import { requestRefund } from '../refund/request-refund.ts'
import { creditWallet } from './credit-wallet.ts'
import { walletEndpoints } from './endpoints.ts'
import { repayCredit } from './repay-credit.ts'
import { setCreditLine } from './set-credit-line.ts'
import { topUpWallet } from './top-up-wallet.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('a credit line', (database) => {
  let house: PayHouse
  let company: TestCompany
  let keys = 0
  const operator = { kind: 'operator', operatorId: encodeId('operator', 1n), roles: ['finance'] } as const
  beforeEach(async () => {
    const funding = fundingEndpoints({ readStatement: readBankStatement })
    house = await servePayHouse(database, world, [...funding, ...walletEndpoints, ...fundsEndpoints])
    company = await aCompany(database)
  })
  afterEach(() => house.close())

  const open = (limitFen: number, of = company.id) =>
    house.call(operator, 'PUT', `/operator/companies/${of}/credit-line`, { limitFen })
  const draw = (orderId: string, amountFen: number) =>
    house.call(
      company.as('finance'),
      'POST',
      `/hr/orders/${orderId}/payments`,
      { source: 'credit_line', amountFen },
      `c${(keys += 1)}`,
    )
  const wallet = async () => WalletView.parse((await house.call(company.as('finance'), 'GET', '/hr/wallet')).body)
  const balance = (of: Account) => database.tx((tx) => readBalance(tx, 'CNY', of))
  const transfer = (amount: number) =>
    database.tx((tx) => topUpWallet(tx, { companyId: company.id, amount: fen(amount), ref: tx.newId('statementLine') }))

  test('off until the platform opens it: barred with the reason, and nothing is lent', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const order = (await house.call(company.as('hr'), 'GET', `/hr/orders/${orderId}`)).body as unknown as OrderView
    expect(order.creditFen).toBeNull()
    expect(order.routes.find((route) => route.source === 'credit_line')).toMatchObject({
      allowed: false,
      rule: expect.stringContaining('支付机构预付卡业务管理办法'),
    })
    expect(await draw(orderId, 1)).toMatchObject({ status: 409, body: { code: 'payment_route_barred' } })
    expect((await wallet()).credit).toBeNull()
    expect(await open(1, encodeId('company', 9n))).toMatchObject({ status: 404 })
    expect(
      await house.call(company.as('admin'), 'PUT', `/operator/companies/${company.id}/credit-line`, { limitFen: 1 }),
    ).toMatchObject({ status: 403 })
    expect(await open(-1)).toMatchObject({ status: 422 })
  })

  test('cards now, money later: the order is funded, a transfer repays first, the rest is the wallet’s', async () => {
    await open(150_000)
    const { orderId } = await anOrder(database, company.id, 2)
    expect(await draw(orderId, 100_000)).toMatchObject({ status: 200, body: { state: 'paid', outcome: 'exact' } })
    expect((await wallet()).credit).toMatchObject({ limitFen: 150_000, owedFen: 100_000, leftFen: 50_000 })
    expect(await balance(account.orderFunds(orderId as never))).toBe(-100_000)
    expect(await balance(account.creditLine(company.id))).toBe(100_000)
    await transfer(30_000)
    expect(await wallet()).toMatchObject({ balanceFen: 0, credit: { owedFen: 70_000 } })
    await transfer(71_000)
    const after = await wallet()
    expect(after).toMatchObject({ balanceFen: 1_000, credit: { owedFen: 0 } })
    expect(after.credit?.movements.map((one) => [one.kind, one.amountFen, one.owedAfterFen])).toEqual([
      ['repaid', -70_000, 0],
      ['repaid', -30_000, 70_000],
      ['drawn', 100_000, 100_000],
    ])
    expect(after.movements.map((one) => [one.kind, one.amountFen])).toEqual([['top_up', 1_000]])
    expect([await balance(account.creditLine(company.id)), await balance(account.wallet(company.id))]).toEqual([
      0, -1_000,
    ])
  })

  test('of 20 purchases at once exactly as many are lent as the limit covers, beside a transfer that repays', async () => {
    await open(100_000)
    const orders: string[] = []
    for (let i = 0; i < 20; i += 1) orders.push((await anOrder(database, company.id, 1)).orderId)
    const rush = await Promise.all(orders.map((id) => draw(id, 6_500)))
    expect(rush.filter((one) => one.status === 200)).toHaveLength(Math.floor(100_000 / 6_500))
    expect(new Set(rush.filter((one) => one.status !== 200).map((one) => one.body['code']))).toEqual(
      new Set(['credit_insufficient']),
    )
    expect((await wallet()).credit?.owedFen).toBe(97_500)
    const [more] = await Promise.all([Promise.all(orders.slice(0, 4).map((id) => draw(id, 25_000))), transfer(60_000)])
    const lent = more.filter((one) => one.status === 200).length * 25_000
    expect((await wallet()).credit?.owedFen).toBe(97_500 - 60_000 + lent)
    expect(lent).toBeLessThanOrEqual(62_500)
  })

  test('a limit that is lowered or taken away lends nothing more and forgives nothing', async () => {
    await open(80_000)
    const { orderId } = await anOrder(database, company.id, 1)
    await draw(orderId, 50_000)
    expect(await open(0)).toMatchObject({ body: { limitFen: 0, owedFen: 50_000 } })
    expect(await draw(orderId, 1)).toMatchObject({ body: { code: 'payment_route_barred' } })
    expect((await wallet()).credit).toMatchObject({ limitFen: 0, owedFen: 50_000, leftFen: 0 })
    await open(50_000)
    expect(await draw(orderId, 1)).toMatchObject({ body: { code: 'credit_insufficient' } })
    expect(await database.tx((tx) => setCreditLine(tx, company.id, fen(50_000)))).toBe(false)
  })

  test('the platform’s file opens a line, changes it, and leaves it alone where it says nothing', async () => {
    const { code } = await aCompany(database, { name: '青禾科技' })
    const apply = async (more: object) => {
      const file = { companies: [{ code, name: '青禾科技', paymentRoute: 'non_cash', ...more }] }
      const [done] = await applyPlatform(house.edge(operator), PlatformFile.parse(file), false)
      const [line] = await database.tx((tx) =>
        sql<{ fens: unknown }>(tx.em, 'select limit_fen as fens from credit_line'),
      )
      return [done?.action, line === undefined ? null : Number(line.fens)]
    }
    expect(await apply({})).toEqual(['same', null])
    expect(await apply({ creditLineFen: 0 })).toEqual(['same', null])
    expect(await apply({ creditLineFen: 5_000 })).toEqual(['change', 5_000])
    expect(await apply({ creditLineFen: 5_000 })).toEqual(['same', 5_000])
    expect(await apply({})).toEqual(['same', 5_000])
    expect(await apply({ creditLineFen: 0 })).toEqual(['change', 0])
  })

  test('cards that go back are owed no more; what was repaid before goes to the wallet', async () => {
    await open(100_000)
    const { orderId } = await anOrder(database, company.id, 1)
    await draw(orderId, 100_000)
    await transfer(45_000)
    await issueOrder(house.edge(), orderId)
    const [card] = await database.tx((tx) => sql<{ id: Id<'card'> }>(tx.em, 'select id from card'))
    await house
      .edge(company.as('finance'))
      .tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds: [card!.id] }))
    const after = await wallet()
    expect(after).toMatchObject({ balanceFen: 45_000, credit: { owedFen: 0 } })
    expect(after.credit?.movements[0]).toMatchObject({ kind: 'refunded', amountFen: -55_000 })
    expect([await balance(account.creditLine(company.id)), await balance(account.wallet(company.id))]).toEqual([
      0, -45_000,
    ])
    const from = account.platformBank()
    const nothing = { companyId: company.id, amount: fen(0), ref: 'x', from }
    await expect(database.tx((tx) => creditWallet(tx, nothing))).rejects.toThrow(RangeError)
    const owedNot = await database.tx((tx) => repayCredit(tx, { ...nothing, amount: fen(7) }))
    expect(owedNot).toEqual({ repaidFen: 0, restFen: 7, lines: [] })
  })
})
