import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { makeCertificate } from '../../../sandbox/wechatpay/make-certificate.ts'
import { signNow } from '../../testing/sign-now.ts'
import { answerText } from './crypto.ts'
import { platformKeys } from './certificates.ts'
import { meansFor, type WechatPayOptions } from './options.ts'
import { wechatPayAdapter } from './adapter.ts'

const DAY = 86_400_000
const merchantPair = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})
const merchants = ['1900000101', '1900000102'].map((mchid) => ({
  mchid,
  appid: 'wx1',
  certSerial: 'A'.repeat(40),
  privateKeyPem: merchantPair.privateKey,
  apiV3Key: 'k'.repeat(32),
}))
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const serial = Buffer.alloc(20, 0x51)
const name = serial.toString('hex').toUpperCase()
const pem = makeCertificate({ ...pair, serial, startMs: Date.now() - 10 * DAY, endMs: Date.now() + DAY })

const optionsAt = (atMs: number, changes: Partial<WechatPayOptions> = {}): WechatPayOptions => ({
  baseUrl: 'http://127.0.0.1:9',
  merchants,
  platformKeys: { [name]: pem },
  notifyUrl: 'https://fuli.example.com/notify/wechatpay',
  now: () => atMs,
  random: randomBytes,
  ...changes,
})

test('a certificate of the configuration is believed until it is over, and not after', async () => {
  for (const [atMs, believed] of [
    [Date.now(), true],
    [Date.now() + 2 * DAY, false],
  ] as const) {
    const seconds = String(Math.floor(atMs / 1000))
    const raw = Buffer.from('{}')
    const headers = {
      'wechatpay-timestamp': seconds,
      'wechatpay-nonce': 'n',
      'wechatpay-serial': name,
      'wechatpay-signature': signNow(answerText(seconds, 'n', raw).toString('utf8'), pair.privateKey),
    }
    const fetch = () => Promise.reject(new TypeError('fetch failed'))
    const opened = wechatPayAdapter(optionsAt(atMs, { fetch })).openNotice(headers, raw)
    // What is signed rightly gets as far as being no notice.
    await expect(opened).rejects.toThrow(believed ? 'malformed' : 'serial_unknown')
  }
})

test('requests never name a certificate of the configuration: once it is retired they would all be refused', async () => {
  const asked: (string | null)[] = []
  const fetch: typeof globalThis.fetch = (_url, init) => {
    asked.push(new Headers(init?.headers).get('wechatpay-serial'))
    return Promise.reject(new TypeError('fetch failed'))
  }
  const merchant = { mchid: '1900000101', appid: 'wx1' }
  await expect(wechatPayAdapter(optionsAt(Date.now(), { fetch })).query(merchant, 'FLK00001')).rejects.toThrow()
  const both = { [name]: pem, PUB_KEY_ID_1: merchantPair.publicKey }
  await expect(
    wechatPayAdapter(optionsAt(Date.now(), { fetch, platformKeys: both })).query(merchant, 'FLK00001'),
  ).rejects.toThrow()
  expect(asked).toEqual([null, 'PUB_KEY_ID_1'])
})

test('a certificate of the configuration seals where there is no public key', async () => {
  const fetch = () => Promise.reject(new TypeError('fetch failed'))
  const options = optionsAt(Date.now(), { fetch })
  const keys = platformKeys(options, meansFor(options))
  for (const { mchid } of merchants) expect(await keys.sealing(mchid)).toMatchObject({ serial: name })
})
