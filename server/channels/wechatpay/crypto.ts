import {
  constants,
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  privateDecrypt,
  publicEncrypt,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { OutsideError } from '../../kernel/outside.ts'

/** One merchant's means to speak with WeChat Pay. All of it is secret but the numbers. */
export interface MerchantCredentials {
  readonly mchid: string
  readonly appid: string
  readonly certSerial: string
  readonly privateKeyPem: string
  readonly apiV3Key: string
  /**
   * The id of WeChat Pay's public key for this merchant; null where it knows platform certificates only. Without one the
   * first of the platform keys, if there are any.
   */
  readonly platformKeyId?: string | null | undefined
}

/** The encrypted part of a notice or certificate. */
export interface SealedResource {
  readonly ciphertext: string
  readonly nonce: string
  readonly associated_data?: string | undefined
}

/** What a merchant signs with: reading a PEM costs more than verifying with it, so it is read once. */
export type SigningMerchant = Pick<MerchantCredentials, 'mchid' | 'certSerial'> & { readonly privateKey: KeyObject }

/** RSA takes so much in one field of 2048 bits with OAEP and SHA-1 (protocols wechat-pay 1.6). */
const FIELD_LIMIT = 214

/**
 * Signs text with RSA PKCS#1 v1.5 and SHA-256; base64 on one line. On a thread of the pool: a rush of payments is not signed where
 * everybody else's answers are made.
 */
export const signText = (text: string, privateKey: KeyObject): Promise<string> =>
  new Promise((resolve, reject) => {
    sign('RSA-SHA256', Buffer.from(text, 'utf8'), privateKey, (error, signature) => {
      if (error) reject(error)
      else resolve(signature.toString('base64'))
    })
  })

/** Tells whether `signature` (base64) is over the five or three lines; anything unreadable is simply false. */
export function verifyText(text: string | Buffer, signature: string, publicKey: KeyObject | string): boolean {
  try {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text
    return verify('RSA-SHA256', bytes, publicKey, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}

/** The five lines of a request, each ended by LF. */
export function requestText(method: string, path: string, seconds: number, nonce: string, body: string): string {
  return `${method}\n${path}\n${seconds}\n${nonce}\n${body}\n`
}

/** The three lines of a response or notice over its raw bytes, each ended by LF. */
export function answerText(seconds: string, nonce: string, raw: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${seconds}\n${nonce}\n`), raw, Buffer.from('\n')])
}

/** The Authorization header for one request of one merchant. */
export async function authorization(
  merchant: SigningMerchant,
  request: { method: string; path: string; body: string; seconds: number; nonce: string },
): Promise<string> {
  const text = requestText(request.method, request.path, request.seconds, request.nonce, request.body)
  const pairs = [
    ['mchid', merchant.mchid],
    ['nonce_str', request.nonce],
    ['timestamp', String(request.seconds)],
    ['serial_no', merchant.certSerial],
    ['signature', await signText(text, merchant.privateKey)],
  ]
  return `WECHATPAY2-SHA256-RSA2048 ${pairs.map(([name, value]) => `${name}="${value}"`).join(',')}`
}

/** An APIv3 key as an object: handing its text over anew for each notice takes several times as long as opening it. */
export function secretKey(apiV3Key: string): KeyObject {
  return createSecretKey(Buffer.from(apiV3Key, 'utf8'))
}

/** Opens AEAD_AES_256_GCM; null when the key or any byte is wrong. */
export function openResource(apiV3Key: KeyObject | string, resource: SealedResource): string | null {
  const key = typeof apiV3Key === 'string' ? secretKey(apiV3Key) : apiV3Key
  const sealed = Buffer.from(resource.ciphertext, 'base64')
  if (key.symmetricKeySize !== 32 || sealed.length < 16 || resource.nonce === '') return null
  try {
    const cipher = createDecipheriv('aes-256-gcm', key, Buffer.from(resource.nonce, 'utf8'), { authTagLength: 16 })
    cipher.setAAD(Buffer.from(resource.associated_data ?? '', 'utf8'))
    cipher.setAuthTag(sealed.subarray(-16))
    return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]).toString('utf8')
  } catch {
    return null
  }
}

/** Tells whether a key could have sealed an object of JSON, from its first byte: a fiftieth of the work of opening it. */
export type FitsObject = (resource: SealedResource) => boolean

/** GCM counts blocks of the cipher from 2 after a nonce of 12 bytes: the first byte needs one block and no check of the whole. */
export function fitsObject(apiV3Key: KeyObject): FitsObject {
  if (apiV3Key.symmetricKeySize !== 32) return () => false
  const cipher = createCipheriv('aes-256-ecb', apiV3Key, null).setAutoPadding(false)
  const block = Buffer.alloc(16)
  return ({ nonce, ciphertext }) => {
    if (block.write(nonce, 0, 12, 'utf8') !== 12 || Buffer.byteLength(nonce) !== 12) return true
    block[15] = 2
    const sealed = Buffer.from(ciphertext.slice(0, 4), 'base64')
    return ((cipher.update(block)[0] ?? 0) ^ (sealed[0] ?? 0)) === 0x7b
  }
}

/** Seals a field (a name, a bank card) for WeChat Pay; base64. Throws RangeError above 214 bytes. */
export function sealField(text: string, publicKey: KeyObject): string {
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length > FIELD_LIMIT) throw new RangeError(`a sealed field holds at most ${FIELD_LIMIT} bytes`)
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  return publicEncrypt({ key: publicKey, padding, oaepHash: 'sha1' }, bytes).toString('base64')
}

/** Opens a field that WeChat Pay sealed for a merchant; null when the key or any byte is wrong. */
export function openField(sealed: string, privateKey: KeyObject): string | null {
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  try {
    const bytes = Buffer.from(sealed, 'base64')
    return privateDecrypt({ key: privateKey, padding, oaepHash: 'sha1' }, bytes).toString('utf8')
  } catch {
    return null
  }
}

/** A merchant's private key from its PEM. Throws OutsideError `broken` PRIVATE_KEY when it is none. */
export function readPrivateKey(mchid: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new OutsideError('broken', 'PRIVATE_KEY', `the private key of merchant ${mchid} cannot be read`)
  }
}

/** A public key from the PEM of a key or of a certificate; null when it is neither. */
export function readPublicKey(pem: string): KeyObject | null {
  try {
    return createPublicKey(pem)
  } catch {
    return null
  }
}
