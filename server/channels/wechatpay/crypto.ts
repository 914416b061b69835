import { createDecipheriv, createSign, createVerify } from 'node:crypto'

/** One merchant's means to speak with WeChat Pay. All of it is secret but the numbers. */
export interface MerchantCredentials {
  readonly mchid: string
  readonly appid: string
  readonly certSerial: string
  readonly privateKeyPem: string
  readonly apiV3Key: string
}

/** The encrypted part of a notice. */
export interface SealedResource {
  readonly ciphertext: string
  readonly nonce: string
  readonly associated_data?: string | undefined
}

/** Signs text with RSA PKCS#1 v1.5 and SHA-256; base64 on one line. */
export function signText(text: string, privateKeyPem: string): string {
  return createSign('RSA-SHA256').update(text, 'utf8').sign(privateKeyPem, 'base64')
}

/** Tells whether `signature` (base64) is over the five or three lines; anything unreadable is simply false. */
export function verifyText(text: string | Buffer, signature: string, publicKeyPem: string): boolean {
  try {
    return createVerify('RSA-SHA256').update(text).verify(publicKeyPem, signature, 'base64')
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
export function authorization(
  merchant: MerchantCredentials,
  request: { method: string; path: string; body: string; seconds: number; nonce: string },
): string {
  const text = requestText(request.method, request.path, request.seconds, request.nonce, request.body)
  const pairs = [
    ['mchid', merchant.mchid],
    ['nonce_str', request.nonce],
    ['timestamp', String(request.seconds)],
    ['serial_no', merchant.certSerial],
    ['signature', signText(text, merchant.privateKeyPem)],
  ]
  return `WECHATPAY2-SHA256-RSA2048 ${pairs.map(([name, value]) => `${name}="${value}"`).join(',')}`
}

/** Opens AEAD_AES_256_GCM; null when the key or any byte is wrong. */
export function openResource(apiV3Key: string, resource: SealedResource): string | null {
  const key = Buffer.from(apiV3Key, 'utf8')
  const sealed = Buffer.from(resource.ciphertext, 'base64')
  if (key.length !== 32 || sealed.length < 16 || resource.nonce === '') return null
  try {
    const cipher = createDecipheriv('aes-256-gcm', key, Buffer.from(resource.nonce, 'utf8'), { authTagLength: 16 })
    cipher.setAAD(Buffer.from(resource.associated_data ?? '', 'utf8'))
    cipher.setAuthTag(sealed.subarray(-16))
    return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]).toString('utf8')
  } catch {
    return null
  }
}
