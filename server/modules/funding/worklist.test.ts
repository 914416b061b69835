import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { PaymentView } from '../../../contract/hr/funding.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { StatementLineView } from '../../../contract/operator/platform.ts'
import { readBankStatement } from '../../../importers/bank-statement.ts'
import type { Edge } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change, sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import {
  anOrder,
  platformMerchant,
  servePayHouse,
  startPayWorld,
  withPlatform,
  type Answer,
  type PayHouse,
  type PayWorld,
} from '../../testing/paying.ts'
import { proveBooks } from '../analytics/prove-books.ts'
import { account, type Account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'
import { fundingEndpoints } from './endpoints.ts'
import { readIncome } from './read-income.ts'
import { findDebits, readDebit, takeDebit } from './take-debit.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

let serials = 0
interface Money {
  readonly in?: string
  readonly out?: string
  readonly name?: string
  readonly account?: string
  readonly memo?: string
}
const file = (...lines: Money[]) =>
  Buffer.from(
    `流水号,交易时间,收入金额,支出金额,对方户名,对方账号,附言\n${lines
      .map((line) => {
        const serial = `WRK${String((serials += 1)).padStart(9, '0')}`
        const { name = '路人甲', account: number = '6222000000009999', memo = '货款' } = line
        return `${serial},2026-09-01 12:30:15,${line.in ?? ''},${line.out ?? ''},${name},${number},${memo}`
      })
      .join('\n')}\n`,
  )

onBothDatabases('the work list of bank lines', (database) => {
  let house: PayHouse
  let company: TestCompany
  let other: TestCompany
  let keys = 0
  const finance = { kind: 'operator', operatorId: encodeId('operator', 1n), roles: ['finance'] } as const
  beforeEach(async () => {
    withPlatform(database)
    house = await servePayHouse(database, world, fundingEndpoints({ readStatement: readBankStatement }))
    company = await aCompany(database, { name: '青禾（北京）科技有限公司' })
    other = await aCompany(database, { name: '乙公司' })
  })
  afterEach(() => house.close())

  const transfer = async (of: TestCompany, orderId: string, amountFen: number) =>
    (
      await house.call(
        of.as('hr'),
        'POST',
        `/hr/orders/${orderId}/payments`,
        { source: 'bank_transfer', amountFen },
        `k${(keys += 1)}`,
      )
    ).body as unknown as PaymentView
  const post = (...lines: Money[]) => house.call(finance, 'POST', '/operator/bank-statements', file(...lines))
  const lines = async (outcome: string) =>
    (await house.call(finance, 'GET', `/operator/statement-lines?outcome=${outcome}`)).body[
      'lines'
    ] as StatementLineView[]
  const assign = (id: string, body: object, key = `a${(keys += 1)}`): Promise<Answer> =>
    house.call(finance, 'POST', `/operator/statement-lines/${id}/assign`, body, key)
  const balance = (of: Account) => database.tx((tx) => readBalance(tx, 'CNY', of))
  const read = <T>(text: string, values: readonly unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))
  const state = async (id: string) =>
    (await read<{ state: string; outcome: string | null }>('select state, outcome from payment where id = ?', [id]))[0]!
  const walletOf = async (id: string) =>
    Number((await read<{ fen: unknown }>('select balance_fen as fen from wallet where company_id = ?', [id]))[0]!.fen)

  test('a transfer without a reference is known by its amount and its payer’s name, in whatever widths', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const payment = await transfer(company, orderId, 40_000)
    expect((await post({ in: '400.00', name: '青禾(北京)科技 有限公司' })).body).toMatchObject({
      payments: 1,
      unmatched: 0,
    })
    expect(await state(payment.id)).toEqual({ state: 'paid', outcome: 'exact' })
    expect((await lines('payment'))[0]).toMatchObject({ matchedBy: 'payer', paymentOutcome: 'exact' })
    // The next one is known by the account that paid before, whatever name stands there.
    const next = await transfer(company, orderId, 30_000)
    expect((await post({ in: '300.00', name: '财务专户' })).body).toMatchObject({ payments: 1 })
    expect(await state(next.id)).toEqual({ state: 'paid', outcome: 'exact' })
  })

  test('two matches, another amount or another name are never decided by the machine', async () => {
    const [a, b] = [await anOrder(database, company.id, 1), await anOrder(database, company.id, 1)]
    await transfer(company, a.orderId, 40_000)
    await transfer(company, b.orderId, 40_000)
    const name = '青禾（北京）科技有限公司'
    await post({ in: '400.00', name }, { in: '400.01', name }, { in: '400.00', name: '青禾' })
    expect(await lines('payment')).toEqual([])
    const waiting = await lines('unmatched')
    expect(waiting).toHaveLength(3)
    const twice = waiting.find((line) => line.amountFen === 40_000 && line.payerName === name)!
    expect(twice.candidates.filter((one) => one.to === 'payment').map((one) => one.why)).toEqual([
      ['amount', 'name'],
      ['amount', 'name'],
    ])
    expect(twice.candidates.some((one) => one.to === 'wallet' && one.id === company.id)).toBe(true)
    expect(await balance(account.unmatched('bank'))).toBe(-120_001)
  })

  test('two transfers at once for one open payment: the first is it, the second waits', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    await transfer(company, orderId, 40_000)
    const name = '青禾（北京）科技有限公司'
    await Promise.all([post({ in: '400.00', name }), post({ in: '400.00', name })])
    expect([(await lines('payment')).length, (await lines('unmatched')).length]).toEqual([1, 1])
  })

  test('an account that paid for two companies tells nothing of either', async () => {
    await post({ in: '1.00', memo: company.reference }, { in: '1.00', memo: other.reference })
    const { orderId } = await anOrder(database, company.id, 1)
    await transfer(company, orderId, 40_000)
    await post({ in: '400.00' })
    const [line] = await lines('unmatched')
    expect(line!.candidates.map((one) => [one.to, one.why])).toEqual([
      ['payment', ['amount', 'account']],
      ['wallet', ['account']],
      ['wallet', ['account']],
    ])
  })

  test('a person assigns to a payment, to a wallet, or sends back; the unmatched account empties', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const payment = await transfer(company, orderId, 40_000)
    await post({ in: '399.00' }, { in: '50.00' }, { in: '7.00' })
    const waiting = await lines('unmatched')
    const of = (amount: number) => waiting.find((line) => line.amountFen === amount)!.id
    const paid = await assign(of(39_900), { to: 'payment', target: payment.reference!.toLowerCase() })
    expect(paid).toMatchObject({
      status: 200,
      body: { outcome: 'payment', matchedBy: 'person', paymentOutcome: 'short' },
    })
    expect((await assign(of(5000), { to: 'wallet', target: company.reference })).body).toMatchObject({
      outcome: 'top_up',
    })
    expect(await assign(of(700), { to: 'not_ours' })).toMatchObject({
      body: { code: 'malformed_request', field: 'reason' },
    })
    const back = await assign(of(700), { to: 'not_ours', reason: '王先生转错了账户' })
    expect(back.body).toMatchObject({ outcome: 'not_ours', reason: '王先生转错了账户' })
    expect(await walletOf(company.id)).toBe(5000)
    expect(await balance(account.unmatched('bank'))).toBe(0)
    expect(await balance(account.toSendBack('bank'))).toBe(-700)
    expect(await balance(account.custodyBank('main'))).toBe(45_600)
    expect(await read("select id from entry where kind in ('unmatched_assigned', 'money_not_ours')")).toHaveLength(3)
    expect(await read("select id from trail where act = 'statement_line.assigned'")).toHaveLength(3)
    // What people write into a reason stands nowhere in the open.
    for (const [table, column] of [
      ['once_key', 'input'],
      ['once_key', 'answer'],
      ['trail', 'note'],
    ])
      expect(await read(`select ${column} from ${table} where ${column} like '%王先生%'`)).toEqual([])
  })

  test('money that went back is known by its debit, or said by a person', async () => {
    await post({ in: '7.00', account: '6222000000001111' }, { in: '8.00' }, { in: '8.00' })
    for (const [index, line] of (await lines('unmatched')).entries())
      await assign(line.id, { to: 'not_ours', reason: '转错' }, `back${index}`)
    expect((await post({ out: '7.00', account: '6222 0000 0000 1111', name: '路人甲' })).body).toMatchObject({
      outgoing: 1,
    })
    expect(await balance(account.toSendBack('bank'))).toBe(-1600)
    // Two of the same amount to the same account: a person says which.
    await post({ out: '8.00' }, { out: '9.00' })
    const [nine, eight] = await lines('outgoing')
    expect(nine!.candidates).toEqual([])
    expect(eight!.candidates.map((one) => one.to)).toEqual(['line', 'line'])
    const target = eight!.candidates[0]!.id
    expect(await assign(nine!.id, { to: 'sent_back', target })).toMatchObject({ body: { field: 'target' } })
    expect((await assign(eight!.id, { to: 'sent_back', target })).body).toMatchObject({ outcome: 'returned' })
    expect(await assign(eight!.id, { to: 'sent_back', target })).toMatchObject({ body: { code: 'line_decided' } })
    expect(await balance(account.toSendBack('bank'))).toBe(-800)
    expect(await balance(account.custodyBank('main'))).toBe(800)
  })

  test('of operators who decide at once one does, and the others are told; a repeat of a key is the same answer', async () => {
    for (let round = 0; round < 8; round += 1) {
      const { orderId } = await anOrder(database, company.id, 1)
      const payment = await transfer(company, orderId, 40_000)
      await post({ in: '500.00', memo: `第${round}` })
      const line = (await lines('unmatched'))[0]!
      const wishes = [
        { to: 'payment', target: payment.id },
        { to: 'wallet', target: other.id },
        { to: 'not_ours', reason: '转错' },
        { to: 'wallet', target: company.id },
      ]
      const answers = await Promise.all(wishes.map((wish, index) => assign(line.id, wish, `r${round}-${index}`)))
      expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409])
      const won = answers.findIndex((answer) => answer.status === 200)
      expect(await assign(line.id, wishes[won]!, `r${round}-${won}`)).toMatchObject({ status: 200 })
      for (const answer of answers) if (answer.status === 409) expect(answer.body['code']).toBe('line_decided')
    }
    expect(await read("select id from trail where act = 'statement_line.assigned'")).toHaveLength(8)
  })

  test('a statement that is imported again beside an assignment neither books twice nor undoes it', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { orderId } = await anOrder(database, company.id, 1)
      const payment = await transfer(company, orderId, 40_000)
      const bytes = file({ in: '500.00' }, { in: '400.00', memo: payment.reference! })
      const longer = Buffer.concat([bytes, Buffer.from(`LATER${round},2026-09-02,1.00,,丁,6222000000007777,x\n`)])
      await house.call(finance, 'POST', '/operator/bank-statements', bytes)
      const line = (await lines('unmatched')).find((one) => one.amountFen === 50_000)!
      const [assigned, imported] = await Promise.all([
        assign(line.id, { to: 'payment', target: payment.id }),
        house.call(finance, 'POST', '/operator/bank-statements', longer),
      ])
      expect([assigned.status, imported.status]).toEqual([200, 200])
      expect(imported.body).toMatchObject({ lines: 3, knownLines: 2, unmatched: 1 })
    }
    expect(await balance(account.unmatched('bank'))).toBe(-600)
  })

  test('what cannot be is refused and leaves the line as it was', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const wallet = await aCompany(database, { walletFen: 1000 })
    const code = await house.call(
      company.as('hr'),
      'POST',
      `/hr/orders/${orderId}/payments`,
      { source: 'wechat_pay', amountFen: 100 },
      'w',
    )
    await post({ in: '5.00' }, { out: '6.00' })
    const [waiting] = await lines('unmatched')
    const [out] = await lines('outgoing')
    for (const [id, body, field] of [
      [waiting!.id, { to: 'payment', target: code.body['id'] }, 'target'],
      [waiting!.id, { to: 'payment', target: 'FLKNOTHERE' }, 'target'],
      [waiting!.id, { to: 'payment' }, 'target'],
      [waiting!.id, { to: 'wallet', target: encodeId('company', 7n) }, 'target'],
      [waiting!.id, { to: 'sent_back', target: waiting!.id }, undefined],
      [out!.id, { to: 'wallet', target: wallet.id }, 'to'],
    ] as const) {
      const answer = await assign(id, body)
      expect(answer.status).toBeGreaterThanOrEqual(400)
      if (field !== undefined) expect(answer.body).toMatchObject({ code: 'malformed_request', field })
    }
    expect((await assign(encodeId('statementLine', 7n), { to: 'wallet', target: wallet.id })).status).toBe(404)
    const risk = { ...finance, roles: ['risk'] }
    expect(
      (
        await house.call(
          risk,
          'POST',
          `/operator/statement-lines/${waiting!.id}/assign`,
          { to: 'not_ours', reason: 'xx' },
          'k',
        )
      ).status,
    ).toBe(403)
    expect((await lines('unmatched')).map((line) => line.id)).toEqual([waiting!.id])
  })

  test('an outgoing line is there for payouts and refunds to take, once', async () => {
    await post({ out: '20.00', name: '乙公司', account: '6222000000002222', memo: 'PAYOUT1' })
    const [line] = await database.tx((tx) =>
      findDebits(tx, { amountFen: 2000 as never, payeeAccount: '6222-0000-0000-2222' }),
    )
    expect(line).toMatchObject({ amountFen: 2000, payee: { holder: '乙公司', memo: 'PAYOUT1' } })
    expect(
      await database.tx((tx) => findDebits(tx, { amountFen: 2000 as never, payeeAccount: '62220000000033' })),
    ).toEqual([])
    const ref = encodeId('payout', 1n)
    const take = () => database.tx((tx) => takeDebit(tx, line!.id, ref, 'payer'))
    expect((await Promise.all([take(), take(), take()])).filter(Boolean)).toHaveLength(1)
    expect(await database.tx((tx) => readDebit(tx, line!.id))).toBeNull()
    await database.tx((tx) =>
      change(tx.em, "update statement_line set outcome = 'outgoing', ref = null where id = ?", [line!.id]),
    )
  })

  test('transfers into our account at WeChat Pay are lines as well, each record once', async () => {
    const own = await startPayWorld()
    const bank = await servePayHouse(database, own, [])
    const { orderId } = await anOrder(database, company.id, 1)
    const payment = await transfer(company, orderId, 40_000)
    const income = (amount: number, more: object) =>
      own.ctl('income', { mchid: platformMerchant.mchid, amount, ...more })
    await income(40_000, { remark: `福利 ${payment.reference}` })
    await income(9000, { remark: company.reference })
    await income(500, { remark: '不知道', accountName: '路人' })
    const edge = bank.edge({ kind: 'system', name: 'test' })
    await Promise.all([readIncome(edge), readIncome(edge)])
    await readIncome(edge)
    expect(await state(payment.id)).toEqual({ state: 'paid', outcome: 'exact' })
    expect(await walletOf(company.id)).toBe(9000)
    expect(await balance(account.collected(platformMerchant.mchid))).toBe(49_500)
    expect(await balance(account.custodyBank('main'))).toBe(0)
    expect(await balance(account.unmatched('wechat_income'))).toBe(-500)
    const [waiting] = await lines('unmatched')
    expect(waiting).toMatchObject({ source: 'wechat_income', amountFen: 500 })
    await assign(waiting!.id, { to: 'wallet', target: other.id })
    expect(await walletOf(other.id)).toBe(500)
    expect(await balance(account.unmatched('wechat_income'))).toBe(0)
    await bank.close()
    await own.sandbox.close()
  })

  test('incomes of a day that were half taken, or that gave no answer, are finished by the next run', async () => {
    const own = await startPayWorld()
    const bank = await servePayHouse(database, own, [])
    for (let index = 0; index < 60; index += 1)
      await own.ctl('income', { mchid: platformMerchant.mchid, amount: 100, remark: company.reference })
    const edge = bank.edge({ kind: 'system', name: 'test' })
    let left = 2
    const stopping: Edge = {
      ...edge,
      tx: (work) => {
        if ((left -= 1) < 0) throw new Error('stopped')
        return edge.tx(work)
      },
    }
    await expect(readIncome(stopping)).rejects.toThrow('stopped')
    expect(await walletOf(company.id)).toBe(5000)
    // Of the four days one gives no answer; the others are taken, and the job comes back.
    await own.ctl('faults', { kind: 'status500_before', path: '/income-records', times: 1 })
    await expect(readIncome(edge)).rejects.toThrow(OutsideError)
    await readIncome(edge)
    expect(await walletOf(company.id)).toBe(6000)
    expect(await read('select id from statement_line')).toHaveLength(60)
    await bank.close()
    await own.sandbox.close()
  })

  test('the proof names each way in which lines can be off', async () => {
    await post({ in: '7.00' }, { in: '8.00' }, { in: '9.00', memo: company.reference }, { out: '8.00' })
    const eight = (await lines('unmatched')).find((line) => line.amountFen === 800)!
    await assign(eight.id, { to: 'not_ours', reason: '转错' })
    const out = (await lines('outgoing'))[0]!
    await assign(out.id, { to: 'sent_back', target: eight.id })
    const rulesAfter = async (text: string, back: string) => {
      await database.tx((tx) => change(tx.em, text))
      const found = (await database.tx(proveBooks)).map((finding) => finding.rule)
      await database.tx((tx) => change(tx.em, back))
      return found
    }
    const flip = (from: string, to: string, id: Id<'statementLine'>) =>
      rulesAfter(
        `update statement_line set outcome = '${to}' where id = '${id}'`,
        `update statement_line set outcome = '${from}' where id = '${id}'`,
      )
    const seven = (await lines('unmatched'))[0]!
    expect(await flip('unmatched', 'not_ours', seven.id)).toEqual([
      'unmatched_lines_wait_in_their_account',
      'a_line_waits_as_unmatched_until_it_is_decided',
      'money_that_is_not_ours_is_owed_until_it_went_back',
    ])
    expect(await flip('sent_back', 'not_ours', eight.id)).toEqual([
      'money_that_is_not_ours_is_owed_until_it_went_back',
      'money_that_went_back_has_the_line_that_shows_it',
    ])
    expect(await flip('returned', 'outgoing', out.id)).toContain('money_that_went_back_has_the_line_that_shows_it')
    expect(await flip('unmatched', 'paid_out', seven.id)).toContain('a_line_is_what_its_direction_allows')
  })
})
