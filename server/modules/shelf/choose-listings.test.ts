import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { encodeId } from '../../../contract/ids.ts'
import { shelfSortKeys, ShelfInput } from '../../../contract/store/shelf.ts'
import {
  amountsOf,
  codesOf,
  facetCodes,
  chooseListings as choose,
  comparePlaces,
  validityOf,
  type Place,
  type ShelfItem,
  type ShelfWish,
} from './choose-listings.ts'
import { searchTerms, searchTextOf } from './search-words.ts'
import { readCursor, writeCursor } from './shelf-cursor.ts'

const brandId = encodeId('brand', 1n)
const codes = facetCodes()
const chooseListings = (items: readonly ShelfItem[], wish: ShelfWish) => choose(items, codes, wish)
function anItem(number: number, more: Partial<ShelfItem> = {}): ShelfItem {
  const {
    minFaceFen = fen(10_000),
    maxFaceFen = fen(10_000),
    faces = [],
    validDays = null,
    title = `卡${number}`,
  } = more
  const plain: Omit<ShelfItem, 'codes'> = {
    id: encodeId('listing', BigInt(number)),
    shelfVersion: number,
    category: 'general',
    brandId,
    brandName: '青禾',
    subtitle: '',
    cover: 'plain',
    stepFen: fen(100),
    priceBp: 10_000,
    channels: ['wechat', 'h5'],
    series: false,
    giftable: true,
    segment: null,
    promoNumber: 0,
    promo: { promoTaken: 0 },
    createdAtMs: number,
    ...more,
    title,
    faces,
    minFaceFen,
    maxFaceFen,
    validDays,
    searchText: searchTextOf([title]),
    amounts: amountsOf({
      faces,
      minFaceFen,
      maxFaceFen,
    }),
    validity: validityOf(validDays),
  }
  return { ...plain, codes: codesOf(plain, codes) }
}
const nothing = ShelfInput.parse({})
const wishFor = (more: Partial<ShelfWish> = {}): ShelfWish => ({
  terms: [],
  wanted: nothing,
  sort: 'newest',
  second: 'price_up',
  after: null,
  limit: 20,
  atMs: 0,
  sales: new Map(),
  segments: [],
  ...more,
})
const titles = (items: readonly ShelfItem[], more: Partial<ShelfWish>) =>
  chooseListings(items, wishFor(more)).page.map(({ title }) => title)

describe('search', () => {
  const items = ['星巴克 咖啡卡', '重庆火锅', '西安·Biang面', '绿茶餐厅', 'ＡＰＰ充值 50%'].map((title, index) =>
    anItem(index + 1, { title }),
  )
  test.each([
    ['咖啡', '星巴克 咖啡卡'],
    ['xingbake', '星巴克 咖啡卡'],
    ['XBK', '星巴克 咖啡卡'],
    ['xing  ba ke', '星巴克 咖啡卡'],
    ['星巴克咖啡', '星巴克 咖啡卡'],
    ['chongqing', '重庆火锅'],
    ['cqhg', '重庆火锅'],
    ["xi'an", '西安·Biang面'],
    ['biang', '西安·Biang面'],
    ['lvcha', '绿茶餐厅'],
    ['LÜCHA', '绿茶餐厅'],
    ['app', 'ＡＰＰ充值 50%'],
    ['50%', 'ＡＰＰ充值 50%'],
  ])('%s finds %s alone', (search, title) => {
    expect(titles(items, { terms: searchTerms(search) })).toEqual([title])
  })

  test('words must all be there; signs of patterns mean themselves; nothing finds all', () => {
    expect(titles(items, { terms: searchTerms('咖啡 火锅') })).toEqual([])
    expect(titles(items, { terms: searchTerms('_') })).toEqual([])
    expect(titles(items, { terms: searchTerms('   ') })).toHaveLength(5)
  })

  test('more than 60 characters, and 10 KB, are refused', () => {
    expect(searchTerms('卡'.repeat(60))).toHaveLength(1)
    for (const search of ['卡'.repeat(61), 'x'.repeat(10_240), ' '.repeat(10_240)])
      expect(() => searchTerms(search)).toThrow(expect.objectContaining({ code: 'search_too_long' }))
  })
})

describe('facets', () => {
  const items = [
    anItem(1, { category: 'dining', minFaceFen: fen(5_000), maxFaceFen: fen(60_000) }),
    anItem(2, {
      category: 'dining',
      faces: [fen(4_999)],
      minFaceFen: fen(4_999),
      maxFaceFen: fen(4_999),
      validDays: 1095,
    }),
    anItem(3, { category: 'travel', faces: [fen(20_000), fen(100_000)], channels: ['alipay'] }),
  ]
  const countsOf = (more: object) => {
    const { counts, total } = chooseListings(items, wishFor({ wanted: ShelfInput.parse(more) }))
    return {
      total,
      ...Object.fromEntries(Object.entries(counts).map(([name, map]) => [name, Object.fromEntries(map)])),
    }
  }

  test('count what there is by each value; a free amount lies in every range that it reaches', () => {
    expect(countsOf({})).toEqual({
      total: 3,
      category: { dining: 2, travel: 1 },
      brand: { [brandId]: 3 },
      amount: { to_50: 1, '50_200': 1, '200_500': 2, '500_1000': 1, from_1000: 1 },
      validity: { endless: 2, to_5_years: 1 },
      channel: { wechat: 2, h5: 2, alipay: 1 },
    })
  })

  test('a facet counts what there would be without it; the others what there is with it', () => {
    expect(countsOf({ category: 'travel' })).toMatchObject({
      total: 1,
      category: { dining: 2, travel: 1 },
      amount: { '200_500': 1, from_1000: 1 },
      channel: { alipay: 1 },
    })
    expect(countsOf({ category: 'dining,travel', validity: 'to_5_years' })).toMatchObject({
      total: 1,
      category: { dining: 1 },
      validity: { endless: 2, to_5_years: 1 },
    })
    expect(countsOf({ category: 'travel', validity: 'to_5_years' })).toMatchObject({
      total: 0,
      category: { dining: 1 },
      validity: { endless: 1 },
      amount: {},
    })
  })

  test('what is for others counts nowhere', () => {
    const all = [...items, anItem(4, { segment: 'vip', category: 'books' })]
    expect(chooseListings(all, wishFor()).counts.category.has('books')).toBe(false)
    expect(chooseListings(all, wishFor({ segments: ['vip'] })).total).toBe(4)
  })
})

describe('order', () => {
  test('a time-boxed price counts at the instant of the first page', () => {
    const promo = { promoPriceBp: 5_000, promoFromMs: 100, promoUntilMs: 200, promoTaken: 0 }
    const items = [anItem(1), anItem(2, { promo })]
    const firstAt = (atMs: number) => titles(items, { sort: 'price_up', second: 'newest', atMs })[0]
    expect([99, 100, 199, 200].map(firstAt)).toEqual(['卡2', '卡2', '卡2', '卡2'])
    const byPrice = (atMs: number) => titles(items, { sort: 'price_down', second: 'newest', atMs })[0]
    expect([99, 100, 199, 200].map(byPrice)).toEqual(['卡2', '卡1', '卡1', '卡2'])
  })

  test('pages of any two keys, whatever is sold meanwhile, show each listing once and in order', () => {
    const key = fc.constantFrom(...shelfSortKeys)
    const anyItem = fc.record({
      face: fc.integer({ min: 1, max: 5 }),
      validDays: fc.constantFrom(null, 1095, 3650),
      createdAtMs: fc.integer({ min: 0, max: 4 }),
      sold: fc.integer({ min: 0, max: 3 }),
    })
    fc.assert(
      fc.property(
        fc.array(anyItem, { maxLength: 40 }),
        key,
        key,
        fc.integer({ min: 1, max: 7 }),
        (made, sort, second, limit) => {
          const items = made.map(({ face, validDays, createdAtMs }, index) =>
            anItem(index + 1, { minFaceFen: fen(face * 100), maxFaceFen: fen(face * 100), validDays, createdAtMs }),
          )
          const sales = new Map(items.map(({ id }, index) => [id as string, made[index]!.sold]))
          const places: Place[] = []
          const seen: string[] = []
          for (let after: Place | null = null; ;) {
            const { page, next } = chooseListings(items, wishFor({ sort, second, after, limit, sales }))
            seen.push(...page.map(({ id }) => id))
            if (next === null) break
            const read = readCursor(writeCursor({ round: 1, atMs: 0, sort, second, place: next }))
            places.push((after = read.place))
          }
          expect(seen.toSorted()).toEqual(items.map(({ id }) => id as string).toSorted())
          expect(places.toSorted(comparePlaces)).toEqual(places)
          const whole = chooseListings(items, wishFor({ sort, second, limit: 50, sales })).page.map(({ id }) => id)
          expect(seen).toEqual(whole)
        },
      ),
    )
  })
})

test.each([
  '',
  'x',
  Buffer.from('[1,2]').toString('base64url'),
  Buffer.from('{"a":1}').toString('base64url'),
  'é'.repeat(50),
])('a cursor that we never wrote is refused: %s', (text) => {
  expect(() => readCursor(text)).toThrow(expect.objectContaining({ code: 'malformed_request' }))
})
