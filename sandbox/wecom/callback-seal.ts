import { createCipheriv, createHash, randomBytes } from 'node:crypto'

/** The token and key with which a callback is signed and encrypted. */
export interface SealKeys {
  readonly token: string
  readonly encodingAesKey: string
}

/** The query that a sealed callback carries. */
export interface SealQuery {
  msg_signature: string
  timestamp: string
  nonce: string
}

/** Signs and encrypts a text as the protocol says (2.2, 2.3): query for the address, and the encrypted text. */
export function sealCallback(
  keys: SealKeys,
  plain: string,
  receiveId: string,
  wallMs: number,
): { readonly query: SealQuery; readonly encrypted: string } {
  const key = Buffer.from(`${keys.encodingAesKey}=`, 'base64')
  const text = Buffer.from(plain, 'utf8')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  const body = Buffer.concat([randomBytes(16), length, text, Buffer.from(receiveId, 'utf8')])
  const pad = 32 - (body.length % 32)
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false)
  const padded = Buffer.concat([body, Buffer.alloc(pad, pad)])
  const encrypted = Buffer.concat([cipher.update(padded), cipher.final()]).toString('base64')
  const [timestamp, nonce] = [String(Math.floor(wallMs / 1000)), String(randomBytes(5).readUIntBE(0, 5))]
  const sorted = [keys.token, timestamp, nonce, encrypted].sort((a, b) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  )
  return {
    query: { msg_signature: createHash('sha1').update(sorted.join('')).digest('hex'), timestamp, nonce },
    encrypted,
  }
}
