import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeId } from '../../../contract/ids.ts'
import type { Scope } from '../../kernel/context.ts'
import { testHouse } from '../../testing/house.ts'
import { makePayCode, openPayCode, type PayCodeOf } from './pay-code.ts'

const house = testHouse()
const at = (nowMs: number): Scope => ({ clock: { now: () => nowMs }, random: randomBytes, house }) as unknown as Scope
const made = Date.UTC(2026, 10, 23, 4)
const card: PayCodeOf = { kind: 'card', cardId: encodeId('card', 123_456_789_012_345n) }

test('a code tells whose it is and opens until its end, not at it and not before it was made', () => {
  const owners = fc.tuple(fc.constantFrom('card', 'person'), fc.bigInt(0n, (1n << 63n) - 1n), fc.nat(2 ** 40))
  fc.assert(
    fc.property(owners, ([kind, value, nowMs]) => {
      const of: PayCodeOf =
        kind === 'card'
          ? { kind: 'card', cardId: encodeId('card', value) }
          : { kind: 'holder', holderId: encodeId('person', value) }
      const { code, expiresAtMs } = makePayCode(at(nowMs), of)
      expect(code).toMatch(/^28\d{50}$/)
      expect(openPayCode(at(nowMs), code)).toMatchObject({ of, expiresAtMs })
      expect(openPayCode(at(expiresAtMs - 1), code)).toMatchObject({ of, expiresAtMs })
      expect(openPayCode(at(expiresAtMs), code)).toBeNull()
      expect(openPayCode(at(nowMs - 1), code)).toBeNull()
    }),
  )
})

test('a code does not open again when the digits of its end come again', () => {
  const { code } = makePayCode(at(made), card)
  expect(openPayCode(at(made + 10 ** 10), code)).toBeNull()
  expect(openPayCode(at(made + 2 * 10 ** 10 + 30_000), code)).toBeNull()
})

test('no other digit in any place opens', () => {
  const { code } = makePayCode(at(made), card)
  for (let place = 0; place < code.length; place += 1)
    for (let digit = 0; digit < 10; digit += 1) {
      const other = code.slice(0, place) + String(digit) + code.slice(place + 1)
      if (other !== code) expect(openPayCode(at(made), other)).toBeNull()
    }
  for (const bad of ['', '28', 'x'.repeat(52), `${code}0`, code.slice(1), '２'.repeat(52)])
    expect(openPayCode(at(made), bad)).toBeNull()
})

test('codes of one instant differ', () => {
  const codes = Array.from({ length: 200 }, () => makePayCode(at(made), card).code)
  expect(new Set(codes).size).toBe(200)
})
