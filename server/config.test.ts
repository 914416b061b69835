import { chmodSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigProblems, readConfig, writeKeyRing } from './config.ts'
import { wechatPayOf } from './pay-config.ts'
import { aPassFile } from './testing/passes.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'fulika-config-'))
const problemsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigProblems) return error.problems
    throw error
  }
  return []
}

function production(): Record<string, string> {
  const dir = folder()
  writeKeyRing(join(dir, 'key-ring.json'))
  return {
    NODE_ENV: 'production',
    FULIKA_DATA_DIR: dir,
    PUBLIC_URL: 'https://fuli.example.com',
    DATABASE_URL: 'mysql://fulika@db/fulika',
    FULIKA_CUSTODY_HOLDER: '某平台',
    FULIKA_CUSTODY_NUMBER: '6222 0000 0000 0001',
    FULIKA_CUSTODY_BANK: '某银行',
  }
}

test('an empty environment gives the sandbox on SQLite with a key ring that only its owner may read', () => {
  const dir = folder()
  const config = readConfig({ FULIKA_DATA_DIR: dir })
  expect(config.sandbox).toEqual({ mode: 'inside', wecomPort: 8091, payPort: 8092, wechatPort: 8093 })
  expect(config.databaseUrl).toBe(join(dir, 'fulika.sqlite'))
  expect(statSync(join(dir, 'key-ring.json')).mode & 0o777).toBe(0o600)
  expect(readConfig({ FULIKA_DATA_DIR: dir }).keys.ring.keys).toEqual(config.keys.ring.keys)
})

test('minute 0 and 30 are left out of sending with the real WeCom, and beside the sandbox when asked for', () => {
  const quietIn = (env: Record<string, string>) => readConfig(env).wecom.quietMinutes
  const here = { FULIKA_DATA_DIR: folder() }
  expect([quietIn(here), quietIn({ ...here, FULIKA_WECOM_QUIET_MINUTES: 'on' })]).toEqual([false, true])
  const there = production()
  expect([quietIn(there), quietIn({ ...there, FULIKA_WECOM_QUIET_MINUTES: 'off' })]).toEqual([true, false])
  expect(problemsOf({ ...here, FULIKA_WECOM_QUIET_MINUTES: 'sometimes' })[0]).toMatch(/^FULIKA_WECOM_QUIET_MINUTES/)
})

test('every unknown and malformed variable is named at once, and no value is shown', () => {
  const problems = problemsOf({
    FULIKA_SANBOX: 'secret-a',
    PORT: 'secret-b',
    FULIKA_ROLE: 'secret-c',
    DATABASE_URL: 'http://secret-d',
    PUBLIC_URL: 'secret-e',
    FULIKA_WECOM_API_BASE: 'https://secret-f/path',
  })
  for (const name of ['FULIKA_SANBOX', 'PORT', 'FULIKA_ROLE', 'DATABASE_URL', 'PUBLIC_URL', 'FULIKA_WECOM_API_BASE'])
    expect(problems.some((line) => line.startsWith(name))).toBe(true)
  expect(problems.join('\n')).not.toMatch(/secret-/)
})

test('production never starts on the sandbox, nor without its own facts', () => {
  expect(problemsOf({ ...production(), FULIKA_SANDBOX: 'inside' })[0]).toMatch(/^FULIKA_SANDBOX/)
  expect(readConfig(production()).sandbox).toBeNull()
  const missing = problemsOf({ NODE_ENV: 'production', FULIKA_DATA_DIR: folder() }).join('\n')
  for (const name of ['PUBLIC_URL', 'DATABASE_URL', 'FULIKA_CUSTODY_HOLDER', 'FULIKA_KEY_RING_FILE'])
    expect(missing).toContain(name)
})

test('real credentials never stand beside the sandbox', () => {
  const dir = folder()
  const file = join(dir, 'pay.json')
  writeFileSync(file, JSON.stringify({ merchants: [], platformKeys: {} }))
  const env = { FULIKA_DATA_DIR: dir, FULIKA_WECHAT_PAY_FILE: file }
  expect(problemsOf({ ...env, FULIKA_SANDBOX: 'outside' })[0]).toMatch(/^FULIKA_SANDBOX/)
  expect(readConfig(env).sandbox).toBeNull()
})

test('production refuses a key ring, and merchants’ keys, that others on the machine may read', () => {
  const env = production()
  const ring = join(env['FULIKA_DATA_DIR'] ?? '', 'key-ring.json')
  const pay = join(env['FULIKA_DATA_DIR'] ?? '', 'pay.json')
  writeFileSync(pay, JSON.stringify({ merchants: [], platformKeys: {} }), { mode: 0o600 })
  const withPay = { ...env, FULIKA_WECHAT_PAY_FILE: pay }
  expect(problemsOf(withPay)).toEqual([])
  for (const mode of [0o640, 0o604, 0o622, 0o644]) {
    chmodSync(ring, mode)
    expect(problemsOf(withPay).join('\n')).toMatch(/^FULIKA_KEY_RING_FILE: .*chmod 600/)
  }
  chmodSync(ring, 0o400)
  chmodSync(pay, 0o644)
  expect(problemsOf(withPay).join('\n')).toMatch(/^FULIKA_WECHAT_PAY_FILE: .*chmod 600/)
})

test('a key ring that lacks a key, or is cut short, is refused without showing one', () => {
  const dir = folder()
  const path = join(dir, 'key-ring.json')
  writeKeyRing(path)
  const text = readFileSync(path, 'utf8')
  const ring = JSON.parse(text) as { keys: Record<string, string> }
  for (const broken of [
    text.slice(0, 60),
    JSON.stringify({ ...ring, keys: {} }),
    JSON.stringify({ ...ring, root: 'AAAA' }),
  ]) {
    writeFileSync(path, broken)
    const problems = problemsOf({ FULIKA_DATA_DIR: dir }).join('\n')
    expect(problems).toMatch(/FULIKA_KEY_RING_FILE: not a key ring/)
    expect(problems).not.toContain(ring.keys['k1'])
  }
})

test('the file of a provider names its suites; what does not fit is named without its value, and others may not read it', () => {
  const dir = folder()
  const file = join(dir, 'provider.json')
  const suite = { suiteId: 'ww0a1', kind: 'third_party', name: '福利卡', secret: 's', token: 'abc' }
  const write = (suites: object[]) =>
    writeFileSync(file, JSON.stringify({ corpId: 'wwprovider', secret: 'secret-p', suites }), { mode: 0o600 })
  const env = { ...production(), FULIKA_WECOM_PROVIDER_FILE: file }
  write([{ ...suite, encodingAesKey: 'x'.repeat(43) }])
  expect(readConfig(env).wecomProvider?.suites[0]).toMatchObject({ suiteId: 'ww0a1', kind: 'third_party' })
  write([{ ...suite, encodingAesKey: 'secret-key' }])
  expect(problemsOf(env)).toEqual(['FULIKA_WECOM_PROVIDER_FILE: suites.0.encodingAesKey'])
  chmodSync(file, 0o640)
  expect(problemsOf(env)[0]).toMatch(/^FULIKA_WECOM_PROVIDER_FILE: others/)
  expect(problemsOf({ ...env, NODE_ENV: 'development', FULIKA_SANDBOX: 'inside' }).join()).toContain('FULIKA_SANDBOX')
})

test('the file of a service account is whole, shows no secret, and stands beside no sandbox', () => {
  const path = join(folder(), 'wechat.json')
  const keys = { card: 'thing1', time: 'time3' }
  const file = {
    appid: 'wx0123456789abcdef',
    secret: 'secret-0123456789abcdef',
    templates: { gift_claimed: { id: 'T1', keys } },
  }
  const write = (more: object = {}) => writeFileSync(path, JSON.stringify({ ...file, ...more }), { mode: 0o600 })
  const env = { ...production(), FULIKA_WECHAT_FILE: path }
  write()
  expect(readConfig(env).wechat).toMatchObject({
    apiBase: 'https://api.weixin.qq.com',
    jsSdkUrl: 'https://res.wx.qq.com/open/js/jweixin-1.6.0.js',
    account: { ...file, callback: null, miniProgram: null, openPlatformId: null },
  })
  expect(readConfig(production()).wechat.account).toBeNull()
  for (const [more, field] of [
    [{ secret: 'secret-x' }, 'secret'],
    [{ callback: { token: 'abc', encodingAesKey: 'secret-key' } }, 'callback.encodingAesKey'],
    [{ templates: { gift_claimed: { id: 'T1', keys: { card: 'secret key' } } } }, 'templates.gift_claimed.keys.card'],
  ] as const) {
    write(more)
    expect(problemsOf(env)).toEqual([`FULIKA_WECHAT_FILE: ${field}`])
  }
  write({ templates: { nobody_knows: { id: 'T1', keys } } })
  expect(problemsOf(env).join()).toMatch(/^FULIKA_WECHAT_FILE: /)
  write()
  const beside = { FULIKA_SANDBOX: 'inside', FULIKA_DATA_DIR: folder(), FULIKA_WECHAT_FILE: path }
  expect(problemsOf(beside).join()).toMatch(/^FULIKA_SANDBOX/)
  chmodSync(path, 0o644)
  expect(problemsOf(env).join()).toMatch(/FULIKA_WECHAT_FILE: others on this machine/)
})

test('the SMS gateway is whole or not there, speaks https, and stands beside no sandbox', () => {
  const sms = {
    FULIKA_SMS_URL: 'https://sms.example.com/v1/messages',
    FULIKA_SMS_KEY: 'secret-0123456789abcdef',
    FULIKA_SMS_SIGN: '福利卡',
  }
  expect(readConfig({ ...production(), ...sms }).sms).toMatchObject({ url: sms.FULIKA_SMS_URL, signature: '福利卡' })
  expect(JSON.stringify(readConfig({ ...production(), ...sms }))).not.toContain(sms.FULIKA_SMS_KEY)
  expect(readConfig(production()).sms).toBeNull()
  for (const name of ['FULIKA_SMS_URL', 'FULIKA_SMS_KEY', 'FULIKA_SMS_SIGN'])
    expect(problemsOf({ ...production(), ...sms, [name]: '' }).join()).toMatch(/FULIKA_SMS_URL.*all of them or none/)
  expect(problemsOf({ ...production(), ...sms, FULIKA_SMS_URL: 'http://sms.example.com/' }).join()).toMatch(
    /^FULIKA_SMS_URL/,
  )
  expect(problemsOf({ FULIKA_SANDBOX: 'inside', FULIKA_DATA_DIR: folder(), ...sms }).join()).toMatch(/^FULIKA_SANDBOX/)
})

test('the invoice service is whole or not there, speaks https, and stands beside no sandbox', () => {
  const invoice = {
    FULIKA_INVOICE_URL: 'https://invoices.example.com/v1/',
    FULIKA_INVOICE_KEY: 'secret-0123456789abcdef',
  }
  expect(readConfig({ ...production(), ...invoice }).invoice).toMatchObject({ url: 'https://invoices.example.com/v1' })
  expect(JSON.stringify(readConfig({ ...production(), ...invoice }))).not.toContain(invoice.FULIKA_INVOICE_KEY)
  expect(readConfig(production()).invoice).toBeNull()
  for (const name of ['FULIKA_INVOICE_URL', 'FULIKA_INVOICE_KEY'])
    expect(problemsOf({ ...production(), ...invoice, [name]: '' }).join()).toMatch(/set both of them or none/)
  expect(problemsOf({ ...production(), ...invoice, FULIKA_INVOICE_URL: 'http://a.example.com' }).join()).toMatch(
    /^FULIKA_INVOICE_URL/,
  )
  const beside = { FULIKA_SANDBOX: 'inside', FULIKA_DATA_DIR: folder(), ...invoice }
  expect(problemsOf(beside).join()).toMatch(/^FULIKA_SANDBOX/)
})

test('the file for passes is whole, belongs together, and shows none of its key', () => {
  const path = join(folder(), 'pass.json')
  const file = aPassFile()
  writeFileSync(path, JSON.stringify(file), { mode: 0o600 })
  const passes = readConfig({ ...production(), FULIKA_PASS_FILE: path }).passes
  expect(passes).toMatchObject({ passTypeIdentifier: 'pass.example.fulika', teamIdentifier: 'TEAM123456' })
  expect(JSON.stringify(passes)).not.toContain('PRIVATE KEY')
  expect(readConfig(production()).passes).toBeNull()
  writeFileSync(path, JSON.stringify({ ...file, wwdrPem: aPassFile().wwdrPem }))
  expect(problemsOf({ ...production(), FULIKA_PASS_FILE: path })).toEqual(['FULIKA_PASS_FILE: wwdrPem'])
  chmodSync(path, 0o644)
  expect(problemsOf({ ...production(), FULIKA_PASS_FILE: path }).join()).toMatch(
    /FULIKA_PASS_FILE: others on this machine/,
  )
  expect(problemsOf({ ...production(), FULIKA_PASS_FILE: `${path}.none` })).toEqual(['FULIKA_PASS_FILE: unreadable'])
})

test('words that no greeting may hold come with the house, or from a file that is one', () => {
  const path = join(folder(), 'words.txt')
  writeFileSync(path, '# ours\n坏词\n')
  expect(readConfig(production()).reviewWords).toContain('赌博')
  expect(readConfig({ ...production(), FULIKA_REVIEW_WORDS_FILE: path }).reviewWords).toEqual(['坏词'])
  writeFileSync(path, '坏词\n的\n')
  expect(problemsOf({ ...production(), FULIKA_REVIEW_WORDS_FILE: path })).toEqual([
    'FULIKA_REVIEW_WORDS_FILE: a word that is too short to be looked for: number 2',
  ])
  expect(problemsOf({ ...production(), FULIKA_REVIEW_WORDS_FILE: `${path}.none` })).toEqual([
    'FULIKA_REVIEW_WORDS_FILE: unreadable',
  ])
})

test('the file of merchants gives the platform, what each payment costs, and platform certificates where no key is named', () => {
  const file = join(folder(), 'pay.json')
  const merchant = {
    mchid: '1900000001',
    appid: 'wx1',
    certSerial: 'A'.repeat(40),
    apiV3Key: 'secret-'.padEnd(32, 'k'),
  }
  const merchants = [
    { ...merchant, privateKeyPem: '-----BEGIN PRIVATE KEY-----' },
    { ...merchant, mchid: '1900000002', privateKeyPem: '-----BEGIN PRIVATE KEY-----', feeBp: 38 },
  ]
  const platform = { mchid: '1900000001', appid: 'wx1' }
  const write = (more: object) =>
    writeFileSync(file, JSON.stringify({ merchants, platformKeys: {}, ...more }), { mode: 0o600 })
  const env = {
    ...production(),
    FULIKA_WECHAT_PAY_FILE: file,
    FULIKA_WECHAT_PAY_SECOND_BASE: 'https://api2.mch.weixin.qq.com',
    FULIKA_SETTLEMENT_WINDOW_MINUTES: '1',
  }
  write({})
  expect(readConfig(env).wechatPay).toMatchObject({ platform: null, secondUrl: 'https://api2.mch.weixin.qq.com' })
  write({ platform })
  const config = readConfig(env)
  const house = wechatPayOf(config.wechatPay, config.settlement)
  expect(house).toMatchObject({ platform, settlementWindowMs: 60_000, sharesPerSecond: 25 })
  expect(['1900000001', '1900000002', '1'].map((mchid) => house.feeBp(mchid))).toEqual([60, 38, 60])
  expect(JSON.stringify(house)).not.toContain('secret-')
  for (const stranger of [
    { ...platform, mchid: '1900000003' },
    { ...platform, appid: 'wx2' },
  ]) {
    write({ platform: stranger })
    expect(problemsOf(env)).toEqual(['FULIKA_WECHAT_PAY_FILE: platform'])
  }
  write({ merchants: merchants.map((one) => ({ ...one, platformKeyId: 'PUB_KEY_ID_2' })) })
  expect(problemsOf(env)).toEqual(['FULIKA_WECHAT_PAY_FILE: merchants.platformKeyId'])
  write({ platformKeys: { PUB_KEY_ID_1: '-----BEGIN PRIVATE KEY-----' } })
  expect(problemsOf(env)).toEqual(['FULIKA_WECHAT_PAY_FILE: platformKeys.PUB_KEY_ID_1'])
  for (const name of ['FULIKA_SETTLEMENT_WINDOW_MINUTES', 'FULIKA_SHARES_PER_SECOND'])
    expect(problemsOf({ ...production(), [name]: '0' })[0]).toMatch(new RegExp(`^${name}`))
})
