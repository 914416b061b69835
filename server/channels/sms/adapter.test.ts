import { afterEach, beforeEach, expect, test } from 'vitest'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { gatewayKey, smsOf, startGateway, type TestGateway } from '../../testing/sms.ts'
import { smsAdapter } from './adapter.ts'

const message = { mobile: '13900000001', code: '012345', company: '青禾科技', reference: 'smc_1' }

const failure = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof OutsideError)) throw new Error('no OutsideError')
  expect(`${error.message} ${error.stack}`).not.toMatch(/13900000001|012345|SANDBOX/)
  return `${error.outcome} ${error.code}`
}

let gateway: TestGateway
beforeEach(async () => {
  gateway = await startGateway()
})
afterEach(() => gateway.close())

test('the body is signed with its second; a repeat has the same bytes', async () => {
  const sms = smsOf(gateway)
  await sms.sendCode(message)
  await sms.sendCode(message)
  const [first, second] = gateway.seen
  expect(second?.raw).toBe(first?.raw)
  expect(JSON.parse(first?.raw ?? '')).toEqual({
    mobile: message.mobile,
    text: '【福利卡】012345 是您领取青禾科技福利的验证码，5 分钟内有效。请勿告诉他人。',
    reference: 'smc_1',
  })
  expect(first?.headers['x-sms-signature']).toMatch(/^[0-9a-f]{64}$/)
})

test.each([
  [{ status: 200, body: '{"code":"OK"}' }, null],
  [{ status: 200, body: '{"code":"MOBILE_REFUSED"}' }, 'refused MOBILE_REFUSED'],
  [{ status: 200, body: 'hello' }, 'unknown HTTP_200'],
  [{ status: 400, body: '{"code":"MOBILE_INVALID"}' }, 'refused MOBILE_INVALID'],
  [{ status: 400, body: '{"code":"NO_BALANCE"}' }, 'broken NO_BALANCE'],
  [{ status: 401, body: '' }, 'broken HTTP_401'],
  [{ status: 429, body: '', headers: { 'retry-after': '7' } }, 'busy HTTP_429'],
  [{ status: 302, body: '', headers: { location: 'http://127.0.0.1:9/' } }, 'unknown HTTP_302'],
  [{ status: 502, body: '<html>13900000001</html>' }, 'unknown HTTP_502'],
  [{ status: 400, body: '{"code":"bad 13900000001"}' }, 'refused HTTP_400'],
  ['cut' as const, 'unknown NETWORK'],
])('an answer %j is %s', async (answer, expected) => {
  gateway.answer = answer
  const work = smsOf(gateway).sendCode(message)
  if (expected === null) await work
  else expect(await failure(work)).toBe(expected)
})

test('how long to wait is told; no gateway and silence are told apart', async () => {
  gateway.answer = { status: 429, body: '', headers: { 'retry-after': '7' } }
  await expect(smsOf(gateway).sendCode(message)).rejects.toMatchObject({ retryAfterMs: 7000 })
  const none = smsAdapter({ gateway: null, now: Date.now })
  expect(await failure(none.sendCode(message))).toBe('broken not_configured')
  const nobody = smsOf({ url: 'http://127.0.0.1:9/' })
  expect(await failure(nobody.sendCode(message))).toBe('unknown NETWORK')
})

test('the sandbox takes what is signed with its key, once a reference, and nothing else', async () => {
  const box: WecomSandbox = await startWecomSandbox()
  try {
    box.customers.setSmsKey({ key: gatewayKey })
    box.customers.upsertPeople({ people: [{ id: 'wang', name: '王工', mobile: message.mobile }] })
    const url = `${box.baseUrl}/sms/messages`
    const sms = smsOf({ url })
    await sms.sendCode(message)
    await sms.sendCode(message)
    expect(box.customers.person('wang')?.texts).toHaveLength(1)
    expect(await failure(sms.sendCode({ ...message, code: '543210' }))).toBe('refused REFERENCE_USED')
    expect(await failure(smsOf({ url }, { key: 'SANDBOX-another-key-012' }).sendCode(message))).toBe(
      'broken SIGNATURE_WRONG',
    )
    const late = smsOf({ url }, { now: () => Date.now() - 600_000 })
    expect(await failure(late.sendCode(message))).toBe('broken STALE')
    expect(await failure(sms.sendCode({ ...message, mobile: '123', reference: 'smc_2' }))).toBe(
      'refused MOBILE_INVALID',
    )
  } finally {
    await box.close()
  }
})
