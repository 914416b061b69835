import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sealWith, type KeyRing } from './seal.ts'

const ring: KeyRing = {
  current: 'k1',
  keys: { k1: randomBytes(32) },
  indexKeyId: 'i1',
  indexKeys: { i1: randomBytes(32) },
}
const place = { table: 'card', column: 'secret', rowId: 'crd_0000000000001' }

test('what is sealed opens at its own place only, and any changed byte is noticed', () => {
  const seal = sealWith(ring, randomBytes)
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.nat(), (plain, at) => {
      const sealed = seal.seal(place, plain)
      expect(seal.open(place, sealed)).toBe(plain)
      for (const moved of [{ table: 'x' }, { column: 'x' }, { rowId: 'x' }]) {
        expect(() => seal.open({ ...place, ...moved }, sealed)).toThrow('not_authentic')
      }
      const changed = Buffer.from(sealed)
      const position = at % changed.length
      changed[position] = changed[position]! ^ 1
      expect(() => seal.open(place, changed)).toThrow('sealed value')
    }),
  )
})

test('after a rotation the old key still opens, a missing key is named, and the new one seals', () => {
  const old = sealWith(ring, randomBytes).seal(place, 'hello')
  const rotated = sealWith({ ...ring, current: 'k2', keys: { ...ring.keys, k2: randomBytes(32) } }, randomBytes)
  expect(rotated.open(place, old)).toBe('hello')
  expect(rotated.keyIdOf(old)).toBe('k1')
  expect(rotated.keyIdOf(rotated.seal(place, 'x'))).toBe('k2')
  const lost = sealWith({ ...ring, current: 'k2', keys: { k2: randomBytes(32) } }, randomBytes)
  expect(() => lost.open(place, old)).toThrow('key_missing')
  expect(() => sealWith({ ...ring, current: 'k9' }, randomBytes)).toThrow('missing')
  expect(() => sealWith({ ...ring, keys: { k1: randomBytes(16) } }, randomBytes)).toThrow('32 bytes')
})

test('the blind index is equal for equal values of one purpose and for nothing else', () => {
  const seal = sealWith(ring, randomBytes)
  expect(seal.blindIndex('phone', '13800000000')).toBe(seal.blindIndex('phone', '13800000000'))
  expect(seal.blindIndex('phone', '13800000000')).not.toBe(seal.blindIndex('name', '13800000000'))
  expect(seal.blindIndex('phone', '13800000000')).not.toBe(seal.blindIndex('phone', '13800000001'))
})
