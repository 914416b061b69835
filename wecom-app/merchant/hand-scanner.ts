/** What a payment code is as digits (contract/till.ts). */
const CODE_DIGITS = 52

/** The digits of a payment code, whatever a scanner, a person or a clipboard puts around them; null when it is none. */
export function readPayCode(text: string): string | null {
  const digits = text.replace(/[\s-]/g, '')
  return /^\d+$/.test(digits) && digits.length === CODE_DIGITS ? digits : null
}

/** What was pressed longer ago than this belongs to something else. A scanner needs milliseconds, a busy browser more. */
const GAP_MS = 2000

/**
 * Listens to a scanner that types like a keyboard: digits, then Enter. Give it each key that is pressed while no field has
 * the focus, with the time; it answers the code once it is whole.
 */
export function handScanner(): (key: string, atMs: number) => string | null {
  let digits = ''
  let lastMs = -Infinity
  return (key, atMs) => {
    if (atMs - lastMs > GAP_MS) digits = ''
    lastMs = atMs
    if (/^\d$/.test(key)) digits += key
    if (key !== 'Enter') return null
    const code = readPayCode(digits.slice(-CODE_DIGITS))
    digits = ''
    return code
  }
}
