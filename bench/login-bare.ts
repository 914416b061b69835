/**
 * The other half of every sign-in without what makes it one, for the ceiling of `bench -- login`: the same requests in
 * the same order, no state, no signature, no database, no retry. Its parent sends the company's app first.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

interface BareApp {
  readonly wecomUrl: string
  readonly corpId: string
  readonly agentId: number
  readonly secret: string
}

let app: BareApp
let token: Promise<string>

async function ask<T>(path: string, query: Readonly<Record<string, string>>): Promise<T> {
  const answer = await fetch(`${app.wecomUrl}/cgi-bin/${path}?${new URLSearchParams(query).toString()}`)
  return (await answer.json()) as T
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? ''}`)
  const go = (location: string): void => void response.writeHead(302, { location }).end()
  if (url.pathname.startsWith('/hr/sign-in/')) {
    const redirect = encodeURIComponent(`http://${request.headers.host ?? ''}/hr/sign-in-callback`)
    const query = `appid=${app.corpId}&redirect_uri=${redirect}&response_type=code&scope=snsapi_base&agentid=${app.agentId}&state=x`
    go(`${app.wecomUrl}/connect/oauth2/authorize?${query}#wechat_redirect`)
  } else if (url.pathname === '/hr/sign-in-callback') {
    const code = url.searchParams.get('code') ?? ''
    void token
      .then((access_token) => ask<{ userid?: string }>('auth/getuserinfo', { access_token, code }))
      .then((who) => (who.userid === undefined ? response.writeHead(502).end() : go('/console/')))
  } else response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
})

process.on('message', (given: BareApp) => {
  app = given
  const query = { corpid: app.corpId, corpsecret: app.secret }
  token = ask<{ access_token: string }>('gettoken', query).then((answer) => answer.access_token)
  void token.then(() => process.send?.('ready'))
})
process.once('disconnect', () => process.exit(0))
server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
})
