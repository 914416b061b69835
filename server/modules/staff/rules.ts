/** Numbers that WeCom may fail to know in a day before the look-ups stop, whatever the size of a company. */
const MISSES_ALWAYS_ALLOWED = 5

/**
 * How many mobiles may be looked up now, were WeCom to know none of them: the numbers that it did not know within a day
 * stay within a tenth of the accounts that are known, half of what it bars a company for (protocol sheet wecom 4.2,
 * `getuserid`). 0: no more look-ups today.
 */
export function lookUpsLeft(ration: { readonly known: number; readonly missed: number }): number {
  const allowed = Math.max(MISSES_ALWAYS_ALLOWED, Math.floor((ration.known + ration.missed) / 10))
  return Math.max(0, allowed - ration.missed)
}

/** A phone as others may see it: 138****1234. */
export function maskPhone(phone: string | null): string | null {
  return phone === null ? null : `${phone.slice(0, 3)}****${phone.slice(-4)}`
}

/**
 * A text that no spreadsheet takes for a formula, wherever it is pasted or saved to afterwards: one that begins like a
 * formula gets an apostrophe before it. Full-width forms count too, for some programs narrow them.
 */
export function safeText(text: string): string {
  return /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/.test(text) ? `'${text}` : text
}

/** Fewer leavers than this are never held: in a small company one or two are a third of it. */
const LEAVERS_NEVER_HELD = 2

/**
 * Whether the leavers of a reading wait for a person: more than a third are missing at once, or the reading saw nobody at
 * all. That is a visible range that shrank, or a reading that came to nothing, more often than people who left.
 */
export function holdsLeavers(counts: {
  readonly present: number
  readonly missing: number
  readonly seen: number
}): boolean {
  if (counts.missing === 0) return false
  return counts.seen === 0 || (counts.missing > LEAVERS_NEVER_HELD && counts.missing * 3 > counts.present)
}
