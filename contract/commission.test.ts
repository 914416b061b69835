import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fen } from './fen.ts'
import { commissionOf, faultOfTerms, ofBp, type Channel, type ShareTerms } from './commission.ts'

const channel = (code: string, bp: number): Channel => ({ code, name: code, mchid: `19${code}`, bp })
const terms = (changes: Partial<ShareTerms> = {}): ShareTerms => ({
  collector: 'brand',
  platformBp: 300,
  channels: [channel('01', 200), channel('02', 100)],
  maxRatioBp: 3000,
  ...changes,
})

test('platform and channels are rounded down, and every odd fen is the brand’s', () => {
  expect(commissionOf(terms(), fen(9_999))).toEqual({ platformFen: 299, channelFen: [199, 99], brandFen: 9_402 })
  expect(commissionOf(terms(), fen(1))).toEqual({ platformFen: 0, channelFen: [0, 0], brandFen: 1 })
})

test('a price is cut without a fen lost or made, whatever the terms', () => {
  const cut = fc.record({
    price: fc.nat(1_000_000_000),
    platformBp: fc.nat(5_000),
    bps: fc.array(fc.nat(500), { maxLength: 10 }),
  })
  fc.assert(
    fc.property(cut, ({ price, platformBp, bps }) => {
      const channels = bps.map((bp, index) => channel(String(index), bp))
      const { platformFen, channelFen, brandFen } = commissionOf({ platformBp, channels }, fen(price))
      expect(platformFen + brandFen + channelFen.reduce<number>((sum, part) => sum + part, 0)).toBe(price)
      expect(platformFen).toBeLessThanOrEqual((price * platformBp) / 10_000)
    }),
  )
})

test('basis points of ten million yuan are exact where floating point is not', () => {
  expect(ofBp(fen(999_999_999), 9_999)).toBe(999_899_999)
})

test('receivers together stay within what WeChat Pay granted who collects', () => {
  expect(faultOfTerms(terms())).toBeNull()
  expect(faultOfTerms(terms({ platformBp: 2_700 }))).toBeNull()
  expect(faultOfTerms(terms({ platformBp: 2_701 }))).toEqual({ field: 'maxRatioBp', code: 'ratio_over_cap' })
  // Where the platform collects the brand is a receiver: nine tenths do not fit into three.
  expect(faultOfTerms(terms({ collector: 'platform' }))).toEqual({ field: 'maxRatioBp', code: 'ratio_over_cap' })
  expect(faultOfTerms(terms({ collector: 'platform', maxRatioBp: 9_700 }))).toBeNull()
})

test('figures that are none are named by their field', () => {
  expect(faultOfTerms(terms({ platformBp: -1 }))?.field).toBe('platformBp')
  expect(faultOfTerms(terms({ platformBp: 10_001 }))?.field).toBe('platformBp')
  expect(faultOfTerms(terms({ platformBp: 1.5 }))?.field).toBe('platformBp')
  expect(faultOfTerms(terms({ maxRatioBp: 10_001 }))?.field).toBe('maxRatioBp')
  expect(faultOfTerms(terms({ channels: [channel('01', 0)] }))?.field).toBe('channels')
  expect(faultOfTerms(terms({ channels: [channel('01', 10), channel('01', 10)] }))?.field).toBe('channels')
  expect(faultOfTerms(terms({ platformBp: 9_000, channels: [channel('01', 1_001)] }))?.field).toBe('channels')
})
