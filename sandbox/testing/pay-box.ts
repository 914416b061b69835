import { createDecipheriv, createSign, createVerify, generateKeyPairSync } from 'node:crypto'
import { makePlatformKey } from '../wechatpay/seal.ts'
import { wechatPayInProcess, type InProcessPay } from './in-process.ts'

type Json = Record<string, unknown>

/** A notice as a merchant by the protocol sheet sees it, opened. */
export interface HeardNotice {
  readonly url: string
  readonly atMs: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Who may read it; null where no merchant's key opens it. */
  readonly mchid: string | null
  readonly eventType: string
  readonly originalType: string
  readonly plain: Json
}

/** An answer of the API with its JSON. */
export interface PayAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Json
}

/** WeChat Pay in this process with some merchants, written from the protocol sheet and apart from the product's client. */
export interface PayBox extends InProcessPay {
  readonly heard: HeardNotice[]
  /** The answers to the next notices; 204 when none is left. */
  readonly answers: number[]
  /** A call that a merchant signs. */
  call(mchid: string, method: string, path: string, value?: unknown, more?: CallOptions): Promise<PayAnswer>
  /** A control call; throws unless it answers 200. */
  ctl(path: string, value?: unknown, method?: string): Promise<Json>
  /** A payer's move, at once with everything that is due then. */
  pay(mchid: string, outTradeNo: string, outcome?: string, openid?: string): Promise<Json>
}
export interface CallOptions {
  readonly headers?: Record<string, string>
  /** Whose signature it carries in place of the merchant's. */
  readonly atMs?: number
}

export const START_MS = Date.UTC(2026, 0, 5, 2)
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const platformKey = makePlatformKey('PUB_KEY_ID_0100000000000000000000000001')
export const merchantKeys = {
  publicPem: pair.publicKey.export({ type: 'spki', format: 'pem' }) as string,
  privatePem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
}
/** Four merchants that share the app wx1; each has an app of its own besides. */
export const boxMerchants = ['1900000001', '1900000002', '1900000003', '1900000004'] as const
export const [platform, brand, otherBrand, channel] = boxMerchants
export const apiV3KeyOf = (mchid: string): string => mchid.padEnd(32, 'k')
export const notifyUrl = 'https://merchant.test/notice'

/** Opens the box at 2026-01-05 10:00 in China. */
export async function openPayBox(): Promise<PayBox> {
  const heard: HeardNotice[] = []
  const answers: number[] = []
  const inside = wechatPayInProcess(START_MS, {
    platformKey,
    post: (url, init) => {
      heard.push(open(url, inside.clock.now(), init))
      return Promise.resolve(new Response(null, { status: answers.shift() ?? 204 }))
    },
  })
  const ctl: PayBox['ctl'] = async (path, value = {}, method = 'POST') => {
    const init = method === 'GET' ? {} : { method, body: JSON.stringify(value) }
    const answer = await inside.fetch(`http://pay.test/__ctl/${path}`, init)
    const text = await answer.text()
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`)
    return JSON.parse(text) as Json
  }
  for (const mchid of boxMerchants) {
    const app = { appid: `wxown${mchid}`, appids: ['wx1'] }
    const certSerial = `AA${mchid}`
    const keys = { certSerial, publicKeyPem: merchantKeys.publicPem, apiV3Key: apiV3KeyOf(mchid) }
    await ctl('merchants', { mchid, ...app, ...keys, shortName: `商户${mchid.slice(-1)}` })
  }
  const call: PayBox['call'] = async (mchid, method, path, value, more = {}) => {
    const body = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)
    const seconds = Math.floor((more.atMs ?? inside.clock.wall()) / 1000)
    const text = `${method}\n${path}\n${seconds}\nN1\n${body}\n`
    const signature = createSign('RSA-SHA256').update(text).sign(pair.privateKey, 'base64')
    const pairs = { mchid, nonce_str: 'N1', timestamp: seconds, serial_no: `AA${mchid}`, signature }
    const listed = Object.entries(pairs).map(([name, one]) => `${name}="${one}"`)
    const headers = { authorization: `WECHATPAY2-SHA256-RSA2048 ${listed.join()}`, ...more.headers }
    const answer = await inside.fetch(`http://pay.test${path}`, { method, headers, ...(body ? { body } : {}) })
    const told = await answer.text()
    const json = told.startsWith('{') ? (JSON.parse(told) as Json) : {}
    return { status: answer.status, headers: answer.headers, text: told, json }
  }
  const pay: PayBox['pay'] = async (mchid, outTradeNo, outcome = 'success', openid) => {
    const done = await ctl('pay', { mchid, outTradeNo, outcome, ...(openid ? { openid } : {}) })
    await inside.clock.advance(0)
    return done
  }
  return { ...inside, heard, answers, call, ctl, pay }
}

function open(url: string, atMs: number, sent: { headers: Record<string, string>; body: string }): HeardNotice {
  const seen = { url, atMs, headers: sent.headers, body: sent.body }
  const closed = { ...seen, mchid: null, eventType: '', originalType: '', plain: {} }
  if (!sent.body.startsWith('{')) return closed
  const told = JSON.parse(sent.body) as { event_type: string; resource: Record<string, string> }
  const {
    ciphertext = '',
    nonce = '',
    associated_data: associated = '',
    original_type: originalType = '',
  } = told.resource
  const sealed = Buffer.from(ciphertext, 'base64')
  for (const mchid of boxMerchants) {
    try {
      const decipher = createDecipheriv('aes-256-gcm', Buffer.from(apiV3KeyOf(mchid)), Buffer.from(nonce))
      decipher.setAAD(Buffer.from(associated)).setAuthTag(sealed.subarray(-16))
      const plain = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString('utf8')
      return { ...seen, mchid, eventType: told.event_type, originalType, plain: JSON.parse(plain) as Json }
    } catch {
      continue
    }
  }
  return { ...closed, eventType: told.event_type, originalType }
}

/** Whether headers of an answer or a notice sign this text with this key. */
export function signedBy(get: (name: string) => string | null, text: string, publicPem: string): boolean {
  const lines = `${get('Wechatpay-Timestamp')}\n${get('Wechatpay-Nonce')}\n${text}\n`
  return createVerify('RSA-SHA256')
    .update(lines)
    .verify(publicPem, get('Wechatpay-Signature') ?? '', 'base64')
}
