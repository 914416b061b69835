import { setTimeout as sleep } from 'node:timers/promises'
import type { WecomSandbox } from '../../sandbox/wecom/server.ts'
import { handlers } from '../../jobs/handlers.ts'
import { workOnce } from '../../jobs/worker.ts'
import type { Ports, WecomPort } from '../channels/ports.ts'
import { wecomAdapter } from '../channels/wecom/adapter.ts'
import type { Edge } from '../kernel/context.ts'
import { readSuiteTicket } from '../modules/company/read-suite-ticket.ts'
import { aSuite } from './callbacks.ts'
import type { TestDatabase } from './databases.ts'
import { easyReview, noWechat, noInvoices, noSms, noPasses, noWebhooks } from './wecom.ts'

const keys = { token: 'SANDBOXtoken', encodingAesKey: 'SANDBOX'.padEnd(43, '0') }
const suite = (suiteId: string, kind: 'third_party' | 'customised', name: string) => ({
  suiteId,
  kind,
  name,
  ...keys,
  secret: `SANDBOX${suiteId}`,
})
/** Ourselves as a provider: one third-party suite and one template of customised apps. */
export const testProvider = {
  corpId: 'wwprovider',
  secret: 'SANDBOXprovider',
  suites: [suite('wwsuite', 'third_party', '福利卡'), suite('dktemplate', 'customised', '福利卡（代开发）')],
}

/** The real adapter with our suites, whose tickets are those that the database keeps. */
export function suiteWecomOf(database: TestDatabase, box: WecomSandbox, now: () => number): WecomPort {
  const { baseUrl } = box
  return wecomAdapter({
    apiBase: baseUrl,
    oauthBase: baseUrl,
    loginBase: baseUrl,
    installBase: baseUrl,
    now,
    provider: testProvider,
    suites: testProvider.suites,
    timeoutMs: 2_000,
    suiteTicket: (suiteId) => database.tx(async (tx) => (await readSuiteTicket(tx, suiteId))?.ticket ?? null),
  })
}

/** Makes the provider known to the house and to the sandbox; call it after the web server stands. */
export async function openSuites(database: TestDatabase, box: WecomSandbox, base: string): Promise<void> {
  const wecomSuites = testProvider.suites.map((one) => ({ ...aSuite(one.suiteId, keys, one.kind), name: one.name }))
  database.house = { ...database.house, wecomSuites, wecomProviderCorpId: testProvider.corpId }
  const trustedDomains = [new URL(base).host]
  box.suites.upsertProvider({
    ...testProvider,
    suites: testProvider.suites.map((one) => ({ ...one, trustedDomains })),
  })
  for (const { suiteId } of testProvider.suites) {
    const address = `${base}/callback/wecom-suite/${suiteId}`
    const refusal = await box.suites.saveSuiteCallbacks({
      suiteId,
      commandUrl: `${address}/command`,
      dataUrl: `${address}/data/$CORPID$`,
    })
    if (refusal !== null) throw new Error(`the sandbox does not take the address of ${suiteId}: ${refusal}`)
  }
}

/** Works off what is ready, events and all, until nothing comes any more. */
export async function workAll(edge: Edge): Promise<void> {
  for (let idle = 0; idle < 3;) {
    const worked = (await workOnce(edge, handlers, 'fast')) || (await workOnce(edge, handlers, 'small'))
    idle = worked ? 0 : idle + 1
    if (!worked) await sleep(20)
  }
}

/** The ports of a house with suites. */
export const portsWith = (wecom: WecomPort): Ports => ({
  wecom,
  sms: noSms,
  invoice: noInvoices,
  webhook: noWebhooks,
  pass: noPasses,
  review: easyReview,
  wechat: noWechat,
  wechatPay: undefined as never,
})
