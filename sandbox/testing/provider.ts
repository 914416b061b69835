import { setTimeout as sleep } from 'node:timers/promises'
import { startWecomSandbox, type WecomSandbox } from '../wecom/server.ts'
import { startListener, type Listener } from './callback-listener.ts'

type Json = Record<string, unknown>

/** A sandbox with one provider, its suite and its template, and a company with some members; suites' callbacks listened to. */
export interface ProviderWorld {
  readonly box: WecomSandbox
  readonly listener: Listener
  /** Moves the clock, in steps, so that everything that is due on the way happens. */
  advance(ms: number): Promise<void>
  get(path: string): Promise<Json>
  post(path: string, body: unknown): Promise<Json>
  /** The newest ticket, as it was pushed. */
  ticket(suiteId: string): string
  suiteToken(suiteId: string): Promise<string>
  providerToken(): Promise<string>
  close(): Promise<void>
}

export const T0 = Date.UTC(2026, 0, 5, 2)
export const provider = {
  corpId: 'wwprovider',
  secret: 'SANDBOXprovider',
  suites: [suite('wwsuite', 'third_party', '福利卡'), suite('dktemplate', 'customised', '福利卡（代开发）')] as const,
}
export const corp = {
  corpId: 'wwFactory',
  agentId: 1000002,
  secret: 'SANDBOXself',
  accountLimit: 5_000,
  trustedDomains: ['cards.example'],
  members: ['ZhangSan', 'LiSi', 'WangWu'].map((userid, index) => ({
    userid,
    name: `员工${userid}`,
    mobile: `1380000000${index}`,
  })),
}

function suite(suiteId: string, kind: 'third_party' | 'customised', name: string) {
  const keys = { token: 'SANDBOXtoken', encodingAesKey: 'SANDBOX'.padEnd(43, '0') }
  return { suiteId, kind, name, secret: `SANDBOX${suiteId}`, ...keys, trustedDomains: ['cards.example'] }
}

/** Starts it with its clock at T0. `callbacks: false` leaves the suites' addresses unset: nothing works then. */
export async function startProviderWorld(callbacks = true): Promise<ProviderWorld> {
  const box = await startWecomSandbox({ now: () => T0 })
  const listener = await startListener(provider.suites[0])
  box.control.upsertCorp(corp)
  box.suites.upsertProvider({ ...provider, suites: [...provider.suites] })
  const json = async (answer: Promise<Response>) => (await answer).json() as Promise<Json>
  const get = (path: string) => json(fetch(box.baseUrl + path))
  const post = (path: string, body: unknown) =>
    json(fetch(box.baseUrl + path, { method: 'POST', body: JSON.stringify(body) }))
  const ticket = (suiteId: string) => {
    const pushed = box.suites.suiteDeliveries(suiteId)?.find((one) => one.event === 'suite_ticket')
    return /<SuiteTicket><!\[CDATA\[(\w+)/.exec(pushed?.plain ?? '')?.[1] ?? 'none'
  }
  if (callbacks) {
    for (const { suiteId } of provider.suites)
      await box.suites.saveSuiteCallbacks({
        suiteId,
        commandUrl: `${listener.url}/${suiteId}/command`,
        dataUrl: `${listener.url}/${suiteId}/data/$CORPID$`,
      })
  }
  return {
    box,
    listener,
    get,
    post,
    ticket,
    advance: async (ms) => {
      for (let left = ms; left > 0; left -= 60_000) {
        box.control.advance(Math.min(left, 60_000))
        await sleep(2)
      }
    },
    suiteToken: async (suiteId) => {
      const form = { suite_id: suiteId, suite_secret: `SANDBOX${suiteId}`, suite_ticket: ticket(suiteId) }
      return String((await post('/cgi-bin/service/get_suite_token', form))['suite_access_token'])
    },
    providerToken: async () => {
      const form = { corpid: provider.corpId, provider_secret: provider.secret }
      return String((await post('/cgi-bin/service/get_provider_token', form))['provider_access_token'])
    },
    close: async () => {
      await Promise.all([box.close(), listener.close()])
    },
  }
}
