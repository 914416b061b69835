import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { Neighbours } from './look/page.ts'
import { makePlatformKey } from './wechatpay/seal.ts'
import { startWechatPaySandbox } from './wechatpay/server.ts'
import { startWechatConsumer } from './wechat/server.ts'
import { startWecomSandbox } from './wecom/server.ts'

const Suite = z.strictObject({
  suiteId: z.string(),
  kind: z.enum(['third_party', 'customised']),
  name: z.string(),
  secret: z.string(),
  token: z.string(),
  encodingAesKey: z.string(),
})
/** A service provider with one third-party app and one template for customised ones, as a server is configured with it. */
const Provider = z.strictObject({ corpId: z.string(), secret: z.string(), suites: z.array(Suite) })
const WechatTemplate = z.strictObject({
  id: z.string(),
  keys: z.strictObject({ card: z.string(), amount: z.string(), time: z.string(), note: z.string() }),
})
/** A service account of WeChat with its mini program, as a server is configured with it. */
const Wechat = z.strictObject({
  /** The app that all merchants are bound to: its openids pay. */
  appid: z.string(),
  secret: z.string(),
  callback: z.strictObject({ token: z.string(), encodingAesKey: z.string() }),
  miniProgram: z.strictObject({ appid: z.string(), secret: z.string() }),
  openPlatformId: z.string(),
  templates: z.strictObject({
    gift_received: WechatTemplate,
    gift_claimed: WechatTemplate,
    gift_returned: WechatTemplate,
    card_expiring: WechatTemplate,
    low_balance: WechatTemplate,
  }),
})
const WorldFile = z.strictObject({
  wecom: z.strictObject({
    corpId: z.string(),
    agentId: z.int(),
    secret: z.string(),
    callback: z.strictObject({ token: z.string(), encodingAesKey: z.string() }),
    /** Accounts that the company has bought; an app may send 200 messages a day for each. */
    accountLimit: z.int().positive().default(20_000),
  }),
  wecomProvider: Provider,
  /** The key that the short message service shares with whoever sends through it. */
  sms: z.strictObject({ key: z.string() }),
  /** The key that the electronic invoice service shares with us. */
  invoice: z.strictObject({ key: z.string() }),
  merchants: z.array(
    z.strictObject({
      mchid: z.string(),
      appid: z.string(),
      /** Further apps that it is bound to: combined payments need one that all their merchants share. */
      appids: z.array(z.string()).default([]),
      /** The platform's own merchant starts combined payments and takes its commission; channels take theirs. */
      role: z.enum(['brand', 'platform', 'channel']).default('brand'),
      certSerial: z.string(),
      shortName: z.string(),
      privateKeyPem: z.string(),
      publicKeyPem: z.string(),
      apiV3Key: z.string(),
    }),
  ),
  wechat: Wechat,
  platformKey: z.strictObject({ id: z.string(), publicPem: z.string(), privatePem: z.string() }),
  operatorKey: z.string(),
})

/** The credentials of a sandbox: made once, kept in a file, so that they survive restarts. They open nothing real. */
export type SandboxWorld = z.output<typeof WorldFile>

type WorldMerchant = SandboxWorld['merchants'][number]

/** Reads the world from its file, or makes one: two collecting merchants, the platform's own, two channels. */
export function loadWorld(path: string): SandboxWorld {
  if (existsSync(path)) return readWorld(path)
  const merchants = withPlatform([
    newMerchant('1900000109', '青禾优选', 'brand'),
    newMerchant('1900000208', '沐光咖啡', 'brand'),
  ])
  const world: SandboxWorld = {
    wecom: {
      corpId: `wwsandbox${randomBytes(5).toString('hex')}`,
      agentId: 1_000_002,
      secret: `SANDBOXsecret${randomBytes(24).toString('hex')}`,
      callback: { token: randomBytes(12).toString('hex'), encodingAesKey: aesKey() },
      accountLimit: 20_000,
    },
    wecomProvider: newProvider(),
    sms: newSms(),
    invoice: newInvoice(),
    merchants,
    wechat: newWechat(merchants),
    platformKey: makePlatformKey('PUB_KEY_ID_0119000001092024102900000001'),
    operatorKey: randomBytes(32).toString('base64url'),
  }
  mkdirSync(dirname(path), { recursive: true })
  return keepFirst(path, world)
}

/** What a file of an earlier sandbox may lack: it gets that, and keeps it. */
const LATER = ['wecomProvider', 'sms', 'invoice', 'wechat'] as const

/** Reads the file. */
function readWorld(path: string): SandboxWorld {
  const kept = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  const before = WorldFile.shape.merchants.parse(kept['merchants'])
  const merchants = withPlatform(before)
  const parts = { wecomProvider: newProvider(), sms: newSms(), invoice: newInvoice(), wechat: newWechat(merchants) }
  const world = WorldFile.parse({ ...parts, ...kept, merchants })
  if (LATER.every((part) => part in kept) && merchants === before) return world
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(world, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, path)
  return world
}

/** The merchants with the platform's own and two channels among them, all bound to the platform's app; the same array where they are. */
function withPlatform(merchants: WorldMerchant[]): WorldMerchant[] {
  if (merchants.some((one) => one.role === 'platform')) return merchants
  const all = [
    ...merchants,
    newMerchant('1900000000', '福利卡平台', 'platform'),
    newMerchant('1900000307', '华东渠道', 'channel'),
    newMerchant('1900000406', '员工福利顾问', 'channel'),
  ]
  const shared = all.find((one) => one.role === 'platform')?.appid ?? ''
  return all.map((one) => ({ ...one, appids: [...new Set([...one.appids, shared])] }))
}

/** Two programs may make the world at once: the file appears whole, and whoever is second takes what is there. */
function keepFirst(path: string, world: SandboxWorld): SandboxWorld {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(world, null, 2)}\n`, { mode: 0o600 })
  try {
    linkSync(draft, path)
    return world
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return readWorld(path)
  } finally {
    rmSync(draft)
  }
}

/** 43 letters and digits, as WeCom hands them out. */
function aesKey(): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from(randomBytes(43), (byte) => letters[byte % letters.length]).join('')
}

const newInvoice = () => ({ key: `SANDBOXinvoice${randomBytes(24).toString('hex')}` })
const newSms = () => ({ key: `SANDBOXsms${randomBytes(24).toString('hex')}` })

/** A service account in the app that all merchants are bound to, and a mini program beside it. */
function newWechat(merchants: readonly WorldMerchant[]): SandboxWorld['wechat'] {
  const secret = () => `SANDBOXwechat${randomBytes(16).toString('hex')}`
  const template = (id: string) => ({
    id: `SANDBOXTEMPLATE${id}`,
    keys: { card: 'thing1', amount: 'amount2', time: 'time3', note: 'thing4' },
  })
  return {
    appid: merchants.find((one) => one.role === 'platform')?.appid ?? '',
    secret: secret(),
    callback: { token: randomBytes(12).toString('hex'), encodingAesKey: aesKey() },
    miniProgram: { appid: `wx${randomBytes(8).toString('hex')}`, secret: secret() },
    openPlatformId: 'sandbox-open-platform',
    templates: {
      gift_received: template('received'),
      gift_claimed: template('claimed'),
      gift_returned: template('returned'),
      card_expiring: template('expiring'),
      low_balance: template('balance'),
    },
  }
}

function newProvider(): SandboxWorld['wecomProvider'] {
  const suite = (kind: 'third_party' | 'customised', prefix: string, name: string) => ({
    suiteId: `${prefix}sandbox${randomBytes(5).toString('hex')}`,
    kind,
    name,
    secret: `SANDBOXsuite${randomBytes(24).toString('hex')}`,
    token: randomBytes(12).toString('hex'),
    encodingAesKey: aesKey(),
  })
  return {
    corpId: `wwsandboxprovider${randomBytes(4).toString('hex')}`,
    secret: `SANDBOXprovider${randomBytes(24).toString('hex')}`,
    suites: [suite('third_party', 'ww', '福利卡'), suite('customised', 'dk', '福利卡（代开发）')],
  }
}

function newMerchant(mchid: string, shortName: string, role: WorldMerchant['role']): WorldMerchant {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return {
    mchid,
    appid: `wx${randomBytes(8).toString('hex')}`,
    appids: [],
    role,
    certSerial: randomBytes(20).toString('hex').toUpperCase(),
    shortName,
    privateKeyPem: pair.privateKey,
    publicKeyPem: pair.publicKey,
    apiV3Key: randomBytes(16).toString('hex'),
  }
}

/** WeCom, WeChat, WeChat Pay and the bank as they run: where they are, and how they stop. */
export interface RunningSandbox {
  readonly wecomUrl: string
  readonly payUrl: string
  readonly wechatUrl: string
  close(): Promise<void>
}

/** Starts the three servers with the credentials of a world. The company is there; people are added through /__ctl/corps. */
export async function startSandbox(
  world: SandboxWorld,
  ports: { readonly wecomPort: number; readonly payPort: number; readonly wechatPort: number; readonly host?: string },
): Promise<RunningSandbox> {
  const host = ports.host ?? '127.0.0.1'
  const neighbours: Neighbours = {}
  const closers: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    await Promise.all(closers.map((stop) => stop()))
  }
  const running = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const one = await starting.catch(async (error: unknown) => {
      await close()
      throw error
    })
    closers.push(() => one.close())
    return one
  }
  const pay = await running(
    startWechatPaySandbox({ port: ports.payPort, host, platformKey: world.platformKey, neighbours }),
  )
  const wecom = await running(startWecomSandbox({ port: ports.wecomPort, host, neighbours }))
  const wechat = await running(startWechatConsumer({ port: ports.wechatPort, host, neighbours }))
  wechat.putAccount(world.wechat)
  neighbours.wechatPort = Number(new URL(wechat.baseUrl).port)
  neighbours.payPort = Number(new URL(pay.baseUrl).port)
  neighbours.wecomPort = Number(new URL(wecom.baseUrl).port)
  const { callback: callbackKeys, ...app } = world.wecom
  wecom.control.upsertCorp({ ...app, trustedDomains: [], members: [], callbackKeys })
  const { corpId, agentId } = app
  wecom.companies.putApp({ corpId, agentId, grants: ['mobile', 'email', 'avatar'] })
  wecom.suites.upsertProvider(world.wecomProvider)
  wecom.customers.setSmsKey(world.sms)
  await tellMerchants(pay.baseUrl, world.merchants)
  await tell(pay.baseUrl, 'invoices/key', world.invoice)
  return {
    wecomUrl: wecom.baseUrl,
    payUrl: pay.baseUrl,
    wechatUrl: wechat.baseUrl,
    close,
  }
}

/** Registers the merchants. Whoever only receives shares gives them back when asked, as an agreement between them says. */
async function tellMerchants(payUrl: string, merchants: readonly WorldMerchant[]): Promise<void> {
  for (const { privateKeyPem: _own, role, ...merchant } of merchants) {
    await tell(payUrl, 'merchants', merchant)
    if (role !== 'brand') await tell(payUrl, 'money-rules', { mchid: merchant.mchid, acceptReturns: true })
  }
}

async function tell(payUrl: string, path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${payUrl}/__ctl/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`the sandbox does not take its world: ${await answer.text()}`)
}
