import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { RefundParts } from '../../../contract/operator/refund.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Actor } from '../../kernel/context.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { refundStage, serveRefundHouse } from '../../testing/refunding.ts'
import { requestRefund } from './request-refund.ts'

const merchant = { mchid: '1900000101', appid: 'wxsandbox0001' }
let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('a refund larger than what was paid', (database) => {
  let house: PayHouse
  let company: TestCompany
  const stage = refundStage(
    database,
    () => world,
    () => house,
    () => company,
  )
  beforeEach(async () => {
    house = await serveRefundHouse(database, world)
    company = await aCompany(database, { walletFen: 1_000_000 })
  })
  afterEach(() => house.close())
  const written = () => stage.read("select id from refund union all select id from entry where kind like 'refund%'")
  const operator: Actor = { kind: 'operator', operatorId: 'opr_0000000000001' as Id<'operator'>, roles: ['finance'] }

  test('of what a payment brought beyond its order: a fen more is refused, and nothing of it is written', async () => {
    const { orderId } = await stage.issued(1, { wallet: 10_000, bank: 40_000 })
    const [bank] = await stage.read<{ id: Id<'payment'>; reference: string }>(
      "select id, reference from payment where source = 'bank_transfer'",
    )
    // A second transfer under the same reference is a payment of its own that nothing needed.
    await stage.bank(2_500, bank!.reference)
    const [further] = await stage.read<{ id: Id<'payment'> }>(
      'select id from payment where order_id = ? and amount_fen = 2500',
      [orderId],
    )
    const ask = (amount: number) =>
      stage.hr().tx((tx) => requestRefund(tx, { kind: 'surplus', paymentId: further!.id, amount: fen(amount) }))
    await expect(ask(2_501)).rejects.toMatchObject({ code: 'refund_over_paid' })
    expect(await written()).toEqual([])
    await ask(2_000)
    await expect(ask(501)).rejects.toMatchObject({ code: 'refund_over_paid' })
    await ask(500)
    await expect(ask(1)).rejects.toMatchObject({ code: 'refund_over_paid' })
  })

  test('of cards: where the payments have less left, nothing goes back and the cards stay', async () => {
    const { orderId } = await stage.issued(2, { wechat: [100_000] })
    const [card] = await stage.cardsOf(orderId)
    await stage.set('update payment_part set refunded_fen = 60000')
    const asked = stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds: [card!] }))
    await expect(asked).rejects.toMatchObject({ code: 'refund_over_paid' })
    expect(await written()).toEqual([])
    expect(await stage.read("select id from card where state = 'refunded'")).toEqual([])
    await stage.set('update payment_part set refunded_fen = 0')
  })

  test('at WeChat Pay, where somebody refunded beside us: a person decides, and it can be transferred', async () => {
    const { orderId } = await stage.issued(2, { wechat: [100_000] })
    const [card] = await stage.cardsOf(orderId)
    const [payment] = await stage.read<{ tid: string }>('select transaction_id as tid from payment')
    const beside = {
      transactionId: payment!.tid,
      outRefundNo: `CONSOLE${payment!.tid}`,
      reason: 'x',
      refund: fen(60_000),
      total: fen(100_000),
    }
    const { wechatPay } = house.ports
    await wechatPay.refund(merchant, wechatPay.refundBody(beside))
    world.shiftMs += 120_000
    const id = await stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds: [card!] }))
    await stage.settle()
    expect((await stage.parts(id))[0]).toMatchObject({ state: 'stuck', reason: 'refused', calls: 1 })
    const { parts } = RefundParts.parse((await house.call(operator, 'GET', '/operator/refund-parts')).body)
    expect(parts.map((part) => part.decisions)).toEqual([expect.arrayContaining(['pay_out'])])
    const path = `/operator/refund-parts/${parts[0]!.id}/decide`
    expect((await house.call(operator, 'POST', path, { decision: 'pay_out' })).body).toEqual({ state: 'paying_out' })
  })
})
