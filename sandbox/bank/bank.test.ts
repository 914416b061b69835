import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWechatPaySandbox } from '../wechatpay/server.ts'
import type { WechatPaySandbox } from '../wechatpay/server.ts'

let sandbox: WechatPaySandbox
beforeAll(async () => {
  sandbox = await startWechatPaySandbox({ now: () => 1_790_000_000_000 })
})
afterAll(() => sandbox.close())

const transfer = (body: unknown): Promise<Response> =>
  fetch(`${sandbox.baseUrl}/__ctl/bank/transfers`, { method: 'POST', body: JSON.stringify(body) })

test('transfers stand in the statement as a bank prints them', async () => {
  const atMs = Date.UTC(2026, 8, 20, 1, 2, 3)
  await transfer({ reference: 'FLK-2026,0001', payerName: '海晟"电子"', payerAccount: '6222', fen: 123456789, atMs })
  const form = new URLSearchParams({ payerName: '甲', payerAccount: '1', yuan: '1,000.5', reference: 'R2' })
  const page = await fetch(`${sandbox.baseUrl}/bank`, { method: 'POST', body: form })
  expect(await page.text()).toContain('1,000.50')
  const bytes = Buffer.from(await (await fetch(`${sandbox.baseUrl}/__ctl/bank/statement.csv`)).arrayBuffer())
  const lines = bytes.toString('utf8').split('\r\n')
  expect(lines[0]).toBe('\uFEFF交易流水号,交易时间,收入金额,对方户名,对方账号,附言')
  expect(lines[1]).toBe(
    'SBX179000000000000000001,2026-09-20 09:02:03,"1,234,567.89","海晟""电子""",6222,"FLK-2026,0001"',
  )
  expect(lines[2]).toContain(',"1,000.50",甲,1,R2')
})

test('an amount that is no amount moves nothing, and the page says why', async () => {
  const count = async () =>
    (await (await fetch(`${sandbox.baseUrl}/__ctl/bank/statement.csv`)).text()).split('\n').length
  const before = await count()
  for (const yuan of ['0', '-1', '1.234', '1e3', '', 'NaN']) {
    const form = new URLSearchParams({ payerName: '甲', payerAccount: '1', yuan, reference: 'R3' })
    const page = await fetch(`${sandbox.baseUrl}/bank`, { method: 'POST', body: form })
    expect([yuan, await page.text()]).toEqual([yuan, expect.stringContaining('没有转账')])
  }
  expect(await count()).toBe(before)
})

test('a transfer of nothing is refused', async () => {
  expect((await transfer({ reference: 'x', payerName: '甲', payerAccount: '1', fen: 0 })).status).toBe(400)
})
