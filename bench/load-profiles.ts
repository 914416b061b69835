import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** When people buy, and for how much. */
export interface LoadProfile {
  readonly name: 'lunch' | 'festival' | 'first_day'
  /** Hours of China's clocks: from this one up to but without that one. */
  readonly fromHour: number
  readonly untilHour: number
  /** Prices in fen, in steps. */
  readonly lowFen: number
  readonly highFen: number
  readonly stepFen: number
}

/** The three shapes that capacity is looked at with (product.md S8). */
export const loadProfiles: readonly LoadProfile[] = [
  { name: 'lunch', fromHour: 12, untilHour: 14, lowFen: 5_000, highFen: 20_000, stepFen: 1_000 },
  { name: 'festival', fromHour: 20, untilHour: 22, lowFen: 20_000, highFen: 50_000, stepFen: 5_000 },
  { name: 'first_day', fromHour: 0, untilHour: 2, lowFen: 50_000, highFen: 100_000, stepFen: 10_000 },
]

/** Somebody buys one card. */
export interface PlannedPurchase {
  readonly atMs: number
  readonly priceFen: number
}

const HOUR_MS = 3_600_000

export interface Planned {
  readonly seed: number
  readonly orders: number
  /** Midnight in China. */
  readonly dayStartsMs: number
}

/**
 * Purchases of one day as a profile has them, in the order of time; the same seed gives the same ones. Most come in the middle of
 * the profile's hours, as people do, and none outside.
 */
export const purchasesOf = (profile: LoadProfile, wish: Planned): PlannedPurchase[] =>
  plan(profile, wish, (between, lengthMs) => (between(0, lengthMs - 1) + between(0, lengthMs - 1)) >>> 1)

/** What goes on beside it: orders of 50 to 300 yuan at any hour of the day alike. */
export const quietDay = (wish: Planned): PlannedPurchase[] =>
  plan({ fromHour: 0, untilHour: 24, lowFen: 5_000, highFen: 30_000, stepFen: 5_000 }, wish, (between, lengthMs) =>
    between(0, lengthMs - 1),
  )

type Between = (from: number, to: number) => number

function plan(
  profile: Omit<LoadProfile, 'name'>,
  { seed, orders, dayStartsMs }: Planned,
  offset: (between: Between, lengthMs: number) => number,
): PlannedPurchase[] {
  const random = xoroshiro128plus(seed)
  const between: Between = (from, to) => uniformInt(random, from, to)
  const lengthMs = (profile.untilHour - profile.fromHour) * HOUR_MS
  const steps = (profile.highFen - profile.lowFen) / profile.stepFen
  const purchases = Array.from({ length: orders }, () => ({
    atMs: dayStartsMs + profile.fromHour * HOUR_MS + offset(between, lengthMs),
    priceFen: profile.lowFen + between(0, steps) * profile.stepFen,
  }))
  return purchases.sort((a, b) => a.atMs - b.atMs)
}
