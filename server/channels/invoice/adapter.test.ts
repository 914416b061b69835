import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { Secret } from '../../kernel/log.ts'
import { invoicesOf } from '../../testing/invoicing.ts'
import { failureOf } from '../../testing/pay-stage.ts'
import { startPayWorld, type PayWorld } from '../../testing/paying.ts'
import { startGateway, type TestGateway } from '../../testing/sms.ts'
import type { InvoicePort } from '../ports.ts'
import { invoiceAdapter } from './adapter.ts'

const lines = [
  { remark: '行政部', amount: fen(300) },
  { remark: '', amount: fen(700) },
]
const buyer = { title: '青禾制造', taxNumber: '9144030071526726XG', email: null }
const wish = (number: string) => ({ number, ...buyer, amount: fen(1000), lines })

let world: PayWorld
let gateway: TestGateway
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())
beforeEach(async () => {
  gateway = await startGateway()
})
afterEach(() => gateway.close())

const portAt = (url: string, key = 'SANDBOX-invoice-key-0001'): InvoicePort =>
  invoiceAdapter({ service: { url: new URL(url).origin, key: new Secret(key) }, now: Date.now })

test('issuing says goods, code and rate as the rule wants them, and the same bytes again for the same wish', async () => {
  gateway.answer = {
    status: 200,
    body: '{"state":"issued","invoiceNumber":"26442000000000000001","issuedOn":"2026-11-22"}',
  }
  const port = portAt(gateway.url)
  const body = port.issueBody(wish('inv_1'))
  expect(port.issueBody(wish('inv_1'))).toBe(body)
  expect(await port.issue(body)).toEqual({
    state: 'issued',
    providerNumber: '26442000000000000001',
    issuedOn: '2026-11-22',
  })
  const goods = { name: '预付卡销售和充值', code: '601', rate: '不征税' }
  expect(JSON.parse(gateway.seen[0]?.raw ?? '')).toEqual({
    number: 'inv_1',
    kind: 'ordinary',
    title: buyer.title,
    taxNumber: buyer.taxNumber,
    amountFen: 1000,
    lines: [
      { ...goods, remark: '行政部', amountFen: 300 },
      { ...goods, remark: '', amountFen: 700 },
    ],
  })
})

test.each([
  [{ status: 200, body: '{"state":"processing"}' }, 'processing'],
  [{ status: 200, body: '{"state":"refused","code":"TITLE_REFUSED"}' }, 'refused TITLE_REFUSED'],
  [{ status: 422, body: '{"code":"TITLE_REFUSED"}' }, 'refused TITLE_REFUSED'],
  [{ status: 409, body: '{"code":"NUMBER_USED"}' }, 'refused NUMBER_USED'],
  // Not the service: the request may not be lost as refused.
  [{ status: 409, body: '<html>' }, 'broken HTTP_409'],
  [{ status: 413, body: '' }, 'broken HTTP_413'],
  [{ status: 408, body: '' }, 'unknown HTTP_408'],
  [{ status: 408, body: '{"code":"TIMED_OUT"}' }, 'unknown TIMED_OUT'],
  [{ status: 200, body: 'x'.repeat(70_000) }, 'unknown TOO_LARGE'],
  [{ status: 404, body: '{"code":"NUMBER_UNKNOWN"}' }, 'unknown_number'],
  [{ status: 404, body: '<html>' }, 'broken HTTP_404'],
  [{ status: 200, body: 'hello' }, 'unknown HTTP_200'],
  [{ status: 200, body: '{"state":"issued"}' }, 'unknown INCOMPLETE'],
  [{ status: 401, body: '' }, 'broken HTTP_401'],
  [{ status: 429, body: '', headers: { 'retry-after': '7' } }, 'busy HTTP_429'],
  [{ status: 302, body: '', headers: { location: 'http://127.0.0.1:9/' } }, 'unknown HTTP_302'],
  [{ status: 502, body: '青禾制造' }, 'unknown HTTP_502'],
  ['cut' as const, 'unknown NETWORK'],
])('a query answered %j is %s', async (answer, expected) => {
  gateway.answer = answer
  const asked = portAt(gateway.url).query('inv_1')
  const said = await asked.then((told) => `${told.state}${'code' in told ? ` ${told.code}` : ''}`).catch(() => null)
  expect(said ?? (await failureOf(asked))).toBe(expected)
})

test('the sandbox: once a number, asked about, reversed once, and nothing without its key', async () => {
  const port = await invoicesOf(world)
  const body = port.issueBody(wish('inv_sandbox_1'))
  expect(await port.query('inv_sandbox_1')).toEqual({ state: 'unknown_number' })
  const issued = await port.issue(body)
  expect(issued).toMatchObject({ state: 'issued', providerNumber: expect.stringMatching(/^SBX\d{17}$/) })
  expect(await port.issue(body)).toEqual(issued)
  expect(await port.query('inv_sandbox_1')).toEqual(issued)
  expect(await port.issue(body.replace('青禾', '赤禾'))).toEqual({ state: 'refused', code: 'NUMBER_USED' })
  const red = await port.reverse({ number: 'inv_sandbox_1', redNumber: 'inv_sandbox_1R' })
  expect(red).toMatchObject({ state: 'issued' })
  expect(await port.reverse({ number: 'inv_sandbox_1', redNumber: 'inv_sandbox_1R' })).toEqual(red)
  expect(await port.reverse({ number: 'inv_sandbox_1', redNumber: 'inv_sandbox_1S' })).toEqual({
    state: 'refused',
    code: 'ALREADY_REVERSED',
  })
  const wrongSum = port.issueBody({ ...wish('inv_sandbox_2'), amount: fen(1001) })
  expect(await port.issue(wrongSum)).toEqual({ state: 'refused', code: 'AMOUNT_WRONG' })
  const special = port.issueBody(wish('inv_sandbox_3')).replace('"ordinary"', '"special"')
  expect(await port.issue(special)).toEqual({ state: 'refused', code: 'KIND_REFUSED' })
  const stranger = portAt(world.sandbox.baseUrl, 'SANDBOX-another-key-0002')
  expect(await failureOf(stranger.query('inv_sandbox_1'))).toBe('broken SIGNATURE_WRONG')
  const late = await invoicesOf(world, { now: () => Date.now() - 600_000 })
  expect(await failureOf(late.query('inv_sandbox_1'))).toBe('broken STALE')
  const page = await (await fetch(`${world.sandbox.baseUrl}/invoices`)).text()
  expect(page).toContain('沙箱里的发票不是税务发票')
  expect(page).toContain(buyer.title)
})

test('without a service every call is broken', async () => {
  const none = invoiceAdapter({ service: null, now: Date.now })
  expect([none.configured, await failureOf(none.query('inv_1'))]).toEqual([false, 'broken not_configured'])
})
