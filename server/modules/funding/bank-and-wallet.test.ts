import iconv from 'iconv-lite'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { OrderView, PaymentView } from '../../../contract/hr/funding.ts'
import { encodeId } from '../../../contract/ids.ts'
import { readBankStatement } from '../../../importers/bank-statement.ts'
import type { Actor } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anOrder, servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { proveBooks } from '../analytics/prove-books.ts'
import { account, type Account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'
import { fundingEndpoints } from './endpoints.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

const header = '交易流水号,交易时间,收入金额,对方户名,对方账号,附言'
let serials = 0
/** A line of a statement: yuan as a bank prints them, and what the payer wrote. */
const line = (yuan: string, memo: string, serial = `SER${String((serials += 1)).padStart(9, '0')}`) =>
  `${serial},2026-09-01 12:30:15,"${yuan}",青禾科技,6222000000000000001,${memo}`
const file = (...lines: string[]) => Buffer.from(`\ufeff${[header, ...lines].join('\r\n')}\r\n`)

onBothDatabases('bank transfers and the wallet', (database) => {
  let house: PayHouse
  let company: TestCompany
  let keys = 0
  const finance = { kind: 'operator', operatorId: encodeId('operator', 1n), roles: ['finance'] } as const
  beforeEach(async () => {
    house = await servePayHouse(database, world, fundingEndpoints({ readStatement: readBankStatement }))
    company = await aCompany(database, { walletFen: 50_000 })
  })
  afterEach(() => house.close())

  const hr = () => company.as('hr')
  const open = (orderId: string, body: object, key = `k${(keys += 1)}`) =>
    house.call(hr(), 'POST', `/hr/orders/${orderId}/payments`, body, key)
  const transfer = async (orderId: string, amountFen: number) =>
    (await open(orderId, { source: 'bank_transfer', amountFen })).body as unknown as PaymentView
  const post = (bytes: Uint8Array, actor: Actor = finance) =>
    house.call(actor, 'POST', '/operator/bank-statements', bytes)
  const show = async (orderId: string) =>
    (await house.call(hr(), 'GET', `/hr/orders/${orderId}`)).body as unknown as OrderView
  const read = <T>(text: string, values: readonly unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))
  const balance = (of: Account) => database.tx((tx) => readBalance(tx, 'CNY', of))
  const issueJobs = () => read("select id from job where kind = 'order.issue'")

  test('30 orders of a company are paid from its wallet at once', async () => {
    const rich = await aCompany(database, { walletFen: 30 * 100_000 })
    const orders: string[] = []
    for (let i = 0; i < 30; i += 1) orders.push((await anOrder(database, rich.id, 1)).orderId)
    const body = { source: 'wallet', amountFen: 100_000 }
    const paid = await Promise.all(
      orders.map((id, i) =>
        house.call(rich.as('finance'), 'POST', `/hr/orders/${id}/payments`, body, `all-at-once-${i}`),
      ),
    )
    expect(paid.map(({ body: payment }) => payment['state'])).toEqual(orders.map(() => 'paid'))
    expect(await balance(account.wallet(rich.id))).toBe(0)
  })

  test('three sources at once, in whatever order they come, fund two brands exactly once', async () => {
    const { orderId, brandIds } = await anOrder(database, company.id, 2)
    const bank = await transfer(orderId, 30_000)
    expect(bank).toMatchObject({ state: 'opened', reference: expect.stringMatching(/^FLK[2-9A-Z]{8}$/) })
    expect(bank.parts.map((part) => part.amountFen)).toEqual([18_000, 12_000])
    const wechat = (await open(orderId, { source: 'wechat_pay', amountFen: 42_000, brandId: brandIds[0] })).body
    const [found] = await read<{ mchid: string; out_trade_no: string }>(
      'select mchid, out_trade_no from payment where id = ?',
      [wechat['id']],
    )
    const [wallet, statement] = await Promise.all([
      open(orderId, { source: 'wallet', amountFen: 28_000 }),
      post(file(line('300.00', `福利 ${bank.reference}`))),
      world.ctl('pay', { mchid: found!.mchid, outTradeNo: found!.out_trade_no, outcome: 'success' }),
    ])
    expect(wallet).toMatchObject({ status: 200, body: { state: 'paid', outcome: 'exact', paidFen: 28_000 } })
    expect(statement).toMatchObject({ status: 200, body: { lines: 1, knownLines: 0, payments: 1, unmatched: 0 } })
    for (let i = 0; i < 100 && (await show(orderId)).state !== 'funded'; i += 1)
      await new Promise((resolve) => setTimeout(resolve, 20))
    const order = await show(orderId)
    expect(order.payments.map((payment) => payment.outcome)).toEqual(['exact', 'exact', 'exact'])
    const parts = order.payments.flatMap((payment) => payment.parts)
    const sumOf = (brandId: string) =>
      parts.filter((part) => part.brandId === brandId).reduce((sum, part) => sum + part.amountFen, 0)
    expect(brandIds.map(sumOf)).toEqual([60_000, 40_000])
    expect(await balance(account.overpaid(orderId))).toBe(0)
    expect(await show(orderId)).toMatchObject({ state: 'funded', securedFen: 100_000, missingFen: 0 })
    expect(await issueJobs()).toHaveLength(1)
  })

  test('the wallet pays what it holds and no fen more, and a repeat of the key pays once', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    expect(await open(orderId, { source: 'wallet', amountFen: 50_001 })).toMatchObject({
      status: 409,
      body: { code: 'wallet_insufficient' },
    })
    expect(await read('select id from payment')).toHaveLength(0)
    expect(await read('select once_key from once_key')).toHaveLength(0)
    const wish = { source: 'wallet', amountFen: 30_000 }
    const same = await Promise.all([1, 2, 3].map(() => open(orderId, wish, 'same')))
    expect(new Set(same.map((one) => one.body['id'])).size).toBe(1)
    const rush = await Promise.all([1, 2, 3].map(() => open(orderId, { source: 'wallet', amountFen: 20_000 })))
    expect(rush.map((one) => one.status).toSorted((a, b) => a - b)).toEqual([200, 409, 409])
    expect(await show(orderId)).toMatchObject({ securedFen: 50_000, walletFen: 0, missingFen: 50_000 })
  })

  test('a payment may not exceed what is missing, and none is opened for an order that is funded', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    expect(await open(orderId, { source: 'bank_transfer', amountFen: 100_001 })).toMatchObject({
      body: { code: 'payment_over_needed', field: 'amountFen' },
    })
    for (const body of [
      { source: 'bank_transfer', amountFen: 0 },
      { source: 'cash', amountFen: 1 },
      { source: 'wallet', amountFen: 1.5 },
    ])
      expect(await open(orderId, body)).toMatchObject({ status: 422, body: { code: 'malformed_request' } })
    const bank = await transfer(orderId, 100_000)
    await post(file(line('1,000.00', bank.reference!)))
    expect(await open(orderId, { source: 'wallet', amountFen: 1 })).toMatchObject({ body: { code: 'state_conflict' } })
  })

  test('less, more, a second transfer and a late one each have their outcome, and every fen is somewhere', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const [short, over, late] = [
      await transfer(orderId, 30_000),
      await transfer(orderId, 20_000),
      await transfer(orderId, 5_000),
    ]
    expect((await house.call(hr(), 'POST', `/hr/payments/${late.id}/close`)).body).toMatchObject({ state: 'closed' })
    await post(
      file(
        line('299.99', `flk ${short.reference!.slice(3).toLowerCase()}`),
        line('200.01', `货款${over.reference}`),
        line('50.00', late.reference!),
        line('10.00', short.reference!),
      ),
    )
    const payments = (await show(orderId)).payments
    expect(payments.map(({ state, outcome, paidFen }) => [state, outcome, paidFen])).toEqual([
      ['paid', 'short', 29_999],
      ['paid', 'over', 20_001],
      ['paid', 'late', 5_000],
      ['paid', 'exact', 1_000],
    ])
    expect(await show(orderId)).toMatchObject({ securedFen: 56_000, state: 'awaiting_funds' })
    await post(file(line('500.00', over.reference!), line('7.00', over.reference!)))
    expect(await show(orderId)).toMatchObject({ securedFen: 100_000, state: 'funded', missingFen: 0 })
    const last = (await show(orderId)).payments.slice(-2)
    expect(last.map(({ outcome, paidFen }) => [outcome, paidFen])).toEqual([
      ['over', 50_000],
      ['duplicate', 700],
    ])
    expect(await balance(account.overpaid(orderId))).toBe(-6_700)
    expect(await balance(account.custodyBank('main'))).toBe(50_000 + 106_700)
  })

  test('a statement in GB18030, twice, at once, and inside a longer one books each line once', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const bank = await transfer(orderId, 100_000)
    const lines = [
      line('1,000.00', bank.reference!),
      line('88.00', `充值 ${company.reference}`),
      line('5.00', '不知道是什么'),
      line('6.00', `${bank.reference} 和 ${company.reference}`),
    ]
    const bytes = iconv.encode([header, ...lines].join('\n'), 'gb18030')
    const answers = await Promise.all([post(bytes), post(bytes), post(bytes)])
    for (const answer of answers)
      expect(answer).toMatchObject({
        status: 200,
        body: { lines: 4, knownLines: 0, payments: 1, topUps: 1, unmatched: 2, id: answers[0].body['id'] },
      })
    expect(await post(file(...lines, line('1.00', 'x')))).toMatchObject({
      body: { lines: 5, knownLines: 4, payments: 0, topUps: 0, unmatched: 1 },
    })
    expect(await show(orderId)).toMatchObject({ state: 'funded', walletFen: 58_800 })
    expect(await balance(account.unmatched('bank'))).toBe(-1200)
    expect(await issueJobs()).toHaveLength(1)
    const listed = await house.call(finance, 'GET', '/operator/statement-lines?outcome=unmatched&limit=2')
    expect(listed.body['nextCursor']).not.toBeNull()
    expect(listed.body['lines']).toMatchObject([
      { memo: 'x', companyName: null, payerName: '青禾科技', payerAccount: '***************0001' },
      { amountFen: 600 },
    ])
    const rest = await house.call(
      finance,
      'GET',
      `/operator/statement-lines?cursor=${String(listed.body['nextCursor'])}`,
    )
    const matched = rest.body['lines'] as { outcome: string; companyName: string | null }[]
    expect(matched.map((one) => one.outcome).sort()).toEqual(['payment', 'top_up', 'unmatched'])
  })

  test('a file with one bad line, a contradiction or nothing is refused whole', async () => {
    const good = line('5.00', company.reference)
    for (const [bytes, row] of [
      [file(good, line('五元', 'x')), 3],
      [file(good, good), 3],
      [Buffer.from('姓名,手机号\n张三,1\n'), undefined],
      [Buffer.from('%PDF-1.7'), undefined],
    ] as const) {
      const answer = await post(bytes)
      expect(answer).toMatchObject({ status: 422, body: { code: 'statement_refused' } })
      expect([answer.body['row'], answer.body['detail']]).toEqual([row, expect.any(String)])
    }
    expect(await read('select id from bank_statement')).toHaveLength(0)
    await post(file(line('5.00', 'x', 'SAME')))
    expect(await post(file(line('5.01', 'x', 'SAME')))).toMatchObject({ body: { code: 'statement_refused', row: 2 } })
    expect(await read('select id from statement_line')).toHaveLength(1)
  })

  test('only the platform’s finance imports and reads statements', async () => {
    const risk: Actor = { ...finance, roles: ['risk'] }
    for (const actor of [hr(), company.as('admin'), risk]) {
      expect((await post(file(line('5.00', 'x')), actor)).status).toBe(403)
      expect((await house.call(actor, 'GET', '/operator/statement-lines')).status).toBe(403)
    }
  })

  test('from 5,000 yuan a strict company pays by transfer or wallet only; non_cash shows the notice', async () => {
    const strict = await aCompany(database, { paymentRoute: 'strict' })
    const { orderId } = await anOrder(database, strict.id, 1)
    const raise = (id: string) =>
      database.tx(async (tx) => {
        await change(tx.em, 'update orders set total_fen = 500000 where id = ?', [id])
        await change(tx.em, 'update order_item set price_fen = 500000 where order_id = ?', [id])
      })
    const ask = (actor: Actor, id: string, source: string) =>
      house.call(actor, 'POST', `/hr/orders/${id}/payments`, { source, amountFen: 100 }, `r${(keys += 1)}`)
    expect((await ask(strict.as('hr'), orderId, 'wechat_pay')).status).toBe(200)
    await raise(orderId)
    expect(await ask(strict.as('hr'), orderId, 'wechat_pay')).toMatchObject({
      status: 409,
      body: { code: 'payment_route_barred' },
    })
    expect((await ask(strict.as('hr'), orderId, 'bank_transfer')).status).toBe(200)
    const other = await anOrder(database, company.id, 1)
    await raise(other.orderId)
    expect((await ask(hr(), other.orderId, 'wechat_pay')).status).toBe(200)
    const route = (await show(other.orderId)).routes.find((one) => one.source === 'wechat_pay')
    expect(route).toMatchObject({ allowed: true, text: expect.stringContaining('不是对公账户转账') })
  })

  test('an open page is told of money as it arrives, and is let go at the end', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const headers = { 'x-actor': JSON.stringify(hr()) }
    const response = await fetch(`${house.url}/hr/orders/${orderId}/events`, { headers })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = (await reader.read()).value ?? ''
    expect(text).toContain('"securedFen":0')
    const bank = await transfer(orderId, 100_000)
    await post(file(line('1,000.00', bank.reference!)))
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) text += piece.value
    expect(text).toContain('"state":"funded"')
    expect(text.match(/event: order/g)!.length).toBeGreaterThanOrEqual(2)
  })

  test('two files at once that give one serial two amounts are not both taken', async () => {
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(
        ['10.00', '11.00'].map((yuan) => post(file(line(yuan, company.reference, `TWICE${round}`)))),
      )
      expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 422])
      expect(answers.find((answer) => answer.status === 422)?.body).toMatchObject({ code: 'statement_refused' })
    }
  })

  test('the proof names each way in which payments can be off', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const bank = await transfer(orderId, 40_000)
    await post(file(line('400.01', bank.reference!), line('9.00', 'x')))
    const rulesAfter = async (text: string, back: string) => {
      await database.tx((tx) => change(tx.em, text))
      const rules = (await database.tx(proveBooks)).map((finding) => finding.rule)
      await database.tx((tx) => change(tx.em, back))
      return rules
    }
    const off = (table: string, column: string, by: number, where = '1 = 1') =>
      rulesAfter(
        `update ${table} set ${column} = ${column} + ${by} where ${where}`,
        `update ${table} set ${column} = ${column} - ${by} where ${where}`,
      )
    expect(await off('payment_part', 'amount_fen', 1)).toEqual([
      'parts_of_arrived_payments_are_what_the_order_secured',
      'what_arrived_beyond_the_parts_is_kept_as_overpaid',
    ])
    expect(await off('payment', 'paid_fen', 1)).toEqual([
      'what_arrived_beyond_the_parts_is_kept_as_overpaid',
      'a_payment_is_posted_once_on_the_account_of_its_source',
      'a_bank_payment_is_its_statement_line',
    ])
    expect(await off('order_item', 'price_fen', -90_000)).toEqual([
      'parts_of_a_brand_are_within_its_price',
      'an_order_is_its_items',
    ])
    expect(await off('statement_line', 'amount_fen', 1, "outcome = 'unmatched'")).toEqual([
      'unmatched_lines_wait_in_their_account',
      'a_line_waits_as_unmatched_until_it_is_decided',
    ])
  })
})
