import { timingSafeEqual } from 'node:crypto'
import { decodeId, encodeId, isId, type HolderId, type Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Scope } from '../../kernel/context.ts'

/** Whose money a code spends: one card, or whatever cards its holder has of the brand at whose till it is shown. */
export type PayCodeOf =
  { readonly kind: 'card'; readonly cardId: Id<'card'> } | { readonly kind: 'holder'; readonly holderId: HolderId }

export interface PayCode {
  /** 52 digits: half as many symbols of Code 128-C, and short for a QR code. */
  readonly code: string
  readonly expiresAtMs: number
}

/** What stands in a code that is ours and not over yet. */
export interface OpenPayCode {
  readonly of: PayCodeOf
  readonly expiresAtMs: number
  /** What is signed: it names the code where codes are used up. */
  readonly signed: string
}

/** Our codes begin so: no WeChat or Alipay payment code (10 to 15, 25 to 30 with 16 to 24 digits) is as long. */
const PREFIX = '28'
const [KIND_AT, ID_AT, END_AT, LENGTH] = [2, 3, 22, 52]
/** Of the end a code carries ten digits, which come again after 115 days; what is signed has all thirteen. */
const [END_DIGITS, CARRIED_DIGITS, CHANCE_DIGITS, MAC_DIGITS] = [13, 10, 8, 12]
const END_COMES_AGAIN_MS = 10 ** CARRIED_DIGITS

/**
 * Makes a payment code for the next 60 seconds: digits that carry whose it is, its end, eight digits of chance and a keyed
 * MAC of twelve. Nothing is written: a phone may hold it without network until its end.
 */
export function makePayCode(scope: Scope, of: PayCodeOf): PayCode {
  const expiresAtMs = scope.clock.now() + limits.payCodeMs
  const id = decodeId(of.kind === 'card' ? of.cardId : of.holderId)
  const owner = PREFIX + kindOf(of) + String(id).padStart(END_AT - ID_AT, '0')
  const chance = String(scope.random(4).readUInt32BE() % 10 ** CHANCE_DIGITS).padStart(CHANCE_DIGITS, '0')
  const end = String(expiresAtMs).padStart(END_DIGITS, '0')
  const code = owner + end.slice(-CARRIED_DIGITS) + chance + macOf(scope, owner + end + chance)
  return { code, expiresAtMs }
}

/** Reads a code that a till was shown. Null: not ours, changed, over, or from a clock that is not ours. */
export function openPayCode(scope: Scope, code: string): OpenPayCode | null {
  if (code.length !== LENGTH || !/^\d+$/.test(code) || !code.startsWith(PREFIX)) return null
  const now = scope.clock.now()
  const carried = Number(code.slice(END_AT, END_AT + CARRIED_DIGITS))
  // The first instant from now on that ends in these digits: the only one at which the code can be open.
  const waitMs = (((carried - now) % END_COMES_AGAIN_MS) + END_COMES_AGAIN_MS) % END_COMES_AGAIN_MS
  if (waitMs === 0 || waitMs > limits.payCodeMs) return null
  const end = String(now + waitMs).padStart(END_DIGITS, '0')
  const signed = code.slice(0, END_AT) + end + code.slice(END_AT + CARRIED_DIGITS, LENGTH - MAC_DIGITS)
  const good = timingSafeEqual(Buffer.from(code.slice(-MAC_DIGITS)), Buffer.from(macOf(scope, signed)))
  return good ? { of: ownerIn(signed), expiresAtMs: now + waitMs, signed } : null
}

/** Whose a code is, of which only what is signed was kept. */
export function ownerIn(signed: string): PayCodeOf {
  const id = BigInt(signed.slice(ID_AT, END_AT))
  if (signed[KIND_AT] === '1') return { kind: 'card', cardId: encodeId('card', id) }
  return { kind: 'holder', holderId: encodeId(signed[KIND_AT] === '2' ? 'person' : 'buyer', id) }
}

/** The digit that says whose it is: a card's, a person's, a buyer's. */
function kindOf(of: PayCodeOf): string {
  if (of.kind === 'card') return '1'
  return isId('person', of.holderId) ? '2' : '3'
}

/** When a code was made, of which only what is signed was kept. */
export const madeAtMs = (signed: string): number => Number(signed.slice(END_AT, END_AT + END_DIGITS)) - limits.payCodeMs

/** Twelve digits of a keyed MAC: one guess in 10^12, against a code that lives for a minute. */
function macOf(scope: Scope, signed: string): string {
  const mac = BigInt(`0x${scope.house.seal.blindIndex('pay-code', signed).slice(0, 16)}`)
  return String(mac % 1_000_000_000_000n).padStart(MAC_DIGITS, '0')
}
