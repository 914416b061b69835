import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { PaymentView } from '../../../contract/hr/funding.ts'
import { fen } from '../../../contract/fen.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { StatementLineView } from '../../../contract/operator/platform.ts'
import { readBankStatement } from '../../../importers/bank-statement.ts'
import { change, sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anOrder, servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { proveBooks } from '../analytics/prove-books.ts'
import { issueOrder } from '../issuance/issue-order.ts'
import { account, type Account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'
import { requestRefund } from '../refund/request-refund.ts'
import { setCreditLine } from '../wallet/set-credit-line.ts'
import { fundingEndpoints } from './endpoints.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('a wrong match is undone', (database) => {
  let house: PayHouse
  let company: TestCompany
  let other: TestCompany
  let keys = 0
  const finance = { kind: 'operator', operatorId: encodeId('operator', 1n), roles: ['finance'] } as const
  beforeEach(async () => {
    house = await servePayHouse(database, world, fundingEndpoints({ readStatement: readBankStatement }))
    company = await aCompany(database, { name: '甲公司' })
    other = await aCompany(database, { name: '乙公司' })
  })
  afterEach(() => house.close())

  const key = () => `u${(keys += 1)}`
  const pay = async (
    of: TestCompany,
    orderId: string,
    source: 'bank_transfer' | 'wallet' | 'credit_line',
    fens: number,
  ) => house.call(of.as('hr'), 'POST', `/hr/orders/${orderId}/payments`, { source, amountFen: fens }, key())
  const transfer = async (of: TestCompany, orderId: string, fens: number) =>
    (await pay(of, orderId, 'bank_transfer', fens)).body as unknown as PaymentView
  /** Money at the bank; the line as the work list shows it. */
  async function bank(yuan: string, memo: string): Promise<StatementLineView> {
    const serial = `UND${(keys += 1)}`
    const text = `流水号,交易时间,收入金额,对方户名,对方账号,附言\n${serial},2026-09-01 12:30:15,${yuan},路人,6222000000009999,${memo}\n`
    await house.call(finance, 'POST', '/operator/bank-statements', Buffer.from(text))
    const all = (await house.call(finance, 'GET', '/operator/statement-lines')).body['lines'] as StatementLineView[]
    return all.find((line) => line.serial === serial)!
  }
  const undo = (id: string, with_ = key()) =>
    house.call(finance, 'POST', `/operator/statement-lines/${id}/undo`, {}, with_)
  const assign = (id: string, body: object) =>
    house.call(finance, 'POST', `/operator/statement-lines/${id}/assign`, body, key())
  const balance = (of: Account) => database.tx((tx) => readBalance(tx, 'CNY', of))
  const read = <T>(text: string, values: readonly unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))
  const orderOf = async (id: string) => {
    const [row] = await read<{ state: string; secured: unknown }>(
      'select state, secured_fen as secured from orders where id = ?',
      [id],
    )
    return [row!.state, Number(row!.secured)]
  }
  const stateOf = async (id: string) =>
    (await read<{ state: string; paid: unknown }>('select state, paid_fen as paid from payment where id = ?', [id]))[0]!

  test('a payment waits for its transfer again, which then pays it; the money waits for its owner', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const payment = await transfer(company, orderId, 40_000)
    const wrong = await bank('500.00', payment.reference!)
    expect(wrong).toMatchObject({ outcome: 'payment', matchedBy: 'reference' })
    expect(await orderOf(orderId)).toEqual(['awaiting_funds', 50_000])
    const once = key()
    expect((await undo(wrong.id, once)).body).toMatchObject({
      outcome: 'unmatched',
      paymentId: null,
      companyName: null,
    })
    expect((await undo(wrong.id, once)).status).toBe(200)
    expect((await undo(wrong.id)).body).toMatchObject({ code: 'line_decided' })
    expect(await orderOf(orderId)).toEqual(['awaiting_funds', 0])
    expect(await stateOf(payment.id)).toEqual({ state: 'opened', paid: null })
    expect(await balance(account.unmatched('bank'))).toBe(-50_000)
    expect(await balance(account.custodyBank('main'))).toBe(50_000)
    expect((await assign(wrong.id, { to: 'wallet', target: other.id })).body).toMatchObject({ outcome: 'top_up' })
    expect((await bank('400.00', payment.reference!)).outcome).toBe('payment')
    expect(await stateOf(payment.id)).toMatchObject({ state: 'paid' })
    expect(await orderOf(orderId)).toEqual(['awaiting_funds', 40_000])
    expect(await balance(account.wallet(other.id))).toBe(-50_000)
  })

  test('once cards are paid with it, or it goes back, it stays', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const payment = await transfer(company, orderId, 100_000)
    const line = await bank('1000.00', payment.reference!)
    expect((await undo(line.id)).body).toMatchObject({ code: 'line_used', status: 409 })
    // A second transfer for it is all surplus, and is undone until it is given back.
    const twice = await bank('1000.00', payment.reference!)
    expect(twice.paymentOutcome).toBe('duplicate')
    expect((await undo(twice.id)).body).toMatchObject({ outcome: 'unmatched' })
    expect(await balance(account.overpaid(orderId))).toBe(0)
    expect((await assign(twice.id, { to: 'payment', target: payment.id })).body).toMatchObject({ outcome: 'payment' })
    const [further] = await read<{ id: Id<'payment'> }>(
      "select id from payment where order_id = ? and outcome = 'duplicate'",
      [orderId],
    )
    await house.edge(company.as('hr')).tx((tx) => requestRefund(tx, { kind: 'surplus', paymentId: further!.id }))
    expect((await undo(twice.id)).body).toMatchObject({ code: 'line_used' })
    await issueOrder(house.edge(), orderId)
    expect((await undo(line.id)).body).toMatchObject({ code: 'line_used' })
  })

  test('a wallet gives back what it still has, and never what repaid a debt', async () => {
    const line = await bank('500.00', other.reference)
    expect((await undo(line.id)).body).toMatchObject({ outcome: 'unmatched' })
    expect(await balance(account.wallet(other.id))).toBe(0)
    const kinds = await read<{ kind: string; after: unknown }>(
      'select kind, balance_after_fen as `after` from wallet_movement where company_id = ? order by id',
      [other.id],
    )
    expect(kinds.map((row) => [row.kind, Number(row.after)])).toEqual([
      ['top_up', 50_000],
      ['undone', 0],
    ])
    await assign(line.id, { to: 'wallet', target: other.id })
    const { orderId } = await anOrder(database, other.id, 1)
    expect((await pay(other, orderId, 'wallet', 1)).status).toBe(200)
    expect((await undo(line.id)).body).toMatchObject({ code: 'line_used' })
    expect(await balance(account.wallet(other.id))).toBe(-49_999)
    await database.tx((tx) => setCreditLine(tx, company.id, fen(100_000)))
    const bought = await anOrder(database, company.id, 1)
    expect((await pay(company, bought.orderId, 'credit_line', 10_000)).status).toBe(200)
    const repaid = await bank('500.00', company.reference)
    expect((await undo(repaid.id)).body).toMatchObject({ code: 'line_used' })
  })

  test('money that is not ours is decided anew until it was sent back', async () => {
    const line = await bank('8.00', '谁的')
    await assign(line.id, { to: 'not_ours', reason: '转错' })
    expect((await undo(line.id)).body).toMatchObject({ outcome: 'unmatched', reason: null })
    await assign(line.id, { to: 'not_ours', reason: '转错' })
    const text =
      '流水号,交易时间,收入金额,支出金额,对方户名,对方账号,附言\nUNDOUT,2026-09-02 12:30:15,,8.00,路人,6222000000009999,退\n'
    await house.call(finance, 'POST', '/operator/bank-statements', Buffer.from(text))
    expect((await undo(line.id)).body).toMatchObject({ code: 'line_used' })
  })

  test('beside the rest of the money, a spending wallet and itself, one of them wins', async () => {
    for (let round = 0; round < 8; round += 1) {
      const { orderId } = await anOrder(database, company.id, 1)
      const [first, rest] = [await transfer(company, orderId, 40_000), await transfer(company, orderId, 60_000)]
      const line = await bank('400.00', first.reference!)
      const [undone, again, last] = await Promise.all([undo(line.id), undo(line.id), bank('600.00', rest.reference!)])
      expect(last.outcome).toBe('payment')
      const won = [undone, again].filter((one) => one.status === 200).length
      expect(await orderOf(orderId)).toEqual(won === 1 ? ['awaiting_funds', 60_000] : ['funded', 100_000])
      expect((await stateOf(first.id)).state).toBe(won === 1 ? 'opened' : 'paid')
      const topUp = await bank('10.00', other.reference)
      const spent = await anOrder(database, other.id, 1)
      const [back, paid] = await Promise.all([undo(topUp.id), pay(other, spent.orderId, 'wallet', 1_000)])
      expect([back.status, paid.status].filter((status) => status === 200)).toHaveLength(1)
      expect(await database.tx(proveBooks)).toEqual([])
    }
  })

  test('the proof sees money that stays where it was undone', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const payment = await transfer(company, orderId, 40_000)
    const line = await bank('400.00', payment.reference!)
    await undo(line.id)
    const kind = (from: string, to: string) =>
      database.tx((tx) => change(tx.em, 'update entry set kind = ? where kind = ?', [to, from]))
    await kind('funds_undone', 'lost')
    expect((await database.tx(proveBooks)).map((one) => one.rule)).toContain('money_that_was_posted_has_its_payment')
    await kind('lost', 'funds_undone')
  })
})
