import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { readBankStatement } from '../../../importers/bank-statement.ts'
import type { Ports } from '../../channels/ports.ts'
import type { WechatPayTrade } from '../../channels/wechatpay-port.ts'
import type { Edge } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anOrder, merchants, servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { acceptNotices } from './accept-notices.ts'
import { fundingEndpoints } from './endpoints.ts'
import { importStatement } from './import-statement.ts'
import { openPayment } from './open-payment.ts'
import { watchPayment } from './watch-payment.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('funding that is stopped between its phases', (database) => {
  let house: PayHouse
  let company: TestCompany
  let keys = 0
  beforeEach(async () => {
    house = await servePayHouse(database, world, fundingEndpoints({ readStatement: readBankStatement }))
    company = await aCompany(database)
  })
  afterEach(async () => {
    await world.ctl('faults', {}, 'DELETE')
    await house.close()
  })

  const open = (edge: Edge, orderId: Id<'order'>, source: 'wechat_pay' | 'bank_transfer', amount: number) =>
    openPayment(edge, { orderId, source, amountFen: fen(amount) }, `k${(keys += 1)}`)
  const hrEdge = () => house.edge(company.as('hr'))
  const read = <T>(text: string, values: readonly unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))
  async function row(id: string) {
    const [found] = await read<{
      state: string
      outcome: string | null
      code_url: string | null
      out_trade_no: string
    }>('select state, outcome, code_url, out_trade_no from payment where id = ?', [id])
    return found!
  }
  const ask = async (id: string) => house.ports.wechatPay.query(merchants[0], (await row(id)).out_trade_no)

  test('a stop before the call leaves a payment that the watch places', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    await world.ctl('faults', { kind: 'status500_before', path: '/native', times: 2 })
    const id = await open(hrEdge(), orderId, 'wechat_pay', 100_000)
    expect(await row(id)).toMatchObject({ state: 'opened', code_url: null })
    expect(await ask(id)).toBeNull()
    await watchPayment(house.edge(), id)
    expect((await row(id)).code_url).toMatch(/^weixin:/)
    expect(await ask(id)).toMatchObject({ state: 'NOTPAY', total: 100_000 })
  })

  test('a code whose answer was lost after the payment was placed is fetched by the watch', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    await world.ctl('faults', { kind: 'status500_after', path: '/native', times: 2 })
    const id = await open(hrEdge(), orderId, 'wechat_pay', 100_000)
    expect(await row(id)).toMatchObject({ state: 'opened', code_url: null })
    expect(await ask(id)).toMatchObject({ state: 'NOTPAY' })
    await watchPayment(house.edge(), id)
    expect((await row(id)).code_url).toMatch(/^weixin:/)
  })

  test('a payment that is closed while its code is asked for is closed at WeChat Pay as well', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const real = house.ports.wechatPay
    const closing: Ports['wechatPay'] = {
      ...real,
      prepare: async (merchant, product, body) => {
        const answer = await real.prepare(merchant, product, body)
        const [found] = await read<{ id: Id<'payment'> }>('select id from payment where out_trade_no = ?', [
          (JSON.parse(body) as { out_trade_no: string }).out_trade_no,
        ])
        const text = "update payment set state = 'closed', version = version + 1 where id = ?"
        await database.tx((tx) => change(tx.em, text, [found!.id]))
        return answer
      },
    }
    const edge = database.edge({ ...house.ports, wechatPay: closing }, company.as('hr'))
    const id = await open(edge, orderId, 'wechat_pay', 100_000)
    expect(await row(id)).toMatchObject({ state: 'closed', code_url: null })
    expect(await ask(id)).toMatchObject({ state: 'CLOSED' })
  })

  test('a payment that was paid while its code was on the way is not asked about again', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const real = house.ports.wechatPay
    let asked = 0
    const paying: Ports['wechatPay'] = {
      ...real,
      prepare: async (merchant, product, body) => {
        const answer = await real.prepare(merchant, product, body)
        const { out_trade_no: outTradeNo } = JSON.parse(body) as { out_trade_no: string }
        await world.ctl('pay', { mchid: merchant.mchid, outTradeNo, outcome: 'success' })
        const [found] = await read<{ id: Id<'payment'> }>('select id from payment where out_trade_no = ?', [outTradeNo])
        await watchPayment(house.edge(), found!.id)
        return answer
      },
      query: (...whose) => {
        asked += 1
        return real.query(...whose)
      },
    }
    const edge = database.edge({ ...house.ports, wechatPay: paying }, company.as('hr'))
    const id = await open(edge, orderId, 'wechat_pay', 100_000)
    expect(await row(id)).toMatchObject({ state: 'paid', code_url: null })
    expect(asked).toBe(0)
  })

  test('once the order has its funds, its other open ways are ended: the transfer here, the code there', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const code = await open(hrEdge(), orderId, 'wechat_pay', 100_000)
    const other = await open(hrEdge(), orderId, 'bank_transfer', 50_000)
    const paid = await open(hrEdge(), orderId, 'wechat_pay', 100_000)
    const { out_trade_no: outTradeNo } = await row(paid)
    await world.ctl('pay', { mchid: merchants[0].mchid, outTradeNo, outcome: 'success' })
    await watchPayment(house.edge(), paid)
    expect(await row(other)).toMatchObject({ state: 'closed' })
    expect(await row(code)).toMatchObject({ state: 'opened' })
    const jobs = await read('select id from job where job_key = ?', [`payment.watch:${code}:funded`])
    expect(jobs).toHaveLength(1)
    await Promise.all([watchPayment(house.edge(), code), watchPayment(house.edge(), code)])
    expect(await row(code)).toMatchObject({ state: 'closed' })
    expect(await ask(code)).toMatchObject({ state: 'CLOSED' })
  })

  test('no answer keeps the watch going, past the end too', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const id = await open(hrEdge(), orderId, 'wechat_pay', 100_000)
    await world.ctl('faults', { kind: 'cut_after', times: 1 })
    await watchPayment(house.edge(), id)
    world.shiftMs = 3 * 3_600_000
    await world.ctl('faults', { kind: 'status500_before', times: 1 })
    await watchPayment(house.edge(), id)
    expect(await row(id)).toMatchObject({ state: 'opened' })
    const looks = await read<{ at: number }>(
      "select ready_at_ms as at from job where kind = 'payment.watch' order by ready_at_ms",
    )
    expect(looks.length).toBeGreaterThanOrEqual(2)
    expect(Number(looks.at(-1)!.at)).toBeGreaterThan(Date.now() + world.shiftMs)
    await watchPayment(house.edge(), id)
    expect(await row(id)).toMatchObject({ state: 'closed' })
    world.shiftMs = 0
  })

  test('one batch of trades: equal ones move money once, crooked ones move nothing, orders keep apart', async () => {
    const [a, b] = [await anOrder(database, company.id, 1), await anOrder(database, company.id, 1)]
    const ids = [
      await open(hrEdge(), a.orderId, 'wechat_pay', 100_000),
      await open(hrEdge(), b.orderId, 'wechat_pay', 100_000),
    ]
    const numbers = await Promise.all(ids.map(async (id) => (await row(id)).out_trade_no))
    const trade = (outTradeNo: string, transactionId: string, more: Partial<WechatPayTrade> = {}): WechatPayTrade => ({
      ...merchants[0],
      outTradeNo,
      transactionId,
      state: 'SUCCESS',
      total: fen(100_000),
      successAtMs: Date.now(),
      bankType: 'OTHERS',
      openid: 'oPayer',
      ...more,
    })
    const batch = [
      trade(numbers[1]!, 'T2'),
      trade(numbers[0]!, 'T1'),
      trade(numbers[0]!, 'T1'),
      trade(numbers[0]!, 'T9'),
      trade(numbers[1]!, 'T2', { appid: 'wxother' }),
      trade('FLKNOWHERE', 'T3'),
    ]
    const answers = await Promise.all([1, 2, 3].map(() => database.tx((tx) => acceptNotices(tx, batch))))
    const kinds = answers.map((answer) => answer.map((one) => one.kind))
    const rest = ['repeated', 'wrong_transaction', 'wrong_merchant', 'unknown_order']
    expect(kinds).toContainEqual(['accepted', 'accepted', ...rest])
    expect(kinds.filter((one) => one[0] === 'repeated')).toEqual([
      ['repeated', 'repeated', ...rest],
      ['repeated', 'repeated', ...rest],
    ])
    expect(await read("select id from job where kind = 'order.issue'")).toHaveLength(2)
    // One transaction cannot pay two payments.
    const third = await open(hrEdge(), (await anOrder(database, company.id, 1)).orderId, 'wechat_pay', 100_000)
    const stolen = [trade((await row(third)).out_trade_no, 'T1')]
    expect(await database.tx((tx) => acceptNotices(tx, stolen))).toEqual([{ kind: 'wrong_transaction' }])
  })

  test('who paid is stored sealed, and nowhere else', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const id = await open(hrEdge(), orderId, 'wechat_pay', 100_000)
    const { out_trade_no: outTradeNo } = await row(id)
    await world.ctl('pay', { mchid: merchants[0].mchid, outTradeNo, openid: 'oSecretPayer', outcome: 'success' })
    await watchPayment(house.edge(), id)
    const [stored] = await read<{ payer_sealed: Buffer }>('select payer_sealed from payment where id = ?', [id])
    expect(stored!.payer_sealed.includes('oSecretPayer')).toBe(false)
    const place = { table: 'payment', column: 'payer_sealed', rowId: id }
    expect(JSON.parse(database.house.seal.open(place, stored!.payer_sealed))).toEqual({ openid: 'oSecretPayer' })
    for (const [table, column] of [
      ['trail', 'note'],
      ['job', 'args'],
      ['once_key', 'input'],
      ['once_key', 'answer'],
    ])
      expect(await read(`select ${column} from ${table} where ${column} like '%oSecret%'`)).toEqual([])
  })

  test('a statement of 120 lines that stops half-way is finished by the next run', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const id = await open(hrEdge(), orderId, 'bank_transfer', 100_000)
    const [{ reference } = { reference: '' }] = await read<{ reference: string }>(
      'select reference from payment where id = ?',
      [id],
    )
    const lines = Array.from(
      { length: 120 },
      (_, i) => `S${String(i).padStart(6, '0')},2026-09-01,8.50,甲,1,${reference}`,
    )
    const bytes = Buffer.from(['流水号,日期,收入金额,对方户名,对方账号,附言', ...lines].join('\n'))
    const file = { fileName: 'a.csv', bytes, read: await readBankStatement(bytes, 'a.csv') }
    const edge = house.edge({ kind: 'system', name: 'test' })
    let left = 2
    const stopping: Edge = {
      ...edge,
      tx: (work) =>
        edge.tx(async (tx) => {
          const done = await work(tx)
          if ((left -= 1) < 0) throw new Error('stopped')
          return done
        }),
    }
    await expect(importStatement(stopping, file, 'zh')).rejects.toThrow('stopped')
    expect(await read('select id from statement_line')).toHaveLength(50)
    const whole = { lines: 120, knownLines: 0, payments: 120, topUps: 0, unmatched: 0 }
    expect(await importStatement(edge, file, 'zh')).toMatchObject(whole)
    expect(await importStatement(edge, file, 'zh')).toMatchObject(whole)
    const [order] = await read<{ state: string; secured_fen: unknown }>('select state, secured_fen from orders')
    expect([order!.state, Number(order!.secured_fen)]).toEqual(['funded', 100_000])
  })
})
