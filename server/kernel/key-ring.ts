import { createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Tx } from './context.ts'
import { Secret } from './log.ts'
import type { KeyRing } from './seal.ts'
import { insertIgnore, sql } from './sql.ts'

const key = z.base64().refine((text) => Buffer.from(text, 'base64').length === 32, { message: 'a key has 32 bytes' })
const KeyRingFile = z
  .strictObject({
    current: z.string().regex(/^[\w-]{1,32}$/),
    keys: z.record(z.string().regex(/^[\w-]{1,32}$/), key),
    indexKeyId: z.string(),
    indexKeys: z.record(z.string().regex(/^[\w-]{1,32}$/), key),
    /** The root of what must never change: card number series. */
    root: key,
    session: key,
  })
  .refine((ring) => ring.keys[ring.current] !== undefined, { message: 'the current key is not among the keys' })
  .refine((ring) => ring.indexKeys[ring.indexKeyId] !== undefined, { message: 'the index key is not among its keys' })

/** The keys of an installation. They live outside the database: a file of mode 0600, or the environment. */
export interface Keys {
  readonly ring: KeyRing
  readonly session: Secret<string>
  readonly numberKey: (brandId: string, keyEpoch: number) => Buffer
}

/** Reads a key ring from its JSON text. Throws ZodError or SyntaxError; neither shows a key. */
export function readKeys(text: string): Keys {
  const file = KeyRingFile.parse(JSON.parse(text))
  const bytes = (keys: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(keys).map(([id, value]) => [id, Buffer.from(value, 'base64')]))
  const root = Buffer.from(file.root, 'base64')
  return {
    ring: {
      current: file.current,
      keys: bytes(file.keys),
      indexKeyId: file.indexKeyId,
      indexKeys: bytes(file.indexKeys),
    },
    session: new Secret(file.session),
    numberKey: (brandId, keyEpoch) =>
      Buffer.from(hkdfSync('sha256', root, Buffer.alloc(0), `card-number:${brandId}:${keyEpoch}`, 32)),
  }
}

/** A fresh key ring as JSON text. */
export function newKeyRing(): string {
  const fresh = () => randomBytes(32).toString('base64')
  const ring = { current: 'k1', keys: { k1: fresh() }, indexKeyId: 'i1', indexKeys: { i1: fresh() } }
  return `${JSON.stringify({ ...ring, root: fresh(), session: fresh() }, null, 2)}\n`
}

/**
 * Records the keys that this database is sealed with, and refuses to go on when one of them is missing from the ring or
 * is another key under the same name. Returns the ids that do not fit; an empty list is well.
 */
export async function claimKeys(tx: Tx, keys: Keys): Promise<string[]> {
  const { ring } = keys
  const own = [
    { keyId: `seal:${ring.current}`, proof: proofOf(ring.keys[ring.current]!) },
    { keyId: `index:${ring.indexKeyId}`, proof: proofOf(ring.indexKeys[ring.indexKeyId]!) },
    { keyId: 'root', proof: proofOf(keys.numberKey('proof', 0)) },
  ]
  const known = new Map(own.map((each) => [each.keyId, each.proof]))
  for (const [id, value] of Object.entries(ring.keys)) known.set(`seal:${id}`, proofOf(value))
  for (const [id, value] of Object.entries(ring.indexKeys)) known.set(`index:${id}`, proofOf(value))
  const used = await sql<{ key_id: string; proof: string }>(tx.em, 'select key_id, proof from key_use')
  const wrong = used.filter((row) => known.get(row.key_id) !== row.proof).map((row) => row.key_id)
  if (wrong.length > 0) return wrong
  const rows = own.map((each) => ({ key_id: each.keyId, proof: each.proof, first_used_at_ms: tx.clock.now() }))
  await insertIgnore(tx.em, 'key_use', rows)
  return []
}

const proofOf = (value: Buffer): string => createHmac('sha256', value).update('fulika key proof').digest('hex')
