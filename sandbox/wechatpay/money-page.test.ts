import { beforeEach, expect, test } from 'vitest'
import { brand, channel, notifyUrl, openPayBox, platform, type PayBox } from '../testing/pay-box.ts'

let box: PayBox
beforeEach(async () => {
  box = await openPayBox()
})

const page = async (path = '/money') => (await box.fetch(`http://pay.test${path}`)).text()
/** Presses a dial and answers what the page then says. */
async function press(path: string, fields: Record<string, string>): Promise<string> {
  const body = new URLSearchParams(fields)
  const answer = await box.fetch(`http://pay.test/money/${path}`, { method: 'POST', body })
  expect(answer.status).toBe(303)
  const query = new URL(answer.headers.get('location') ?? '', 'http://pay.test').searchParams
  return query.get('done') ?? `wrong: ${query.get('wrong')}`
}

async function aShare(no: string): Promise<void> {
  await box.call(brand, 'POST', '/v3/pay/transactions/native', {
    appid: 'wx1',
    mchid: brand,
    description: '福利卡',
    out_trade_no: no,
    notify_url: notifyUrl,
    amount: { total: 123_456 },
    settle_info: { profit_sharing: true },
  })
  await box.pay(brand, no)
  await box.clock.advance(120_000)
  const receiver = { appid: 'wx1', type: 'MERCHANT_ID', account: channel, relation_type: 'DISTRIBUTOR' }
  await box.call(brand, 'POST', '/v3/profitsharing/receivers/add', receiver)
  const { status } = await box.call(brand, 'POST', '/v3/profitsharing/orders', {
    transaction_id: box.world.trades.get(`${brand} ${no}`)?.transactionId,
    out_order_no: `S-${no}`,
    receivers: [{ type: 'MERCHANT_ID', account: channel, amount: 5_000, description: '佣金' }],
    unfreeze_unsplit: false,
  })
  expect(status).toBe(200)
  await box.clock.advance(1000)
}
const resultOf = (no: string) => box.world.money.shares.get(`${brand} S-${no}`)?.rows[0]?.result

test('shows what each merchant has, and every share with what became of it', async () => {
  await aShare('ORDER-0001')
  const text = await page()
  // 1,234.56 less the fee of 7.41 and the share of 50.00.
  for (const part of ['1,177.15', '7.41', '50.00', 'S-ORDER-0001', '成功', '商户4'])
    expect([part, text.includes(part)]).toEqual([part, true])
})

test('shares wait as long as is set, fail as ordered, and end at once when told', async () => {
  expect(await press('latency', { shareLatencyMs: 'never', returnLatencyMs: '0', refundLatencyMs: '60000' })).toContain(
    '已设置',
  )
  expect(box.world.money.rules).toMatchObject({ shareLatencyMs: null, returnLatencyMs: 0, refundLatencyMs: 60_000 })
  await aShare('ORDER-0001')
  await box.clock.advance(86_400_000)
  expect([resultOf('ORDER-0001'), (await page()).includes('待分账')]).toEqual(['PENDING', true])
  expect(await press('settle', {})).toContain('都有了结果')
  expect(resultOf('ORDER-0001')).toBe('SUCCESS')
  await press('latency', { shareLatencyMs: '0', returnLatencyMs: '0', refundLatencyMs: '0' })
  await press('receiver', { account: channel, failReason: 'RECEIVER_HIGH_RISK' })
  await aShare('ORDER-0002')
  expect([resultOf('ORDER-0002'), (await page()).includes('RECEIVER_HIGH_RISK')]).toEqual(['CLOSED', true])
})

test('every other dial does what it says', async () => {
  const rulesOf = (mchid: string) => box.world.money.merchantRules.get(mchid)
  await press('accept', { mchid: channel, acceptReturns: 'yes' })
  expect(rulesOf(channel)).toMatchObject({ acceptReturns: true })
  await press('accept', { mchid: channel, acceptReturns: 'no' })
  expect(rulesOf(channel)).toMatchObject({ acceptReturns: false })
  await press('return', { account: channel, failReason: 'BALANCE_NOT_ENOUGH' })
  await press('refund', { outcome: 'abnormal' })
  expect([box.world.money.returnOutcomes.length, box.world.money.nextRefunds.length]).toEqual([1, 1])
  const balance = async () => (await box.ctl(`balances?mchid=${platform}`, {}, 'GET'))['available']
  await press('move', { mchid: platform, yuan: '100.50', way: 'in' })
  expect(await balance()).toBe(10_050)
  expect(await press('move', { mchid: platform, yuan: '200', way: 'out' })).toBe('wrong: 余额不够，没有提现。')
  await press('move', { mchid: platform, yuan: '100', way: 'out' })
  expect(await balance()).toBe(50)
  await press('income', { mchid: platform, yuan: '9.99', accountName: '某公司', remark: 'R' })
  expect(box.world.income).toMatchObject([{ amount: 999, accountName: '某公司', remark: 'R' }])
  await press('bill', { kind: 'trade', mchid: brand, day: '2026-01-05', change: 'missing' })
  expect(box.world.bills.changes).toHaveLength(1)
  await press('bill-clear', {})
  expect(box.world.bills.changes).toEqual([])
  expect(await press('keys', { certificates: 'rotate' })).toContain('2 张')
  expect(await press('keys', { certificates: 'retire' })).toContain('1 张')
  await press('skew', { minutes: '10' })
  expect(box.world.skewMs).toBe(600_000)
})

test('nonsense is told and changes nothing', async () => {
  const wrong: [string, Record<string, string>][] = [
    ['latency', { shareLatencyMs: 'soon', returnLatencyMs: '0', refundLatencyMs: '0' }],
    ['receiver', { account: channel, failReason: 'BAD_MOOD' }],
    ['refund', { outcome: 'x' }],
    ['move', { mchid: '1', yuan: '1', way: 'in' }],
    ['move', { mchid: brand, yuan: '0', way: 'in' }],
    ['move', { mchid: brand, yuan: '1.234', way: 'in' }],
    ['income', { mchid: brand, yuan: 'x' }],
    ['bill', { kind: 'trade', mchid: brand, day: 'today', change: 'missing' }],
    ['skew', { minutes: '100000' }],
  ]
  for (const [path, fields] of wrong) expect([path, (await press(path, fields)).slice(0, 6)]).toEqual([path, 'wrong:'])
  const { money, income, bills, skewMs } = box.world
  expect([money.journal, money.receiverOutcomes, money.nextRefunds, income, bills.changes, skewMs]).toEqual([
    [],
    [],
    [],
    [],
    [],
    0,
  ])
  expect(money.rules.shareLatencyMs).toBe(0)
})
