import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { html } from './look/html.ts'
import { loadWorld, startSandbox, type RunningSandbox } from './world.ts'

const dir = mkdtempSync(join(tmpdir(), 'fulika-sandbox-'))
let running: RunningSandbox
beforeAll(async () => {
  running = await startSandbox(loadWorld(join(dir, 'sandbox.json')), { wecomPort: 0, payPort: 0, wechatPort: 0 })
  // Six key pairs are made: on a busy machine that takes its time.
}, 60_000)
afterAll(async () => {
  await running.close()
  rmSync(dir, { recursive: true })
})

test('every page says that it is the sandbox, in both languages, and runs nothing from elsewhere', async () => {
  const { corpId, agentId } = loadWorld(join(dir, 'sandbox.json')).wecom
  const authorise = `/connect/oauth2/authorize?appid=${corpId}&agentid=${agentId}`
  const pages = [
    ...['/', '/phone', '/phone/nobody', '/admin', '/admin/nobody', '/dials', '/callback', authorise].map(
      (path) => running.wecomUrl + path,
    ),
    ...['/', '/cashier', '/cashier/none', '/scan?code_url=x', '/bank', '/till', '/money', '/dials'].map(
      (path) => running.payUrl + path,
    ),
  ]
  for (const url of pages) {
    const answer = await fetch(url)
    const text = await answer.text()
    expect([url, text.includes('<b>沙箱</b>'), text.includes('no real money')]).toEqual([url, true, true])
    expect([url, /<title>[^<]*沙箱<\/title>/.test(text)]).toEqual([url, true])
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
  }
})

test('the start page of each half leads to the pages of both, on the host that was asked', async () => {
  const port = (url: string) => new URL(url).port
  for (const [at, other] of [
    [running.wecomUrl, running.payUrl],
    [running.payUrl, running.wecomUrl],
  ] as const) {
    const text = await (await fetch(at.replace('127.0.0.1', 'localhost')).catch(() => fetch(at))).text()
    const links = [...text.matchAll(/href="([^"]+)"/g)]
      .map((match) => match[1] ?? '')
      .filter((href) => href !== 'data:,')
    expect(links.some((href) => href.includes(`:${port(other)}/`))).toBe(true)
    for (const href of links) expect([href, (await fetch(new URL(href, at))).status]).toEqual([href, 200])
  }
})

test('what people write cannot become part of a page', async () => {
  const nasty = `"><script>alert('1')</script>`
  expect(html`<a title="${nasty}">${nasty}</a>`.markup).not.toContain('<script>')
  const form = { payerName: nasty, payerAccount: '1', yuan: '1', reference: nasty }
  const bank = await fetch(`${running.payUrl}/bank`, { method: 'POST', body: new URLSearchParams(form) })
  expect(await bank.text()).not.toContain('<script>alert')
  for (const path of ['/dials?done=', '/dials?wrong=', '/bank?done='])
    expect(await (await fetch(running.payUrl + path + encodeURIComponent(nasty))).text()).not.toContain('<script>alert')
  expect(await (await fetch(`${running.wecomUrl}/phone?q=${encodeURIComponent(nasty)}`)).text()).not.toContain(
    '<script>al',
  )
})

test('the merchants that run are those of the file; channels and platform give shares back, brands need not', async () => {
  const told = async (mchid: string) => {
    const body = JSON.stringify({ mchid })
    const answer = await fetch(`${running.payUrl}/__ctl/money-rules`, { method: 'POST', body })
    return ((await answer.json()) as { rules: { acceptReturns: boolean } }).rules.acceptReturns
  }
  const { merchants } = loadWorld(join(dir, 'sandbox.json'))
  const home = await (await fetch(running.payUrl)).text()
  for (const { mchid, shortName, role } of merchants) {
    expect([mchid, home.includes(shortName), await told(mchid)]).toEqual([mchid, true, role !== 'brand'])
  }
})

test('the credentials are made once, whole, and for their owner alone', () => {
  const path = join(dir, 'deeper', 'sandbox.json')
  const first = loadWorld(path)
  expect(loadWorld(path)).toEqual(first)
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(first)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a file of before there were a provider, short messages and WeChat gets them, once', () => {
  const path = join(dir, 'old', 'sandbox.json')
  const { wecomProvider: _provider, sms: _sms, wechat: _wechat, ...old } = loadWorld(path)
  writeFileSync(path, JSON.stringify(old))
  const world = loadWorld(path)
  expect(world).toMatchObject(old)
  expect(world.wecomProvider.suites.map((one) => one.kind)).toEqual(['third_party', 'customised'])
  expect(world.wecomProvider.secret).toMatch(/^SANDBOX/)
  expect(world.sms.key).toMatch(/^SANDBOX/)
  expect(world.wechat.appid).toBe(world.merchants.find((one) => one.role === 'platform')?.appid)
  expect(loadWorld(path)).toEqual(world)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a file of before there were a platform and channels gets their merchants, all bound to one app, and keeps its own', () => {
  const path = join(dir, 'older', 'sandbox.json')
  const { merchants, ...rest } = loadWorld(path)
  const old = merchants
    .filter((one) => one.role === 'brand')
    .map(({ role: _role, appids: _appids, ...merchant }) => merchant)
  writeFileSync(path, JSON.stringify({ ...rest, merchants: old }))
  const world = loadWorld(path)
  expect(world.merchants.map((one) => one.role)).toEqual(['brand', 'brand', 'platform', 'channel', 'channel'])
  expect(world.merchants.slice(0, 2)).toMatchObject(old)
  const platform = world.merchants[2]!
  expect(platform.mchid).toBe('1900000000')
  expect(world.merchants.every((one) => one.appids.includes(platform.appid))).toBe(true)
  expect(new Set(world.merchants.map((one) => one.mchid)).size).toBe(5)
  expect(loadWorld(path)).toEqual(world)
})
