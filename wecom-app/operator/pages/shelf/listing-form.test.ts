import { expect, test } from 'vitest'
import type { ListingFacts } from '../../../../contract/operator/shelf.ts'
import { fieldsOf, readInstant, readListingForm, spansOf } from './listing-form.ts'

const AT = Date.UTC(2026, 8, 1, 4, 0, 0)
const facts: ListingFacts = {
  category: 'dining',
  title: '饭卡',
  subtitle: '',
  channels: ['wechat'],
  giftable: true,
  series: false,
  stock: 50,
  perBuyerCap: null,
  segment: null,
  promo: {
    priceBp: 8_500,
    fromMs: AT + 7,
    untilMs: AT + 86_400_000,
    perBuyerCap: 1,
    stock: null,
  },
}
const sold = { priceBp: 9_500 }
const read = (more: object = {}) => readListingForm({ ...fieldsOf(facts, AT), ...more }, sold, facts.promo)

test('what nobody touches is saved as it stands, to the millisecond', () => {
  expect(read()).toEqual({ facts, faults: [] })
  const plain = { ...facts, promo: null, segment: 'vip' }
  expect(readListingForm(fieldsOf(plain, AT), sold, null).facts).toEqual(plain)
})

test('an instant is read in the zone that it is shown in', () => {
  expect(readInstant('2026-09-01 12:00:05')).toBe(AT + 5_000)
  expect(readInstant('2026-09-01 12:00')).toBe(AT)
  for (const text of ['', 'soon', '2026-09-01', '2026-9-1 12:00']) expect(readInstant(text)).toBeNull()
})

test.each([
  [{ title: ' ' }, 'title'],
  [{ channels: [] }, 'channels'],
  [{ stock: '0' }, 'stock'],
  [{ stock: '1.5' }, 'stock'],
  [{ stock: '', series: true }, 'stock'],
  [{ perBuyerCap: 'x' }, 'perBuyerCap'],
  [{ segment: 'VIP 客户' }, 'segment'],
  [{ promoPercent: '' }, 'promoPercent'],
  [{ promoPercent: '95' }, 'promoPercent'],
  [{ promoFrom: '' }, 'promoFrom'],
  [{ promoUntil: '2026-09-01 12:00:00' }, 'promoOrder'],
  [{ promoStock: '-1' }, 'promoStock'],
])('%j is not saved, and its field is named', (more, fault) => {
  expect(read(more)).toEqual({ facts: null, faults: expect.arrayContaining([fault]) })
})

test('prices by time: before, while and after, and which of them is now', () => {
  const nowOf = (nowMs: number) => spansOf(facts.promo, 9_500, nowMs).find(({ isNow }) => isNow)
  expect([AT, AT + 7, AT + 86_399_999, AT + 86_400_000].map((now) => nowOf(now)?.kind)).toEqual([
    'before',
    'promo',
    'promo',
    'after',
  ])
  expect(spansOf(null, 9_500, AT)).toEqual([{ kind: 'always', priceBp: 9_500, isNow: true }])
})
