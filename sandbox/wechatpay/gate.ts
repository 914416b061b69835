import type { Merchant, World } from './state.ts'
import { merchantSigned } from './seal.ts'

/** An answer of the API: status and body, before it is signed. */
export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown> | null
  /** A file to download instead: it is never signed. */
  readonly file?: Buffer
}

/** What came in, in its exact bytes. */
export interface Incoming {
  readonly method: string
  /** Path and query exactly as sent. */
  readonly url: string
  readonly raw: Buffer
  readonly authorization: string
}

/** A rejection with its code. */
export function reject(status: number, code: string, message: string, detail?: Record<string, unknown>): Answer {
  return { status, body: { code, message, ...(detail ? { detail } : {}) } }
}

const signError = (message: string): Answer => reject(401, 'SIGN_ERROR', message)

/** Verifies the Authorization header: form, then clock, then serial, then signature over the exact bytes. */
export function signer(world: World, incoming: Incoming): Merchant | Answer {
  const [scheme, rest] = incoming.authorization.split(/ (.*)/s)
  if (scheme !== 'WECHATPAY2-SHA256-RSA2048' || !rest) return signError('Http头缺少Accept或Authorization')
  const pairs = new Map<string, string>()
  for (const pair of rest.split(',')) {
    const match = /^([a-z_]+)="([^"]*)"$/.exec(pair)
    if (!match) return signError('Authorization格式错误')
    pairs.set(match[1] ?? '', match[2] ?? '')
  }
  const get = (name: string): string => pairs.get(name) ?? ''
  const [nonce, seconds] = [get('nonce_str'), get('timestamp')]
  if (nonce === '' || !/^\d+$/.test(seconds)) return signError('Authorization格式错误')
  if (Math.abs(world.clock.wall() + world.skewMs - Number(seconds) * 1000) > 5 * 60_000)
    return signError('时间戳与服务器时间相差超过5分钟')
  const merchant = world.merchants.get(get('mchid'))
  if (!merchant || merchant.certSerial !== get('serial_no')) return signError('商户证书序列号有误')
  const head = `${incoming.method}\n${incoming.url}\n${seconds}\n${nonce}\n`
  const text = Buffer.concat([Buffer.from(head), incoming.raw, Buffer.from('\n')])
  if (!merchantSigned(text, get('signature'), merchant.publicKeyPem)) return signError('签名错误，请检查后再试')
  return merchant
}

/** Tells a rejection from a merchant. */
export function isAnswer(value: Merchant | Answer): value is Answer {
  return 'status' in value
}
