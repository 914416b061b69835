/** How long something lasts, in the largest unit of which it has one; under a minute it is 0 minutes. */
export function ageOf(ms: number): { readonly unit: 'minutes' | 'hours' | 'days'; readonly count: number } {
  const minutes = Math.max(0, Math.floor(ms / 60_000))
  if (minutes < 60) return { unit: 'minutes', count: minutes }
  return minutes < 1440
    ? { unit: 'hours', count: Math.floor(minutes / 60) }
    : { unit: 'days', count: Math.floor(minutes / 1440) }
}

const HOUR_MS = 3_600_000
/** A length of time as a person writes it into a field: whole hours, else minutes. */
export function spanOf(ms: number): { readonly unit: 'hours' | 'minutes'; readonly text: string } {
  return ms % HOUR_MS === 0
    ? { unit: 'hours', text: String(ms / HOUR_MS) }
    : { unit: 'minutes', text: String(Math.round(ms / 600) / 100) }
}

/** Reads a length of time; null when it is none. */
export function readSpan(text: string, unit: 'hours' | 'minutes'): number | null {
  if (!/^\d{1,6}(\.\d{1,2})?$/.test(text.trim())) return null
  return Math.round(Number(text) * (unit === 'hours' ? HOUR_MS : 60_000))
}

/** Basis points as a person writes them: 450 gives 4.5. */
export const percentOf = (bp: number): string => String(bp / 100)

/** Reads a percentage as typed (4.5 or 4.5%) into basis points; null when it is none or has more than two decimals. */
export function readPercent(text: string): number | null {
  const plain = text.replace(/[\s%％]/g, '')
  const parts = /^(\d{1,3})(?:\.(\d{0,2}))?$/.exec(plain)
  if (parts === null) return null
  const bp = Number(parts[1]) * 100 + Number((parts[2] ?? '').padEnd(2, '0'))
  return bp > 10_000 ? null : bp
}

const subjects = ['paid', 'refund', 'fee', 'share', 'return'] as const
/** What a difference is about: a word, the number that both sides know, and whom it went to. */
export function readSubject(subject: string): {
  readonly kind: (typeof subjects)[number] | 'other'
  readonly number: string
  readonly account: string | null
} {
  const [word, number = '', account] = subject.split(' ')
  const kind = subjects.find((one) => one === word)
  return kind === undefined
    ? { kind: 'other', number: subject, account: null }
    : { kind, number, account: account ?? null }
}

/** Whom a payout is for: ourselves, the payer of a refund, or a brand or channel that has a name. */
export function payeeKind(payee: string): 'platform' | 'refund' | 'named' {
  if (payee === 'platform') return 'platform'
  return payee.startsWith('refund:') ? 'refund' : 'named'
}
