import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCardInput } from './card-input.ts'

const card = { number: '6230012345678901', secret: '0123456789ABCDEF' }

describe('number and secret as people type them', () => {
  test.each([
    ['6230012345678901', '0123456789ABCDEF'],
    ['6230 0123 4567 8901', '0123 4567 89ab cdef'],
    ['6230-0123-4567-8901', '0123–4567—89AB−CDEF'],
    ['６２３００１２３４５６７８９０１', '０１２３４５６７８９ａｂｃｄｅｆ'],
    ['623OOl2345678901', 'oI23456789ABCDEF'],
    ['卡号：6230 0123 4567 8901', '密码： 0123 4567 89AB CDEF'],
    ['6230012345678901 0123456789ABCDEF', ''],
    ['6230 0123 4567 8901\n0123 4567 89AB CDEF', ''],
    ['卡号 6230012345678901 密码 0123456789ABCDEF', ''],
    ['卡号：6230012345678901，卡密：0123456789ABCDEF', ''],
    ['Card number: 6230012345678901 Secret: 0123456789abcdef', ''],
    ['\u200b6230012345678901\u3000/\u30000123456789ABCDEF\ufeff', '   '],
  ])('%j %j', (number, secret) => {
    expect(readCardInput(number, secret)).toEqual(card)
  })

  test.each(['533681189924089981 密码：45HZYMTA2D1N3no.X', '533681189924089981密码：no.45HZYMTA2D1N3X'])(
    'what looks like a word may be part of a secret: %s',
    (text) => {
      const secret = text.includes('：no') ? 'N045HZYMTA2D1N3X' : '45HZYMTA2D1N3N0X'
      expect(readCardInput(text)).toEqual({ number: '533681189924089981', secret })
    },
  )

  test.each([
    ['', ''],
    ['6230012345678901', ''],
    ['6230012345678901', '0123456789ABCDE'],
    ['6230012345678901', '0123456789ABCDEFG'],
    ['6230012345678901', '0123456789ABCDEU'],
    ['62300123456789', '0123456789ABCDEF'],
    ['6230012345678901234567', '0123456789ABCDEF'],
    ['62300123A5678901', '0123456789ABCDEF'],
    ['6'.repeat(10_000), '0123456789ABCDEF'],
    ["6230012345678901' or 1=1", '0123456789ABCDEF'],
  ])('%j %j is no card', (number, secret) => {
    expect(readCardInput(number, secret)).toBe(null)
  })

  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.split('')
  const aCard = fc.record({
    number: fc.stringMatching(/^\d{15,21}$/),
    secret: fc.array(fc.constantFrom(...alphabet), { minLength: 16, maxLength: 16 }).map((all) => all.join('')),
  })
  /** Each character as somebody may write it, with what they put between. */
  const typed = (text: string) =>
    fc
      .tuple(
        ...text
          .split('')
          .map((one) =>
            fc.constantFrom(
              one,
              one.toLowerCase(),
              wide(one),
              ...(one === '0' ? ['O', 'o'] : one === '1' ? ['I', 'l'] : []),
            ),
          ),
      )
      .chain((ways) =>
        fc
          .array(fc.constantFrom('', '', '', ' ', '-', '\u3000', '—', '.'), {
            minLength: ways.length,
            maxLength: ways.length,
          })
          .map((gaps) => ways.map((way, at) => way + gaps[at]!).join('')),
      )
  const wide = (one: string): string => String.fromCharCode(one.charCodeAt(0) + 0xfee0)

  test('however it is typed, in two fields or one, it is the same card', () => {
    fc.assert(
      fc.property(
        aCard.chain((one) => fc.tuple(fc.constant(one), typed(one.number), typed(one.secret))),
        ([one, number, secret]) => {
          expect(readCardInput(number, secret)).toEqual(one)
          for (const gap of [' ', '\n', '', ',', ' 密码：'])
            expect(readCardInput(`${number}${gap}${secret}`)).toEqual(one)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('whatever text comes, it is a card by every rule or none', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 500 }), fc.string({ maxLength: 40 }), (number, secret) => {
        const read = readCardInput(number, secret)
        if (read === null) return
        expect(read.number).toMatch(/^\d{15,21}$/)
        expect(read.secret).toMatch(/^[0-9A-HJKMNP-TV-Z]{16}$/)
      }),
    )
  })
})
