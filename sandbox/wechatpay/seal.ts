import {
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'

/** The key pair with which the sandbox signs, as WeChat Pay does with its own. */
export interface PlatformKey {
  readonly id: string
  readonly publicPem: string
  readonly privatePem: string
}

/** A platform certificate with its key: until 2024 the only way, today one of two (protocol sheet 1.4). */
export interface PlatformCertificate extends PlatformKey {
  readonly pem: string
  readonly startMs: number
  readonly endMs: number
}

/** Makes a fresh platform key. */
export function makePlatformKey(id: string): PlatformKey {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return { id, publicPem: pair.publicKey, privatePem: pair.privateKey }
}

/** Reading a PEM takes longer than signing with it, so each is read once. */
function readOnce(read: (pem: string) => KeyObject): (pem: string) => KeyObject {
  const known = new Map<string, KeyObject>()
  return (pem) => {
    const key = known.get(pem) ?? read(pem)
    known.set(pem, key)
    return key
  }
}
const privateKeyOf = readOnce(createPrivateKey)
const publicKeyOf = readOnce(createPublicKey)

/** The Wechatpay-* headers over a body. */
export function signedHeaders(
  key: PlatformKey,
  body: string,
  nowMs: number,
  random: (bytes: number) => Buffer = randomBytes,
): Record<string, string> {
  const seconds = String(Math.floor(nowMs / 1000))
  const nonce = random(16).toString('hex')
  const text = Buffer.from(`${seconds}\n${nonce}\n${body}\n`)
  const signature = sign('RSA-SHA256', text, privateKeyOf(key.privatePem)).toString('base64')
  return {
    'Wechatpay-Timestamp': seconds,
    'Wechatpay-Nonce': nonce,
    'Wechatpay-Signature': signature,
    'Wechatpay-Serial': key.id,
    'Wechatpay-Signature-Type': 'WECHATPAY2-SHA256-RSA2048',
  }
}

/** Whether a merchant's signature is over these bytes. */
export function merchantSigned(text: Buffer, signature: string, publicPem: string): boolean {
  try {
    return verify('RSA-SHA256', text, publicKeyOf(publicPem), Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}

/** AES-256-GCM under a merchant's APIv3 key, as notices and certificates are sent (protocol sheet 1.5). */
export function sealText(
  apiV3Key: string,
  plain: string,
  associatedData: string,
  random: (bytes: number) => Buffer = randomBytes,
): { algorithm: string; ciphertext: string; associated_data: string; nonce: string } {
  const nonce = random(6).toString('hex')
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(apiV3Key, 'utf8'), Buffer.from(nonce, 'utf8'))
  cipher.setAAD(Buffer.from(associatedData))
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
  const ciphertext = sealed.toString('base64')
  return { algorithm: 'AEAD_AES_256_GCM', ciphertext, associated_data: associatedData, nonce }
}
