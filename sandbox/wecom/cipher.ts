import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto'

const CHECK_BYTES = 6

/**
 * The id that a provider's apps see in place of a plain one (protocol sheet 8.7): always the same for one provider,
 * another for every provider, and case-sensitive. Ids of up to 40 bytes give at most 64 characters.
 */
export function cipherOf(provider: string, plain: string, prefix = 'wo'): string {
  const check = checkOf(provider, plain)
  const cipher = createCipheriv('aes-256-ctr', keyOf(provider), ivOf(check))
  return prefix + Buffer.concat([check, cipher.update(plain, 'utf8'), cipher.final()]).toString('base64url')
}

/** The plain id behind a provider's cipher; null for everything that this provider was never given. */
export function plainOf(provider: string, cipher: string, prefix = 'wo'): string | null {
  const bytes = Buffer.from(cipher.slice(prefix.length), 'base64url')
  const check = bytes.subarray(0, CHECK_BYTES)
  if (check.length < CHECK_BYTES) return null
  const decipher = createDecipheriv('aes-256-ctr', keyOf(provider), ivOf(check))
  const plain = Buffer.concat([decipher.update(bytes.subarray(CHECK_BYTES)), decipher.final()]).toString('utf8')
  return cipherOf(provider, plain, prefix) === cipher ? plain : null
}

function keyOf(provider: string): Buffer {
  return createHash('sha256').update(`sandbox provider ${provider}`).digest()
}

function checkOf(provider: string, plain: string): Buffer {
  return createHmac('sha256', keyOf(provider)).update(plain).digest().subarray(0, CHECK_BYTES)
}

function ivOf(check: Buffer): Buffer {
  return Buffer.concat([check, Buffer.alloc(16 - CHECK_BYTES)])
}
