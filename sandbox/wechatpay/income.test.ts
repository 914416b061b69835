import { beforeEach, expect, test } from 'vitest'
import { brand, openPayBox, otherBrand, type PayBox } from '../testing/pay-box.ts'

const DAY_MS = 86_400_000
/** The box opens on this day at 10:00 in China. */
const DAY = '2026-01-05'
let box: PayBox
beforeEach(async () => {
  box = await openPayBox()
})
const code = (answer: { status: number; json: Record<string, unknown> }) => [answer.status, answer.json['code']]

test('bank income is listed by its day, page by page, for its own merchant', async () => {
  const add = (amount: number, more: object = {}) => box.ctl('income', { mchid: brand, amount, ...more })
  for (let i = 1; i <= 5; i += 1) await add(i * 100, { remark: `R${i}` })
  await add(9_900, { mchid: otherBrand })
  await box.clock.advance(DAY_MS)
  await add(7_700, { type: 'OFFLINERECHARGE', accountName: '某公司' })
  const list = (query: string, mchid: string = brand) =>
    box.call(mchid, 'GET', `/v3/merchantfund/merchant/income-records?account_type=BASIC&${query}`)
  const page = (await list(`date=${DAY}&offset=2&limit=2`)).json
  expect(page).toMatchObject({ total_count: 5, offset: 2, limit: 2 })
  expect(
    (page['data'] as { amount: number; recharge_remark: string }[]).map((one) => [one.amount, one.recharge_remark]),
  ).toEqual([
    [300, 'R3'],
    [400, 'R4'],
  ])
  expect((await list('date=2026-01-06')).json['data']).toEqual([
    {
      mchid: brand,
      account_type: 'BASIC',
      income_record_type: 'OFFLINERECHARGE',
      income_record_id: expect.stringMatching(/^\d{28}$/) as unknown,
      amount: 7_700,
      success_time: '2026-01-06T10:00:00+08:00',
      bank_name: '招商银行',
      bank_account_name: '某公司',
      bank_account_number: '6222020200012345678',
      recharge_remark: '',
    },
  ])
  expect((await list('date=2026-01-07')).json).toMatchObject({ total_count: 0, data: [] })
  expect((await list(`date=${DAY}`, otherBrand)).json).toMatchObject({ total_count: 1 })
  expect(code(await list('date=20260105'))).toEqual([400, 'PARAM_ERROR'])
  expect(code(await list(`date=${DAY}&limit=101`))).toEqual([400, 'PARAM_ERROR'])
  await expect(add(1, { mchid: '1999999999' })).rejects.toThrow('404')
  expect(await box.ctl(`balances?mchid=${brand}`, {}, 'GET')).toMatchObject({ available: 9_200 })
  expect(await box.ctl('conserved', {}, 'GET')).toMatchObject({ ok: true })
})
