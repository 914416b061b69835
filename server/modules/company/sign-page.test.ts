import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import type { PageSignature } from '../../../contract/page-signature.ts'
import { encodeId } from '../../../contract/ids.ts'
import { encodeSession } from '../../kernel/cookies.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aBrowser, startWeb, type Web } from '../../testing/web.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { companyEndpoints } from './endpoints.ts'
import { ownPage } from './sign-page.ts'

onBothDatabases('signing a page', (database) => {
  let box: WecomSandbox
  let web: Web
  let company: TestCompany
  beforeEach(async () => {
    box = await startWecomSandbox()
    web = await startWeb(database, { endpoints: companyEndpoints, ports: { wecom: wecomOf(box) } })
    company = await aCompany(database, { sandbox: box })
  })
  afterEach(async () => {
    await web.close()
    await box.close()
  })

  const member = () => ({ companyId: company.id, memberId: company.members.hr })
  const employee = () => ({ companyId: company.id, personId: encodeId('person', 1n) })
  const sign = (audience: 'hr' | 'employee', url: unknown) => {
    const [name, kind, ids] =
      audience === 'hr'
        ? (['fulika_hr', 'member', member()] as const)
        : (['fulika_pack', 'employee', employee()] as const)
    const session = encodeSession({ kind, ids, expiresAtMs: Date.now() + 1000 }, database.house.sessionKey)
    return aBrowser(web.base).send('POST', `/${audience}/js/signature`, { url }, { cookie: `${name}=${session}` })
  }
  const ticket = async (path: string): Promise<string> => {
    const get = async <T>(api: string) => (await (await fetch(`${box.baseUrl}/cgi-bin/${api}`)).json()) as T
    const { corpId, secret } = company.wecom
    const { access_token } = await get<{ access_token: string }>(`gettoken?corpid=${corpId}&corpsecret=${secret}`)
    return (await get<{ ticket: string }>(`${path}access_token=${access_token}`)).ticket
  }
  const signatureOf = (given: string, url: string, part: PageSignature['config']) =>
    createHash('sha1')
      .update(`jsapi_ticket=${given}&noncestr=${part.nonceStr}&timestamp=${part.timestamp}&url=${url}`)
      .digest('hex')

  test('our page is signed with both tickets of the company, without its fragment, for members and employees', async () => {
    for (const audience of ['hr', 'employee'] as const) {
      const page = `${web.base}/pack/cards/crd_1?from=%E5%8D%A1`
      const answer = await sign(audience, `${page}#top`)
      expect(answer.status).toBe(200)
      const signed = (await answer.json()) as PageSignature
      expect(signed).toMatchObject({ corpId: company.wecom.corpId, agentId: company.wecom.agentId, suiteId: null })
      expect(signed.config.signature).toBe(signatureOf(await ticket('get_jsapi_ticket?'), page, signed.config))
      const agent = await ticket('ticket/get?type=agent_config&')
      expect(signed.agentConfig.signature).toBe(signatureOf(agent, page, signed.agentConfig))
      expect(signed.config.nonceStr).toMatch(/^[0-9a-f]{32}$/)
      expect(signed.config.nonceStr).not.toBe(signed.agentConfig.nonceStr)
    }
  })

  test('no other site gets a signature, however its address is written', async () => {
    const host = new URL(web.base).host
    for (const url of [
      'https://evil.test/',
      `https://${host}/`,
      `http://${host}.evil.test/`,
      `http://${host}@evil.test/`,
      `http://me@${host}/`,
      `http://evil.test/#${web.base}/`,
      `${web.base}\\@evil.test/`,
      `${web.base}/../x`,
      `${web.base}`,
      ` ${web.base}/`,
      '/pack/',
      'javascript:1',
      '',
      7,
    ])
      expect([url, (await sign('hr', url)).status]).toEqual([url, 422])
    expect(ownPage('https://fuli.example.com/pack/', 'https://fuli.example.com')).toBe('https://fuli.example.com/pack/')
  })

  test('nobody signs without a session, and a WeCom that gives no ticket is told as such', async () => {
    const anybody = await aBrowser(web.base).send('POST', '/hr/js/signature', { url: `${web.base}/console/` })
    expect(anybody.status).toBe(401)
    box.control.addFault({ path: 'get_jsapi_ticket', kind: 'status500_before', times: 50 })
    const answer = await sign('hr', `${web.base}/console/`)
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, 'provider_unavailable'])
  })
})
