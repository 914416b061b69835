import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import type { OrderView, PaymentView } from '../../../contract/hr/funding.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import { readBankStatement } from '../../../importers/bank-statement.ts'
import type { WechatPayTrade } from '../../channels/wechatpay-port.ts'
import { change, sql } from '../../kernel/sql.ts'
import { aTemplate } from '../../testing/cards.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import {
  anOrder,
  merchants,
  platformMerchant,
  servePayHouse,
  startPayWorld,
  withPlatform,
  type PayHouse,
  type PayWorld,
} from '../../testing/paying.ts'
import { createBrand } from '../catalog/create-template.ts'
import { setTerms } from '../catalog/set-terms.ts'
import { placeOrder } from '../order/place-order.ts'
import { proveBooks } from '../analytics/prove-books.ts'
import { account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'
import { askPayment } from './ask-payment.ts'
import { fundingEndpoints } from './endpoints.ts'
import { openPayment } from './open-payment.ts'
import { preparePayment } from './prepare-payment.ts'
import { isWholeCombination } from './rules.ts'
import { watchPayment } from './watch-payment.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

interface Row {
  readonly id: Id<'payment'>
  readonly mchid: string
  readonly appid: string
  readonly state: string
  readonly outcome: string | null
  readonly out_trade_no: string
  readonly combine_no: string | null
  readonly combine_mchid: string | null
  readonly code_url: string | null
  readonly transaction_id: string | null
  readonly amount_fen: unknown
}

onBothDatabases('one charge over several brands', (database) => {
  let house: PayHouse
  let company: TestCompany
  let keys = 0
  beforeEach(async () => {
    withPlatform(database)
    house = await servePayHouse(database, world, fundingEndpoints({ readStatement: readBankStatement }))
    company = await aCompany(database)
  })
  afterEach(async () => {
    await world.ctl('faults', {}, 'DELETE')
    world.shiftMs = 0
    await house.close()
  })

  const open = (orderId: string, body: object, key = `k${(keys += 1)}`) =>
    house.call(company.as('hr'), 'POST', `/hr/orders/${orderId}/payments`, { source: 'wechat_pay', ...body }, key)
  async function opened(orderId: string, body: object): Promise<PaymentView> {
    const answer = await open(orderId, body)
    expect(answer).toMatchObject({ status: 200, body: { state: 'opened' } })
    return answer.body as unknown as PaymentView
  }
  const read = <T>(text: string, values: readonly unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))
  const rows = (orderId: string) => read<Row>('select * from payment where order_id = ? order by id', [orderId])
  const show = async (orderId: string) =>
    (await house.call(company.as('hr'), 'GET', `/hr/orders/${orderId}`)).body as unknown as OrderView
  const pay = (row: Row, outcome = 'success') =>
    world.ctl('pay', { mchid: row.mchid, outTradeNo: row.out_trade_no, outcome })
  const loseNotices = () => world.ctl('faults', { kind: 'notice_lose', times: 100 })
  async function until(holds: () => Promise<boolean>): Promise<void> {
    for (let i = 0; i < 150 && !(await holds()); i += 1) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await holds()).toBe(true)
  }

  test('is one combined payment, a sub-order for each brand, and its one notice pays all at once', async () => {
    const { orderId, brandIds } = await anOrder(database, company.id, 2)
    const first = await opened(orderId, { amountFen: 100_000 })
    const [a, b] = await rows(orderId)
    expect(first.combined).toEqual({ paymentIds: [a!.id, b!.id], amountFen: 100_000 })
    expect(first.codeUrl).toMatch(/^weixin:/)
    for (const [index, row] of [a!, b!].entries())
      expect(row).toMatchObject({
        mchid: merchants[index]!.mchid,
        appid: platformMerchant.appid,
        combine_no: a!.combine_no,
        combine_mchid: platformMerchant.mchid,
        code_url: first.codeUrl,
      })
    expect([Number(a!.amount_fen), Number(b!.amount_fen)]).toEqual([60_000, 40_000])
    await pay(a!)
    await until(async () => (await show(orderId)).state === 'funded')
    const paid = (await show(orderId)).payments
    expect(paid.map((one) => [one.state, one.outcome, one.brand?.id])).toEqual([
      ['paid', 'exact', brandIds[0]],
      ['paid', 'exact', brandIds[1]],
    ])
    expect(new Set((await rows(orderId)).map((row) => row.transaction_id)).size).toBe(2)
    const held = (mchid: string) => database.tx((tx) => readBalance(tx, 'CNY', account.collected(mchid)))
    expect([await held(merchants[0].mchid), await held(merchants[1].mchid)]).toEqual([60_000, 40_000])
    expect(await askPayment(house.edge(), a!.id)).toBe('paid')
  })

  test('a notice that is lost is made good by the watch of any of its payments, and repeats move nothing', async () => {
    const { orderId } = await anOrder(database, company.id, 2)
    await opened(orderId, { amountFen: 50_001 })
    const [a, b] = await rows(orderId)
    expect([Number(a!.amount_fen), Number(b!.amount_fen)]).toEqual([30_001, 20_000])
    await loseNotices()
    await pay(b!)
    await Promise.all([watchPayment(house.edge(), b!.id), watchPayment(house.edge(), a!.id)])
    expect((await rows(orderId)).map((row) => row.state)).toEqual(['paid', 'paid'])
    expect(await show(orderId)).toMatchObject({ securedFen: 50_001, missingFen: 49_999 })
    expect(await read("select id from entry where kind = 'funds_received'")).toHaveLength(2)
  })

  test('closing asks first, sends the very list, and ends all of it here and there', async () => {
    const { orderId } = await anOrder(database, company.id, 2)
    await opened(orderId, { amountFen: 100_000 })
    const [a, b] = await rows(orderId)
    const closed = await house.call(company.as('hr'), 'POST', `/hr/payments/${b!.id}/close`)
    expect(closed).toMatchObject({ status: 200, body: { state: 'closed' } })
    expect((await rows(orderId)).map((row) => row.state)).toEqual(['closed', 'closed'])
    const trades = await house.ports.wechatPay.queryCombined(platformMerchant, a!.combine_no!)
    expect(trades?.map((trade) => trade.state)).toEqual(['CLOSED', 'CLOSED'])
    // One that was paid in the same moment is found paid.
    await opened(orderId, { amountFen: 100_000 })
    const [, , c, d] = await rows(orderId)
    await loseNotices()
    await pay(c!)
    await house.call(company.as('hr'), 'POST', `/hr/payments/${d!.id}/close`)
    expect((await rows(orderId)).slice(2).map((row) => row.state)).toEqual(['paid', 'paid'])
  })

  test('an answer that was lost is made good with the stored body, whatever changed since', async () => {
    const { orderId, brandIds } = await anOrder(database, company.id, 2)
    await world.ctl('faults', { kind: 'status500_after', path: '/v3/combine-transactions', times: 2 })
    const first = await opened(orderId, { amountFen: 100_000 })
    expect(first.codeUrl).toBeNull()
    // Brand, clock and everything that a body could be built from anew are others now.
    await database.tx((tx) => change(tx.em, "update brand set mchid = '1999999999' where id = ?", [brandIds[0]]))
    world.shiftMs = 60_000
    await watchPayment(house.edge(), first.id)
    const [a, b] = await rows(orderId)
    expect(a!.code_url).toMatch(/^weixin:/)
    expect(b!.code_url).toBe(a!.code_url)
    expect(a!.mchid).toBe(merchants[0].mchid)
  })

  test('a refusal fails all of it and says so', async () => {
    const { orderId, brandIds } = await anOrder(database, company.id, 2)
    await database.tx((tx) => change(tx.em, "update brand set mchid = '1999999999' where id = ?", [brandIds[0]]))
    expect(await open(orderId, { amountFen: 100_000 })).toMatchObject({ body: { code: 'provider_unavailable' } })
    expect((await rows(orderId)).map((row) => row.state)).toEqual(['failed', 'failed'])
    expect((await show(orderId)).missingFen).toBe(100_000)
  })

  test('a brand whose money the platform collects is paid to the platform, by the terms at the order', async () => {
    const { orderId, brandIds } = await anOrder(database, company.id, 2)
    // Terms that come after the order change nothing for it.
    const terms = {
      collector: 'platform',
      platformBp: 200,
      channels: [],
      maxRatioBp: 9800,
      holdMs: 0,
      walletCredit: false,
    } as const
    await new Promise((resolve) => setTimeout(resolve, 5))
    await database.tx((tx) => setTerms(tx, { brandId: brandIds[0]!, ...terms }))
    await opened(orderId, { amountFen: 50_000 })
    expect((await rows(orderId)).map((row) => row.mchid)).toEqual([merchants[0].mchid, merchants[1].mchid])
    const text = 'update orders set created_at_ms = ? where id = ?'
    await database.tx((tx) => change(tx.em, text, [Date.now() + 1000, orderId]))
    await opened(orderId, { amountFen: 50_000 })
    expect((await rows(orderId)).slice(2).map((row) => row.mchid)).toEqual([platformMerchant.mchid, merchants[1].mchid])
  })

  test('what one brand alone misses, or is named for, is no combined payment', async () => {
    const { orderId, brandIds } = await anOrder(database, company.id, 2)
    const named = await opened(orderId, { amountFen: 60_000, brandId: brandIds[0] })
    expect(named.combined).toBeNull()
    const [a] = await rows(orderId)
    await pay(a!)
    await until(async () => (await show(orderId)).securedFen === 60_000)
    const rest = await opened(orderId, { amountFen: 40_000 })
    expect([rest.combined, rest.brand?.id]).toEqual([null, brandIds[1]])
    expect(await open(orderId, { amountFen: 40_001 })).toMatchObject({ body: { code: 'payment_over_needed' } })
  })

  test('a combined payment that is not told whole, or not as it was opened, moves nothing', async () => {
    const { orderId } = await anOrder(database, company.id, 2)
    await opened(orderId, { amountFen: 100_000 })
    const [a, b] = await rows(orderId)
    const trade = (row: Row, more: Partial<WechatPayTrade> = {}): WechatPayTrade => ({
      mchid: row.mchid,
      appid: row.appid,
      outTradeNo: row.out_trade_no,
      transactionId: `T${row.out_trade_no}`,
      state: 'SUCCESS',
      total: fen(Number(row.amount_fen)),
      successAtMs: Date.now(),
      bankType: 'OTHERS',
      openid: 'o1',
      ...more,
    })
    const [one, two] = [trade(a!), trade(b!)]
    const crooked: WechatPayTrade[][] = [
      [one],
      [one, one],
      [one, trade(b!, { total: fen(1) })],
      [one, trade(b!, { mchid: merchants[0].mchid })],
      [one, trade(b!, { appid: 'wxother' })],
      [one, trade(b!, { state: 'NOTPAY', transactionId: null })],
      [one, two, { ...two, outTradeNo: 'FLKOTHER' }],
    ]
    for (const trades of crooked) {
      const queryCombined = async () => trades
      const edge = database.edge({ ...house.ports, wechatPay: { ...house.ports.wechatPay, queryCombined } })
      expect(await askPayment(edge, a!.id)).toBe('refused')
    }
    expect((await rows(orderId)).map((row) => row.state)).toEqual(['opened', 'opened'])
    const refusals = await read(
      "select id from trail where act = 'payment.notice_refused' and note = 'combined_differs'",
    )
    expect(refusals).toHaveLength(crooked.length * 2)
    const sold = [a!, b!].map((row) => ({
      mchid: row.mchid,
      appid: row.appid,
      outTradeNo: row.out_trade_no,
      combineNo: row.combine_no,
      amountFen: fen(Number(row.amount_fen)),
    }))
    expect(isWholeCombination(sold, [two, one])).toBe(true)
  })

  test('JSAPI asks for the payer and answers with signed parameters; H5 is told the address and renews after 5 minutes', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    expect(await open(orderId, { amountFen: 10_000, product: 'jsapi' })).toMatchObject({
      body: { code: 'malformed_request', field: 'openid' },
    })
    const jsapi = await opened(orderId, { amountFen: 10_000, product: 'jsapi', openid: 'oSecretPayer' })
    expect(jsapi.codeUrl).toBeNull()
    expect(jsapi.jsapi).toMatchObject({ appId: merchants[0].appid, signType: 'RSA' })
    expect(jsapi.jsapi!.package).toMatch(/^prepay_id=/)
    const wish = {
      orderId,
      source: 'wechat_pay',
      amountFen: fen(10_000),
      product: 'h5',
      clientIp: '203.0.113.7',
    } as const
    const id = await openPayment(house.edge(company.as('hr')), wish, 'h5')
    const shown = async () => (await show(orderId)).payments.find((one) => one.id === id)!
    const before = (await shown()).h5Url
    expect(before).toMatch(/^https?:/)
    world.shiftMs = 6 * 60_000
    expect((await shown()).h5Url).toBeNull()
    const again = await house.call(company.as('hr'), 'POST', `/hr/payments/${id}/query`)
    expect(again.body['h5Url']).toMatch(/^https?:/)
    expect(again.body['h5Url']).not.toBe(before)
    // Who pays stands nowhere in the open, not in the stored body either.
    for (const [table, column] of [
      ['once_key', 'input'],
      ['once_key', 'answer'],
      ['payment', 'code_url'],
    ])
      expect(await read(`select ${column} from ${table} where ${column} like '%oSecret%'`)).toEqual([])
    const sealed = await read<{ id: string; body: Buffer }>('select id, request_sealed as body from payment')
    for (const { id, body } of sealed) {
      expect(body.includes('oSecretPayer')).toBe(false)
      const place = { table: 'payment', column: 'request_sealed', rowId: id }
      expect(JSON.parse(database.house.seal.open(place, body))).toMatchObject({ amount: { total: 10_000 } })
    }
  })

  test('a credential that is being asked for twice at once is one that works', async () => {
    const { orderId } = await anOrder(database, company.id, 2)
    await world.ctl('faults', { kind: 'status500_before', path: '/v3/combine-transactions', times: 2 })
    const first = await opened(orderId, { amountFen: 100_000 })
    await Promise.all([1, 2, 3].map(() => preparePayment(house.edge(), first.id)))
    const [a, b] = await rows(orderId)
    expect(a!.code_url).toMatch(/^weixin:/)
    expect(b!.code_url).toBe(a!.code_url)
  })

  test('without a merchant of ours it is refused in words, and so it is with more than ten brands', async () => {
    const { orderId } = await anOrder(database, company.id, 2)
    const many = await database.tx(async (tx) => {
      const items = []
      for (let index = 0; index < 11; index += 1) {
        const facts = { name: `品牌 ${index}`, issuerPrefix: String(770_000 + index), wechatPay: merchants[0] }
        const templateVersionId = await aTemplate(tx, await createBrand(tx, facts))
        const price = fen(10_000)
        const holderId = encodeId('person', BigInt(index))
        items.push({ holderId, templateVersionId, faceFen: price, priceFen: price })
      }
      return placeOrder(tx, { companyId: company.id, items })
    })
    const tooMany = await open(many, { amountFen: 110_000 })
    expect(tooMany).toMatchObject({ status: 409, body: { code: 'combined_too_many' } })
    expect((await show(many)).combinedWechat).toBe(false)
    // Ten of the eleven miss money once one is paid, and that is one combined payment.
    const [first] = (await show(many)).brands
    await opened(many, { amountFen: 10_000, brandId: first!.id })
    await pay((await rows(many))[0]!)
    await until(async () => (await show(many)).securedFen === 10_000)
    expect((await opened(many, { amountFen: 100_000 })).combined?.paymentIds).toHaveLength(10)
    expect((await show(orderId)).combinedWechat).toBe(true)
    database.house = { ...database.house, wechatPay: { ...database.house.wechatPay, platform: null } }
    const answer = await open(orderId, { amountFen: 100_000 })
    expect(answer).toMatchObject({ status: 409, body: { code: 'combined_unavailable' } })
    expect(await rows(orderId)).toEqual([])
  })

  test('the proof finds a combined payment of which one part alone was paid', async () => {
    const { orderId } = await anOrder(database, company.id, 2)
    await opened(orderId, { amountFen: 100_000 })
    const [a] = await rows(orderId)
    await database.tx((tx) => change(tx.em, "update payment set state = 'closed' where id = ?", [a!.id]))
    expect((await database.tx(proveBooks)).map((finding) => finding.rule)).toEqual([
      'a_combined_payment_stands_as_a_whole',
    ])
    await database.tx((tx) => change(tx.em, "update payment set state = 'opened' where id = ?", [a!.id]))
  })
})
