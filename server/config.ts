import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { BankAccount } from './kernel/house.ts'
import { newKeyRing, readKeys, type Keys } from './kernel/key-ring.ts'
import { Secret } from './kernel/log.ts'
import { PassFile, type PassConfig } from './channels/pass/pass-file.ts'
import { WechatFile, type WechatAccount } from './channels/wechat/account.ts'
import { ownWordsFile, readWords } from './channels/review/words-file.ts'
import { WechatPayFile, type WechatPayConfig } from './pay-config.ts'

/** Everything a process is told at its start. Checked as a whole: every problem is named at once. */
export interface Config {
  readonly production: boolean
  readonly role: 'all' | 'web' | 'worker'
  readonly port: number
  readonly host: string
  readonly publicUrl: string
  readonly databaseUrl: string
  readonly dataDir: string
  readonly keys: Keys
  readonly logLevel: string
  readonly trustProxy: boolean
  readonly custody: BankAccount & { readonly name: string }
  /** `inside`: this process starts the sandbox. `outside`: another one runs it. Null: the real WeCom and WeChat Pay. */
  readonly sandbox: {
    readonly mode: 'inside' | 'outside'
    readonly wecomPort: number
    readonly payPort: number
    readonly wechatPort: number
  } | null
  readonly wecom: {
    /** Leave minute 0 and 30 of each hour out of sending. */
    readonly quietMinutes: boolean
    readonly apiBase: string
    readonly oauthBase: string
    readonly loginBase: string
    readonly installBase: string
  }
  /** Our suites and templates as a provider of WeCom (服务商); null where each company brings an app of its own. */
  readonly wecomProvider: WecomProviderFile | null
  readonly wechatPay: WechatPayConfig | null
  /** WeChat's consumer side; without an account the storefront can only be looked at. */
  readonly wechat: {
    readonly apiBase: string
    readonly oauthBase: string
    readonly jsSdkUrl: string
    readonly account: WechatAccount | null
  }
  /** Sharing begins at whole windows, and no merchant is asked for more shares a second. */
  readonly settlement: { readonly windowMs: number; readonly sharesPerSecond: number }
  /** The gateway for codes by SMS; null where none is configured: nobody can claim by mobile then. */
  readonly sms: { readonly url: string; readonly key: Secret<string>; readonly signature: string } | null
  /** The electronic invoice service; null where none is configured: requests wait, and finance exports their fields. */
  readonly invoice: { readonly url: string; readonly key: Secret<string> } | null
  /** What signs cards for Apple's Wallet; null where no certificate is configured: the pack does not offer it then. */
  readonly passes: PassConfig | null
  /** What no greeting may hold: the words that come with the house, or an operator's own. */
  readonly reviewWords: readonly string[]
}

/** What is wrong with the environment: each line names a variable and says what to do. It shows no value. */
export class ConfigProblems extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigProblems'
    this.problems = problems
  }
}

const port = z.coerce.number().int().min(0).max(65_535)
const origin = z
  .url({ protocol: /^https?$/, abort: true })
  .refine((text) => new URL(text).origin === text.replace(/\/$/, ''), {
    message: 'an origin without a path, such as https://fuli.example.com',
  })
const text = (most: number) => z.string().trim().min(1).max(most)

const Environment = z.strictObject({
  NODE_ENV: z.enum(['development', 'production', 'test']).default('development'),
  PORT: port.default(8080),
  HOST: z.string().default('127.0.0.1'),
  PUBLIC_URL: origin.optional(),
  DATABASE_URL: z
    .string()
    .refine((value) => value.startsWith('mysql://') || !value.includes('://'), {
      message: 'mysql://user:password@host:port/database, or a path for SQLite',
    })
    .optional(),
  FULIKA_ROLE: z.enum(['all', 'web', 'worker']).default('all'),
  FULIKA_DATA_DIR: text(500).default('data'),
  FULIKA_KEY_RING: text(20_000).optional(),
  FULIKA_KEY_RING_FILE: text(500).optional(),
  FULIKA_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  FULIKA_TRUST_PROXY: z.enum(['on', 'off']).default('off'),
  FULIKA_SANDBOX: z.enum(['inside', 'outside', 'off']).optional(),
  FULIKA_SANDBOX_WECOM_PORT: port.default(8091),
  FULIKA_SANDBOX_PAY_PORT: port.default(8092),
  FULIKA_SANDBOX_WECHAT_PORT: port.default(8093),
  FULIKA_CUSTODY_HOLDER: text(100).optional(),
  FULIKA_CUSTODY_NUMBER: z
    .string()
    .regex(/^[0-9 -]{8,40}$/)
    .optional(),
  FULIKA_CUSTODY_BANK: text(100).optional(),
  FULIKA_WECOM_API_BASE: origin.default('https://qyapi.weixin.qq.com'),
  FULIKA_WECOM_OAUTH_BASE: origin.default('https://open.weixin.qq.com'),
  FULIKA_WECOM_LOGIN_BASE: origin.default('https://login.work.weixin.qq.com'),
  FULIKA_WECOM_INSTALL_BASE: origin.default('https://open.work.weixin.qq.com'),
  FULIKA_WECOM_PROVIDER_FILE: text(500).optional(),
  FULIKA_WECOM_QUIET_MINUTES: z.enum(['on', 'off']).optional(),
  FULIKA_WECHAT_API_BASE: origin.default('https://api.weixin.qq.com'),
  FULIKA_WECHAT_OAUTH_BASE: origin.default('https://open.weixin.qq.com'),
  FULIKA_WECHAT_JS_SDK: z.url({ protocol: /^https$/ }).default('https://res.wx.qq.com/open/js/jweixin-1.6.0.js'),
  FULIKA_WECHAT_FILE: text(500).optional(),
  FULIKA_WECHAT_PAY_BASE: origin.default('https://api.mch.weixin.qq.com'),
  FULIKA_WECHAT_PAY_SECOND_BASE: origin.optional(),
  FULIKA_WECHAT_PAY_FILE: text(500).optional(),
  FULIKA_SETTLEMENT_WINDOW_MINUTES: z.coerce.number().int().min(1).max(1440).default(10),
  /** WeChat Pay takes 30 a second for one collecting merchant (protocols wechat-pay 5.6). */
  FULIKA_SHARES_PER_SECOND: z.coerce.number().int().min(1).max(300).default(25),
  FULIKA_SMS_URL: z.url({ protocol: /^https$/ }).optional(),
  FULIKA_SMS_KEY: z.string().min(16).max(200).optional(),
  FULIKA_SMS_SIGN: text(20).optional(),
  FULIKA_INVOICE_URL: z.url({ protocol: /^https$/ }).optional(),
  FULIKA_INVOICE_KEY: z.string().min(16).max(200).optional(),
  FULIKA_PASS_FILE: text(500).optional(),
  FULIKA_REVIEW_WORDS_FILE: text(500).default(ownWordsFile),
})
type Given = z.output<typeof Environment>

const WecomProviderFile = z.strictObject({
  /** The provider's own corp id and its ProviderSecret. */
  corpId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  secret: text(200),
  suites: z
    .array(
      z.strictObject({
        suiteId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
        kind: z.enum(['third_party', 'customised']),
        name: text(50),
        secret: text(200),
        /** Not released yet: companies install it as a test. */
        test: z.boolean().default(false),
        token: z.string().regex(/^[A-Za-z0-9]{1,32}$/),
        encodingAesKey: z.string().regex(/^[A-Za-z0-9]{43}$/),
      }),
    )
    .min(1),
})
/** A provider's credentials as they stand in its file. */
export type WecomProviderFile = z.output<typeof WecomProviderFile>

/** Files of credentials with which the sandbox never runs. */
const real = ['FULIKA_WECHAT_PAY_FILE', 'FULIKA_WECOM_PROVIDER_FILE', 'FULIKA_WECHAT_FILE'] as const

/** Names that are ours besides FULIKA_*; anything else in the environment is the machine's business. */
const plainNames = ['NODE_ENV', 'PORT', 'HOST', 'PUBLIC_URL', 'DATABASE_URL']

/** Reads the environment. Throws ConfigProblems that names every variable which is unknown, malformed or missing. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const own = Object.entries(env).filter(
    ([name, value]) => value !== undefined && value !== '' && (name.startsWith('FULIKA_') || plainNames.includes(name)),
  )
  const parsed = Environment.safeParse(Object.fromEntries(own))
  const problems = parsed.success ? [] : parsed.error.issues.flatMap(tellIssue)
  if (!parsed.success) throw new ConfigProblems(problems)
  const given = parsed.data
  const production = given.NODE_ENV === 'production'
  problems.push(...contradictions(given, production))
  const keys = readKeyRing(given, production, problems)
  const wechatPay = readWechatPay(given, production, problems)
  const wecomProvider = readFile('FULIKA_WECOM_PROVIDER_FILE', WecomProviderFile, given, production, problems)
  const passes = readFile('FULIKA_PASS_FILE', PassFile, given, production, problems)
  const wechat = readFile('FULIKA_WECHAT_FILE', WechatFile, given, production, problems)
  const reviewWords = readReviewWords(given, problems)
  if (problems.length > 0 || keys === null) throw new ConfigProblems(problems)
  const sandboxMode =
    given.FULIKA_SANDBOX ?? (production || real.some((name) => given[name] !== undefined) ? 'off' : 'inside')
  return {
    production,
    role: given.FULIKA_ROLE,
    port: given.PORT,
    host: given.HOST,
    publicUrl: (given.PUBLIC_URL ?? `http://127.0.0.1:${given.PORT}`).replace(/\/$/, ''),
    databaseUrl: given.DATABASE_URL ?? join(given.FULIKA_DATA_DIR, 'fulika.sqlite'),
    dataDir: given.FULIKA_DATA_DIR,
    keys,
    logLevel: given.FULIKA_LOG_LEVEL,
    trustProxy: given.FULIKA_TRUST_PROXY === 'on',
    custody: {
      name: 'main',
      holder: given.FULIKA_CUSTODY_HOLDER ?? '福利卡平台备付金（沙箱）',
      number: given.FULIKA_CUSTODY_NUMBER ?? '1100 0000 0000 0001',
      bank: given.FULIKA_CUSTODY_BANK ?? '沙箱银行',
    },
    sandbox:
      sandboxMode === 'off'
        ? null
        : {
            mode: sandboxMode,
            wecomPort: given.FULIKA_SANDBOX_WECOM_PORT,
            payPort: given.FULIKA_SANDBOX_PAY_PORT,
            wechatPort: given.FULIKA_SANDBOX_WECHAT_PORT,
          },
    wecom: {
      quietMinutes: (given.FULIKA_WECOM_QUIET_MINUTES ?? (sandboxMode === 'off' ? 'on' : 'off')) === 'on',
      apiBase: given.FULIKA_WECOM_API_BASE,
      oauthBase: given.FULIKA_WECOM_OAUTH_BASE,
      loginBase: given.FULIKA_WECOM_LOGIN_BASE,
      installBase: given.FULIKA_WECOM_INSTALL_BASE,
    },
    wecomProvider,
    wechatPay,
    wechat: {
      apiBase: given.FULIKA_WECHAT_API_BASE,
      oauthBase: given.FULIKA_WECHAT_OAUTH_BASE,
      jsSdkUrl: given.FULIKA_WECHAT_JS_SDK,
      account: wechat,
    },
    settlement: {
      windowMs: given.FULIKA_SETTLEMENT_WINDOW_MINUTES * 60_000,
      sharesPerSecond: given.FULIKA_SHARES_PER_SECOND,
    },
    sms: readSms(given),
    invoice: readInvoice(given),
    passes,
    reviewWords,
  }
}

function readSms(given: Given): Config['sms'] {
  const { FULIKA_SMS_URL: url, FULIKA_SMS_KEY: key, FULIKA_SMS_SIGN: signature } = given
  if (url === undefined || key === undefined || signature === undefined) return null
  return { url, key: new Secret(key), signature }
}

function readInvoice(given: Given): Config['invoice'] {
  const { FULIKA_INVOICE_URL: url, FULIKA_INVOICE_KEY: key } = given
  return url === undefined || key === undefined ? null : { url: url.replace(/\/$/, ''), key: new Secret(key) }
}

function tellIssue(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((name) => `${name}: not a variable of ours; check its spelling`)
  return [`${issue.path.join('.')}: ${issue.message}`]
}

/** What each variable allows by itself and all of them together do not. */
function contradictions(given: Given, production: boolean): string[] {
  const sandboxOn = given.FULIKA_SANDBOX === 'inside' || given.FULIKA_SANDBOX === 'outside'
  const credentials = real.filter((name) => given[name] !== undefined)
  const sms = [given.FULIKA_SMS_URL, given.FULIKA_SMS_KEY, given.FULIKA_SMS_SIGN]
  const custody = [given.FULIKA_CUSTODY_HOLDER, given.FULIKA_CUSTODY_NUMBER, given.FULIKA_CUSTODY_BANK]
  return [
    ...(sandboxOn && production ? ['FULIKA_SANDBOX: not in production; set it to off'] : []),
    ...(sandboxOn && credentials.length > 0
      ? [`FULIKA_SANDBOX: not beside real credentials (${credentials.join(', ')}); set one of them`]
      : []),
    ...(production && given.PUBLIC_URL === undefined ? ['PUBLIC_URL: needed in production'] : []),
    ...(production && given.DATABASE_URL === undefined
      ? ['DATABASE_URL: needed in production (mysql://… or a path for SQLite)']
      : []),
    ...(production && custody.includes(undefined)
      ? ['FULIKA_CUSTODY_HOLDER, FULIKA_CUSTODY_NUMBER, FULIKA_CUSTODY_BANK: needed in production']
      : []),
    ...(sandboxOn && given.FULIKA_SMS_URL !== undefined
      ? ['FULIKA_SANDBOX: not beside a real SMS gateway (FULIKA_SMS_URL); set one of them']
      : []),
    ...(sms.some((value) => value !== undefined) && sms.includes(undefined)
      ? ['FULIKA_SMS_URL, FULIKA_SMS_KEY, FULIKA_SMS_SIGN: set all of them or none']
      : []),
    ...(sandboxOn && given.FULIKA_INVOICE_URL !== undefined
      ? ['FULIKA_SANDBOX: not beside a real invoice service (FULIKA_INVOICE_URL); set one of them']
      : []),
    ...((given.FULIKA_INVOICE_URL === undefined) !== (given.FULIKA_INVOICE_KEY === undefined)
      ? ['FULIKA_INVOICE_URL, FULIKA_INVOICE_KEY: set both of them or none']
      : []),
    ...(given.FULIKA_KEY_RING !== undefined && given.FULIKA_KEY_RING_FILE !== undefined
      ? ['FULIKA_KEY_RING, FULIKA_KEY_RING_FILE: set one of them']
      : []),
  ]
}

/** In production the ring must be there already (`npm run setup` makes it); to try the product out it is made at once. */
function readKeyRing(given: Given, production: boolean, problems: string[]): Keys | null {
  const path = given.FULIKA_KEY_RING_FILE ?? join(given.FULIKA_DATA_DIR, 'key-ring.json')
  const name = given.FULIKA_KEY_RING === undefined ? 'FULIKA_KEY_RING_FILE' : 'FULIKA_KEY_RING'
  try {
    if (given.FULIKA_KEY_RING !== undefined) return readKeys(given.FULIKA_KEY_RING)
    if (!existsSync(path)) {
      if (production) {
        problems.push(`${name}: no key ring at ${path}; run npm run setup, or name the file`)
        return null
      }
      writeKeyRing(path)
    }
    problems.push(...openToOthers(name, path, production))
    return readKeys(readFileSync(path, 'utf8'))
  } catch (error) {
    problems.push(
      `${name}: not a key ring (${error instanceof z.ZodError ? 'a key is missing or malformed' : 'unreadable'})`,
    )
    return null
  }
}

/** A file with keys is its owner's alone in production: a mode that lets others in is named, with what to do. */
function openToOthers(name: string, path: string, production: boolean): string[] {
  const open = production && process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0
  return open
    ? [`${name}: others on this machine may read or write ${path}; chmod 600 it, and change the keys if they did`]
    : []
}

/** Makes a key ring file that only its owner may read. Throws when one is there. */
export function writeKeyRing(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, newKeyRing(), { mode: 0o600, flag: 'wx' })
}

/** One file of credentials; null where none is named. */
function readFile<T>(
  name: 'FULIKA_WECOM_PROVIDER_FILE' | 'FULIKA_PASS_FILE' | 'FULIKA_WECHAT_FILE' | 'FULIKA_WECHAT_PAY_FILE',
  form: z.ZodType<T>,
  given: Given,
  production: boolean,
  problems: string[],
): T | null {
  const path = given[name]
  if (path === undefined) return null
  try {
    problems.push(...openToOthers(name, path, production))
    return form.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    problems.push(`${name}: ${fieldsOf(error)}`)
    return null
  }
}

/** The fields that do not fit, without what stands in them. */
function fieldsOf(error: unknown): string {
  return error instanceof z.ZodError ? error.issues.map((issue) => issue.path.join('.')).join(', ') : 'unreadable'
}

function readReviewWords({ FULIKA_REVIEW_WORDS_FILE: path }: Given, problems: string[]): Config['reviewWords'] {
  try {
    return readWords(path)
  } catch (error) {
    const unreadable = !(error instanceof Error) || 'code' in error
    problems.push(`FULIKA_REVIEW_WORDS_FILE: ${unreadable ? 'unreadable' : error.message}`)
    return []
  }
}

function readWechatPay(given: Given, production: boolean, problems: string[]): Config['wechatPay'] {
  const file = readFile('FULIKA_WECHAT_PAY_FILE', WechatPayFile, given, production, problems)
  const secondUrl = given.FULIKA_WECHAT_PAY_SECOND_BASE ?? null
  return file === null ? null : { baseUrl: given.FULIKA_WECHAT_PAY_BASE, secondUrl, ...file }
}
