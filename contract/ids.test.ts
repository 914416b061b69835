import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeId, ID_LENGTH, isId } from './ids.ts'

test('ids sort as their numbers do and have one length', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (a, b) => {
      const [x, y] = [encodeId('card', a), encodeId('card', b)]
      expect(x.length).toBe(ID_LENGTH)
      expect(x < y).toBe(a < b)
      expect(isId('card', x)).toBe(true)
      expect(isId('order', x)).toBe(false)
    }),
  )
})
