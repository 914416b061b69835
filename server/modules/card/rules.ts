import { createCipheriv, hkdfSync, type Cipheriv } from 'node:crypto'

/** How many different numbers one issuer prefix and one key epoch can carry. */
export const NUMBERS_PER_EPOCH = 100_000_000_000
const HALF = 1 << 19
const ROUNDS = 8
const BLOCK_BYTES = 16

/** What makes one issuer's numbers. A new permutation key comes only with a new epoch digit. */
export interface NumberSeries {
  /** 2 to 8 digits that name the issuer. */
  readonly issuerPrefix: string
  /** One digit, 0 to 9, one for each permutation key. */
  readonly keyEpoch: number
  readonly key: Buffer
}

/**
 * The card numbers of a run of counters: issuer prefix, epoch digit, 11 digits by a keyed permutation, Luhn check digit.
 * Different counters give different numbers without any look-up, and a number tells nothing about the next one.
 * Throws RangeError where a counter lies outside 0 … 99,999,999,999.
 */
export function cardNumbers(series: NumberSeries): (first: number, count: number) => string[] {
  if (!/^\d{2,8}$/.test(series.issuerPrefix)) throw new RangeError('an issuer prefix has 2 to 8 digits')
  if (!Number.isInteger(series.keyEpoch) || series.keyEpoch < 0 || series.keyEpoch > 9)
    throw new RangeError('no such epoch')
  const permute = permutation(series.key)
  return (first, count) => {
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || first < 0 || first + count > NUMBERS_PER_EPOCH)
      throw new RangeError(`no such counters: ${count} from ${first}`)
    return permute(Array.from({ length: count }, (_, index) => first + index)).map((value) => {
      const body = `${series.issuerPrefix}${series.keyEpoch}${String(value).padStart(11, '0')}`
      return body + luhnDigit(body)
    })
  }
}

/** Tells whether the check digit fits: catches every single wrong digit and nearly every swap of neighbours. */
export function isCardNumber(text: string): boolean {
  return /^\d{15,21}$/.test(text) && luhnDigit(text.slice(0, -1)) === text.at(-1)
}

/**
 * A permutation of 0 … 10^11 - 1: a balanced Feistel network over 38 bits (the smallest even width that holds 10^11)
 * with AES-256 as the round function; what falls outside the range walks on until it is inside. Many values go through
 * a round by one cipher call.
 */
function permutation(key: Buffer): (values: readonly number[]) => number[] {
  const own = Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), 'card-number', 32))
  const cipher = createCipheriv('aes-256-ecb', own, null).setAutoPadding(false)
  return (values) => {
    const walked = [...values]
    let outside = walked.map((_, index) => index)
    while (outside.length > 0) {
      const turned = turn(
        cipher,
        outside.map((index) => walked[index]!),
      )
      outside.forEach((index, at) => (walked[index] = turned[at]!))
      outside = outside.filter((index) => walked[index]! >= NUMBERS_PER_EPOCH)
    }
    return walked
  }
}

/** All rounds over values of 38 bits. A block holds the round and the right half; its cipher's first bits are the mask. */
function turn(cipher: Cipheriv, values: readonly number[]): number[] {
  let left = values.map((value) => Math.floor(value / HALF))
  let right = values.map((value) => value % HALF)
  const blocks = Buffer.alloc(values.length * BLOCK_BYTES)
  for (let round = 0; round < ROUNDS; round += 1) {
    right.forEach((half, index) => {
      blocks.writeUInt32LE(round, index * BLOCK_BYTES)
      blocks.writeUInt32LE(half, index * BLOCK_BYTES + 4)
    })
    const masks = cipher.update(blocks)
    const mixed = left.map((half, index) => half ^ (masks.readUInt32LE(index * BLOCK_BYTES) % HALF))
    left = right
    right = mixed
  }
  return left.map((half, index) => half * HALF + right[index]!)
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
