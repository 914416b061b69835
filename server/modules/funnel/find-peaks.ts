import type { Funnel } from '../../../contract/operator/funnel.ts'
import { shareBp } from '../../../contract/operator/funnel.ts'

/** Orders of one hour of the day and one price, in whole yuan. */
export interface Hourly {
  readonly hour: number
  readonly priceFen: number
  readonly orders: number
}

export type Peak = Funnel['peaks'][number]

/** Fewer orders than this in an hour are chance. */
const LEAST = 10
/** How many times as many as in an hour of the middle. */
const TIMES = 2
/** And how far beyond what chance does, in standard deviations of a count. */
const DEVIATIONS = 4

/**
 * Hours that stand out of the day: far above the hour of the middle and above the day's mean. Neighbours make one peak, over midnight
 * as well. The most orders first.
 */
export function findPeaks(rows: readonly Hourly[]): Peak[] {
  const counts = Array.from({ length: 24 }, (_, hour) =>
    rows.filter((row) => row.hour === hour).reduce((sum, row) => sum + row.orders, 0),
  )
  const total = counts.reduce((sum, count) => sum + count, 0)
  const middle = counts.toSorted((a, b) => a - b)[11] ?? 0
  const bar = Math.max(LEAST, total / 24, middle * TIMES, middle + DEVIATIONS * Math.sqrt(middle))
  const high = counts.map((count) => count > bar)
  const begins = [...high.keys()].filter((hour) => high[hour] === true && high[(hour + 23) % 24] !== true)
  return begins.map((fromHour) => peakFrom(rows, high, fromHour, total)).sort((a, b) => b.orders - a.orders)
}

function peakFrom(rows: readonly Hourly[], high: readonly boolean[], fromHour: number, total: number): Peak {
  let untilHour = fromHour + 1
  while (high[untilHour % 24] === true) untilHour += 1
  const within = (hour: number): boolean =>
    (hour >= fromHour && hour < untilHour) || (hour + 24 >= fromHour && hour + 24 < untilHour)
  const sorted = rows.filter(({ hour }) => within(hour)).toSorted((a, b) => a.priceFen - b.priceFen)
  const orders = sorted.reduce((sum, row) => sum + row.orders, 0)
  const at = (part: number): number => quantile(sorted, Math.ceil(orders * part))
  const basket = { lowFen: at(0.1), medianFen: at(0.5), highFen: at(0.9) } as Pick<Peak, 'lowFen'> & Peak
  return { ...basket, fromHour, untilHour, orders, shareBp: shareBp(orders, total) ?? 0 }
}

/** The price of the so-manieth order, cheapest first. */
function quantile(sorted: readonly Hourly[], rank: number): number {
  let passed = 0
  for (const { priceFen, orders } of sorted) {
    passed += orders
    if (passed >= rank) return priceFen
  }
  return 0
}
