import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { decrypt, getSignature } from '@wecom/crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { control, memberOf } from '../../e2e/steps.ts'
import { openStage, type OpenStage } from '../../e2e/stage.ts'
import type { SandboxWorld } from '../world.ts'
import { sealCallback } from './callback-seal.ts'
import type { Delivery } from './callback-state.ts'
import { startWecomSandbox } from './server.ts'

let stage: OpenStage
let url = ''
let keys: SandboxWorld['wecom']['callback']
beforeAll(async () => {
  stage = await openStage('sqlite')
  const admin = await memberOf(stage, 'admin')
  const settings = await admin.call<{ wecom: { callbackUrl: string } }>('/hr/settings')
  url = settings.wecom.callbackUrl
  const world = JSON.parse(readFileSync(join(stage.dataDir, 'sandbox.json'), 'utf8')) as SandboxWorld
  keys = world.wecom.callback
}, 60_000)
afterAll(() => stage.close())

const form = async (path: string, fields: Record<string, string>) => {
  const body = new URLSearchParams({ corpId: stage.corp.corpId, ...fields })
  return (await fetch(stage.wecomUrl + path, { method: 'POST', body })).text()
}
const deliveries = () => control<Delivery[]>(`${stage.wecomUrl}/__ctl/callback/events/${stage.corp.corpId}`)
/** The newest event once it has come to an end; the clock is moved so that retries come at once. */
async function ended(): Promise<Delivery> {
  for (let i = 0; i < 100; i += 1) {
    const [newest] = await deliveries()
    if (newest && newest.state !== 'waiting') return newest
    await control(`${stage.wecomUrl}/__ctl/clock`, { advanceMs: 1_000 })
    await sleep(20)
  }
  throw new Error('the event came to no end')
}
const send = (event: string) => form('/callback/events', { event, userid: 'linxiao' })

test('WeCom’s own library opens what the sandbox seals', () => {
  for (const text of ['x', '中秋'.repeat(50), 'a'.repeat(7), 'a'.repeat(6)]) {
    const { query, encrypted } = sealCallback(keys, text, 'wx1', 1_409_659_589_999)
    const { timestamp, nonce, msg_signature } = query
    expect(timestamp).toBe('1409659589')
    expect(msg_signature).toBe(getSignature(keys.token, timestamp, nonce, encrypted))
    expect(decrypt(keys.encodingAesKey, encrypted)).toMatchObject({ message: text, id: 'wx1' })
  }
})

test('an address is saved only when the real endpoint answers the verification', async () => {
  const members = [{ userid: 'linxiao', name: '林晓' }]
  const fresh = { corpId: 'wwFresh', agentId: 1, secret: 'SANDBOXfresh', accountLimit: 1, trustedDomains: [], members }
  await control(`${stage.wecomUrl}/__ctl/corps`, fresh)
  const save = (fields: Record<string, string>) => form('/callback', { corpId: 'wwFresh', url, ...keys, ...fields })
  const click = () => form('/callback/events', { corpId: 'wwFresh', event: 'click', userid: 'linxiao' })
  expect(await click()).toContain('还没有保存回调地址')
  expect(await save({})).toContain('没有保存')
  expect(await save({ token: `${keys.token}x` })).toContain('没有保存')
  expect(await save({ url: 'http://127.0.0.1:9/nobody' })).toContain('在 1 秒内没有回答')
  expect(await save({ url: 'ftp://x' })).toContain('填写有误：url')
  expect(await save({ encodingAesKey: 'short' })).toContain('填写有误：encodingAesKey')
  expect(await click()).toContain('还没有保存回调地址')
  expect(await form('/callback', { url: url.replace(/[^/]+$/, 'com_1'), ...keys })).toContain('没有保存')
  expect(await form('/callback', { url, ...keys })).toContain('验证通过')
})

test('events are taken by the real endpoint, also after the clock was moved', async () => {
  await control(`${stage.wecomUrl}/__ctl/clock`, { advanceMs: 86_400_000 })
  for (const event of ['enter_agent', 'click', 'view', 'template_card_event', 'subscribe', 'sandbox_unknown']) {
    expect(await send(event)).toContain('事件已发出')
    const { state, tries } = await ended()
    expect([event, state, tries.map((one) => one.status)]).toEqual([event, 'taken', [200]])
  }
  expect(await send('no_such')).toContain('填写有误')
  expect(await form('/callback/events', { event: 'click', userid: 'nobody' })).toContain('没有这个员工')
})

test('crooked events are refused and followed by a straight one; lost ones never come', async () => {
  for (const kind of ['callback_wrong_signature', 'callback_stale', 'callback_wrong_receiver']) {
    await control(`${stage.wecomUrl}/__ctl/faults`, { kind })
    await send('click')
    const { tries, state } = await ended()
    expect([kind, state, tries.map((one) => [one.status, one.crooked])]).toEqual([
      kind,
      'taken',
      [
        [401, kind],
        [200, null],
      ],
    ])
  }
  await control(`${stage.wecomUrl}/__ctl/faults`, { kind: 'callback_lose' })
  await send('click')
  expect(await ended()).toMatchObject({ state: 'lost', tries: [] })
  await control(`${stage.wecomUrl}/__ctl/faults`, { kind: 'callback_repeat', copies: 20 })
  await send('click')
  expect((await ended()).tries.map((one) => one.status)).toEqual(Array(20).fill(200))
})

test('opening a message on the phone tells that its owner entered the app', async () => {
  const app = { corpid: stage.corp.corpId, corpsecret: stage.corp.secret }
  const query = new URLSearchParams(app).toString()
  const { access_token } = await control<{ access_token: string }>(`${stage.wecomUrl}/cgi-bin/gettoken?${query}`)
  const message = { touser: 'linxiao', msgtype: 'textcard', agentid: stage.corp.agentId }
  const textcard = { title: '中秋快乐', description: '一张卡', url: `${stage.serverUrl}/healthz` }
  await control(`${stage.wecomUrl}/cgi-bin/message/send?access_token=${access_token}`, { ...message, textcard })
  const before = (await deliveries()).length
  const chat = await (await fetch(`${stage.wecomUrl}/phone/${stage.corp.corpId}/linxiao`)).text()
  const open = /href="([^"]*open\?message=[^"]+)"/.exec(chat)?.[1] ?? ''
  await fetch(stage.wecomUrl + open, { redirect: 'manual' })
  expect((await deliveries()).length).toBe(before + 1)
  expect(await ended()).toMatchObject({ event: 'enter_agent', userid: 'linxiao', state: 'taken' })
})

test('three tries after the first, with one text and new signatures, the newest event first when reordered', async () => {
  const posted: { url: string; body: string }[] = []
  let status = 500
  const listener = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      posted.push({ url: request.url ?? '', body })
      response.writeHead(request.method === 'GET' ? 200 : status).end()
    })
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const box = await startWecomSandbox()
  const member = { userid: 'a', name: '甲' }
  box.control.upsertCorp({
    corpId: 'ww1',
    agentId: 1,
    secret: 's',
    accountLimit: 1,
    trustedDomains: [],
    members: [member],
  })
  const address = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/hook`
  expect(await box.control.saveCallback({ corpId: 'ww1', url: address, ...keys })).toBe('wrong_echo')
  listener.removeAllListeners('request')
  const echo = startEchoing(listener, posted, () => status)
  expect(await box.control.saveCallback({ corpId: 'ww1', url: address, ...keys })).toBeNull()
  posted.length = 0
  const event = box.control.sendEvent({ corpId: 'ww1', event: 'click', userid: 'a' })
  for (let i = 0; i < 100 && event?.state === 'waiting'; i += 1) {
    box.control.advance(1_000)
    await sleep(20)
  }
  expect([event?.state, event?.tries.map((one) => one.status)]).toEqual(['given up', [500, 500, 500, 500]])
  expect(new Set(posted.map((one) => one.url)).size).toBe(4)
  expect(new Set(posted.map((one) => echo(one.body))).size).toBe(1)
  status = 200
  posted.length = 0
  box.control.addFault({ kind: 'callback_reorder', times: 2 })
  box.control.sendEvent({ corpId: 'ww1', event: 'click', userid: 'a' })
  await sleep(50)
  box.control.sendEvent({ corpId: 'ww1', event: 'view', userid: 'a' })
  for (let i = 0; i < 100 && posted.length < 2; i += 1) await sleep(20)
  expect(posted.map((one) => /<Event><!\[CDATA\[(\w+)/.exec(echo(one.body))?.[1])).toEqual(['view', 'click'])
  await box.close()
  await new Promise((resolve) => listener.close(resolve))
})

/** Lets the listener answer verifications rightly; answers how to read what was posted. */
function startEchoing(
  listener: ReturnType<typeof createServer>,
  posted: { url: string; body: string }[],
  status: () => number,
): (body: string) => string {
  listener.on('request', (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const echostr = new URL(request.url ?? '', 'http://x').searchParams.get('echostr')
      if (echostr !== null) return response.end(decrypt(keys.encodingAesKey, echostr).message)
      posted.push({ url: request.url ?? '', body })
      return response.writeHead(status()).end()
    })
  })
  return (body) => decrypt(keys.encodingAesKey, /<Encrypt><!\[CDATA\[([^\]]+)/.exec(body)?.[1] ?? '').message
}
