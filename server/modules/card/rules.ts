import { createCipheriv, hkdfSync } from 'node:crypto'

/** How many different numbers one issuer prefix and one key epoch can carry. */
export const NUMBERS_PER_EPOCH = 100_000_000_000
const HALF = 1 << 19
const ROUNDS = 8

/** What makes one issuer's numbers. A new permutation key comes only with a new epoch digit. */
export interface NumberSeries {
  /** 2 to 8 digits that name the issuer. */
  readonly issuerPrefix: string
  /** One digit, 0 to 9, one for each permutation key. */
  readonly keyEpoch: number
  readonly key: Buffer
}

/**
 * The card number of a counter value: issuer prefix, epoch digit, 11 digits by a keyed permutation, Luhn check digit.
 * Different counters give different numbers without any look-up, and a number tells nothing about the next one.
 * Throws RangeError outside 0 … 99,999,999,999.
 */
export function cardNumber(series: NumberSeries): (counter: number) => string {
  if (!/^\d{2,8}$/.test(series.issuerPrefix)) throw new RangeError('an issuer prefix has 2 to 8 digits')
  if (!Number.isInteger(series.keyEpoch) || series.keyEpoch < 0 || series.keyEpoch > 9)
    throw new RangeError('no such epoch')
  const permute = permutation(series.key)
  return (counter) => {
    if (!Number.isSafeInteger(counter) || counter < 0 || counter >= NUMBERS_PER_EPOCH)
      throw new RangeError(`no such counter: ${counter}`)
    const body = `${series.issuerPrefix}${series.keyEpoch}${String(permute(counter)).padStart(11, '0')}`
    return body + luhnDigit(body)
  }
}

/** Tells whether the check digit fits: catches every single wrong digit and nearly every swap of neighbours. */
export function isCardNumber(text: string): boolean {
  return /^\d{15,21}$/.test(text) && luhnDigit(text.slice(0, -1)) === text.at(-1)
}

/**
 * A permutation of 0 … 10^11 - 1: a balanced Feistel network over 38 bits (the smallest even width that holds 10^11),
 * walked until it lands inside the range. Each round is a keyed table, so a number costs no cipher call.
 */
function permutation(key: Buffer): (value: number) => number {
  const tables = Array.from({ length: ROUNDS }, (_, round) => roundTable(key, round))
  const once = (value: number): number => {
    let left = Math.floor(value / HALF)
    let right = value % HALF
    for (const table of tables) [left, right] = [right, left ^ table[right]!]
    return left * HALF + right
  }
  return (value) => {
    let walked = once(value)
    while (walked >= NUMBERS_PER_EPOCH) walked = once(walked)
    return walked
  }
}

/** A round's table is the keystream of AES-256-CTR under a key of its own. */
function roundTable(key: Buffer, round: number): Uint32Array {
  const roundKey = Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `card-number:${round}`, 32))
  const stream = createCipheriv('aes-256-ctr', roundKey, Buffer.alloc(16)).update(Buffer.alloc(HALF * 4))
  return Uint32Array.from({ length: HALF }, (_, i) => stream.readUInt32LE(i * 4) % HALF)
}

function luhnDigit(digits: string): string {
  let sum = 0
  for (let i = 0; i < digits.length; i += 1) {
    const digit = Number(digits[digits.length - 1 - i])
    const doubled = i % 2 === 0 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return String((10 - (sum % 10)) % 10)
}
