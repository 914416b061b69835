import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** All the chance of one story, from its seed: the same seed draws the same. */
export interface Seeded {
  /** A whole number from `least` to `most`, both included. */
  readonly between: (least: number, most: number) => number
  /** True once in `times`. */
  readonly oneIn: (times: number) => boolean
  /** One of these; throws on none. */
  readonly pick: <T>(from: readonly T[]) => T
  /** As many bytes, for numbers and secrets of the house and of the sandbox. */
  readonly bytes: (count: number) => Buffer
}

/** Chance that can be drawn again. */
export function seeded(seed: number): Seeded {
  const source = xoroshiro128plus(seed)
  const between = (least: number, most: number) => uniformInt(source, least, most)
  return {
    between,
    oneIn: (times) => between(1, times) === 1,
    pick: (from) => {
      const found = from[between(0, from.length - 1)]
      if (found === undefined) throw new Error('nothing to pick from')
      return found
    },
    bytes: (count) => {
      const bytes = Buffer.allocUnsafe(count)
      for (let index = 0; index < count; index += 1) bytes[index] = between(0, 255)
      return bytes
    },
  }
}
