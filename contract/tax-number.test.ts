import { expect, test } from 'vitest'
import { checkSign, isTaxNumber, plainTaxNumber } from './tax-number.ts'

test('a unified social credit code carries its own check', () => {
  // Published: Tencent's and Alibaba (China)'s codes.
  for (const code of ['9144030071526726XG', '91330100799655058B']) {
    expect(checkSign(code.slice(0, 17))).toBe(code[17])
    expect(isTaxNumber(code)).toBe(true)
    expect(isTaxNumber(`${code.slice(0, 16)}${code[16] === '1' ? '2' : '1'}${code[17]}`)).toBe(false)
  }
  expect(checkSign('9144030071526726I')).toBeNull()
})

test.each([
  ['123456789012345', true],
  ['12345678901234567', true],
  ['12345678901234567890', true],
  ['1234567890123456', false],
  ['', false],
  ['12345678901234!', false],
  ['12345678901234a', false],
])('%j: %s', (text, good) => expect(isTaxNumber(text)).toBe(good))

test('what people type is made plain', () => {
  expect(plainTaxNumber(' 9144 0300-7152 6726xg ')).toBe('9144030071526726XG')
})
