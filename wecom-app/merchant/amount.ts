/** What stands on the amount pad: yuan as they were typed, never a number with a fraction. */
export interface Typed {
  readonly text: string
  /** Signs that found no place: a hand scanner that fires at the pad types dozens of them. */
  readonly spilled: number
}
export const nothingTyped: Typed = { text: '', spilled: 0 }

/** Seven digits of yuan: no bill at a till is longer, and a payment code that is typed by mistake does not fit. */
const YUAN_DIGITS = 7
const FEN_DIGITS = 2
/** So many signs without a place are no slip of a finger. */
const SCANNER = 3

/** A key of the pad: a digit, `00`, the point, or `back`, which also ends a burst. Anything else changes nothing. */
export function press(typed: Typed, key: string): Typed {
  if (key === 'back') return { text: typed.text.slice(0, -1), spilled: 0 }
  if (key === '00') return press(press(typed, '0'), '0')
  if (!isSettled(typed)) return typed
  if (key === '.') return typed.text.includes('.') ? typed : { text: `${typed.text || '0'}.`, spilled: 0 }
  if (!/^\d$/.test(key)) return typed
  const [yuan = '', fen] = typed.text.split('.')
  if (fen === undefined ? yuan.length >= YUAN_DIGITS : fen.length >= FEN_DIGITS) return spill(typed)
  return { text: typed.text === '0' ? key : typed.text + key, spilled: 0 }
}

/** A burst that does not fit leaves nothing behind that could be paid by its closing Enter. */
function spill({ text, spilled }: Typed): Typed {
  return { text: spilled + 1 >= SCANNER ? '' : text, spilled: spilled + 1 }
}

/** Whether Enter may pay: not after signs have poured in that belong elsewhere; they are taken no more until `back`. */
export const isSettled = (typed: Typed): boolean => typed.spilled < SCANNER

/** What was typed, in fen: whole numbers all the way. */
export function fenOf({ text }: Typed): number {
  const [yuan = '', fen = ''] = text.split('.')
  return Number(yuan || '0') * 100 + Number(fen.padEnd(FEN_DIGITS, '0'))
}

/** Fen as somebody would have typed them, for a pad that begins with an amount. */
export function typedOf(fen: number): Typed {
  const digits = String(fen).padStart(FEN_DIGITS + 1, '0')
  const [yuan, rest] = [digits.slice(0, -FEN_DIGITS), digits.slice(-FEN_DIGITS)]
  return { text: rest === '00' ? yuan : `${yuan}.${rest}`, spilled: 0 }
}

/** What is missing to two decimals, shown in grey behind what was typed: 12.3 shows a 0, nothing at all shows 0.00. */
export function ghostOf({ text }: Typed): string {
  if (text === '') return '0.00'
  const [, fen] = text.split('.')
  return fen === undefined ? '.00' : '0'.repeat(FEN_DIGITS - fen.length)
}
