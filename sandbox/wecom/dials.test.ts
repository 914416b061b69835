import { afterEach, beforeEach, expect, test } from 'vitest'
import { wecomDials } from './dials.ts'
import { startWecomSandbox, type WecomSandbox } from './server.ts'
import { faultKinds } from './state.ts'

const corp = {
  corpId: 'wwSandbox01',
  agentId: 1000002,
  secret: 'SANDBOXsecret',
  accountLimit: 10,
  trustedDomains: [],
  members: [{ userid: 'ZhangSan', name: '张三' }],
}
let box: WecomSandbox
beforeEach(async () => {
  box = await startWecomSandbox()
  box.control.upsertCorp(corp)
})
afterEach(() => box.close())

type Json = Record<string, unknown>
const form = async (path: string, fields: Record<string, string>) =>
  (await fetch(box.baseUrl + path, { method: 'POST', body: new URLSearchParams(fields) })).text()
const token = async (): Promise<Json> =>
  (await (
    await fetch(`${box.baseUrl}/cgi-bin/gettoken?corpid=${corp.corpId}&corpsecret=${corp.secret}`, {
      headers: { connection: 'close' },
    })
  ).json()) as Json
let said = 0
const send = async (access: string): Promise<Response> =>
  fetch(`${box.baseUrl}/cgi-bin/message/send?access_token=${access}`, {
    method: 'POST',
    headers: { connection: 'close' },
    body: JSON.stringify({
      touser: 'ZhangSan',
      msgtype: 'text',
      agentid: 1000002,
      text: { content: `你好${(said += 1)}` },
    }),
  })
const inbox = () => box.control.inbox(corp.corpId, 'ZhangSan')?.length

test('the page has a dial for every kind of fault, once', () => {
  const dials = wecomDials.flatMap((group) => group.dials.map((dial) => dial.kind))
  expect([...dials].sort()).toEqual([...faultKinds].sort())
})

test('a call is lost before its effect, after it, refused with 45009, or accepted and not delivered', async () => {
  const access = String((await token())['access_token'])
  await form('/dials', { kind: 'cut_before', path: 'message/send', times: '1' })
  await expect(send(access)).rejects.toThrow()
  expect(inbox()).toBe(0)
  await form('/dials', { kind: 'cut_after', path: 'message/send', times: '1' })
  await expect(send(access)).rejects.toThrow()
  expect(inbox()).toBe(1)
  await form('/dials', { kind: 'status500_before', path: '', times: '1' })
  expect((await send(access)).status).toBe(500)
  await form('/dials', { kind: 'status500_after', path: '', times: '1' })
  expect([(await send(access)).status, inbox()]).toEqual([500, 2])
  await form('/dials', { kind: 'errcode', path: '', errcode: '45009', times: '1' })
  const busy = await send(access)
  expect([busy.status, ((await busy.json()) as Json)['errcode']]).toEqual([200, 45009])
  await form('/dials', { kind: 'message_lose', times: '1' })
  expect(await (await send(access)).json()).toMatchObject({ errcode: 0 })
  expect(inbox()).toBe(2)
  expect(box.control.stats(corp.corpId)).toMatchObject({ dropped: 1, delivered: 2 })
  expect(await (await send(access)).json()).toMatchObject({ errcode: 0 })
  expect(inbox()).toBe(3)
})

test('a fault for every call leaves the pages and the dials alone', async () => {
  expect(await form('/dials', { kind: 'status500_before', path: '', times: '5' })).toContain('500，未执行')
  for (const path of ['/', '/phone', '/dials', '/callback', '/__ctl/faults'])
    expect([path, (await fetch(box.baseUrl + path)).status]).toEqual([path, 200])
  expect(await form('/dials/clear', {})).toContain('全部故障已关闭')
  expect((await token())['errcode']).toBe(0)
})

test('tokens expire by the button and by the clock; time only goes forward', async () => {
  const codeOf = async (access: string) => ((await (await send(access)).json()) as Json)['errcode']
  const first = String((await token())['access_token'])
  await form('/dials/expire-tokens', {})
  expect(await codeOf(first)).toBe(42001)
  const second = String((await token())['access_token'])
  await form('/clock', { advanceMs: '7199000' })
  expect(await codeOf(second)).toBe(0)
  expect(await form('/clock', { advanceMs: '7200000' })).toContain('比真实时间快 3 小时 59 分 59 秒')
  expect(await codeOf(second)).toBe(42001)
  for (const wrong of ['-1', 'x', '1e99', '0.5'])
    expect(await form('/clock', { advanceMs: wrong })).toContain('填写有误')
  expect(await (await fetch(`${box.baseUrl}/__ctl/clock`)).json()).toMatchObject({ aheadMs: 14_399_000 })
})
