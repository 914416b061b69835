/** A card as its holder typed it: the digits of its number, and its secret in capitals. */
export interface CardInput {
  readonly number: string
  readonly secret: string
}

/** How long a secret is: issuing makes 16 characters of an alphabet without I, L, O and U. */
export const SECRET_LENGTH = 16
const SHORTEST_NUMBER = 15
const LONGEST_NUMBER = 21
const LONGEST_TEXT = 400

/** What people read into a secret and what was printed: O is 0; I, L and a bar are 1. */
const misread: Readonly<Record<string, string>> = { O: '0', I: '1', L: '1', '|': '1' }
/** Words that stand before number and secret where they were copied with them: no secret has such letters. */
const words = /(?:卡\s*号|卡\s*密|密\s*码)\s*[:=]?/gu
/** English ones may be part of a secret, so they count where no letter or digit stands before them. */
const labels =
  /(?:卡\s*号|卡\s*密|密\s*码|(?<![a-z0-9])(?:card\s*(?:number|no\.?)|number|no\.|secret|password|pin))\s*[:=]?/giu
const between = /[\r\n\t,;、/]+/u

/**
 * Reads number and secret as people type them: with spaces or dashes, in small or full-width letters, O for 0, I or L for 1,
 * with the words printed before them, and both in one field (then `secret` is empty). Null when it cannot be a card. The
 * page tells by it whether the button may be pressed, the server what to look for.
 */
export function readCardInput(number: string, secret = ''): CardInput | null {
  if (number.length + secret.length > LONGEST_TEXT) return null
  const [one, other] = [number.normalize('NFKC'), secret.normalize('NFKC')]
  // As it stands first, then with as little taken away as will do: what looks like a word may be part of a secret.
  return (
    readTexts(one, other) ??
    readTexts(one.replace(words, '\n'), other.replace(words, '\n')) ??
    readTexts(one.replace(labels, '\n'), other.replace(labels, '\n'))
  )
}

function readTexts(number: string, secret: string): CardInput | null {
  if (plain(secret) !== '') return cardOf(plain(number), plain(secret))
  const parts = number
    .split(between)
    .map(plain)
    .filter((part) => part !== '')
  const apart = parts.length === 2 ? cardOf(parts[0]!, parts[1]!) : null
  const all = parts.join('')
  return apart ?? cardOf(all.slice(0, -SECRET_LENGTH), all.slice(-SECRET_LENGTH))
}

/** Letters and digits alone, in capitals, with what was misread put right. */
const plain = (text: string): string =>
  text
    .toUpperCase()
    .replace(/[OIL|]/g, (letter) => misread[letter] ?? letter)
    .replace(/[\s\p{Pd}\p{Cf}_.·−]/gu, '')

function cardOf(number: string, secret: string): CardInput | null {
  const isNumber = /^\d+$/.test(number) && number.length >= SHORTEST_NUMBER && number.length <= LONGEST_NUMBER
  return isNumber && secret.length === SECRET_LENGTH && /^[0-9A-HJKMNP-TV-Z]+$/.test(secret) ? { number, secret } : null
}
