import { expect, test } from 'vitest'
import { virtualClock } from '../clock.ts'
import { MINUTE, startMoneyWorld, type MoneyWorld } from '../testing/money.ts'
import { brand, channel } from '../testing/pay-box.ts'
import { available, feeOn, frozen, happenAfter, move, outside, receivePayment, settleDue } from './accounts.ts'
import { conserved } from './conserved.ts'
import { createWorld } from './create-world.ts'
import type { JournalRow } from './money-state.ts'

const cause = { atMs: 0, out: 'top_up', in: 'top_up', transactionId: null, outNo: null, voucher: null } as const

/** A world in which everything has happened once: shared, returned, refunded, and each also under way. */
async function busyWorld(): Promise<[MoneyWorld, string]> {
  const m = await startMoneyWorld()
  await m.add(brand, channel)
  await m.ctl('money-rules', { acceptReturns: true, orderIntervalMs: 0, refundIntervalMs: 0 })
  const id = await m.paid(brand, 10_000)
  await m.wait(MINUTE)
  const receivers = [{ type: 'MERCHANT_ID', account: channel, amount: 1000, description: 'x' }]
  const share = { transaction_id: id, out_order_no: 'S1', receivers, unfreeze_unsplit: false }
  const back = { out_order_no: 'S1', out_return_no: 'B1', return_mchid: channel, amount: 100, description: 'x' }
  const refund = { transaction_id: id, out_refund_no: 'R1', amount: { refund: 500, total: 10_000, currency: 'CNY' } }
  const post = async (path: string, body: unknown): Promise<void> =>
    expect((await m.call(brand, 'POST', path, body)).status).toBe(200)
  await post('/v3/profitsharing/orders', share)
  await post('/v3/profitsharing/return-orders', back)
  await post('/v3/refund/domestic/refunds', refund)
  await m.wait(1)
  await m.ctl('money-rules', { refundLatencyMs: null, returnLatencyMs: null, shareLatencyMs: null })
  await post('/v3/profitsharing/return-orders', { ...back, out_return_no: 'B2' })
  await post('/v3/profitsharing/orders', { ...share, out_order_no: 'S2' })
  const second = await m.paid(brand, 10_000)
  await post('/v3/refund/domestic/refunds', { ...refund, transaction_id: second, out_refund_no: 'R2' })
  return [m, id]
}

test('no purse goes below 0 but those of payers and banks, and only whole fen move', () => {
  const world = createWorld(virtualClock(0))
  expect(() => move(world, available('1'), outside('banks'), 1, cause)).toThrow(RangeError)
  expect(() => move(world, outside('fees'), available('1'), 1, cause)).toThrow(RangeError)
  expect(() => move(world, outside('transit'), available('1'), 1, cause)).toThrow(RangeError)
  for (const amount of [-1, 0.5, Number.NaN, 2 ** 53]) {
    expect(() => move(world, outside('banks'), available('1'), amount, cause)).toThrow(RangeError)
  }
  move(world, outside('banks'), available('1'), 0, cause)
  expect(world.money.journal).toEqual([])
  move(world, outside('banks'), available('1'), 5, cause)
  expect(conserved(world)).toEqual([])
})

test('frozen money goes no lower than 0 and is each order’s own', async () => {
  const [{ world }, id] = await busyWorld()
  const holding = world.money.holdings.get(id)!
  expect(() => move(world, frozen(holding), available(brand), holding.frozen + 1, cause)).toThrow(RangeError)
})

test('the fee is rounded half up', () => {
  const fees = [0, 1, 83, 84, 249, 250, 251, 416, 417, 1_000_000_000].map((amount) => feeOn(amount, 60))
  expect(fees).toEqual([0, 0, 0, 1, 1, 2, 2, 2, 3, 6_000_000])
  expect([feeOn(100, 0), feeOn(10_000, 38), feeOn(1, 5000), feeOn(1, 4999)]).toEqual([0, 38, 1, 0])
})

test('what is due happens in its order, of the same time the first first, at its own moment', async () => {
  const clock = virtualClock(1000)
  const world = createWorld(clock)
  const seen: [string, number][] = []
  const later = (name: string, ms: number | null): void =>
    happenAfter(world, ms, (atMs) => void seen.push([name, atMs]))
  later('c', 30)
  later('a', 10)
  later('b1', 20)
  later('b2', 20)
  later('never', null)
  later('now', 0)
  settleDue(world)
  expect(seen).toEqual([['now', 1000]])
  await clock.advance(25)
  await clock.advance(100)
  expect(seen).toEqual([
    ['now', 1000],
    ['a', 1010],
    ['b1', 1020],
    ['b2', 1020],
    ['c', 1030],
  ])
})

test('a payment is taken in once', async () => {
  const [{ world }, id] = await busyWorld()
  const trade = world.paid.get(id)!
  expect(receivePayment(world, trade)).toBe(world.money.holdings.get(id))
  expect([world.money.holdings.size, conserved(world)]).toEqual([2, []])
  expect(() => receivePayment(world, { ...trade, transactionId: null })).toThrow('not paid')
})

test('what is freed by itself is entered at its moment, however late anybody looks', async () => {
  const m = await startMoneyWorld()
  const id = await m.paid(brand, 10_000)
  await m.wait(40 * 86_400_000)
  const rows = m.world.money.journal.filter((row) => row.business === 'unfreeze')
  const freeMs = m.world.money.holdings.get(id)!.paidAtMs + 30 * 86_400_000
  expect(rows.map((row) => [row.atMs, row.amount])).toEqual([
    [freeMs, -9940],
    [freeMs, 9940],
  ])
})

test('every movement is a row of the journal that follows from the one before', async () => {
  const [m, id] = await busyWorld()
  const { rows } = (await m.ctl(`journal?mchid=${brand}`)) as unknown as { rows: JournalRow[] }
  const told = rows.map((row) => [row.business, row.account, row.amount, row.balance, row.outNo])
  expect(told).toEqual([
    ['payment', 'frozen', 10_000, 10_000, 'ORDER-0001'],
    ['fee', 'frozen', -60, 9940, 'ORDER-0001'],
    ['share_out', 'frozen', -1000, 8940, 'S1'],
    ['return_in', 'available', 100, 9040, 'B1'],
    ['fee_back', 'frozen', 3, 9043, 'R1'],
    ['refund', 'frozen', -500, 8543, 'R1'],
    ['payment', 'frozen', 10_000, 18_543, 'ORDER-0002'],
    ['fee', 'frozen', -60, 18_483, 'ORDER-0002'],
    ['fee_back', 'frozen', 3, 18_486, 'R2'],
    ['refund', 'frozen', -500, 17_986, 'R2'],
  ])
  const shared = rows.find((row) => row.business === 'share_out')
  const row = m.world.money.shares.get(`${brand} S1`)?.rows[0]
  expect([shared?.voucher, shared?.transactionId]).toEqual([row?.detailId, id])
  const others = (await m.ctl(`journal?mchid=${channel}`)) as unknown as { rows: JournalRow[] }
  expect(others.rows.map((one) => [one.business, one.amount, one.balance])).toEqual([
    ['share_in', 1000, 1000],
    ['return_out', -100, 900],
  ])
  const all = (await m.ctl('journal')) as unknown as { rows: JournalRow[] }
  expect(all.rows).toHaveLength(12)
})

test('each kind of defect in the money is seen', async () => {
  const defects: Record<string, (m: MoneyWorld, id: string) => void> = {
    'all money': ({ world }) => void world.money.balances.set(`available ${channel}`, 901),
    'is -5': ({ world }) => {
      world.money.balances.set('person o1', -5)
      world.money.balances.set('banks', 5)
    },
    fees: ({ world }) => {
      const { balances } = world.money
      balances.set('fees', (balances.get('fees') ?? 0) + 1)
      balances.set('banks', -1)
    },
    'refunds on their way': ({ world }) => {
      const { balances } = world.money
      balances.set('transit', (balances.get('transit') ?? 0) - 1)
      balances.set('banks', 1)
    },
    payers: ({ world }) => {
      const { balances } = world.money
      balances.set('payers', (balances.get('payers') ?? 0) - 1)
      balances.set('banks', 1)
    },
    journal: ({ world }) => void world.money.journal.pop(),
    'row 2': ({ world }) => {
      const [first, second] = world.money.journal
      Object.assign(second!, { balance: first!.balance })
    },
    refunded: ({ world }, id) => void (world.money.holdings.get(id)!.refunded += 1),
    'under way': ({ world }, id) => void (world.money.holdings.get(id)!.refundsUnderWay += 1),
    taken: ({ world }, id) => void (world.money.holdings.get(id)!.refundTaken += 1),
    fee: ({ world }, id) => void (world.money.holdings.get(id)!.fee += 1),
    shared: ({ world }, id) => void (world.money.holdings.get(id)!.shared += 1),
    reserved: ({ world }, id) => void (world.money.holdings.get(id)!.reserved -= 1),
    'below reserved': ({ world }, id) => void (world.money.holdings.get(id)!.frozen = 1),
    frozen: ({ world }, id) => void (world.money.holdings.get(id)!.unfrozen += 1),
    returned: ({ world }) => void (world.money.shares.get(`${brand} S1`)!.rows[0]!.returned += 1),
    returning: ({ world }) => void (world.money.shares.get(`${brand} S1`)!.rows[0]!.returning -= 1),
    'too much': ({ world }) => void (world.money.shares.get(`${brand} S1`)!.rows[0]!.returned = 1001),
  }
  for (const [what, spoil] of Object.entries(defects)) {
    const [m, id] = await busyWorld()
    expect(conserved(m.world)).toEqual([])
    spoil(m, id)
    expect([what, conserved(m.world).join('; ')]).toEqual([what, expect.stringContaining(what)])
  }
})

test('the control side tells balances, one order, and whether all adds up; a withdrawal needs the money', async () => {
  const [m, id] = await busyWorld()
  expect(await m.ctl('conserved')).toEqual({ ok: true, broken: [] })
  expect(await m.ctl(`holding?transactionId=${id}`)).toMatchObject({ paid: 10_000, shared: 1000, refunded: 500 })
  expect(await m.ctl(`holding?mchid=${brand}&outTradeNo=ORDER-0001`)).toMatchObject({ transactionId: id })
  await expect(m.ctl('holding?transactionId=1')).rejects.toThrow('404')
  await expect(m.ctl('withdraw', { mchid: channel, amount: 901 })).rejects.toThrow('409')
  expect(await m.ctl('withdraw', { mchid: channel, amount: 900 })).toEqual({ mchid: channel, available: 0, frozen: 0 })
  await expect(m.ctl('money-rules', { maxRatioBp: 10_001 })).rejects.toThrow('400')
  await expect(m.ctl('money-rules', { surprise: 1 })).rejects.toThrow('400')
  const dialled = await m.ctl('money-outcomes', { of: 'refund', outcome: 'closed' })
  expect(dialled).toMatchObject({ refunds: [{ mchid: null, outcome: 'closed', times: 1 }] })
  expect(await m.ctl('money-outcomes', undefined, 'DELETE')).toEqual({ receivers: [], returns: [], refunds: [] })
  Object.assign(m.world.money.holdings.get(id)!, { fee: 0 })
  const broken = await m.fetch('http://pay.local/__ctl/conserved')
  expect(await broken.json()).toMatchObject({ ok: false })
})
