import { describe, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { daysCovered, meanOf, MOST_DAYS } from './rules.ts'

const outlook = (balance: number, due: number, perDay: number, ahead: readonly number[] = []) =>
  daysCovered({ balanceFen: fen(balance), dueFen: fen(due), perDayFen: fen(perDay), ahead })

describe('how long a wallet lasts', () => {
  test.each([
    ['a balance of three days covers today and two more', 300, 0, 100, [], 2],
    ['a fen less covers a day less', 299, 0, 100, [], 1],
    ['less than a day is over today', 99, 0, 100, [], -1],
    ['what is due comes first', 300, 100, 100, [], 1],
    ['what is due is not covered', 99, 100, 0, [], -1],
    ['exactly what is due, and nothing is ever spent', 100, 100, 0, [], null],
    ['a run on the third day', 500, 0, 100, [0, 0, 250], 1],
    ['what is known ends and its mean goes on', 60, 0, 0, [10, 20], 3],
    ['nothing spent, nothing known', 0, 0, 0, [], null],
    ['two years to the day', MOST_DAYS * 100, 0, 100, [], null],
    ['a fen less than two years', MOST_DAYS * 100 - 1, 0, 100, [], MOST_DAYS - 2],
  ] as const)('%s', (_name, balance, due, perDay, ahead, days) => {
    expect(outlook(balance, due, perDay, ahead)).toBe(days)
  })

  test('the mean is over 90 days, fewer for a young wallet, and never over less than a week', () => {
    const day = 86_400_000
    expect(meanOf(9_000, 0, 200 * day)).toEqual({ perDayFen: 100, days: 90 })
    expect(meanOf(9_001, 0, 30 * day)).toEqual({ perDayFen: 301, days: 30 })
    expect(meanOf(700, 0, day)).toEqual({ perDayFen: 100, days: 7 })
    expect(meanOf(0, null, day)).toEqual({ perDayFen: 0, days: 7 })
    // More came back than was spent.
    expect(meanOf(-5, 0, 100 * day).perDayFen).toBe(0)
  })
})
