import { generateKeyPairSync } from 'node:crypto'
import { makeCertificate } from './make-certificate.ts'
import type { PlatformCertificate, PlatformKey } from './seal.ts'
import type { Merchant, World } from './state.ts'

const FIVE_YEARS_MS = 5 * 365 * 86_400_000

/** Makes a certificate that begins now; its serial number is its id. */
export function issueCertificate(world: Pick<World, 'now' | 'random'>): PlatformCertificate {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const [startMs, serial] = [world.now(), world.random(20)]
  // A positive number of exactly 20 bytes: 40 hexadecimal digits.
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f)
  const pem = makeCertificate({ ...pair, serial, startMs, endMs: startMs + FIVE_YEARS_MS })
  return {
    id: serial.toString('hex').toUpperCase(),
    publicPem: pair.publicKey.export({ type: 'spki', format: 'pem' }) as string,
    privatePem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    pem,
    startMs,
    endMs: startMs + FIVE_YEARS_MS,
  }
}

/** The certificate that signs: the one that began last. */
export function currentCertificate(world: World): PlatformCertificate {
  const newest = world.certificates.at(-1)
  if (newest) return newest
  const first = issueCertificate(world)
  world.certificates.push(first)
  return first
}

/**
 * The key that signs the answer to a request: the one that it names, else the merchant's usual one. Null for a name that
 * is not known, or not to this merchant.
 */
export function signerKey(world: World, merchant: Merchant, serial: string): PlatformKey | null {
  if (serial === '') return merchant.verifyBy === 'public_key' ? world.key : currentCertificate(world)
  if (serial === world.key.id) return merchant.verifyBy === 'certificate' ? null : world.key
  if (merchant.verifyBy === 'public_key') return null
  return world.certificates.find((one) => one.id === serial) ?? null
}

/**
 * The key that signs a notice. In a migration the share of the public key grows, and both kinds arrive; in a rotation both
 * certificates sign.
 */
export function noticeKey(world: World, merchant: Merchant): PlatformKey {
  if (merchant.verifyBy === 'public_key') return world.key
  if (merchant.verifyBy === 'both' && world.random(4).readUInt32BE() % 1000 < world.publicKeyPermille) return world.key
  const newest = currentCertificate(world)
  return world.certificates[world.random(4).readUInt32BE() % world.certificates.length] ?? newest
}
