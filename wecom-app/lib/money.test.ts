import { expect, test } from 'vitest'
import { count, money, readYuan, shortMoney } from './money.ts'

test('money is read as people write it, to the fen', () => {
  for (const [text, fen] of [
    ['1,234.5', 123_450],
    ['¥300', 30_000],
    ['￥0.07 元', 7],
    ['500.', 50_000],
    ['1，000', 100_000],
    ['0', 0],
  ] as const)
    expect(readYuan(text), text).toBe(fen)
})

test('what is not an amount is refused, not rounded', () => {
  for (const text of ['', '元', '-5', '1.234', '12a', '1e3', '.5', '1.2.3', '9999999999999'])
    expect(readYuan(text), text).toBeNull()
})

test('money and counts are shown with thousands; an unknown amount is a dash', () => {
  expect(money(123_456)).toBe('¥1,234.56')
  expect(money(null)).toBe('—')
  expect(money(undefined)).toBe('—')
  expect(shortMoney(50_000)).toBe('¥500')
  expect(shortMoney(50_050)).toBe('¥500.50')
  expect(count(200_000)).toBe('200,000')
})
