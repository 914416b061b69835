import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { SandboxWorld } from '../sandbox/world.ts'
import { invoiceAdapter } from './channels/invoice/adapter.ts'
import type { Ports } from './channels/ports.ts'
import { passAdapter } from './channels/pass/adapter.ts'
import { reviewAdapter } from './channels/review/adapter.ts'
import { smsAdapter } from './channels/sms/adapter.ts'
import { webhookAdapter } from './channels/webhook/adapter.ts'
import { wechatAdapter, type WechatOptions } from './channels/wechat/adapter.ts'
import type { WechatAccount } from './channels/wechat/account.ts'
import { wechatPayAdapter } from './channels/wechatpay/adapter.ts'
import { wecomAdapter, type WecomOptions } from './channels/wecom/adapter.ts'
import type { Config, WecomProviderFile } from './config.ts'
import { lockSqlite } from './db/lock.ts'
import { openStore, type Store } from './db/orm.ts'
import type { Actor, Edge, Scope, Tx } from './kernel/context.ts'
import type { House } from './kernel/house.ts'
import { claimKeys } from './kernel/key-ring.ts'
import { Secret, type Log } from './kernel/log.ts'
import { idSource } from './kernel/new-ids.ts'
import { enqueuedIn, systemClock } from './kernel/outbox.ts'
import { sealWith } from './kernel/seal.ts'
import { databaseRows } from './kernel/shared-rows.ts'
import { sharedState } from './kernel/shared-state.ts'
import type { Lane } from './kernel/tables.ts'
import { leaseWorkerNumber } from './kernel/worker-number.ts'
import { readSuiteTicket } from './modules/company/read-suite-ticket.ts'
import { wechatPayOf, type WechatPayConfig } from './pay-config.ts'

/** A house with its database open and its ports connected: scopes come from here. */
export interface OpenHouse {
  readonly house: House
  readonly store: Store
  readonly edgeFor: (actor: Actor, log?: Log) => Edge
  /** Told when a commit wrote jobs. */
  onJobs: (lanes: ReadonlySet<Lane>) => void
  readonly close: () => Promise<void>
}

/** Where the outside is: the sandbox's addresses and credentials, or null for the real ones of the configuration. */
export interface Outside {
  readonly world: SandboxWorld
  readonly wecomUrl: string
  readonly payUrl: string
  readonly wechatUrl: string
}

/**
 * Opens the database, brings it up to date, checks that the key ring is the one it is sealed with, and takes a worker
 * number. Throws with a sentence for the operator when something does not fit. `lost` is called when the number is lost.
 */
export async function openHouse(
  config: Config,
  parts: { readonly log: Log; readonly outside: Outside | null; readonly lost?: () => void; readonly shared?: boolean },
): Promise<OpenHouse> {
  const sqlite = !config.databaseUrl.startsWith('mysql:')
  if (sqlite) mkdirSync(dirname(config.databaseUrl), { recursive: true })
  const unlock = sqlite && parts.shared !== true ? lockSqlite(config.databaseUrl) : () => undefined
  const store = await openStore(config.databaseUrl)
  const house: House = {
    publicUrl: config.publicUrl,
    seal: sealWith(config.keys.ring, randomBytes),
    sessionKey: config.keys.session,
    numberKey: config.keys.numberKey,
    custody: config.custody,
    ...suitesOf(providerOf(config, parts.outside)),
    wechatPay: wechatPayOf(payOf(config, parts.outside), config.settlement),
    wechat: wechatHouseOf(config, parts.outside),
    passesUntilMs: config.passes?.untilMs ?? null,
    sandbox: parts.outside !== null,
    quietMinutes: config.wecom.quietMinutes,
  }
  const noIds = (): never => {
    throw new Error('no worker number yet')
  }
  const base = { house, clock: systemClock, random: randomBytes, log: parts.log, newId: noIds as Scope['newId'] }
  const early = { ...base, actor: { kind: 'system', name: 'start' } as const }
  const inTx = <T>(scope: Scope, work: (tx: Tx) => Promise<T>) => store.write((em) => work({ ...scope, em }))
  const wrong = await inTx(early, (tx) => claimKeys(tx, config.keys))
  if (wrong.length > 0) {
    await store.close()
    unlock()
    throw new Error(`the key ring lacks keys that this database is sealed with: ${wrong.join(', ')}`)
  }
  const lost = parts.lost ?? (() => process.exit(70))
  const lease = await leaseWorkerNumber({ ...early, tx: (work) => inTx(early, work) }, lost)
  const newId = idSource(lease.number, systemClock)
  const ports = portsOf(config, parts.outside, memoryOf(store, early))
  const open: OpenHouse = {
    house,
    store,
    onJobs: () => undefined,
    edgeFor: (actor, log = parts.log) => {
      const scope: Scope = { ...base, newId, actor, log }
      return {
        ...scope,
        ports,
        tx: async (work) => {
          let due: ReadonlySet<Lane> | undefined
          const result = await store.write(async (em) => {
            const answer = await work({ ...scope, em })
            due = enqueuedIn.get(em)
            return answer
          })
          if (due !== undefined) open.onJobs(due)
          return result
        },
        read: (work) => store.read((em) => work({ ...scope, em })),
      }
    },
    close: async () => {
      await lease.release()
      await store.close()
      unlock()
    },
  }
  return open
}

/** What adapters keep in our database: tokens and counts that all processes share, and the tickets of our suites. */
interface Memory {
  readonly wecom: Pick<WecomOptions, 'suiteTicket' | 'shared' | 'unknownCode'>
  readonly wechat: Pick<WechatOptions, 'shared' | 'unknownCode'>
}

function memoryOf(store: Store, scope: Scope): Memory {
  const rows = databaseRows({
    write: (work) => store.write(work),
    read: (work) => store.read(work),
    seal: scope.house.seal,
  })
  const shared = sharedState(rows, () => scope.clock.now())
  const unknownCode = (who: 'wecom' | 'wechat') => (api: string, errcode: number) =>
    scope.log.error({ api, errcode }, `${who} answered a code that nobody here knows`)
  return {
    wecom: {
      shared,
      suiteTicket: async (suiteId) =>
        (await store.read((em) => readSuiteTicket({ ...scope, em }, suiteId)))?.ticket ?? null,
      unknownCode: unknownCode('wecom'),
    },
    wechat: { shared, unknownCode: unknownCode('wechat') },
  }
}

/** Ourselves as a provider of suites: the sandbox's, or the one of the configuration. */
function providerOf(config: Config, outside: Outside | null): WecomProviderFile | null {
  if (outside === null) return config.wecomProvider
  const { suites, ...provider } = outside.world.wecomProvider
  return { ...provider, suites: suites.map((suite) => ({ ...suite, test: false })) }
}

/** What the house itself may know of our suites: their secrets stay with the adapter. */
function suitesOf(provider: WecomProviderFile | null): Pick<House, 'wecomSuites' | 'wecomProviderCorpId'> {
  if (provider === null) return { wecomSuites: [], wecomProviderCorpId: null }
  const wecomSuites = provider.suites.map(({ suiteId, kind, name, token, encodingAesKey }) => {
    return { suiteId, kind, name, token: new Secret(token), encodingAesKey: new Secret(encodingAesKey) }
  })
  return { wecomSuites, wecomProviderCorpId: provider.corpId }
}

/** The gateway for codes by SMS: the sandbox's, or the one of the configuration. */
function gatewayOf(config: Config, outside: Outside | null): Config['sms'] {
  if (outside === null) return config.sms
  return { url: `${outside.wecomUrl}/sms/messages`, key: new Secret(outside.world.sms.key), signature: '福利卡' }
}

/** The electronic invoice service: the sandbox's, or the one of the configuration. */
function invoicesOf(config: Config, outside: Outside | null): Config['invoice'] {
  return outside === null ? config.invoice : { url: outside.payUrl, key: new Secret(outside.world.invoice.key) }
}

/** WeChat Pay: the sandbox's, or the one of the configuration. */
function payOf(config: Config, outside: Outside | null): WechatPayConfig | null {
  if (outside === null) return config.wechatPay
  const { merchants, platformKey } = outside.world
  const own = merchants.find((merchant) => merchant.role === 'platform')
  return {
    baseUrl: outside.payUrl,
    secondUrl: null,
    merchants: merchants.filter(({ role }) => role !== 'channel').map((merchant) => ({ ...merchant, feeBp: 60 })),
    platformKeys: { [platformKey.id]: platformKey.publicPem },
    platform: own ? { mchid: own.mchid, appid: own.appid } : null,
  }
}

/** Our service account: the sandbox's, or the one of the configuration. */
const accountOf = (config: Config, outside: Outside | null): WechatAccount | null =>
  outside === null ? config.wechat.account : outside.world.wechat

/** What the house itself may know of our service account. In the sandbox one script is WeChat's client and its JS-SDK. */
function wechatHouseOf(config: Config, outside: Outside | null): House['wechat'] {
  const account = accountOf(config, outside)
  if (account === null) return null
  const { appid, miniProgram, openPlatformId, templates } = account
  const ours = { appid, miniProgramAppid: miniProgram?.appid ?? null, openPlatformId, templates }
  if (outside === null) return { ...ours, jsSdkUrl: config.wechat.jsSdkUrl, clientScriptUrl: null }
  const script = `${outside.wechatUrl}/client.js`
  return { ...ours, jsSdkUrl: script, clientScriptUrl: script }
}

function portsOf(config: Config, outside: Outside | null, memory: Memory): Ports {
  const provider = providerOf(config, outside)
  const now = () => Date.now()
  const pay = payOf(config, outside)
  const bases =
    outside === null
      ? config.wecom
      : {
          apiBase: outside.wecomUrl,
          oauthBase: outside.wecomUrl,
          loginBase: outside.wecomUrl,
          installBase: outside.wecomUrl,
        }
  return {
    wecom: wecomAdapter({ ...bases, ...memory.wecom, now, provider, suites: provider?.suites ?? [] }),
    wechat: wechatAdapter({
      apiBase: outside?.wechatUrl ?? config.wechat.apiBase,
      oauthBase: outside?.wechatUrl ?? config.wechat.oauthBase,
      ...memory.wechat,
      account: accountOf(config, outside),
      now,
    }),
    sms: smsAdapter({ gateway: gatewayOf(config, outside), now }),
    invoice: invoiceAdapter({ service: invoicesOf(config, outside), now }),
    pass: passAdapter(config.passes),
    review: reviewAdapter({ words: config.reviewWords, pictures: outside === null ? 'person' : 'pass' }),
    webhook: webhookAdapter({ anywhere: outside !== null, now }),
    wechatPay: wechatPayAdapter({
      baseUrl: pay?.baseUrl ?? 'https://api.mch.weixin.qq.com',
      secondUrl: pay?.secondUrl ?? null,
      merchants: pay?.merchants ?? [],
      platformKeys: pay?.platformKeys ?? {},
      notifyUrl: `${config.publicUrl}/notify/wechatpay`,
      now,
      random: randomBytes,
    }),
  }
}
