/** Money is a whole number of fen (1/100 yuan), never a fraction and never negative. Made only by `fen()`. */
export type Fen = number & { readonly __unit: 'fen' }
/** A posting may go either way. Made only by `signedFen()`. */
export type SignedFen = number & { readonly __unit: 'signed-fen' }

/** Promises a non-negative safe integer of fen; throws RangeError on anything else. */
export function fen(value: number): Fen {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not an amount in fen: ${value}`)
  return value as Fen
}

/** Promises a safe integer of fen of either sign; throws RangeError on anything else. */
export function signedFen(value: number): SignedFen {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a signed amount in fen: ${value}`)
  return value as SignedFen
}

/** Adds amounts; throws RangeError when the sum leaves the safe integers. */
export function sumFen(amounts: Iterable<number>): Fen {
  let total = 0
  for (const amount of amounts) total += amount
  return fen(total)
}

/**
 * Splits `total` over `weights` in proportion. The parts sum to the whole; an odd fen goes to the part with the
 * largest remainder, the earliest such part first. Throws RangeError when all weights are 0 and total is not.
 */
export function splitFen(total: Fen, weights: readonly number[]): Fen[] {
  const whole = weights.reduce((sum, weight) => sum + BigInt(weight), 0n)
  if (whole === 0n) {
    if (total === 0) return weights.map(() => fen(0))
    throw new RangeError('nothing to split over')
  }
  const shares = weights.map((weight, index) => {
    const product = BigInt(total) * BigInt(weight)
    return { index, part: product / whole, rest: product % whole }
  })
  let left = BigInt(total) - shares.reduce((sum, share) => sum + share.part, 0n)
  const byRest = [...shares].sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1))
  for (const share of byRest) {
    if (left === 0n) break
    share.part += 1n
    left -= 1n
  }
  return shares.map((share) => fen(Number(share.part)))
}

/** Prints fen as people read it: 123456 gives ¥1,234.56. */
export function formatYuan(amount: number): string {
  const sign = amount < 0 ? '-' : ''
  const [yuan, cents] = [Math.floor(Math.abs(amount) / 100), Math.abs(amount) % 100]
  return `${sign}¥${yuan.toLocaleString('en-US')}.${String(cents).padStart(2, '0')}`
}
