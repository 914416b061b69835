import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { createHttpApp, type HttpOptions } from './http.ts'
import { silentLog } from './log.ts'

const closers: (() => void)[] = []
afterAll(() => {
  for (const close of closers) close()
})

const real = {
  appid: 'wx1',
  miniProgramAppid: null,
  openPlatformId: null,
  templates: {},
  jsSdkUrl: 'https://res.wx.qq.com/open/js/jweixin-1.6.0.js',
  clientScriptUrl: null,
}

/** The policy of some pages, directive by directive. */
async function policiesOf(wechat: HttpOptions['wechat'], paths: readonly string[]) {
  const app = createHttpApp({
    endpoints: [],
    edgeFor: () => {
      throw new Error('no endpoint here')
    },
    authenticate: async () => ({ kind: 'anybody' }),
    origins: [],
    log: silentLog(),
    ...(wechat === undefined ? {} : { wechat }),
  })
  const handle = app.callback()
  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close())
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return Promise.all(
    paths.map(async (path) => {
      const policy = (await fetch(base + path)).headers.get('content-security-policy') ?? ''
      return new Map(policy.split(';').map((one) => [one.split(' ')[0] ?? '', one.split(' ').slice(1).join(' ')]))
    }),
  )
}

test('only pages that WeChat shows may load its JS-SDK, and nothing else of another site', async () => {
  const [shop, mine, console, near] = await policiesOf(real, ['/shop/', '/mine/cards/1', '/console/', '/shopping'])
  for (const one of [shop, mine]) {
    expect(one?.get('script-src')).toBe("'self' https://res.wx.qq.com")
    expect(one?.get('connect-src')).toBe("'self'")
    expect(one?.get('default-src')).toBe("'self'")
  }
  for (const one of [console, near]) expect(one?.get('script-src')).toBe("'self'")
})

test('in the sandbox its script is loaded, and asks the sandbox alone', async () => {
  const script = 'http://127.0.0.1:8093/client.js'
  const [shop, pack] = await policiesOf({ ...real, jsSdkUrl: script, clientScriptUrl: script }, ['/shop/x', '/pack/'])
  expect(shop?.get('script-src')).toBe("'self' http://127.0.0.1:8093")
  expect(shop?.get('connect-src')).toBe("'self' http://127.0.0.1:8093")
  expect(pack?.get('connect-src')).toBe("'self'")
})

test('without a service account no page loads anything of WeChat', async () => {
  const [shop] = await policiesOf(null, ['/shop/'])
  expect(shop?.get('script-src')).toBe("'self'")
})
