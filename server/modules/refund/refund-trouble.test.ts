import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { RefundParts } from '../../../contract/operator/refund.ts'
import type { Id } from '../../../contract/ids.ts'
import type { RefundDecision } from '../../../contract/refunds.ts'
import { readBankStatement } from '../../../importers/bank-statement.ts'
import type { Actor } from '../../kernel/context.ts'
import { AppError } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { refundStage, serveRefundHouse } from '../../testing/refunding.ts'
import { importStatement } from '../funding/import-statement.ts'
import { placeHold } from '../redemption/place-hold.ts'
import { voidHold } from '../redemption/void-hold.ts'
import { draftPayouts } from '../settlement/draft-payouts.ts'
import { exportPayouts } from '../settlement/export-payouts.ts'
import { matchPayouts } from '../settlement/move-payout.ts'
import { readRefundsByNumbers, readSentRefunds } from './read-sent.ts'
import { requestRefund } from './request-refund.ts'
import { acceptRefundNotice } from './take-notice.ts'

const mchid = '1900000101'
let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('refunds that do not go smoothly', (database) => {
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
  afterEach(async () => {
    await world.ctl('faults', {}, 'DELETE')
    await world.ctl('money-outcomes', {}, 'DELETE')
    await house.close()
  })
  const operator: Actor = { kind: 'operator', operatorId: 'opr_0000000000001' as Id<'operator'>, roles: ['finance'] }
  const decide = async (id: string, decision: RefundDecision) =>
    (await house.call(operator, 'POST', `/operator/refund-parts/${id}/decide`, { decision })).body
  const hanging = async () =>
    RefundParts.parse((await house.call(operator, 'GET', '/operator/refund-parts')).body).parts.map((part) => [
      part.state,
      part.decisions,
    ])
  /** One card of 50,000 fen of two, all paid by WeChat. */
  async function oneBack(outcome?: string) {
    if (outcome) await world.ctl('money-outcomes', { of: 'refund', mchid: null, outcome })
    const { orderId } = await stage.issued(2, { wechat: [100_000] })
    const cards = await stage.cardsOf(orderId)
    const id = await stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds: cards.slice(0, 1) }))
    await stage.settle()
    return { orderId, cards, id, part: (await stage.parts(id))[0]! }
  }
  const partOf = async (id: Id<'refund'>) => (await stage.parts(id))[0]!

  test('closed by WeChat Pay: nothing until a person takes a new number', async () => {
    const { id, part } = await oneBack('closed')
    expect([part.state, part.reason]).toEqual(['closed', 'closed'])
    expect(await hanging()).toEqual([['closed', ['new_number', 'pay_out']]])
    expect(await decide(part.id, 'retry')).toMatchObject({ code: 'state_conflict' })
    expect(await decide(part.id, 'new_number')).toEqual({ state: 'waiting' })
    await stage.settle()
    const after = await partOf(id)
    expect([after.state, after.no]).toEqual(['done', `${part.no}_1`])
    // A bill names the number that was given up, too: it is known, and of its day no more.
    const mchids = await database.tx((tx) =>
      sql<{ mchid: string }>(
        tx.em,
        'select mchid from payment join refund_part on payment.id = payment_id where refund_part.id = ?',
        [part.id],
      ),
    )
    const numbers = [part.no!, after.no!, `${part.no}_2`, 'FLKR1']
    const known = await database.tx((tx) => readRefundsByNumbers(tx, mchids[0]!.mchid, numbers))
    expect(known.map((one) => [one.outRefundNo, one.amountFen])).toEqual([
      [after.no, part.fen],
      [part.no, part.fen],
    ])
    await stage.conserved()
  })

  test('no account of the payer takes it: sent to the merchant’s card', async () => {
    const { id, part } = await oneBack('abnormal')
    expect(part.state).toBe('abnormal')
    expect(await hanging()).toEqual([['abnormal', ['to_merchant_card']]])
    await decide(part.id, 'to_merchant_card')
    await stage.settle()
    expect((await partOf(id)).state).toBe('done')
    await stage.conserved()
  })

  test('refused for the payer’s account: a person pays it out, and a statement ends it', async () => {
    const { id, part } = await oneBack('user_abnormal')
    expect([part.state, part.reason]).toEqual(['stuck', 'payer_account_abnormal'])
    expect(await decide(part.id, 'pay_out')).toEqual({ state: 'paying_out' })
    // The payment keeps its money: the brand owes it.
    const [payment] = await stage.read<{ state: string; refunded: unknown; waiting: unknown }>(
      'select state, refunded_fen as refunded, refunds_waiting as waiting from payment',
    )
    expect([payment!.state, Number(payment!.refunded), Number(payment!.waiting)]).toEqual(['paid', 0, 0])
    const items = await stage.read<{ kind: string; amount: unknown }>(
      "select kind, amount_fen as amount from payout_item where kind = 'refund'",
    )
    expect(items.map((item) => Number(item.amount))).toEqual([50_000])
    expect((await partOf(id)).state).toBe('paying_out')
    await stage.conserved()
  })

  test('the merchant has too little money: the same number again, until it has', async () => {
    const { orderId } = await stage.issued(2, { wechat: [100_000] })
    const real = house.ports.wechatPay
    // All of it was freed and taken out before.
    const cards = await stage.cardsOf(orderId)
    const [payment] = await stage.read<{ id: string; tid: string }>('select id, transaction_id as tid from payment')
    world.shiftMs += 61_000
    const merchant = { mchid, appid: 'wxsandbox0001' }
    await real.unfreeze(
      merchant,
      real.unfreezeBody({ transactionId: payment!.tid, outOrderNo: `U${payment!.id}`, description: 'x' }),
    )
    world.shiftMs += 61_000
    const { available } = (await stage.look(`balances?mchid=${mchid}`)) as { available: number }
    await world.ctl('withdraw', { mchid, amount: available })
    const id = await stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds: cards.slice(0, 1) }))
    for (let round = 0; round < 6; round += 1) {
      await stage.work(1)
      world.shiftMs += 601_000
    }
    const waiting = await partOf(id)
    expect([waiting.state, waiting.reason]).toEqual(['sent', 'merchant_not_enough'])
    await world.ctl('top-up', { mchid, amount: 60_000 })
    await stage.settle()
    const after = await partOf(id)
    expect([after.state, after.no]).toEqual(['done', waiting.no])
    await stage.conserved()
  })

  test('notices come early, twice, out of order, and crooked: one refund, once', async () => {
    await world.ctl('faults', { kind: 'notice_repeat', copies: 5, times: 1 })
    const { id, part } = await oneBack()
    expect(part.state).toBe('done')
    const [row] = await stage.read<{ no: string; rid: string; tid: string }>(
      'select out_refund_no as no, provider_refund_id as rid, transaction_id as tid from refund_part join payment on payment.id = payment_id',
    )
    const told = {
      mchid,
      outRefundNo: row!.no,
      refundId: row!.rid,
      transactionId: row!.tid,
      refund: fen(50_000),
      createdAtMs: null,
      successAtMs: 1,
    }
    const take = (more: object) => database.tx((tx) => acceptRefundNotice(tx, { ...told, status: 'SUCCESS', ...more }))
    expect(await take({})).toBe('repeated')
    expect(await take({ status: 'PROCESSING' })).toBe('repeated')
    expect(await take({ status: 'CLOSED' })).toBe('repeated')
    expect(await take({ mchid: '1900000102' })).toBe('wrong_merchant')
    expect(await take({ refund: fen(50_001) })).toBe('wrong_amount')
    expect(await take({ transactionId: '42' })).toBe('wrong_transaction')
    expect(await take({ outRefundNo: 'FLKR1' })).toBe('unknown_refund')
    expect(await stage.read("select id from entry where kind = 'refunded'")).toHaveLength(1)
    expect((await partOf(id)).state).toBe('done')
  })

  test('the notice is here before the answer to the call', async () => {
    const { orderId } = await stage.issued(1, { wechat: [50_000] })
    const cardIds = await stage.cardsOf(orderId)
    await world.ctl('faults', { kind: 'delay', path: '/refund/domestic/refunds', delayMs: 1500, times: 1 })
    const id = await stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds }))
    await stage.work(1)
    expect((await partOf(id)).state).toBe('done')
  })

  test('two refunds of one payment are a minute apart, and neither is lost', async () => {
    const { orderId } = await stage.issued(3, { wechat: [150_000] })
    const cards = await stage.cardsOf(orderId)
    const ids = await Promise.all(
      cards
        .slice(0, 2)
        .map((card) => stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds: [card] }))),
    )
    await stage.settle()
    for (const id of ids) expect((await partOf(id)).state).toBe('done')
    const calls = await stage.read<{ at: unknown }>(
      'select first_call_at_ms as at from refund_part order by first_call_at_ms',
    )
    expect(Number(calls[1]!.at) - Number(calls[0]!.at)).toBeGreaterThanOrEqual(60_000)
    await stage.conserved()
  })

  test('it counts to the day on which WeChat Pay took it, not to that of a call that was lost', async () => {
    const { orderId } = await stage.issued(2, { wechat: [100_000] })
    const [first, second] = await stage.cardsOf(orderId)
    const ask = (cardId: Id<'card'>) =>
      stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds: [cardId] }))
    const sent = (fromMs: number, toMs: number) =>
      database.tx(async (tx) => (await readSentRefunds(tx, mchid, fromMs, toMs)).map((one) => one.id))
    const id = await ask(first!)
    const began = world.now()
    await world.ctl('faults', { kind: 'status500_before', path: '/refund/domestic/refunds', times: 1 })
    await stage.work()
    expect((await partOf(id)).state).toBe('sent')
    const lost = world.now()
    world.shiftMs += 86_400_000
    await stage.settle()
    const part = await partOf(id)
    expect(part.state).toBe('done')
    expect(await sent(began, lost)).toEqual([])
    expect(await sent(lost, world.now() + 1000)).toEqual([part.id])
    // A notice does not say when it was taken: then the day of its calls tells, where all of them are of one.
    const other = await partOf(await ask(second!))
    await stage.settle()
    await stage.set('update refund_part set taken_at_ms = null', [])
    expect(await sent(began, lost)).toEqual([])
    expect(await sent(lost, world.now() + 1000)).toEqual([other.id])
    expect(await sent(began, world.now() + 1000)).toEqual([part.id, other.id].sort())
  })

  test('after 365 days it is transferred instead', async () => {
    const { orderId } = await stage.issued(1, { wechat: [50_000] })
    const cardIds = await stage.cardsOf(orderId)
    await stage.set('update payment set paid_at_ms = paid_at_ms - ?', [366 * 86_400_000])
    const id = await stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds }))
    await stage.settle(1)
    const part = await partOf(id)
    expect([part.state, part.reason, part.route, part.calls]).toEqual(['paying_out', 'too_old', 'bank', 0])
  })

  test('what a transfer paid goes out by a payout, and is back when the statement shows the debit', async () => {
    const { orderId } = await stage.issued(1, { bank: 50_000 })
    const cardIds = await stage.cardsOf(orderId)
    const id = await stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds }))
    expect((await partOf(id)).state).toBe('paying_out')
    await draftPayouts(house.edge(operator))
    await house.edge(operator).tx((tx) => exportPayouts(tx))
    const [payout] = await stage.read<{ id: string }>("select id from payout where state = 'exported'")
    const bytes = Buffer.from(
      `流水号,日期,收入金额,支出金额,对方户名,对方账号,附言\nD${payout!.id},2026-09-02,,500.00,甲,1,${payout!.id}`,
    )
    const file = { fileName: 'd.csv', bytes, read: await readBankStatement(bytes, 'd.csv') }
    await importStatement(house.edge(operator), file, 'zh')
    await matchPayouts(house.edge(operator))
    await stage.settle()
    expect((await partOf(id)).state).toBe('done')
    expect(await stage.read('select state from orders')).toEqual([{ state: 'refunded' }])
    expect(await stage.read('select state from payment')).toEqual([{ state: 'refunded' }])
    expect(await stage.balance('custody-bank:main')).toBe(1_000_000)
  })

  test('a used card is refused with the spent part, a held one too; and a second refund of one card', async () => {
    const { orderId } = await stage.issued(3, { wallet: 150_000 })
    const cards = await stage.cardsOf(orderId)
    const ask = (cardIds: readonly Id<'card'>[]) =>
      stage
        .hr()
        .tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds }))
        .then(
          () => 'done',
          (error: unknown) => (error instanceof AppError ? error.message : String(error)),
        )
    const wish = { cardId: cards[0]!, amount: fen(1), ref: 'till', endsAtMs: Date.now() + 1 }
    const hold = await database.tx((tx) => placeHold(tx, wish))
    expect(await ask([cards[0]!, cards[1]!])).toMatch(/^card_not_refundable/)
    expect(await database.tx((tx) => voidHold(tx, hold!))).toBe(true)
    expect(await database.tx((tx) => voidHold(tx, hold!))).toBe(false)
    // Somebody spent 12.34 yuan: as a capture will write it.
    const spend = [
      ['update card set balance_fen = balance_fen - 1234 where id = ?', [cards[1]!]],
      [
        "insert into activity (card_id, seq, kind, amount_fen, balance_fen, ref, at_ms) values (?, 2, 'capture', -1234, 48766, 'till', 1)",
        [cards[1]!],
      ],
    ] as const
    for (const [text, values] of spend) await stage.set(text, values)
    expect(await ask([cards[0]!, cards[1]!])).toBe('card_spent: 1 cards were used, ¥12.34 in all.')
    expect(await ask([cards[0]!])).toBe('done')
    expect(await ask([cards[0]!])).toMatch(/^card_not_refundable/)
    // What was spent goes back on the card, so that the books of this test add up.
    await stage.set('update card set balance_fen = balance_fen + 1234 where id = ?', [cards[1]!])
    await stage.set("delete from activity where kind = 'capture'")
  })
})
