import { shareBp } from '../../../../contract/operator/funnel.ts'

/** A part of a whole in percent with one place: 82%, 33.3%; null of nothing. */
export function sayShare(part: number, whole: number): string | null {
  const bp = shareBp(part, whole)
  return bp === null ? null : `${(Math.round(bp / 10) / 10).toLocaleString('en-US')}%`
}
