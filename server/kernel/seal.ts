import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

/** Keys that seal columns, by key id; the current one seals, every one opens. The index key is another key. */
export interface KeyRing {
  readonly current: string
  readonly keys: Readonly<Record<string, Buffer>>
  readonly indexKeyId: string
  readonly indexKeys: Readonly<Record<string, Buffer>>
}

/** Where a sealed value stands. A value that is moved to another row or column does not open there. */
export interface Place {
  readonly table: string
  readonly column: string
  readonly rowId: string
}

const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Nonces fetched by one call: asking the system for twelve bytes costs as much as sealing with them. */
const NONCES_AT_ONCE = 512

/** A sealed value that cannot be opened: a key that is missing, another place, or a changed byte. Holds no content. */
export class SealBroken extends Error {
  readonly reason: 'key_missing' | 'malformed' | 'not_authentic'
  constructor(reason: SealBroken['reason']) {
    super(`sealed value: ${reason}`)
    this.name = 'SealBroken'
    this.reason = reason
  }
}

export interface Seal {
  /** AES-256-GCM under the current key, bound to its place. */
  seal(place: Place, plain: string): Buffer
  /** Opens what was sealed at this very place; throws SealBroken. */
  open(place: Place, sealed: Uint8Array): string
  /** A keyed fingerprint for exact search (32 bytes as hex). Equal values of one purpose give equal fingerprints. */
  blindIndex(purpose: string, value: string): string
  /** The id of the key that sealed a value, for re-sealing and for the check at start. */
  keyIdOf(sealed: Uint8Array): string
  /** The id of the key that seals now. */
  readonly keyId: string
  /** The first bytes of everything that the key of this id sealed, and of nothing else. */
  headerOf(keyId: string): Buffer
}

/** Promises sealing with the given ring; `random` gives the nonces. Throws when a key is not 32 bytes. */
export function sealWith(ring: KeyRing, random: (bytes: number) => Buffer): Seal {
  for (const key of [...Object.values(ring.keys), ...Object.values(ring.indexKeys)]) {
    if (key.length !== 32) throw new Error('key ring: every key has 32 bytes')
  }
  // As key objects: handing the bytes over anew for each value takes several times as long as sealing it.
  const keys = new Map(Object.entries(ring.keys).map(([id, key]) => [id, createSecretKey(key)]))
  const current = keys.get(ring.current)
  const index = ring.indexKeys[ring.indexKeyId]
  if (!current || !index) throw new Error('key ring: the current key is missing')
  const header = headerOf(ring.current)
  const purposes = new Map<string, KeyObject>()
  const purposeKey = (purpose: string): KeyObject => {
    const known = purposes.get(purpose)
    if (known) return known
    const made = createSecretKey(Buffer.from(hkdfSync('sha256', index, Buffer.alloc(0), `blind-index:${purpose}`, 32)))
    purposes.set(purpose, made)
    return made
  }
  let nonces: Buffer = Buffer.alloc(0)
  const nextNonce = (): Buffer => {
    if (nonces.length === 0) nonces = random(NONCE_BYTES * NONCES_AT_ONCE)
    const nonce = nonces.subarray(0, NONCE_BYTES)
    nonces = nonces.subarray(NONCE_BYTES)
    return nonce
  }
  return {
    seal(place, plain) {
      const nonce = nextNonce()
      const cipher = createCipheriv('aes-256-gcm', current, nonce)
      cipher.setAAD(placeBytes(place))
      return Buffer.concat([header, nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
    },
    open: (place, sealed) => openWith(keys, place, Buffer.from(sealed)),
    blindIndex: (purpose, value) => createHmac('sha256', purposeKey(purpose)).update(value, 'utf8').digest('hex'),
    keyIdOf: (sealed) => split(Buffer.from(sealed)).keyId,
    keyId: ring.current,
    headerOf,
  }
}

const headerOf = (keyId: string): Buffer =>
  Buffer.concat([Buffer.from([VERSION, keyId.length]), Buffer.from(keyId, 'ascii')])

function openWith(keys: ReadonlyMap<string, KeyObject>, place: Place, sealed: Buffer): string {
  const { keyId, rest } = split(sealed)
  const key = keys.get(keyId)
  if (!key) throw new SealBroken('key_missing')
  const decipher = createDecipheriv('aes-256-gcm', key, rest.subarray(0, NONCE_BYTES))
  decipher.setAAD(placeBytes(place))
  decipher.setAuthTag(rest.subarray(rest.length - TAG_BYTES))
  try {
    const body = rest.subarray(NONCE_BYTES, rest.length - TAG_BYTES)
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
  } catch {
    throw new SealBroken('not_authentic')
  }
}

function split(sealed: Buffer): { keyId: string; rest: Buffer } {
  const length = sealed[1] ?? 0
  const rest = sealed.subarray(2 + length)
  if (sealed[0] !== VERSION || rest.length < NONCE_BYTES + TAG_BYTES) throw new SealBroken('malformed')
  return { keyId: sealed.subarray(2, 2 + length).toString('ascii'), rest }
}

const placeBytes = (place: Place): Buffer => Buffer.from(`${place.table}\0${place.column}\0${place.rowId}`, 'utf8')
