import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import { change, sql } from '../../kernel/sql.ts'
import { aTemplate } from '../../testing/cards.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { cardNumbers, isCardNumber } from '../card/rules.ts'
import { proveBooks } from '../analytics/prove-books.ts'
import type { Channel } from '../../../contract/commission.ts'
import { createBrand } from '../catalog/create-template.ts'
import { setTerms } from '../catalog/set-terms.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { readBalance } from '../ledger/prove.ts'
import { placeOrder } from '../order/place-order.ts'
import { secureFunds } from '../order/secure-funds.ts'
import { readPlannedSlices } from '../order/take-slices.ts'
import { issueCards, type Issuing } from './issue-cards.ts'
import { reserveNumbers } from './reserve-numbers.ts'

const key = randomBytes(32)
const noPorts = {} as Ports
const aChannel = (code: string, bp: number): Channel => ({ code, name: code, mchid: '1900000200', bp })
const plainTerms = { collector: 'brand', maxRatioBp: 3_000, walletCredit: false } as const
const numbersFrom = cardNumbers({ issuerPrefix: '6230', keyEpoch: 0, key })

async function placed(database: TestDatabase, count: number, price: Fen, coolingOffMs = 0) {
  return database.tx(async (tx) => {
    const brandId = await createBrand(tx, { name: '青禾', issuerPrefix: '6230' })
    const templateVersionId = await aTemplate(tx, brandId, { coolingOffMs })
    const items = Array.from({ length: count }, (_, i) => ({
      holderId: encodeId('person', BigInt(i)),
      templateVersionId,
      faceFen: fen(50_000),
      priceFen: price,
    }))
    return { brandId, orderId: await placeOrder(tx, { companyId: encodeId('company', 1n), items }) }
  })
}

const pay = (database: TestDatabase, orderId: Id<'order'>, amount: Fen) =>
  database.tx(async (tx) => {
    await post(tx, [
      {
        kind: 'funds_received',
        ref: orderId,
        lines: [debit(account.custodyBank('main'), amount), credit(account.orderFunds(orderId), amount)],
      },
    ])
    return secureFunds(tx, orderId, amount)
  })

async function issuingFor(database: TestDatabase, brandId: Id<'brand'>, count: number): Promise<Issuing> {
  const first = await database.tx((tx) => reserveNumbers(tx, brandId, 0, count))
  const numbers = numbersFrom(first, count)
  return { nextNumber: () => numbers.pop()! }
}

async function issueAll(database: TestDatabase, orderId: Id<'order'>, issuing: Issuing): Promise<number> {
  const slices = await database.tx((tx) => readPlannedSlices(tx, orderId, 100))
  let made = 0
  for (const slice of slices) made += await database.tx((tx) => issueCards(tx, issuing, [slice.id]))
  return made
}

onBothDatabases('issuing', (database) => {
  test('an order funded in three parts gives one card an item; secrets open only at their place; the books tie', async () => {
    const { brandId, orderId } = await placed(database, 2500, fen(48_000))
    const issuing = await issuingFor(database, brandId, 10_000)
    expect(await issueAll(database, orderId, issuing)).toBe(0)
    await Promise.all([fen(20_000_000), fen(50_000_000), fen(50_000_000)].map((part) => pay(database, orderId, part)))
    const jobs = await database.tx((tx) => sql(tx.em, "select id from job where kind = 'order.issue'"))
    expect(jobs).toHaveLength(1)
    expect(await issueAll(database, orderId, issuing)).toBe(2500)
    const cards = await database.tx((tx) =>
      sql<{ id: string; number: string; secret_sealed: Buffer; balance_fen: number }>(
        tx.em,
        'select id, number, secret_sealed, balance_fen from card',
      ),
    )
    expect(new Set(cards.map((card) => card.number)).size).toBe(2500)
    expect(cards.every((card) => isCardNumber(card.number) && Number(card.balance_fen) === 50_000)).toBe(true)
    const secrets = cards.map((card) =>
      database.house.seal.open({ table: 'card', column: 'secret_sealed', rowId: card.id }, card.secret_sealed),
    )
    expect(new Set(secrets).size).toBe(2500)
    const [order] = await database.tx((tx) => sql<{ state: string }>(tx.em, 'select state from orders'))
    expect(order?.state).toBe('issued')
    const balance = (unit: 'CNY' | 'VALUE', name: ReturnType<typeof account.cards>) =>
      database.tx((tx) => readBalance(tx, unit, name))
    expect(await balance('CNY', account.orderFunds(orderId))).toBe(0)
    expect(await balance('CNY', account.brandPayable(brandId))).toBe(-125_000_000)
    expect(await balance('CNY', account.discountBy('platform'))).toBe(5_000_000)
    expect(await balance('VALUE', account.cards(brandId))).toBe(125_000_000)
  })

  test('each card is cut by the terms that stood when its order was placed; the settlement waits for hold and cooling-off', async () => {
    const [x, y] = [aChannel('x', 333), aChannel('y', 100)]
    const holdMs = 7_200_000
    const brandId = await database.tx(async (tx) => {
      const id = await createBrand(tx, { name: '青禾', issuerPrefix: '6230' })
      await setTerms(tx, { ...plainTerms, brandId: id, platformBp: 555, channels: [x, y], holdMs })
      return id
    })
    const prices = [fen(49_999), fen(48_001), fen(49_999)]
    const orderId = await database.tx(async (tx) => {
      const templateVersionId = await aTemplate(tx, brandId, { coolingOffMs: 10_800_000 })
      const items = prices.map((priceFen, i) => {
        return { holderId: encodeId('person', BigInt(i)), templateVersionId, faceFen: fen(50_000), priceFen }
      })
      return placeOrder(tx, { companyId: encodeId('company', 1n), items })
    })
    const later = database.edge(noPorts, undefined, () => Date.now() + 5_000)
    await later.tx((tx) => setTerms(tx, { ...plainTerms, brandId, platformBp: 3_000, channels: [], holdMs: 0 }))
    await pay(database, orderId, sumFen(prices))
    const before = Date.now()
    expect(await issueAll(database, orderId, await issuingFor(database, brandId, 10))).toBe(3)
    const cut = (bp: number) => prices.reduce<number>((sum, price) => sum + Math.floor((price * bp) / 10_000), 0)
    const balances = await database.tx((tx) =>
      Promise.all(
        [
          account.platformFee(),
          account.channelPayable(`${brandId}.x`),
          account.channelPayable(`${brandId}.y`),
          account.brandPayable(brandId),
        ].map((name) => readBalance(tx, 'CNY', name)),
      ),
    )
    expect(balances).toEqual([-cut(555), -cut(333), -cut(100), cut(555) + cut(333) + cut(100) - 150_000])
    const [job] = await database.tx((tx) =>
      sql<{ at: number }>(tx.em, "select ready_at_ms as at from job where kind = 'settlement.plan'"),
    )
    expect(Number(job?.at) % database.house.wechatPay.settlementWindowMs).toBe(0)
    expect(Number(job?.at)).toBeGreaterThanOrEqual(before + 10_800_000)
    expect(Number(job?.at)).toBeLessThan(Date.now() + 10_800_000 + database.house.wechatPay.settlementWindowMs)
  })

  test('two workers on the same slices, and a repeat after the end, make each card once', async () => {
    const { brandId, orderId } = await placed(database, 2100, fen(50_000))
    await pay(database, orderId, fen(105_000_000))
    const [a, b] = [await issuingFor(database, brandId, 10_000), await issuingFor(database, brandId, 10_000)]
    const made = await Promise.all([issueAll(database, orderId, a), issueAll(database, orderId, b)])
    expect(made[0] + made[1]).toBe(2100)
    expect(await issueAll(database, orderId, a)).toBe(0)
    expect(await database.tx((tx) => sql(tx.em, 'select distinct order_item_id from card'))).toHaveLength(2100)
  })

  test('a stop in the middle of a slice leaves nothing of it, and the next run finishes', async () => {
    const { brandId, orderId } = await placed(database, 1500, fen(50_000), 3 * 3_600_000)
    await pay(database, orderId, fen(75_000_000))
    const issuing = await issuingFor(database, brandId, 10_000)
    const [slice] = await database.tx((tx) => readPlannedSlices(tx, orderId, 1))
    const stopped = database.tx(async (tx) => {
      await issueCards(tx, issuing, [slice!.id])
      throw new Error('stopped')
    })
    await expect(stopped).rejects.toThrow('stopped')
    expect(await database.tx((tx) => sql(tx.em, 'select id from card'))).toHaveLength(0)
    expect(await issueAll(database, orderId, issuing)).toBe(1500)
    const locked = await database.tx((tx) =>
      sql<{ id: string }>(tx.em, 'select id from card where locked_until_ms = issued_at_ms + 10800000'),
    )
    expect(locked).toHaveLength(1500)
  })

  test('the proof names a tampered card, its brand and a tampered order', async () => {
    const { brandId, orderId } = await placed(database, 3, fen(50_000))
    await pay(database, orderId, fen(150_000))
    await issueAll(database, orderId, await issuingFor(database, brandId, 10))
    const tamper = (by: number) =>
      database.tx(async (tx) => {
        await change(tx.em, 'update card set balance_fen = balance_fen + ? where holder_id = ?', [
          by,
          encodeId('person', 1n),
        ])
        await change(tx.em, 'update orders set secured_fen = secured_fen + ? where id = ?', [by, orderId])
      })
    await tamper(1)
    const rules = (await database.tx(proveBooks)).map((finding) => finding.rule)
    expect(rules).toEqual([
      'card_balance_is_its_activities',
      'cards_of_a_brand_are_its_value_account',
      'secured_less_issued_is_order_funds',
      'value_outstanding_is_in_the_cards',
      'the_last_activity_says_the_balance',
    ])
    await tamper(-1)
  })

  test('an underpaid order issues nothing and an order without items is refused', async () => {
    const { brandId, orderId } = await placed(database, 2, fen(50_000))
    await pay(database, orderId, fen(99_999))
    expect(await issueAll(database, orderId, await issuingFor(database, brandId, 10))).toBe(0)
    await expect(database.tx((tx) => placeOrder(tx, { companyId: null, items: [] }))).rejects.toThrow(RangeError)
  })
})
