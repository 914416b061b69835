/** The signs of a unified social credit code (GB 32100-2015): digits and letters without I, O, S, V, Z. */
const SIGNS = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const LENGTHS: readonly number[] = [15, 17, 18, 20]

/** A tax number as people type it, made plain: without spaces and dashes, in capitals. */
export const plainTaxNumber = (typed: string): string => typed.replaceAll(/[\s-]/g, '').toUpperCase()

/**
 * Whether a plain tax number can be one: 15, 17, 18 or 20 digits and capitals; with 18 it is a unified social credit
 * code, whose last sign is reckoned from the others.
 */
export function isTaxNumber(plain: string): boolean {
  if (!LENGTHS.includes(plain.length) || !/^[0-9A-Z]+$/.test(plain)) return false
  return plain.length !== 18 || checkSign(plain.slice(0, 17)) === plain[17]
}

/** The 18th sign of a unified social credit code; null when a sign is not of its alphabet. */
export function checkSign(first17: string): string | null {
  let [sum, weight] = [0, 1]
  for (const sign of first17) {
    const value = SIGNS.indexOf(sign)
    if (value < 0) return null
    sum += value * weight
    weight = (weight * 3) % 31
  }
  return SIGNS[(31 - (sum % 31)) % 31] ?? null
}
