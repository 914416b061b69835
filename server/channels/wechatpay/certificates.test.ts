import {
  constants,
  createCipheriv,
  createPublicKey,
  generateKeyPairSync,
  privateDecrypt,
  randomBytes,
} from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeCertificate } from '../../../sandbox/wechatpay/make-certificate.ts'
import { failureOf, startPayStage, untilHolds, type PayStage } from '../../testing/pay-stage.ts'
import { platformKeys } from './certificates.ts'
import { signNow } from '../../testing/sign-now.ts'
import { answerText, sealField } from './crypto.ts'
import { meansFor, type WechatPayOptions } from './options.ts'

let stage: PayStage
let aheadMs = 0
const now = (): number => Date.now() + aheadMs
const MINUTE = 60_000

beforeEach(async () => {
  stage = await startPayStage('certificate')
  aheadMs = 0
})
afterEach(() => stage.close())

/** How often certificates were asked for. */
async function fetches(): Promise<number> {
  const log = (await stage.ctl('log', {}, 'GET')) as unknown as { kind: string; url?: string }[]
  return log.filter(({ kind, url }) => kind === 'call' && url === '/v3/certificates').length
}

test('the first answer has the certificates fetched, and the next ones find them', async () => {
  const pay = stage.adapter()
  const one = stage.wish()
  await pay.prepare(one.merchant, 'native', pay.paymentBody(one))
  expect(await fetches()).toBe(1)
  await Promise.all(Array.from({ length: 5 }, () => pay.query(one.merchant, one.outTradeNo)))
  expect(await fetches()).toBe(1)
  const two = stage.adapter()
  await Promise.all(Array.from({ length: 5 }, () => two.query(one.merchant, one.outTradeNo)))
  expect(await fetches()).toBe(2)
})

/** The statuses of so many notices about one paid order. */
async function notify(outTradeNo: string, count: number): Promise<Set<number>> {
  const statuses = new Set<number>()
  for (let i = 0; i < count; i += 1) {
    const sent = await stage.ctl('notice', { mchid: stage.brand.mchid, outTradeNo })
    for (const status of sent['statuses'] as number[]) statuses.add(status)
  }
  return statuses
}

test('a notice with a certificate that nobody knows yet has it fetched; after a rotation both sign', async () => {
  const { outTradeNo } = await stage.paid()
  await untilHolds(() => stage.notices.length === 1)
  const before = await fetches()
  await stage.ctl('keys', { certificates: 'rotate' })
  expect(await notify(outTradeNo, 16)).toEqual(new Set([204]))
  expect((await fetches()) - before).toBe(1)
  await stage.ctl('keys', { certificates: 'retire' })
  expect(await notify(outTradeNo, 3)).toEqual(new Set([204]))
})

test('certificates are asked for again once in five minutes, whatever serial somebody names', async () => {
  const pay = stage.adapter({ now })
  const one = stage.wish()
  await pay.prepare(one.merchant, 'native', pay.paymentBody(one))
  const before = await fetches()
  const notice = (serial: string) =>
    pay.openNotice(
      {
        'wechatpay-timestamp': String(Math.floor(now() / 1000)),
        'wechatpay-nonce': 'n',
        'wechatpay-signature': 's',
        'wechatpay-serial': serial,
      },
      Buffer.from('{}'),
    )
  for (let i = 0; i < 20; i += 1)
    await expect(notice(randomBytes(20).toString('hex').toUpperCase())).rejects.toThrow('serial_unknown')
  // The brand's were fetched before; of the three other merchants once each.
  expect((await fetches()) - before).toBe(3)
  await expect(notice('PUB_KEY_ID_0100000000000000000000000009')).rejects.toThrow('serial_unknown')
  expect((await fetches()) - before).toBe(3)
  aheadMs = 6 * MINUTE
  await stage.ctl('clock', { skewMs: aheadMs })
  await expect(notice('F'.repeat(40))).rejects.toThrow('serial_unknown')
  expect((await fetches()) - before).toBe(7)
})

test('a new certificate signs an answer: it is fetched as soon as that may be', async () => {
  const pay = stage.adapter({ now })
  const one = stage.wish()
  await pay.prepare(one.merchant, 'native', pay.paymentBody(one))
  await stage.ctl('keys', { certificates: 'rotate' })
  await stage.ctl('keys', { certificates: 'retire' })
  expect(await failureOf(pay.query(one.merchant, one.outTradeNo))).toBe('unknown RESPONSE_SIGNATURE')
  aheadMs = 6 * MINUTE
  await stage.ctl('clock', { skewMs: aheadMs })
  expect(await pay.query(one.merchant, one.outTradeNo)).toMatchObject({ state: 'NOTPAY' })
})

test('a merchant with the public key only is told so and not asked about again', async () => {
  await stage.close()
  stage = await startPayStage('public_key')
  const pay = stage.adapter({ platformKeys: {} })
  const one = stage.wish()
  for (let i = 0; i < 3; i += 1)
    expect(await failureOf(pay.prepare(one.merchant, 'native', pay.paymentBody(one)))).toBe(
      'unknown RESPONSE_SIGNATURE',
    )
  expect(await fetches()).toBe(0)
  const options = { ...optionsOf(), platformKeys: {} }
  const keys = platformKeys(options, meansFor(options))
  expect(await failureOf(keys.sealing(stage.brand.mchid))).toBe('broken PLATFORM_KEY')
  expect(await failureOf(keys.sealing(stage.brand.mchid))).toBe('broken PLATFORM_KEY')
  expect(await fetches()).toBe(1)
})

const optionsOf = (changes: Partial<WechatPayOptions> = {}): WechatPayOptions => ({
  baseUrl: stage.sandbox.baseUrl,
  merchants: stage.credentials,
  platformKeys: {},
  notifyUrl: 'https://fuli.example.com/notify/wechatpay',
  now,
  random: randomBytes,
  ...changes,
})

/** A list of certificates as WeChat Pay would answer it, from keys of our own. */
function answerWith(
  certificates: { serial: Buffer; startMs: number; endMs: number; shown?: string }[],
  apiV3Key: string,
) {
  const made = certificates.map((one) => ({ ...one, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) }))
  const data = made.map((one) => {
    const pem = makeCertificate({
      publicKey: one.publicKey,
      privateKey: one.privateKey,
      serial: one.serial,
      startMs: one.startMs,
      endMs: one.endMs,
    })
    const nonce = randomBytes(6).toString('hex')
    const cipher = createCipheriv('aes-256-gcm', Buffer.from(apiV3Key), Buffer.from(nonce)).setAAD(
      Buffer.from('certificate'),
    )
    const sealed = Buffer.concat([cipher.update(pem, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64')
    return {
      serial_no: one.shown ?? one.serial.toString('hex').toUpperCase(),
      'effective_time ': new Date(one.startMs).toISOString(),
      'expire_time ': new Date(one.endMs).toISOString(),
      encrypt_certificate: {
        algorithm: 'AEAD_AES_256_GCM',
        nonce,
        'associated_data ': 'certificate',
        ciphertext: sealed,
      },
    }
  })
  const raw = Buffer.from(JSON.stringify({ data }))
  return (signedBy: number) => {
    const seconds = String(Math.floor(now() / 1000))
    const signer = made[signedBy]
    if (signer === undefined) throw new Error('no such certificate')
    const signature = signNow(
      answerText(seconds, 'n', raw).toString('utf8'),
      signer.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    )
    const headers = {
      'wechatpay-timestamp': seconds,
      'wechatpay-nonce': 'n',
      'wechatpay-signature': signature,
      'wechatpay-serial': signer.serial.toString('hex').toUpperCase(),
    }
    return { response: () => new Response(raw, { headers }), made }
  }
}

test('the certificate that started last seals, whichever signs; one that is over, or lies about its serial, does not', async () => {
  const serial = (digit: number) => Buffer.alloc(20, 0x40 + digit)
  const DAY = 86_400_000
  const answer = answerWith(
    [
      { serial: serial(1), startMs: now() - 9 * DAY, endMs: now() + DAY },
      { serial: serial(2), startMs: now() - DAY, endMs: now() + 90 * DAY },
      { serial: serial(3), startMs: now(), endMs: now() - 1 },
      { serial: serial(4), startMs: now(), endMs: now() + DAY, shown: 'F'.repeat(40) },
    ],
    stage.credentials[1]?.apiV3Key ?? '',
  )
  const { response, made } = answer(0)
  const options = optionsOf({ fetch: () => Promise.resolve(response()) })
  const keys = platformKeys(options, meansFor(options))
  const sealing = await keys.sealing(stage.brand.mchid)
  expect(sealing.serial).toBe(serial(2).toString('hex'))
  const sealed = Buffer.from(sealField('张三', sealing.key), 'base64')
  const [padding, oaepHash] = [constants.RSA_PKCS1_OAEP_PADDING, 'sha1']
  expect(privateDecrypt({ key: made[1]?.privateKey ?? '', padding, oaepHash }, sealed).toString('utf8')).toBe('张三')
  expect(keys.known(serial(1).toString('hex'))).not.toBeNull()
  expect(keys.known(serial(3).toString('hex'))).toBeNull()
  expect(keys.known('F'.repeat(40))).toBeNull()
  expect(await failureOf(keys.sealing(stage.second.mchid))).toBe('broken PLATFORM_KEY')
  aheadMs = 2 * DAY
  expect(keys.known(serial(1).toString('hex'))).toBeNull()
})

test('a list that is signed by nobody whom it names is not believed', async () => {
  const serial = Buffer.alloc(20, 0x41)
  const good = answerWith(
    [{ serial, startMs: now() - 1, endMs: now() + MINUTE }],
    stage.credentials[1]?.apiV3Key ?? '',
  )(0)
  const foreign = answerWith([{ serial, startMs: now() - 1, endMs: now() + MINUTE }], 'x'.repeat(32))(0)
  const stripped = () => new Response(good.response().body)
  for (const response of [stripped, foreign.response]) {
    const options = optionsOf({ fetch: () => Promise.resolve(response()) })
    const keys = platformKeys(options, meansFor(options))
    expect(await failureOf(keys.sealing(stage.brand.mchid))).toBe('broken PLATFORM_KEY')
  }
  const options = optionsOf({ fetch: () => Promise.resolve(good.response()) })
  expect(await platformKeys(options, meansFor(options)).sealing(stage.brand.mchid)).toMatchObject({
    serial: serial.toString('hex'),
  })
})

test('while a merchant moves to the public key, answers come with it and notices with either', async () => {
  const publicKey = { [stage.sandbox.platformPublicKeyId]: stage.sandbox.platformPublicKeyPem }
  for (const { mchid, appid, certSerial, apiV3Key, privateKeyPem } of stage.credentials) {
    const publicKeyPem = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'pem' })
    await stage.ctl('merchants', {
      mchid,
      appid,
      certSerial,
      apiV3Key,
      publicKeyPem,
      shortName: '青禾',
      verifyBy: 'both',
    })
  }
  await stage.ctl('keys', { publicKeyPermille: 500 })
  const pay = stage.adapter({ platformKeys: publicKey })
  stage.listenWith(pay)
  const one = stage.wish()
  await pay.prepare(one.merchant, 'native', pay.paymentBody(one))
  expect(await pay.query(one.merchant, one.outTradeNo)).toMatchObject({ state: 'NOTPAY' })
  expect(await fetches()).toBe(0)
  await stage.ctl('pay', { mchid: one.merchant.mchid, outTradeNo: one.outTradeNo, outcome: 'success' })
  expect(await notify(one.outTradeNo, 20)).toEqual(new Set([204]))
  expect(await fetches()).toBe(1)
})

test('a merchant names its own key among several', async () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
    type: 'spki',
    format: 'pem',
  }) as string
  const { platformPublicKeyId: id, platformPublicKeyPem: pem } = stage.sandbox
  const platformKeys_ = { PUB_KEY_ID_0199: other, [id]: pem }
  const asked: (string | undefined)[] = []
  const fetch: typeof globalThis.fetch = (url, init) => {
    asked.push(new Headers(init?.headers).get('wechatpay-serial') ?? undefined)
    return globalThis.fetch(url, init)
  }
  for (const platformKeyId of [id, undefined, null]) {
    const merchants = stage.credentials.map((one) => ({ ...one, platformKeyId }))
    const pay = stage.adapter({ platformKeys: platformKeys_, merchants, fetch })
    await pay.query(stage.brand, 'N00001').catch(() => null)
  }
  expect(asked.filter((_, index) => index < 3)).toEqual([id, 'PUB_KEY_ID_0199', undefined])
})

test('a fetch that failed is tried again after ten seconds, one that succeeded after five minutes', async () => {
  const serial = Buffer.alloc(20, 0x41)
  const good = answerWith(
    [{ serial, startMs: now() - 1, endMs: now() + 60 * MINUTE }],
    stage.credentials[1]?.apiV3Key ?? '',
  )(0)
  let asked = 0
  let works = false
  const fetch = (): Promise<Response> => {
    asked += 1
    return works ? Promise.resolve(good.response()) : Promise.reject(new TypeError('fetch failed'))
  }
  const startedAtMs = Date.now()
  const options = optionsOf({ fetch, now: () => startedAtMs + aheadMs })
  const keys = platformKeys(options, meansFor(options))
  const find = () => keys.find(serial.toString('hex'), [stage.brand.mchid])
  expect([await find(), await find(), asked]).toEqual([null, null, 1])
  works = true
  aheadMs = 9_999
  expect([await find(), asked]).toEqual([null, 1])
  aheadMs = 10_001
  expect(await Promise.all([find(), find(), find()])).not.toContain(null)
  expect([await keys.find('F'.repeat(40), [stage.brand.mchid]), asked]).toEqual([null, 2])
  aheadMs += 5 * MINUTE
  expect([await keys.find('F'.repeat(40), [stage.brand.mchid]), asked]).toEqual([null, 3])
})
