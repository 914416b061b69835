import { beforeEach, expect, test } from 'vitest'
import { MINUTE, startMoneyWorld, type MoneyWorld } from '../testing/money.ts'
import { brand, channel } from '../testing/pay-box.ts'
import { moneyCalls, row, type MoneyCalls } from '../testing/money-calls.ts'

let [m, c]: [MoneyWorld, MoneyCalls] = [] as never
let id: string

beforeEach(async () => {
  m = await startMoneyWorld()
  c = moneyCalls(m)
  await m.add(brand, channel)
  await m.ctl('money-rules', { shareLatencyMs: MINUTE, refundLatencyMs: MINUTE })
  id = await c.ripe()
})

const overlaps = async () => (await m.ctl('overlaps'))['overlaps']

test('a refund beside sharing is kept, and what comes after its end is not', async () => {
  await c.shared(id, 1_000)
  expect(await overlaps()).toEqual([])
  const early = await c.refund(id, 500)
  expect(early.code).toBe('INVALID_REQUEST')
  expect(await overlaps()).toEqual([{ transactionId: id, atMs: m.clock.now(), call: 'refund', outNo: 'R-2' }])
  await m.wait(MINUTE)
  expect((await c.refund(id, 500)).status).toBe(200)
  expect(await overlaps()).toHaveLength(1)
})

test('sharing and unfreezing beside a refund are kept, a repeat of what was accepted is not', async () => {
  await c.shared(id, 1_000)
  await m.wait(MINUTE)
  expect((await c.refund(id, 500)).status).toBe(200)
  expect((await c.share(id, [row(channel, 1_000)], { out_order_no: 'S-1' })).status).toBe(200)
  expect(await overlaps()).toEqual([])
  await m.wait(1_000)
  expect((await c.share(id, [row(channel, 100)])).code).toBe('INVALID_REQUEST')
  await m.wait(1_000)
  await c.unfreeze(id)
  expect(await overlaps()).toMatchObject([{ call: 'share' }, { call: 'unfreeze' }])
})
