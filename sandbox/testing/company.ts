import { request } from 'node:http'
import { startWecomSandbox, type WecomSandbox } from '../wecom/server.ts'
import type { ProviderWorld } from './provider.ts'

type Json = Record<string, unknown>

/** A sandbox with one company: 总部 (1) over 工厂 (2) over 一车间 (3), five members, one self-built app, a contact-sync secret. */
export interface CompanyWorld {
  readonly box: WecomSandbox
  get(path: string): Promise<Json>
  /** A text goes as it is, everything else as JSON. */
  post(path: string, body: unknown): Promise<Json>
  token(secret?: string): Promise<string>
  /** Calls an API with the app's token. */
  call(api: string, body?: unknown): Promise<Json>
  /** As `call`, and only the errcode. */
  code(api: string, body?: unknown): Promise<unknown>
  close(): Promise<void>
}

export const MORNING = Date.UTC(2026, 0, 5, 2)
export const company = {
  corpId: 'wwCompany',
  name: '青禾制造',
  agentId: 1000002,
  secret: 'SANDBOXown',
  contactSecret: 'SANDBOXcontact',
  accountLimit: 100,
  trustedDomains: ['cards.example:8443'],
  departments: [
    { id: 2, name: '工厂' },
    { id: 3, name: '一车间', parentId: 2 },
  ],
  members: [
    member('ZhangSan', [1], '13800000001'),
    member('LiSi', [2], '13800000002'),
    member('WangWu', [3], '13800000003'),
    member('ZhaoLiu', [2, 3], '13800000004'),
    member('SunQi', [1], '13800000005'),
  ],
}

function member(userid: string, departments: number[], mobile: string) {
  return { userid, name: `员工${userid}`, departments, mobile, email: `${userid.toLowerCase()}@company.example` }
}

/** Starts it with its clock at MORNING. */
export async function startCompany(): Promise<CompanyWorld> {
  const box = await startWecomSandbox({ now: () => MORNING })
  const { corpId } = company
  box.control.upsertCorp(company)
  const json = async (answer: Promise<Response>) => (await answer).json() as Promise<Json>
  const get = (path: string) => json(fetch(box.baseUrl + path))
  const post = (path: string, body: unknown) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return json(fetch(box.baseUrl + path, { method: 'POST', body: text }))
  }
  const token = async (secret = company.secret) =>
    String((await get(`/cgi-bin/gettoken?corpid=${corpId}&corpsecret=${secret}`))['access_token'])
  const call = async (api: string, body?: unknown) => {
    const path = `/cgi-bin/${api}${api.includes('?') ? '&' : '?'}access_token=${await token()}`
    return body === undefined ? get(path) : post(path, body)
  }
  const code = async (api: string, body?: unknown) => (await call(api, body))['errcode']
  return { box, get, post, token, call, code, close: () => box.close() }
}

/** A GET that comes from another address of this machine. */
export function getFrom(localAddress: string, url: string): Promise<Json> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { localAddress, agent: false }, (answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
      answer.on('end', () => resolve(JSON.parse(text) as Json))
    })
    asked.on('error', reject).end()
  })
}

/** What a provider holds after a company installed one of its suites from the market. */
export interface Installed {
  readonly corpId: string
  readonly agentId: number
  readonly permanentCode: string
  readonly token: string
}

/** Installs a suite in the company and exchanges its code. */
export async function installSuite(world: ProviderWorld, suiteId: string, corpId: string): Promise<Installed> {
  world.box.suites.installFromMarket({ suiteId, corpId })
  const told = world.box.suites.suiteDeliveries(suiteId)?.find((one) => one.event === 'create_auth')
  const authCode = /<AuthCode><!\[CDATA\[(\w+)/.exec(told?.plain ?? '')?.[1]
  const suiteToken = await world.suiteToken(suiteId)
  const service = (path: string, body: unknown) =>
    world.post(`/cgi-bin/service/${path}?suite_access_token=${suiteToken}`, body)
  const given = await service('v2/get_permanent_code', { auth_code: authCode })
  const permanentCode = String(given['permanent_code'])
  const seenCorpId = String((given['auth_corp_info'] as Json)['corpid'])
  const asked = { auth_corpid: seenCorpId, permanent_code: permanentCode }
  const { agent } = (await service('v2/get_auth_info', asked))['auth_info'] as { agent: { agentid: number }[] }
  const query = new URLSearchParams({ corpid: seenCorpId, corpsecret: permanentCode }).toString()
  const ofCorp = await service('get_corp_token', asked)
  const token = ofCorp['access_token'] ?? (await world.get(`/cgi-bin/gettoken?${query}`))['access_token']
  return { corpId: seenCorpId, agentId: agent[0]?.agentid ?? 0, permanentCode, token: String(token) }
}
